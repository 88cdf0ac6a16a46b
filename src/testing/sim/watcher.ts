/** A subscriber to the changes of the cluster, at one node after the other: without gaps, in order, nothing twice (I32). */
import { RaftError } from '../../core/errors.ts';
import type { Index } from '../../core/types.ts';
import type { Runtime } from '../../runtime/node/runtime.ts';
import type { Prng } from '../prng.ts';
import type { SimCluster } from './cluster.ts';
import type { SimNode } from './sim-node.ts';

/** How long it stays with one node at the most, in ms: then it goes on from where it is, elsewhere. */
const STAY_MS: readonly [number, number] = [400, 4_000];
const LOOK_MS = 200;

export class SimWatcher {
  readonly #cluster: SimCluster;
  readonly #random: Prng;
  /** The index from which the next change is wanted; undefined: from wherever the node is. */
  #next: Index | undefined;

  constructor(cluster: SimCluster, random: Prng) {
    this.#cluster = cluster;
    this.#random = random;
    this.#later();
  }

  #later(): void {
    this.#cluster.scheduler.after(this.#random.span(50, 300), '', () => this.#begin());
  }

  #begin(): void {
    const { scheduler, nodes } = this.#cluster;
    const running = nodes.filter(({ engine }) => engine?.member !== undefined && engine.ended === undefined);
    const node = running.length === 0 ? undefined : this.#random.pick(running);
    const engine = node?.engine;
    if (node === undefined || engine === undefined) return this.#later();
    const stay = new AbortController();
    const untilMs = scheduler.nowMs + this.#random.span(...STAY_MS);
    const look = (): void => {
      if (stay.signal.aborted) return;
      if (node.engine !== engine || scheduler.nowMs >= untilMs) {
        scheduler.stir();
        stay.abort();
      } else scheduler.after(LOOK_MS, '', look);
    };
    scheduler.after(LOOK_MS, '', look);
    scheduler.stir();
    this.#follow(node, engine, stay).then(
      () => this.#later(),
      (error: unknown) => {
        stay.abort();
        // The place is gone: whoever reads the state anew goes on from there.
        if (RaftError.is(error, 'index-compacted')) this.#next = undefined;
        else if (!RaftError.is(error)) this.#cluster.evidence.fail('I32', `${node.id}: changes ended with ${String(error)}`);
        this.#later();
      },
    );
  }

  async #follow(node: SimNode, engine: Runtime, stay: AbortController): Promise<void> {
    const { witness } = this.#cluster.ghost;
    const from = this.#next ?? (engine.member?.appliedIndex ?? 0) + 1;
    this.#next = from;
    for await (const { entry } of engine.application.feed.iterate(from, stay.signal)) {
      const { index } = entry;
      if (node.engine !== engine) return;
      witness.changeSeen(node.id, this.#next, index);
      this.#next = index + 1;
    }
  }
}
