/** After everything has healed: there is a leader soon, every call ends, and all members are equal (I25, I31, I35). */
import type { Runtime } from '../../runtime/node/runtime.ts';
import { leaderReady } from '../../runtime/standing/freshness.ts';
import { digestOf, stateBytes } from '../../state/digest.ts';
import type { History } from '../history/history.ts';
import { checkCalm } from './bounds.ts';
import type { SimCluster } from './cluster.ts';

/** Election timeouts of ordinary work after healing, before the clients come to an end. */
const ORDINARY_WORK = 2;
/** … and so many more where hardly anything was answered until then. */
const MORE_WORK = 20;
/** Election timeouts that may pass after healing until there is a leader. */
const LEADER_WITHIN = 10;
/** … until every call that was made before has ended. */
const CALLS_WITHIN = 20;
/** … until all members hold the same. */
const EQUAL_WITHIN = 50;

export async function judgeEnd(
  cluster: SimCluster,
  history: History,
  runTo: (untilMs: number) => Promise<boolean>,
  stepMs: number,
  close: () => void,
): Promise<void> {
  const { scheduler, evidence, plan } = cluster;
  const timeoutMs = plan.tuning.electionTimeoutMs[1];
  let sinceMs = scheduler.nowMs;
  const until = async (limit: number, holds: () => boolean): Promise<boolean> => {
    const endMs = sinceMs + limit * timeoutMs;
    while (!holds()) {
      if (scheduler.nowMs >= endMs || !(await runTo(scheduler.nowMs + stepMs))) return holds();
    }
    return true;
  };
  const led = await until(LEADER_WITHIN, () => hasLeader(cluster));
  if (evidence.violations.length > 0) return;
  evidence.check('I35', led, () => `no leader ${LEADER_WITHIN} election timeouts after healing: ${describeNodes(cluster)}`);
  if (!led) return;
  // A little more of ordinary work, and what a run must have at least, then no new calls.
  await runTo(scheduler.nowMs + ORDINARY_WORK * timeoutMs);
  sinceMs = scheduler.nowMs;
  await until(MORE_WORK, () => history.acknowledged >= (plan.minimum?.operations ?? 0));
  close();
  // Calls made until now have so long from now.
  sinceMs = scheduler.nowMs;
  const ended = await until(CALLS_WITHIN, () => history.open === 0);
  if (evidence.violations.length > 0) return;
  evidence.check(
    'I31',
    ended,
    () =>
      `${history.open} calls have not ended ${CALLS_WITHIN} election timeouts after healing: ${describeOpen(history)}; ${describeNodes(cluster)}`,
  );
  const equal = await until(EQUAL_WITHIN, () => differences(cluster).length === 0);
  if (evidence.violations.length > 0) return;
  evidence.check('I25', equal, () => differences(cluster).join('; '));
  cluster.compareProgress();
  if (equal) await checkCalm(cluster, runTo);
}

function hasLeader(cluster: SimCluster): boolean {
  const leader = cluster.leader?.engine;
  return leader !== undefined && leaderReady(leader.standing);
}

/** Members that have not applied what the leader has, or came to another state. */
function differences(cluster: SimCluster): string[] {
  const leader = cluster.leader?.engine;
  const head = leader?.member;
  if (leader === undefined || head === undefined) return ['there is no leader'];
  if (head.appliedIndex < cluster.ghost.committed.index)
    return [`the leader has applied ${head.appliedIndex} of ${cluster.ghost.committed.index}`];
  if (head.conf.votersOutgoing.length > 0) return ['the configuration is still joint'];
  const digest = digestOf(stateBytes(leader.state.machine) ?? []);
  return cluster.members().flatMap((node) => {
    if (node.retired || cluster.absent.has(node.id)) return [];
    const member = node.engine?.member;
    if (node.engine === undefined) return [`${node.id} does not run`];
    if (member === undefined) return [`${node.id} does not take part: ${describeIdle(node.engine)}`];
    if (member.appliedIndex !== head.appliedIndex)
      return [`${node.id} has applied ${member.appliedIndex} of ${head.appliedIndex}`];
    const own = digestOf(stateBytes(node.engine.state.machine) ?? []);
    return own === digest ? [] : [`${node.id} holds another state at ${head.appliedIndex}`];
  });
}

function describeIdle({ standing: { state, peers, cluster } }: Runtime): string {
  const linked = [...peers.all()].map(
    (peer) => `${peer.id} ${peer.link}${peer.hello === undefined ? ' without hello' : ''}${peer.trusted ? ' trusted' : ''}`,
  );
  return `${'error' in state ? state.error.message : 'running'}, cluster ${cluster === undefined ? 'none' : 'known'}, links: ${linked.join(', ')}`;
}

function describeOpen({ operations }: History): string {
  const open = operations.filter(({ end }) => end === null).slice(0, 3);
  return open.map(({ process, kind, key, start }) => `${process} ${kind} ${key} since event ${start}`).join(', ');
}

export function describeNodes(cluster: SimCluster): string {
  return cluster.nodes
    .map((node) => {
      const { engine } = node;
      if (node.retired) return `${node.id} lost`;
      if (cluster.absent.has(node.id)) return `${node.id} absent`;
      if (engine === undefined) return `${node.id} down`;
      const member = engine.member;
      const conf =
        member === undefined
          ? 'no member'
          : `applied ${member.appliedIndex} of ${member.view.lastIndex()}, knows ${member.conf.voters.join(' ')}`;
      return `${node.id} ${engine.standing.role} term ${engine.term} (${conf})`;
    })
    .join('; ');
}
