/** Heartbeats: "empty AppendEntries RPCs … to maintain authority" (§3.4), apart from appends so that they carry a round. */
import type { Progress } from '../progress/progress.ts';
import type { Leader, Raft } from '../state.ts';
import type { HeartbeatRequest, HeartbeatResponse } from '../types.ts';
import { leaseHeard, leaseRound, leaseSent } from './lease.ts';
import { onRoundAnswered } from './read-index.ts';
import { commitTo, sendAppend } from './replicate.ts';
import { followLeader } from './roles.ts';
import { sendNow } from './send.ts';

/** To everyone; confirms the newest read that waits. */
export function broadcastHeartbeat(raft: Raft, leader: Leader): void {
  const round = leader.reads.currentRound || leaseRound(raft, leader);
  leaseSent(raft, leader, round);
  for (const progress of leader.members.others) sendHeartbeat(raft, progress, round);
}

function sendHeartbeat(raft: Raft, progress: Progress, round: number): void {
  // Only what this follower is known to hold may be committed by a message that does not look at its log.
  const commit = Math.min(progress.match, raft.log.committed);
  sendNow(raft, { type: 'heartbeat-request', from: raft.id, to: progress.id, term: raft.term, commit, round });
  progress.sentCommitTo(commit);
}

export function onHeartbeatRequest(raft: Raft, message: HeartbeatRequest): void {
  followLeader(raft, message.from);
  // More than this log holds: the leader knows it from before something was lost here. Never commit what is not there.
  commitTo(raft, Math.min(message.commit, raft.log.last));
  sendNow(raft, { type: 'heartbeat-response', from: raft.id, to: message.from, term: raft.term, round: message.round });
}

export function onHeartbeatResponse(raft: Raft, leader: Leader, progress: Progress, message: HeartbeatResponse): void {
  progress.heard();
  // One append per heartbeat, even into a full window: all that filled it may have been lost.
  progress.resume();
  if (progress.match < raft.log.last || progress.state === 'probe') sendAppend(raft, progress);
  if (message.round === 0) return;
  leaseHeard(leader, progress, message.round);
  onRoundAnswered(raft, leader, progress.id, message.round);
}
