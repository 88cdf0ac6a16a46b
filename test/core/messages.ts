/** Messages and entries, put together from what a test cares about. */
import {
  type AppendRequest,
  type AppendResponse,
  type Entry,
  type HeartbeatRequest,
  makeEntry,
  NO_BYTES,
  type VoteRequest,
  type VoteResponse,
} from '../../src/core/types.ts';

export function entry(index: number, term: number, text = ''): Entry {
  return makeEntry(index, term, 'normal', 0, text === '' ? NO_BYTES : new TextEncoder().encode(text), undefined);
}

/** Entries first..last, all of one term. */
export function entriesOf(term: number, first: number, last: number): Entry[] {
  return Array.from({ length: last - first + 1 }, (_, i) => entry(first + i, term));
}

/** From leader a to b, in term 1. */
export function append(fields: Partial<AppendRequest>): AppendRequest {
  const start = { from: 'a', to: 'b', term: 1, prevIndex: 0, prevTerm: 0, commit: 0, entries: [] };
  return { type: 'append-request', ...start, ...fields };
}

/** From b to leader a, in term 1. */
export function appendAnswer(fields: Partial<AppendResponse>): AppendResponse {
  const start = { from: 'b', to: 'a', term: 1, index: 0, reject: false, hintIndex: 0, hintTerm: 0, commit: 0 };
  return { type: 'append-response', ...start, ...fields };
}

/** From leader a to b, in term 1. */
export function heartbeat(fields: Partial<HeartbeatRequest>): HeartbeatRequest {
  return { type: 'heartbeat-request', from: 'a', to: 'b', term: 1, commit: 0, round: 0, ...fields };
}

/** From c to b, in term 2, with a log that is better than any. */
export function voteAsk(fields: Partial<VoteRequest>): VoteRequest {
  const log = { lastIndex: 99, lastTerm: 99, commit: 0, commitTerm: 0 };
  return { type: 'vote-request', from: 'c', to: 'b', term: 2, pre: false, transfer: false, priority: 0, ...log, ...fields };
}

/** From b to a, granted in term 1. */
export function voteAnswer(fields: Partial<VoteResponse>): VoteResponse {
  const start = { from: 'b', to: 'a', term: 1, pre: false, reject: false, commit: 0, commitTerm: 0 };
  return { type: 'vote-response', ...start, ...fields };
}
