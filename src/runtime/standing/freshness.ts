/** How fresh this node's state is known to be: what readers and leadership work must ask before they trust it. */
import { NO_NODE } from '../../core/types.ts';
import { memberIds } from '../member/configuration.ts';
import { leaseSlackMs, tickMs } from '../member/core-config.ts';
import type { Engine } from '../node/runtime.ts';
import { quorumOf } from '../watch/status.ts';

/** A leader that has applied an entry of its own term: its state is the newest there is (§6.4). */
export function leaderReady(engine: Engine): boolean {
  const { member } = engine;
  return member?.isLeader === true && member.appliedIndex >= engine.leadSince;
}

/** It belongs to the configuration, knows its leader, and has applied all that it knows to be committed. */
export function hasCaughtUp(engine: Engine): boolean {
  const { member } = engine;
  if (member === undefined || engine.leaderId === NO_NODE) return false;
  if (member.appliedIndex === 0 || member.appliedIndex < member.hard.commit) return false;
  return member.isLeader ? leaderReady(engine) : memberIds(member.conf).includes(engine.id);
}

/** How long ago this node last knew that it was up to date with a leader, in ms; infinite when it cannot say. */
export function stalenessMs(engine: Engine): number {
  const { member, leaderId } = engine;
  if (hasAllCommitted(engine) && quorumHeard(engine)) return 0;
  const leader = leaderId === NO_NODE || leaderId === engine.id ? undefined : engine.peers.get(leaderId);
  if (leader?.trusted !== true || leader.lastHeardMs === undefined || member === undefined) return Number.POSITIVE_INFINITY;
  if (member.appliedIndex < member.hard.commit) return Number.POSITIVE_INFINITY;
  // The leader speaks once a heartbeat: what it committed since may not have been told yet.
  return engine.options.clock.monotonicMs() - leader.lastHeardMs + 2 * engine.options.tuning.heartbeatMs;
}

function quorumHeard(engine: Engine): boolean {
  const { alive, need } = quorumOf(engine);
  return alive >= need;
}

/**
 * Only when asked for, only on the leader, and void after any pause (§6.4.1): also after one that no tick has told of yet,
 * since a page that wakes up may be asked before its timers run.
 */
export function holdsLease(engine: Engine): boolean {
  const { tuning, clock } = engine.options;
  const unseenMs = clock.monotonicMs() - engine.lastTickMs;
  if (!tuning.leaseReads || unseenMs > tickMs(tuning) + leaseSlackMs(tuning)) return false;
  return engine.member?.core.inLease() === true && hasAllCommitted(engine);
}

/** A leader commits what others have stored before its own disk has it: until then its machine is behind what was acknowledged. */
function hasAllCommitted(engine: Engine): boolean {
  const { member } = engine;
  return member !== undefined && leaderReady(engine) && member.appliedIndex >= member.core.status().commitIndex;
}
