/** One machine by itself, driven through the real codec and the real draft, with a clock of its own. */
import { packValue } from '../../src/codec/pack.ts';
import { TypedMachine } from '../../src/state/typed-machine.ts';
import type { Command, Handlers, Queries, StateMachine } from '../../src/state/types.ts';

export class Stand<S, C extends Handlers<S>, Q extends Queries<S>> {
  now = 1_000;
  #index = 0;
  readonly machine: TypedMachine<S, C, Q>;

  constructor(definition: StateMachine<S, C, Q>) {
    this.machine = new TypedMachine(definition);
  }

  /** What the command answers. Throws what its caller would see. */
  run(command: Command<C> | { readonly type: string; readonly [field: string]: unknown }): unknown {
    this.#index += 1;
    const context = { index: this.#index, term: 1, now: this.now, random: () => 0, proposer: 'a' };
    return this.machine.answer(this.machine.apply(packValue(command), context));
  }

  ask(name: keyof Q & string, input?: unknown): unknown {
    return this.machine.publish(this.machine.query(name, input));
  }

  /** Saves the state and goes on from what was saved, as a member that installs a snapshot does. */
  async overSnapshot(): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.machine.snapshot()) chunks.push(chunk.slice());
    this.machine.reset();
    await this.machine.restore(
      (async function* () {
        yield* chunks;
      })(),
      this.machine.version,
    );
  }
}
