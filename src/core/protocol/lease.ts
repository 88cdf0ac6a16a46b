/**
 * Leader lease (§6.4.1), only where it was asked for: a quorum that answered a heartbeat keeps refusing candidates for an
 * election timeout from then on. Counted from when the heartbeat left, for half that time: the other half is for clocks that
 * run at different speeds, and for ticks that come late. Void after any pause, because time then passed unseen.
 *
 * All that a lease means is decided here: what a leader counts it from, what it may answer by it, and what a voter must not
 * do meanwhile. The other chapters ask; none of them looks at the read mode, at rounds that left or at the guard.
 */

import { isSingleVoter } from '../conf/conf-state.ts';
import type { Progress } from '../progress/progress.ts';
import type { Leader, Raft } from '../state.ts';
import { NO_NODE } from '../types.ts';
import type { Writable } from '../writable.ts';
import { isSettledAndStill } from './settled.ts';

type Own = Writable<Raft, 'leaseGuardTicks'>;
type OwnLeader = Writable<Leader, 'sentRounds'>;

function lengthTicks(raft: Raft): number {
  return raft.config.electionTicks >> 1;
}

function keepsLease({ config }: Raft): boolean {
  return config.readMode === 'lease' || config.readMode === 'lease-on-request';
}

// ---- the leader's side: what a lease is counted from

/** The round that a heartbeat carries for the lease's sake; 0 without leases. */
export function leaseRound(raft: Raft, leader: Leader): number {
  if (!keepsLease(raft)) return 0;
  return leader.reads.nextRound();
}

/** A lease runs from when a round first left; rounds that left longer ago than a lease is long are of no use any more. */
export function leaseSent(raft: Raft, leader: Leader, round: number): void {
  if (!keepsLease(raft)) return;
  const own: OwnLeader = leader;
  if (leader.sentRounds.some((sent) => sent.round === round)) return;
  const { ticks: tick } = leader;
  own.sentRounds = [...leader.sentRounds.filter((sent) => tick - sent.tick < lengthTicks(raft)), { round, tick }];
}

export function leaseHeard(leader: Leader, progress: Progress, round: number): void {
  const sent = leader.sentRounds.find((candidate) => candidate.round === round);
  if (sent !== undefined) progress.leasedAt(sent.tick);
}

/** Time passed unseen: answers to what left before now say nothing any more. */
export function voidLease(leader: Leader): void {
  const own: OwnLeader = leader;
  own.sentRounds = [];
  for (const progress of leader.members.all) progress.voidLease();
}

// ---- the leader's side: what may be answered by it

/** A leader that hands over has given its lease away: the target's election goes past it. */
function leaseHolds(raft: Raft, leader: Leader): boolean {
  if (raft.config.readMode === 'lease-unchecked') return true;
  if (!keepsLease(raft) || !raft.checkQuorum || leader.transferee !== NO_NODE) return false;
  const since = leader.members.leaseTick(raft.id, leader.ticks);
  return since >= 0 && leader.ticks - since < lengthTicks(raft);
}

/**
 * Nobody has to be asked, by logic and not by the clock: the only voter, and the leader of a settled pair. No later term
 * has a leader, since none was elected without this vote; so nothing is committed that this log lacks.
 */
function decidesAlone(raft: Raft, leader: Leader): boolean {
  return (isSingleVoter(raft.conf) && raft.conf.voters[0] === raft.id) || isSettledAndStill(raft, leader);
}

/** A read asked of the core is answered without a round of heartbeats. A lease on request is only for who asks about it. */
export function needsNoRound(raft: Raft, leader: Leader): boolean {
  const leased = raft.config.readMode !== 'lease-on-request' && leaseHolds(raft, leader);
  return leased || decidesAlone(raft, leader);
}

/** Answers to a round count for the reads that wait for it: not where the other implementation's lease mode is played. */
export function roundsConfirmReads({ config }: Raft): boolean {
  return config.readMode !== 'lease-unchecked';
}

/**
 * May answer from the machine as it is: it holds a lease or decides alone, and has applied an entry of its own term, and
 * with it all that earlier leaders have committed (§6.4 step 1).
 */
export function answersAtOnce(raft: Raft, leader: Leader): boolean {
  if (raft.config.readMode !== 'lease-unchecked' && raft.log.applied < leader.since) return false;
  return leaseHolds(raft, leader) || (raft.config.goesAlone && decidesAlone(raft, leader));
}

// ---- the voter's side

/** By its answers this voter has promised to elect nobody else for a while: it may not forget its leader before its timer fires. */
export function bindsVoters({ config }: Raft): boolean {
  return config.readMode !== 'safe';
}

/** A voter that just started may be bound by an answer it gave before: it hears no candidate for an election timeout. */
export function guardLease(raft: Raft): void {
  const own: Own = raft;
  own.leaseGuardTicks = keepsLease(raft) ? raft.config.electionTicks : 0;
}

export function tickLeaseGuard(raft: Raft): void {
  const own: Own = raft;
  if (raft.leaseGuardTicks > 0) own.leaseGuardTicks--;
}

export function isGuarded({ leaseGuardTicks }: Raft): boolean {
  return leaseGuardTicks > 0;
}
