/** Leadership transfer (§3.10): stop taking proposals, catch the target up, tell it to start an election at once. */
import { canLead } from '../conf/conf-state.ts';
import type { AskOutcome } from '../outcome.ts';
import type { Progress } from '../progress/progress.ts';
import type { Leader, Raft } from '../state.ts';
import { NO_NODE, type NodeId, type TimeoutNow, type TransferRefused, type TransferRequest } from '../types.ts';
import type { Writable } from '../writable.ts';
import { tryCampaign } from './election.ts';
import { sendAppend } from './replicate.ts';
import { restartElectionTimer } from './roles.ts';
import { sendNow } from './send.ts';

/** Asked here, or by a follower. */
export function askTransfer(raft: Raft, target: NodeId): AskOutcome {
  const { role } = raft;
  if (role.name === 'leader') return startTransfer(raft, role, target);
  const leader = role.name === 'follower' ? role.leader : NO_NODE;
  if (leader === NO_NODE) return { ok: false, reason: 'no-leader' };
  sendNow(raft, { type: 'transfer-request', from: raft.id, to: leader, term: raft.term, target });
  return { ok: true };
}

export function onTransferRequest(raft: Raft, message: TransferRequest): void {
  askTransfer(raft, message.target);
}

function startTransfer(raft: Raft, leader: Leader, target: NodeId): AskOutcome {
  const progress = leader.members.get(target);
  if (progress === undefined) return { ok: false, reason: 'peer-not-found' };
  if (!canLead(raft.conf, target)) return { ok: false, reason: 'not-a-voter' };
  if (leader.transferee === target) return { ok: true };
  if (leader.transferee !== NO_NODE) abortTransfer(raft, leader);
  if (target === raft.id) return { ok: true };
  // It has one election timeout for it, from now.
  restartElectionTimer(raft);
  setTransferee(leader, target);
  if (raft.trace !== undefined) raft.trace({ kind: 'transfer', target, phase: 'started' });
  if (progress.match === raft.log.last) sendTimeoutNow(raft, target);
  else sendAppend(raft, progress);
  return { ok: true };
}

/** "The prior leader fully updates the target server's log … using the normal log replication mechanism." */
export function transferCaughtUp(raft: Raft, leader: Leader, progress: Progress): void {
  if (progress.id === leader.transferee && progress.match === raft.log.last) sendTimeoutNow(raft, progress.id);
}

function sendTimeoutNow(raft: Raft, to: NodeId): void {
  if (raft.trace !== undefined) raft.trace({ kind: 'transfer', target: to, phase: 'sent' });
  sendNow(raft, { type: 'timeout-now', from: raft.id, to, term: raft.term });
}

/** "If leadership transfer does not complete after about an election timeout, the prior leader aborts the transfer." */
export function abortTransfer(raft: Raft, leader: Leader): void {
  if (leader.transferee === NO_NODE) return;
  if (raft.trace !== undefined) raft.trace({ kind: 'transfer', target: leader.transferee, phase: 'aborted' });
  setTransferee(leader, NO_NODE);
}

/** The leader asks this node to take over: at once, and without PreVote. */
export function onTimeoutNow(raft: Raft, message: TimeoutNow): void {
  const refusal = tryCampaign(raft, 'transfer');
  // Who left its vote does not hear the answer: the campaign is tried again when the change is applied.
  if (refusal === undefined || !raft.config.compat.explicitRefusals || raft.proxy?.term === raft.term + 1) return;
  sendNow(raft, { type: 'transfer-refused', from: raft.id, to: message.from, term: raft.term });
}

/** It cannot: no need to keep proposals waiting for the rest of the timeout. */
export function onTransferRefused(raft: Raft, leader: Leader, message: TransferRefused): void {
  if (leader.transferee !== message.from) return;
  if (raft.trace !== undefined) raft.trace({ kind: 'transfer', target: message.from, phase: 'refused' });
  setTransferee(leader, NO_NODE);
}

function setTransferee(leader: Leader, target: NodeId): void {
  const own: Writable<Leader, 'transferee'> = leader;
  own.transferee = target;
}
