/** Verbs of replication that several chapters use: append here, send there, commit (§3.5, §3.6.2, §10.2.1). */
import { type Progress, WANTED } from '../progress/progress.ts';
import type { Leader, Raft } from '../state.ts';
import { type Entry, type Index, makeEntry, NO_BYTES } from '../types.ts';
import { sendAck, sendNow } from './send.ts';

const NO_ENTRIES: readonly Entry[] = Object.freeze([]);

/** "Append entry to local log" (§3.5). The leader counts itself only once its own write is durable (§10.2.1). */
export function appendLocal(raft: Raft, entries: readonly Entry[]): void {
  raft.log.append(entries);
  const index = raft.log.last;
  if (raft.trace !== undefined) {
    raft.trace({ kind: 'append', first: index - entries.length + 1, last: index, term: raft.term });
  }
  sendAck(raft, {
    type: 'append-response',
    from: raft.id,
    to: raft.id,
    term: raft.term,
    index,
    reject: false,
    hintIndex: 0,
    hintTerm: 0,
    commit: 0,
  });
}

/** An append in any case, even an empty one: it carries the commit index, or probes. */
export function sendAppend(raft: Raft, progress: Progress): void {
  if (raft.config.compat.batchAppends) progress.want(WANTED.append);
  else trySendAppend(raft, progress, true);
}

/** Appends while there are entries and room for them. */
export function sendEntries(raft: Raft, progress: Progress): void {
  if (raft.config.compat.batchAppends) progress.want(WANTED.entries);
  else fillWindow(raft, progress);
}

/** One append if there are entries. */
export function sendNewEntries(raft: Raft, progress: Progress): void {
  if (raft.config.compat.batchAppends) progress.want(WANTED.entries);
  else trySendAppend(raft, progress, false);
}

export function broadcastAppend(raft: Raft, leader: Leader): void {
  for (const progress of leader.members.others) sendAppend(raft, progress);
}

/** After the commit index moved. */
export function broadcastCommit(raft: Raft, leader: Leader): void {
  const { others } = leader.members;
  for (let i = 0; i < others.length; i++) sendCommit(raft, others[i] as Progress);
}

/** The commit index, with entries if there are any. */
export function sendCommit(raft: Raft, progress: Progress): void {
  const { compat, broadcastCommit: always } = raft.config;
  if (!always) sendNewEntries(raft, progress);
  else if (compat.batchAppends) progress.want(WANTED.commit);
  else trySendAppend(raft, progress, true);
}

export function wantsAppends(leader: Leader): boolean {
  const { others } = leader.members;
  for (let i = 0; i < others.length; i++) if ((others[i] as Progress).wanted !== WANTED.nothing) return true;
  return false;
}

/**
 * Makes the appends asked for since the last Ready: all that was proposed meanwhile goes in one, or in as few as its size
 * allows. These take turns among the followers, so that those at the same place get the same run one after the other: it
 * is cut from the log and encoded for the first of them. A commit index alone waits while `committing`: who is answered
 * by what this Ready applies may propose again, and it goes with that.
 */
export function flushAppends(raft: Raft, leader: Leader, committing: boolean): void {
  const { others } = leader.members;
  for (let more = true; more; ) {
    more = false;
    for (let i = 0; i < others.length; i++) {
      const progress = others[i] as Progress;
      if (progress.wanted === WANTED.nothing || (committing && isCommitAlone(raft, progress))) continue;
      const wanted = progress.takeWanted();
      if (!trySendAppend(raft, progress, wanted !== WANTED.entries) || progress.next > raft.log.last) continue;
      progress.want(WANTED.entries);
      more = true;
    }
  }
}

function isCommitAlone(raft: Raft, progress: Progress): boolean {
  return progress.wanted === WANTED.commit && progress.next > raft.log.last;
}

function fillWindow(raft: Raft, progress: Progress): void {
  while (trySendAppend(raft, progress, false));
}

/** True when something left. */
function trySendAppend(raft: Raft, progress: Progress, evenEmpty: boolean): boolean {
  if (progress.paused) return false;
  const { log } = raft;
  const prevIndex = progress.next - 1;
  const prevTerm = log.term(prevIndex);
  // The entries it needs are compacted: only a snapshot can bring it up to date (ch. 5).
  if (prevTerm === 'compacted') return trySendSnapshot(raft, progress);
  if (prevTerm === 'unavailable') return prevIndex > log.last ? trySendSnapshot(raft, progress) : waitForEntries(raft, progress);
  let run = NO_ENTRIES;
  // With a full window an empty append goes out: if all that filled it was lost, its rejection says so.
  if (progress.state !== 'replicate' || !progress.inflights.full) {
    if (!evenEmpty && progress.next > log.last) return false;
    const found = log.entries(progress.next, log.last + 1, raft.config.maxAppendBytes, raft.config.maxAppendEntries);
    if (found === 'compacted') return trySendSnapshot(raft, progress);
    if (found === 'unavailable') return waitForEntries(raft, progress);
    run = found;
  }
  if (run.length === 0 && !evenEmpty) return false;
  const bytes = run.length === 0 ? 0 : log.runBytes(run);
  sendNow(raft, {
    type: 'append-request',
    from: raft.id,
    to: progress.id,
    term: raft.term,
    prevIndex,
    prevTerm,
    commit: log.committed,
    entries: progress.witness ? withoutData(run) : run,
  });
  progress.sentEntries(run.length, bytes);
  progress.sentCommitTo(log.committed);
  return true;
}

function trySendSnapshot(raft: Raft, progress: Progress): boolean {
  // Nobody packs up the state for a closed tab.
  if (!progress.recentActive) return false;
  const snapshot = raft.log.snapshot();
  if (snapshot === 'unavailable') return false;
  sendNow(raft, {
    type: 'snapshot-request',
    from: raft.id,
    to: progress.id,
    term: raft.term,
    snapshot: progress.witness ? { ...snapshot, data: undefined } : snapshot,
  });
  progress.becomeSnapshot(snapshot.index);
  if (raft.trace !== undefined) raft.trace({ kind: 'snapshot-sent', to: progress.id, index: snapshot.index });
  return true;
}

/** The environment has seen the question, and calls onEntriesFetched when it can be answered. */
function waitForEntries(raft: Raft, progress: Progress): boolean {
  progress.waitForEntries();
  if (raft.trace !== undefined) raft.trace({ kind: 'entries-wanted', peer: progress.id, from: progress.next });
  return false;
}

/** A witness keeps terms and configurations, but no commands. */
function withoutData(run: readonly Entry[]): readonly Entry[] {
  return run.map((entry) =>
    entry.data.length === 0 ? entry : makeEntry(entry.index, entry.term, entry.type, entry.time, NO_BYTES, entry.change),
  );
}

/**
 * "If there exists an N > commitIndex with a majority of matchIndex >= N and log[N].term == currentTerm: set
 * commitIndex = N" (§3.5, §3.6.2: entries of earlier terms are committed by a later one of this term, never by counting).
 */
export function maybeCommit(raft: Raft, leader: Leader): boolean {
  const index: Index = leader.members.committedIndex();
  if (index <= raft.log.committed || index > raft.log.last || !raft.log.matches(index, raft.term)) return false;
  commitTo(raft, index);
  return true;
}

export function commitTo(raft: Raft, index: Index): void {
  if (raft.log.commitTo(index) && raft.trace !== undefined) raft.trace({ kind: 'commit', index });
}

export function committedInTerm(raft: Raft): boolean {
  return raft.log.matches(raft.log.committed, raft.term);
}
