/** What must stay within its limit, whatever happens: queues, windows, traffic (I33, I34), and the calm of a healthy cluster (I36). */
import type { Runtime } from '../../runtime/node/runtime.ts';
import type { SimCluster } from './cluster.ts';

/** I33: what waits, or is on its way, against what the node was told to allow. */
export function checkBounds({ nodes, evidence, plan }: SimCluster): void {
  const { pendingCallsMax, inflightMessagesMax } = plan.tuning;
  for (const { id, engine, isLeader } of nodes) {
    if (engine === undefined) continue;
    evidence.check(
      'I33',
      engine.application.writes.size <= 2 * pendingCallsMax,
      () =>
        `${id} holds ${engine.application.writes.size} writes; ${pendingCallsMax} of its own and as many of earlier lives are allowed`,
    );
    if (!isLeader || engine.member === undefined) continue;
    for (const { id: peer, inflightMessages } of engine.member.core.status().progress)
      evidence.check(
        'I33',
        inflightMessages <= inflightMessagesMax,
        () => `${id} has ${inflightMessages} appends on their way to ${peer}; ${inflightMessagesMax} are allowed`,
      );
  }
}

/** Entries that may be committed yet without anybody asking anew. */
function underWayAt(engine: Runtime | undefined): number {
  if (engine?.member === undefined) return 0;
  // Writes of earlier lives, which nobody waits for, each with a session to be opened for it; and what a slow disk is still to take.
  const { lastIndex, commitIndex } = engine.member.core.status();
  return 2 * engine.application.writes.size + (lastIndex - commitIndex);
}

/** How long a healed cluster is left alone, in its greatest election timeouts. */
const CALM_TIMEOUTS = 4;
/** Messages of the algorithm that one node may send one other in a heartbeat's time when nothing happens. */
const CALM_MESSAGES = 2;

/** What was slow is fast again after so many election timeouts, at the latest. */
const UNSETTLED_TIMEOUTS = 20;

function isUnsettled({ leader, nodes }: SimCluster): boolean {
  return leader === undefined || nodes.some(({ engine }) => engine?.consensus.reports.own.late === true);
}

/** I34, I36: left alone, a healthy cluster keeps its leader and its term, writes nothing, and only its heart beats. */
export async function checkCalm(cluster: SimCluster, runTo: (untilMs: number) => Promise<boolean>): Promise<void> {
  const { scheduler, evidence, plan, network, ghost } = cluster;
  const { heartbeatMs, electionTimeoutMs } = plan.tuning;
  cluster.calm = true;
  // What a slow link still holds of busier times comes in first, with the answers to it.
  if (!(await runTo(scheduler.nowMs + 2 * Math.max(plan.network.spikeMs, electionTimeoutMs[1])))) return;
  // An office that is being handed over arrives first. And a leader that was slow a moment ago may still be relieved of it.
  for (let i = 0; i < UNSETTLED_TIMEOUTS && isUnsettled(cluster); i++)
    if (!(await runTo(scheduler.nowMs + electionTimeoutMs[1]))) return;
  const leader = cluster.leader?.id;
  const term = cluster.leader?.engine?.term;
  const before = network.counts.raft;
  const { committed } = ghost;
  const underWay = cluster.nodes.reduce((sum, { engine }) => sum + underWayAt(engine), 0);
  const forMs = CALM_TIMEOUTS * electionTimeoutMs[1];
  if (!(await runTo(scheduler.nowMs + forMs))) return;
  const after = cluster.leader;
  evidence.check(
    'I36',
    after?.id === leader && after?.engine?.term === term,
    () => `nothing happened, and ${leader} in term ${term} gave way to ${after?.id} in term ${after?.engine?.term}`,
  );
  const pairs = (cluster.nodes.length - 1) * 2;
  const allowed = Math.max(1, pairs) * CALM_MESSAGES * (1 + forMs / heartbeatMs);
  const sent = network.counts.raft - before;
  evidence.check('I34', sent <= allowed, () => `nothing happened, and ${sent} messages were sent; ${allowed} would be many`);
  evidence.check(
    'I34',
    ghost.committed.index - committed.index <= cluster.nodes.length + underWay,
    () => `nothing happened, and ${ghost.committed.index - committed.index} entries were committed`,
  );
}
