/**
 * A member without a state machine: it votes, and stores what it need not understand. What it holds is the last snapshot that a member
 * with the machine made, and every entry since; kept-snapshot.ts makes one stream of bytes of both.
 */
import { RaftError } from '../core/errors.ts';
import type { ByteMachine, Machine, Outcome } from './state-machine.ts';

/** In the place of a state machine, wherever one is asked for: the node is a keeper. */
export const keeper: ByteMachine = {
  apply: () => refuse(),
  snapshot: () => refuse(),
  restore: () => refuse(),
};

/** What a keeper says of its machine in its hello. */
export const NO_MACHINE_VERSION = 0;

function refuse(): never {
  throw new RaftError('unknown-command', 'A keeper has no state machine: it stores what others apply.');
}

const NOTHING: Outcome = Object.freeze({ kind: 'value', value: undefined });
const NO_STATE: Readonly<Record<string, never>> = Object.freeze({});

export class KeeperMachine implements Machine {
  /** A keeper that leads takes commands of every version: it has not to understand them. */
  readonly version: number = Number.MAX_SAFE_INTEGER;
  readonly state: unknown = NO_STATE;
  readonly view: unknown = NO_STATE;

  /** Nobody is told: what a command came to, those with the machine know. */
  apply(): Outcome {
    return NOTHING;
  }

  /** Never read: a state that can only be streamed has no digest, and so a keeper is not compared with others. */
  async *snapshot(): AsyncIterable<Uint8Array> {}

  /** Reads all of it, so that damage is found now and not by who needs it. */
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const _ of chunks);
  }

  fresh(): undefined {
    return undefined;
  }

  reset(): void {}

  publish<T>(value: T): T {
    return value;
  }

  decode(command: Uint8Array): unknown {
    return command;
  }

  answer(): never {
    return refuse();
  }
}
