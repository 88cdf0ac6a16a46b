/** A node whose two sides stand at the two ends of a line, both built here: the line may lead through anything. */
import type { RaftError } from '../../core/errors.ts';
import type { Goodbye } from '../../wire/peer-message.ts';
import { ConsensusNode } from '../node/consensus-node.ts';
import { factsOf, stateFor } from '../node/keeping.ts';
import { type BuildNode, Runtime } from '../node/runtime.ts';
import type { Line } from '../ports/line.ts';
import { EngineHost } from './engine-host.ts';
import { FarNode } from './far-node.ts';

class SplitRuntime extends Runtime {
  readonly #far: FarNode;

  constructor(consensus: ConsensusNode, far: FarNode) {
    super(consensus, far);
    this.#far = far;
  }

  override start(): Promise<void> {
    return this.#far.start();
  }

  override pause(): void {
    this.#far.pause();
  }

  override resume(): void {
    this.#far.resume();
  }

  override onEnd(run: () => void): void {
    this.#far.onEnd(run);
  }

  override lost(error: RaftError): void {
    this.#far.lost(error);
  }

  override kill(): void {
    super.kill();
    this.#far.kill();
  }

  override stop(reason: Goodbye['reason']): Promise<void> {
    return this.#far.stop(reason);
  }
}

/** Joined by what `lay` gives: the two ends of a line. */
export function atTwoEnds(lay: () => readonly [consensus: Line, application: Line]): BuildNode {
  return (options, store, machine, settings, emitter) => {
    const [near, far] = lay();
    const { clock, tuning, room } = options;
    const state = stateFor(machine, settings, store);
    state.trust.authorize = options.authorize;
    const host = new EngineHost(near);
    const consensus = new ConsensusNode({
      options,
      store,
      machine: factsOf(machine),
      judge: host.judge(options.authorize !== undefined),
      settings,
      emitter: host.emitter,
      // The application side counts its own.
      pendingWrites: () => 0,
    });
    const greeting = structuredClone(host.attach(consensus));
    const { identity } = store;
    return new SplitRuntime(consensus, new FarNode({ line: far, greeting, identity, state, room, clock, tuning, emitter }));
  };
}
