/** Shorthands of the tests that follow the paper and the thesis: messages, logs, and what a node says next. */
import type { ConfigInput } from '../../src/core/config.ts';
import type { ProgressStatus, Status } from '../../src/core/status.ts';
import {
  type AppendRequest,
  type AppendResponse,
  type Entry,
  type HeartbeatRequest,
  type Message,
  makeEntry,
  type NodeId,
  type Term,
  type VoteRequest,
  type VoteResponse,
} from '../../src/core/types.ts';
import { TestCluster } from './cluster.ts';

/** The algorithm of the paper alone: no PreVote, no check-quorum. */
export const BARE: Partial<ConfigInput> = { preVote: false, checkQuorum: false };
export const abc = { voters: ['a', 'b', 'c'], config: BARE };
export const abcde = { voters: ['a', 'b', 'c', 'd', 'e'], config: BARE };

export function voteRequest(fields: Partial<VoteRequest>): VoteRequest {
  const rest = { lastIndex: 9, lastTerm: 9, transfer: false, priority: 0, commit: 0, commitTerm: 0 };
  return { type: 'vote-request', from: 'c', to: 'b', term: 2, pre: false, ...rest, ...fields };
}

export function voteResponse(fields: Partial<VoteResponse>): VoteResponse {
  return { type: 'vote-response', from: 'b', to: 'a', term: 1, pre: false, reject: false, commit: 0, commitTerm: 0, ...fields };
}

export function appendRequest(fields: Partial<AppendRequest>): AppendRequest {
  return { type: 'append-request', from: 'a', to: 'b', term: 1, prevIndex: 0, prevTerm: 0, commit: 0, entries: [], ...fields };
}

export function appendResponse(fields: Partial<AppendResponse>): AppendResponse {
  const rest = { index: 0, reject: false, hintIndex: 0, hintTerm: 0, commit: 0 };
  return { type: 'append-response', from: 'b', to: 'a', term: 1, ...rest, ...fields };
}

export function heartbeat(fields: Partial<HeartbeatRequest>): HeartbeatRequest {
  return { type: 'heartbeat-request', from: 'a', to: 'b', term: 1, commit: 0, round: 0, ...fields };
}

/** A command that says where it stands: "3.7" in term 3 at index 7. */
export function run(from: number, terms: readonly Term[]): Entry[] {
  return terms.map((term, i) =>
    makeEntry(from + i, term, 'normal', 0, new TextEncoder().encode(`${term}.${from + i}`), undefined),
  );
}

/** A cluster that starts with these logs, given by the terms of their entries, each node in the term given or its last entry's. */
export function startWith(
  logs: Readonly<Record<NodeId, readonly Term[]>>,
  config: Partial<ConfigInput> = BARE,
  terms: Readonly<Record<NodeId, Term>> = {},
): TestCluster {
  const cluster = new TestCluster({ voters: Object.keys(logs), config });
  for (const [id, log] of Object.entries(logs)) {
    const { disk } = cluster.member(id);
    disk.kept = run(1, log);
    disk.hardState = { term: terms[id] ?? log.at(-1) ?? 0, vote: '', commit: 0 };
    cluster.restart(id);
  }
  return cluster;
}

/** What the node sends until it has nothing more to do. */
export function says(cluster: TestCluster, id: NodeId): readonly Message[] {
  const before = cluster.sent.length;
  while (cluster.work(id));
  return cluster.sent.slice(before);
}

export function stateOf(cluster: TestCluster, id: NodeId): Status {
  return cluster.node(id).status();
}

export function progressOf(cluster: TestCluster, leader: NodeId, id: NodeId): ProgressStatus {
  const found = stateOf(cluster, leader).progress.find((progress) => progress.id === id);
  if (found === undefined) throw new Error(`no progress of ${id}`);
  return found;
}

/** The terms of the log as it is on disk. */
export function termsOf(cluster: TestCluster, id: NodeId): readonly Term[] {
  return cluster.member(id).disk.kept.map(({ term }) => term);
}
