/** AppendEntries (§3.5, Figure 3.1): ask, answer, and hear the answer. */
import type { Progress } from '../progress/progress.ts';
import type { Leader, Raft } from '../state.ts';
import type { AppendRequest, AppendResponse, Entry, Index, NodeId, Term } from '../types.ts';
import { checkCommitted, decidedUpTo } from './contradiction.ts';
import { releaseWaitingReads } from './read-index.ts';
import { broadcastCommit, commitTo, maybeCommit, sendAppend, sendCommit, sendEntries } from './replicate.ts';
import { followLeader } from './roles.ts';
import { sendAck } from './send.ts';
import { transferCaughtUp } from './transfer.ts';

/** The leader of this term speaks: it is followed. */
export function onAppendRequest(raft: Raft, message: AppendRequest): void {
  const { log } = raft;
  const { prevIndex, prevTerm, entries } = message;
  if (prevIndex <= decidedUpTo(raft)) checkContained(raft, message);
  followLeader(raft, message.from);
  // What is committed here is in the leader's log as well: it may go on after that.
  if (prevIndex < log.committed) {
    accept(raft, message, log.committed);
    return;
  }
  // "Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm."
  if (!log.matches(prevIndex, prevTerm)) {
    refuse(raft, message);
    return;
  }
  const before = log.last;
  appendMissing(raft, entries);
  const lastNew = prevIndex + entries.length;
  // "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)": what lies beyond is not
  // known to be the leader's.
  commitTo(raft, Math.min(message.commit, lastNew));
  if (raft.trace !== undefined && log.last !== before) {
    raft.trace({ kind: 'append', first: prevIndex + 1, last: log.last, term: raft.term });
  }
  accept(raft, message, lastNew);
}

function checkContained(raft: Raft, { from, prevIndex, prevTerm, entries }: AppendRequest): void {
  checkCommitted(raft, from, prevIndex, prevTerm);
  for (let i = 0; i < entries.length; i++) {
    const { index, term } = entries[i] as Entry;
    if (index > decidedUpTo(raft)) return;
    checkCommitted(raft, from, index, term);
  }
}

/**
 * "If an existing entry conflicts with a new one (same index but different terms), delete the existing entry and all that
 * follow it. Append any new entries not already in the log." A log that holds them all keeps what follows: the message
 * may be an old one.
 */
function appendMissing(raft: Raft, entries: readonly Entry[]): void {
  const { log } = raft;
  for (let i = 0; i < entries.length; i++) {
    const { index, term } = entries[i] as Entry;
    if (index <= log.last && log.matches(index, term)) continue;
    if (index <= log.last && raft.trace !== undefined) raft.trace({ kind: 'truncate', from: index });
    log.append(i === 0 ? entries : entries.slice(i));
    return;
  }
}

function accept(raft: Raft, message: AppendRequest, index: Index): void {
  answer(raft, message.from, index, false, 0, 0);
}

/** Says where the logs may agree: not above our last entry whose term is at most the leader's there. */
function refuse(raft: Raft, message: AppendRequest): void {
  const hint = raft.log.lastIndexOfTerm(Math.min(message.prevIndex, raft.log.last), message.prevTerm);
  answer(raft, message.from, message.prevIndex, true, hint.index, hint.term);
}

function answer(raft: Raft, to: NodeId, index: Index, reject: boolean, hintIndex: Index, hintTerm: Term): void {
  sendAck(raft, {
    type: 'append-response',
    from: raft.id,
    to,
    term: raft.term,
    index,
    reject,
    hintIndex,
    hintTerm,
    commit: raft.log.committed,
  });
}

/** To a leader or a candidate of an earlier term: the empty answer carries the term, and makes it step down. */
export function tellTerm(raft: Raft, to: string): void {
  sendAck(raft, {
    type: 'append-response',
    from: raft.id,
    to,
    term: raft.term,
    index: 0,
    reject: false,
    hintIndex: 0,
    hintTerm: 0,
    commit: 0,
  });
}

export function onAppendResponse(raft: Raft, leader: Leader, progress: Progress, message: AppendResponse): void {
  if (message.index > raft.log.last && raft.config.compat.checkAcknowledgements) {
    if (raft.trace !== undefined) raft.trace({ kind: 'dropped', message, why: 'past the end of the log' });
    return;
  }
  progress.heard();
  progress.heardCommit(message.commit);
  if (message.reject) onRefused(raft, progress, message);
  else onAccepted(raft, leader, progress, message.index);
}

/** "If AppendEntries fails because of log inconsistency: decrement nextIndex and retry" (§3.5), a whole term at a time. */
function onRefused(raft: Raft, progress: Progress, message: AppendResponse): void {
  const hint = nextProbe(raft, message.hintIndex, message.hintTerm);
  if (!progress.decrease(message.index, hint)) return;
  if (progress.state === 'replicate') progress.becomeProbe();
  traceProgress(raft, progress);
  sendAppend(raft, progress);
}

/**
 * The follower may agree at (hintIndex, hintTerm). Everything it has up to there is of terms <= hintTerm, so where this
 * log is of later terms they cannot agree:
 *
 *   index      1  2  3  4  5  6  7
 *   leader     1  3  3  3  5  5  5      hint 6 of term 2: terms 3 and 5 cannot match,
 *   follower   1  1  1  1  2  2         probe at 1
 */
function nextProbe(raft: Raft, hintIndex: Index, hintTerm: Term): Index {
  if (hintTerm === 0) return hintIndex;
  return raft.log.lastIndexOfTerm(hintIndex, hintTerm).index;
}

/** "If successful: update nextIndex and matchIndex for follower" (§3.5). */
function onAccepted(raft: Raft, leader: Leader, progress: Progress, index: Index): void {
  const news = progress.update(index);
  // An answer that brings no news still says that a probe connects.
  if (!news && !(progress.match === index && progress.state === 'probe')) return;
  followProgress(raft, progress, index);
  if (maybeCommit(raft, leader)) {
    releaseWaitingReads(raft, leader);
    broadcastCommit(raft, leader);
  } else if (progress !== leader.members.own && progress.canBumpCommit(raft.log.committed)) {
    // It may miss the latest commit index. Heartbeats carry it as well, but later.
    sendCommit(raft, progress);
  }
  if (progress === leader.members.own) return;
  // There may be room in its window now for more than one append.
  sendEntries(raft, progress);
  transferCaughtUp(raft, leader, progress);
}

function followProgress(raft: Raft, progress: Progress, index: Index): void {
  if (progress.state === 'replicate') {
    progress.inflights.freeTo(index);
    return;
  }
  if (progress.state === 'snapshot') {
    // Wherever its snapshot came from: what matters is that its log connects to this one.
    if (progress.match + 1 < raft.log.first) return;
    progress.becomeProbe();
  }
  progress.becomeReplicate();
  traceProgress(raft, progress);
}

export function traceProgress(raft: Raft, { id, state, match, next }: Progress): void {
  if (raft.trace !== undefined) raft.trace({ kind: 'progress', peer: id, state, match, next });
}
