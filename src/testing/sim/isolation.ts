/** What a node that hears nobody, and that nobody hears, must do: step down (I37), and leave its term as it is (I36). */
import type { NodeId } from '../../core/types.ts';
import type { SimNode } from './sim-node.ts';
import type { StruckCluster } from './struck-cluster.ts';

/** A leader that nobody hears has stepped down after so many election timeouts. */
const ALONE_WITHIN = 3;
/** What was on its way when the node was cut off has done its work after so many ms. */
const SETTLED_MS = 400;

/** Call when a node is being cut off from all others, for a time; `later` runs nothing once the run has healed. */
export function watchIsolation(
  cluster: StruckCluster,
  node: SimNode,
  others: readonly NodeId[],
  forMs: number,
  later: (forMs: number, run: () => void) => void,
): void {
  const { network, evidence, plan } = cluster;
  const { engine } = node;
  const member = engine?.member;
  const sinceMs = cluster.scheduler.nowMs;
  const votersThen = member?.conf.voters.length ?? 0;
  // Whose timers come late counts its timeouts late.
  const isThrottled = plan.strikes.some(
    (strike) =>
      (strike.kind === 'throttle' || strike.kind === 'doze') &&
      strike.atMs < sinceMs + forMs &&
      strike.atMs + strike.forMs > sinceMs,
  );
  // A candidacy under way may end well: its votes were given before.
  const quiet = engine?.standing.role === 'follower' || engine?.standing.role === 'leader';
  const undisturbed = (): boolean =>
    node.engine === engine &&
    engine?.member !== undefined &&
    // One that opens anew after its disk had failed may have led: it starts in the next term (docs/CORE.md, S1).
    engine.member === member &&
    engine.member.conf.voters.length > 1 &&
    node.process?.frozen !== true &&
    node.clockFaults.timerGrainMs === 0 &&
    network.openedMs(node.id) <= sinceMs &&
    others.every((id) => network.isBlocked(node.id, id) && network.isBlocked(id, node.id));
  let settled: number | undefined;
  if (quiet && forMs > 2 * SETTLED_MS)
    later(SETTLED_MS, () => {
      if (undisturbed()) settled = engine?.term;
    });
  later(forMs - 1, () => {
    if (!undisturbed()) return;
    if (settled !== undefined)
      evidence.check(
        'I36',
        // A vote that was left to it before is used once, when it can: without PreVote, as after a transfer.
        engine?.term === settled || (engine?.term === settled + 1 && cluster.ghost.votes.wasGiven(node.id, settled + 1)),
        () => `${node.id} was alone, and its term ${settled} became ${engine?.term}`,
      );
    if (!isThrottled && forMs > ALONE_WITHIN * plan.tuning.electionTimeoutMs[1] + 1)
      // The leader of two that nobody can have replaced waits, and then goes on alone (docs/CORE.md, A7). A sole voter needs
      // nobody, and may ask for more voters at any moment: it is their silence from then on that counts.
      evidence.check(
        'I37',
        !node.isLeader || votersThen <= 2 || (engine?.member?.conf.voters.length ?? 0) <= 2,
        () => `${node.id} still leads after ${forMs} ms without anybody`,
      );
  });
}
