/** ReadIndex (§6.4): linearizable reads without a log entry, asked of the leader or through a follower. */
import { isSingleVoter } from '../conf/conf-state.ts';
import type { AskOutcome } from '../outcome.ts';
import { jointIndex } from '../quorum/joint.ts';
import type { Leader, Raft } from '../state.ts';
import { NO_NODE, type NodeId, type ReadIndexRequest, type ReadIndexResponse } from '../types.ts';
import { leaseSent, needsNoRound, roundsConfirmReads } from './lease.ts';
import type { ReadQueue, ReadRequest } from './read-queue.ts';
import { answerRead } from './reads.ts';
import { committedInTerm } from './replicate.ts';
import { sendNow } from './send.ts';

const TAKEN: AskOutcome = { ok: true };

/** A read asked here. The answer comes as a ReadState. */
export function askRead(raft: Raft, context: string): AskOutcome {
  return takeRead(raft, { context, from: raft.id });
}

/** A read asked elsewhere: as a leader taken, as a follower passed on, otherwise refused. */
export function onReadIndexRequest(raft: Raft, message: ReadIndexRequest): void {
  const request: ReadRequest = { context: message.context, from: message.from };
  if (takeRead(raft, request).ok || !raft.config.compat.explicitRefusals) return;
  answerRead(raft, request, 0, true);
}

export function onReadIndexResponse(raft: Raft, message: ReadIndexResponse): void {
  const { context, index, reject } = message;
  raft.readStates.push({ context, index, rejected: reject });
}

function takeRead(raft: Raft, request: ReadRequest): AskOutcome {
  const { role } = raft;
  if (role.name === 'leader') return leadRead(raft, role, request);
  const leader = role.name === 'follower' ? role.leader : NO_NODE;
  if (leader === NO_NODE) return { ok: false, reason: 'no-leader' };
  sendNow(raft, { type: 'read-index-request', from: request.from, to: leader, term: 0, context: request.context });
  return TAKEN;
}

function leadRead(raft: Raft, leader: Leader, request: ReadRequest): AskOutcome {
  if (raft.waitingReads.length + leader.reads.pending >= raft.config.maxReads) return { ok: false, reason: 'busy' };
  if (!raft.config.compat.singleVoterReadsWait && isSingleVoter(raft.conf)) {
    answerRead(raft, request, raft.log.committed, false);
  } else if (committedInTerm(raft)) {
    confirmRead(raft, leader, request);
  } else {
    // "If the leader has not yet marked an entry from its current term committed, it waits until it has done so":
    // a leader before it may have committed more than this one knows.
    raft.waitingReads.push(request);
  }
  return TAKEN;
}

/** The first entry of the term is committed: reads that waited for it go on. */
export function releaseWaitingReads(raft: Raft, leader: Leader): void {
  if (raft.waitingReads.length === 0 || !committedInTerm(raft)) return;
  for (const request of raft.waitingReads.splice(0)) confirmRead(raft, leader, request);
}

/** "The leader saves its current commit index … and issues a new round of heartbeats." */
function confirmRead(raft: Raft, leader: Leader, request: ReadRequest): void {
  const { committed } = raft.log;
  if (needsNoRound(raft, leader)) {
    answerRead(raft, request, committed, false);
    return;
  }
  if (raft.config.compat.batchReads && leader.reads.join(request, committed)) return;
  const round = leader.reads.begin(committed, request, raft.id);
  leaseSent(raft, leader, round);
  for (const { id, match } of leader.members.all)
    if (id !== raft.id) sendRound(raft, leader, id, Math.min(match, committed), round);
}

function sendRound(raft: Raft, leader: Leader, to: NodeId, commit: number, round: number): void {
  sendNow(raft, { type: 'heartbeat-request', from: raft.id, to, term: raft.term, commit, round });
  leader.members.get(to)?.sentCommitTo(commit);
}

/** "Once it receives acknowledgments from a majority", it was still the leader when the round began. */
export function onRoundAnswered(raft: Raft, leader: Leader, from: NodeId, round: number): void {
  if (!roundsConfirmReads(raft)) return;
  leader.reads.answer(from, round);
  answerConfirmed(raft, leader.reads);
}

/** The configuration changed: what is answered already may be a quorum now. */
export function recheckReads(raft: Raft, leader: Leader): void {
  if (raft.config.compat.recheckReads) answerConfirmed(raft, leader.reads);
}

function answerConfirmed(raft: Raft, reads: ReadQueue): void {
  if (reads.pending === 0) return;
  const confirmed = jointIndex(raft.conf, (id) => reads.answeredBy(id));
  for (const { index, requests } of reads.takeTo(confirmed)) {
    for (const request of requests) answerRead(raft, request, index, false);
  }
}
