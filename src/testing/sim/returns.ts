/**
 * A reader that stands before a node whose storage failed, and asks the moment it is back: what the node had read, confirmed and
 * applied before counts for nothing any more (I29).
 */
import type { Evidence } from './evidence.ts';
import type { Ghost } from './ghost.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimNode } from './sim-node.ts';

/** How long it waits for its answer, in ms. */
const TIMEOUT_MS = 4_000;
/** When it asks after the return, in ms: at once, and while the log is being applied anew. */
const ASKS_AFTER_MS: readonly number[] = [0, 1, 5, 20, 60];

interface World {
  readonly scheduler: Scheduler;
  readonly evidence: Evidence;
  readonly ghost: Ghost;
}

export function readAfterReturn(cluster: World, node: SimNode): void {
  for (const afterMs of ASKS_AFTER_MS)
    cluster.scheduler.after(afterMs, node.id, () => node.process?.enter(() => ask(cluster, node)));
}

function ask({ scheduler, evidence, ghost }: World, node: SimNode): void {
  const { engine } = node;
  if (engine?.member === undefined || engine.ended !== undefined) return;
  const { member } = engine;
  const floor = ghost.committed.index;
  scheduler.stir();
  engine.application.reads.submit({
    deadlineMs: engine.options.clock.monotonicMs() + TIMEOUT_MS,
    done: (error) => {
      if (error !== undefined || engine.member !== member) return;
      evidence.mark('read-after-return');
      evidence.check(
        'I29',
        member.appliedIndex >= floor,
        () =>
          `${node.id} answers a read at ${member.appliedIndex} after its storage came back; ${floor} was committed before it was asked`,
      );
    },
  });
}
