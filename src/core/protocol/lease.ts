/**
 * Leader lease (§6.4.1), only where it was asked for: a quorum that answered a heartbeat keeps refusing candidates for an
 * election timeout from then on. Counted from when the heartbeat left, for half that time: the other half is for clocks that
 * run at different speeds, and for ticks that come late. Void after any pause, because time then passed unseen.
 */

import { isSingleVoter } from '../conf/conf-state.ts';
import type { Progress } from '../progress/progress.ts';
import type { Leader, Raft } from '../state.ts';
import { NO_NODE } from '../types.ts';
import type { Writable } from '../writable.ts';
import { isSettledAndStill } from './settled.ts';

function lengthTicks(raft: Raft): number {
  return raft.config.electionTicks >> 1;
}

function keepsLease({ config }: Raft): boolean {
  return config.readMode === 'lease' || config.readMode === 'lease-on-request';
}

/** The round that a heartbeat carries for the lease's sake; 0 without leases. */
export function leaseRound(raft: Raft, leader: Leader): number {
  if (!keepsLease(raft)) return 0;
  return leader.reads.nextRound();
}

export function leaseSent(raft: Raft, leader: Leader, round: number): void {
  if (keepsLease(raft)) leader.lease.sent(round, leader.ticks, lengthTicks(raft));
}

export function leaseHeard(leader: Leader, progress: Progress, round: number): void {
  const tick = leader.lease.tickOf(round);
  if (tick !== undefined) progress.leasedAt(tick);
}

/** A leader handing over has given its lease away: the target's election goes past it. */
export function leaseHolds(raft: Raft, leader: Leader): boolean {
  if (raft.config.readMode === 'lease-unchecked') return true;
  if (!keepsLease(raft) || !raft.checkQuorum || leader.transferee !== NO_NODE) return false;
  const since = leader.members.leaseTick(raft.id, leader.ticks);
  return since >= 0 && leader.ticks - since < lengthTicks(raft);
}

/**
 * Nobody has to be asked, by logic and not by the clock: the only voter, and the leader of a settled pair. No later term
 * has a leader, since none was elected without this vote; so nothing is committed that this log lacks.
 */
export function decidesAlone(raft: Raft, leader: Leader): boolean {
  return (isSingleVoter(raft.conf) && raft.conf.voters[0] === raft.id) || isSettledAndStill(raft, leader);
}

/**
 * May answer from the machine as it is: it holds a lease or decides alone, and has applied an entry of its own term, and
 * with it all that earlier leaders have committed (§6.4 step 1).
 */
export function answersAtOnce(raft: Raft, leader: Leader): boolean {
  if (raft.config.readMode !== 'lease-unchecked' && raft.log.applied < leader.since) return false;
  return leaseHolds(raft, leader) || (raft.config.goesAlone && decidesAlone(raft, leader));
}

export function voidLease(leader: Leader): void {
  leader.lease.clear();
  for (const progress of leader.members.all) progress.voidLease();
}

/** A voter that just started may be bound by an answer it gave before: it hears no candidate for an election timeout. */
export function guardLease(raft: Raft): void {
  const own: Writable<Raft, 'leaseGuardTicks'> = raft;
  own.leaseGuardTicks = keepsLease(raft) ? raft.config.electionTicks : 0;
}
