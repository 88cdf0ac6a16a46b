/** How fresh this node's state is known to be: what readers and leadership work must ask before they trust it. */
import { NO_NODE } from '../../core/types.ts';
import { memberIds } from '../member/configuration.ts';
import { leaseSlackMs, tickMs } from '../member/core-config.ts';
import { mayHaveSlept, unseenMs } from './passing-time.ts';
import { quorumOf } from './quorum.ts';
import type { Standing } from './standing.ts';

/** A leader that has applied an entry of its own term: its state is the newest there is (§6.4). */
export function leaderReady(standing: Standing): boolean {
  const { member } = standing;
  return member?.isLeader === true && member.appliedIndex >= standing.leadSince;
}

/** It belongs to the configuration, knows its leader, and has applied all that it knows to be committed. */
export function hasCaughtUp(standing: Standing): boolean {
  const { member } = standing;
  if (member === undefined || standing.leaderId === NO_NODE) return false;
  if (member.appliedIndex === 0 || member.appliedIndex < member.hard.commit) return false;
  return member.isLeader ? leaderReady(standing) : memberIds(member.conf).includes(standing.id);
}

/** How long ago this node last knew that it was up to date with a leader, in ms; infinite when it cannot say. */
export function stalenessMs(standing: Standing): number {
  const { member, leaderId } = standing;
  // What it knew before it slept is old, whatever its clock says; and what arrives now may have been said before.
  if (mayHaveSlept(standing)) return Number.POSITIVE_INFINITY;
  if (hasAllCommitted(standing) && quorumHeard(standing)) return 0;
  const leader = leaderId === NO_NODE || leaderId === standing.id ? undefined : standing.peers.get(leaderId);
  if (leader?.trusted !== true || leader.lastHeardMs === undefined || member === undefined) return Number.POSITIVE_INFINITY;
  if (leader.confirmedMs < standing.awakeSinceMs) return Number.POSITIVE_INFINITY;
  if (member.appliedIndex < member.hard.commit) return Number.POSITIVE_INFINITY;
  // The leader speaks once a heartbeat: what it committed since may not have been told yet.
  return standing.clock.monotonicMs() - leader.lastHeardMs + 2 * standing.tuning.heartbeatMs;
}

function quorumHeard(standing: Standing): boolean {
  const { alive, need } = quorumOf(standing);
  return alive >= need;
}

/**
 * Only when asked for, only on the leader, and void after any pause (§6.4.1): also after one that no tick has told of yet,
 * since a page that wakes up may be asked before its timers run.
 */
export function holdsLease(standing: Standing): boolean {
  const { tuning, member } = standing;
  if (!tuning.leaseReads || unseenMs(standing) > tickMs(tuning) + leaseSlackMs(tuning)) return false;
  return member?.core.inLease() === true && hasAllCommitted(standing);
}

/** A leader commits what others have stored before its own disk has it: until then its machine is behind what was acknowledged. */
function hasAllCommitted(standing: Standing): boolean {
  const { member } = standing;
  return member !== undefined && leaderReady(standing) && member.appliedIndex >= member.core.status().commitIndex;
}
