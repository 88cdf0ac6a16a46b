/** The logical clock: one tick at a time, and everything that time alone brings about. */
import { maybeSeal } from './protocol/alone.ts';
import { onCheckQuorum } from './protocol/check-quorum.ts';
import { hearAgain } from './protocol/contradiction.ts';
import { promotable, tryCampaign } from './protocol/election.ts';
import { broadcastHeartbeat } from './protocol/heartbeat.ts';
import { snapshotTimedOut } from './protocol/install-snapshot.ts';
import { tickLeaseGuard } from './protocol/lease.ts';
import { maybeLeaveJoint } from './protocol/membership.ts';
import { restartElectionTimer } from './protocol/roles.ts';
import { abortTransfer } from './protocol/transfer.ts';
import type { Leader, Raft } from './state.ts';
import type { Writable } from './writable.ts';

type Own = Writable<Raft, 'electionElapsed' | 'heartbeatElapsed'>;

export function tick(raft: Raft): void {
  const own: Own = raft;
  tickLeaseGuard(raft);
  own.electionElapsed = raft.electionElapsed + 1;
  if (raft.role.name === 'leader') tickLeader(raft, raft.role);
  else tickOthers(raft);
}

/** "If a follower receives no communication over a period of time called the election timeout" (§3.4). */
function tickOthers(raft: Raft): void {
  if (raft.electionElapsed < raft.electionTimeout) return;
  hearAgain(raft);
  if (!promotable(raft)) return;
  restartElectionTimer(raft);
  tryCampaign(raft, raft.config.preVote ? 'pre' : 'election');
}

function tickLeader(raft: Raft, leader: Leader): void {
  const own: Own = raft;
  const ownLeader: Writable<Leader, 'ticks'> = leader;
  ownLeader.ticks++;
  own.heartbeatElapsed = raft.heartbeatElapsed + 1;
  if (raft.electionElapsed >= raft.config.electionTicks) {
    own.electionElapsed = 0;
    if (raft.checkQuorum) onCheckQuorum(raft, leader);
    if (raft.role !== leader) return;
    abortTransfer(raft, leader);
    // A transfer may have stood in the way when the last change was applied, and nothing may be applied for a long time.
    maybeLeaveJoint(raft, leader);
    maybeSeal(raft, leader);
  }
  tickSnapshots(raft, leader);
  if (raft.heartbeatElapsed < raft.config.heartbeatTicks) return;
  own.heartbeatElapsed = 0;
  broadcastHeartbeat(raft, leader);
}

function tickSnapshots(raft: Raft, leader: Leader): void {
  const limitTicks = raft.config.snapshotTimeoutTicks;
  if (limitTicks === 0) return;
  for (const progress of leader.members.all) {
    if (progress.snapshotOverdue(limitTicks)) snapshotTimedOut(raft, progress);
  }
}
