/**
 * The last untrusted line: decoded but unchecked parts become a typed PeerMessage, or are refused. After it everything
 * has the type it claims, every number is exact, every length within its limit, every run of entries in order. What it
 * cannot know (is this peer a member, is its term plausible) is for the inbox.
 */
import { snapshotMetaFrom } from '../codec/conf-state.ts';
import { decodeRun } from '../codec/entries.ts';
import { isErrorCode, type RaftErrorCode } from '../core/errors.ts';
import type { AppendRequest, Entry, Message, NodeId, SnapshotRequest } from '../core/types.ts';
import { boolean, bytes, count, integer, nodeId, refuse, text, word } from './fields.ts';
import {
  CALL_BODY_BYTES_MAX,
  ERROR_CHARS_MAX,
  MESSAGE_BYTES_MAX,
  MESSAGE_ENTRIES_MAX,
  NAME_CHARS_MAX,
  PRESENCE_BYTES_MAX,
  PRESENCE_TTL_MS_MAX,
  SNAPSHOT_BYTES_MAX,
  SNAPSHOT_CHUNK_BYTES_MAX,
  TOKEN_CHARS_MAX,
} from './limits.ts';
import type { Hello, PeerMessage, RaftEnvelope, RefusalReason, ReplyError, SnapshotOffer } from './peer-message.ts';
import {
  GOODBYE_REASONS,
  IMPLIED,
  KINDS,
  METHODS,
  RAFT_TYPE_NAMES,
  REFUSAL_CODES,
  REFUSAL_REASONS,
  TERMLESS,
  UNUSED_RAFT,
} from './tables.ts';

type Parts = readonly unknown[];
/** The two ends of the link: what a message does not name. */
interface Ends {
  readonly self: NodeId;
  readonly peer: NodeId;
}

/** Errors: message-invalid. */
export function peerMessageFrom(value: unknown, link: Ends | undefined): PeerMessage {
  if (!Array.isArray(value)) refuse('not an array');
  const parts: Parts = value;
  const kind = word(KINDS, parts[0], 'kind');
  switch (kind) {
    case 'hello':
      return helloFrom(parts);
    case 'raft':
      return spokenFrom(parts, link);
    case 'call':
      expectLength(parts, 4);
      return {
        kind,
        id: positive(parts[1], 'id'),
        method: word(METHODS, parts[2], 'method'),
        body: bytes(parts[3], CALL_BODY_BYTES_MAX, 'body'),
      };
    case 'reply':
      expectLength(parts, 4);
      return {
        kind,
        id: positive(parts[1], 'id'),
        error: replyErrorFrom(parts[2]),
        body: bytes(parts[3], CALL_BODY_BYTES_MAX, 'body'),
      };
    case 'snapshot-offer':
      return offerFrom(parts);
    case 'snapshot-chunk':
      expectLength(parts, 5);
      return {
        kind,
        transfer: count(parts[1], 'transfer'),
        sequence: count(parts[2], 'sequence'),
        last: boolean(parts[3], 'last'),
        data: bytes(parts[4], SNAPSHOT_CHUNK_BYTES_MAX, 'data'),
      };
    case 'snapshot-ack':
      expectLength(parts, 4);
      return {
        kind,
        transfer: count(parts[1], 'transfer'),
        next: count(parts[2], 'next'),
        refused: boolean(parts[3], 'refused'),
      };
    case 'goodbye':
      // In protocol 1 an index followed, which nobody used.
      if (parts.length === 3) count(parts[2], 'commit');
      else expectLength(parts, 2);
      return { kind, reason: word(GOODBYE_REASONS, parts[1], 'reason') };
    case 'presence':
      expectLength(parts, 3);
      return {
        kind,
        ttlMs: upTo(PRESENCE_TTL_MS_MAX, positive(parts[1], 'time to live'), 'time to live'),
        data: parts[2] === null ? null : bytes(parts[2], PRESENCE_BYTES_MAX, 'presence'),
      };
    case 'refusal':
      expectLength(parts, 3);
      return { kind, reason: reasonFrom(parts[1]), message: text(parts[2], ERROR_CHARS_MAX, 'text') };
  }
}

/** A Raft message as it travels between nodes: one that they send each other, and of a term unless it may have none. */
function spokenFrom(parts: Parts, link: Ends | undefined): RaftEnvelope {
  const envelope = raftFrom(parts, link);
  const { type, term } = envelope.message;
  if (UNUSED_RAFT.has(type)) refuse('a type that nobody sends');
  if (term === 0 && !TERMLESS.has(type)) refuse('a message of no term');
  return envelope;
}

/** A Raft message of a record of what a core was told: any of them, between any two nodes. Errors: message-invalid. */
export function recordedMessageFrom(value: unknown): Message {
  return Array.isArray(value) ? raftFrom(value, undefined).message : refuse('not an array');
}

function expectLength(parts: Parts, length: number): void {
  if (parts.length !== length) refuse('number of parts');
}

function positive(value: unknown, name: string): number {
  const number = count(value, name);
  return number >= 1 ? number : refuse(name);
}

/** A number; in protocol 1 the code of the error that it means. */
function reasonFrom(value: unknown): RefusalReason {
  if (typeof value !== 'string') return word(REFUSAL_REASONS, value, 'reason');
  return REFUSAL_REASONS.find((reason) => REFUSAL_CODES[reason] === value) ?? refuse('reason');
}

function errorCode(value: unknown): RaftErrorCode {
  return isErrorCode(value) ? value : refuse('error code');
}

/** The one message that may have more parts than we know: it is read before the version is agreed. */
function helloFrom(parts: Parts): Hello {
  if (parts.length < 9) refuse('number of parts');
  const versionMin = positive(parts[1], 'version');
  const versionMax = positive(parts[2], 'version');
  if (versionMin > versionMax) refuse('version');
  return {
    kind: 'hello',
    versionMin,
    versionMax,
    nodeId: nodeId(parts[3], 'node id'),
    bootNonce: text(parts[4], TOKEN_CHARS_MAX, 'boot nonce'),
    clusterId: text(parts[5], TOKEN_CHARS_MAX, 'cluster id'),
    epoch: count(parts[6], 'epoch'),
    machineVersion: count(parts[7], 'machine version'),
    name: text(parts[8], NAME_CHARS_MAX, 'name'),
  };
}

function replyErrorFrom(value: unknown): ReplyError | null {
  if (value === null) return null;
  if (!Array.isArray(value) || value.length !== 4) refuse('error');
  const hint: unknown = value[2];
  return {
    code: errorCode(value[0]),
    message: text(value[1], ERROR_CHARS_MAX, 'text'),
    leaderHint: hint === '' ? '' : nodeId(hint, 'leader hint'),
    retryAfterMs: count(value[3], 'retry after'),
  };
}

function offerFrom(parts: Parts): SnapshotOffer {
  expectLength(parts, 5);
  const request: unknown = parts[2];
  if (!Array.isArray(request)) refuse('snapshot request');
  const message = raftFrom(request, undefined).message;
  if (message.type !== 'snapshot-request') refuse('snapshot request');
  const size = count(parts[3], 'bytes');
  if (size > SNAPSHOT_BYTES_MAX) refuse('snapshot larger than allowed');
  return {
    kind: 'snapshot-offer',
    transfer: count(parts[1], 'transfer'),
    request: message,
    bytes: size,
    digest: text(parts[4], TOKEN_CHARS_MAX, 'digest'),
  };
}

function raftFrom(parts: Parts, link: Ends | undefined): RaftEnvelope {
  if (parts[0] !== 1) refuse('kind');
  return { kind: 'raft', group: count(parts[1], 'group'), message: messageFrom(parts, link) };
}

function messageFrom(p: Parts, link: Ends | undefined): Message {
  const type = word(RAFT_TYPE_NAMES, p[2], 'type');
  const from = p[3] === IMPLIED && link !== undefined ? link.peer : nodeId(p[3], 'from');
  const to = p[4] === IMPLIED && link !== undefined ? link.self : nodeId(p[4], 'to');
  const term = count(p[5], 'term');
  switch (type) {
    case 'append-request':
      return appendFrom(p, from, to, term);
    case 'append-response': {
      expectLength(p, 11);
      const index = count(p[6], 'index');
      const reject = boolean(p[7], 'reject');
      const hintIndex = count(p[8], 'hint');
      const hintTerm = count(p[9], 'hint');
      return { type, from, to, term, index, reject, hintIndex, hintTerm, commit: count(p[10], 'commit') };
    }
    case 'heartbeat-request':
      expectLength(p, 8);
      return { type, from, to, term, commit: count(p[6], 'commit'), round: count(p[7], 'round') };
    case 'heartbeat-response':
      expectLength(p, 7);
      return { type, from, to, term, round: count(p[6], 'round') };
    case 'vote-request': {
      expectLength(p, 13);
      const pre = boolean(p[6], 'pre');
      const lastIndex = count(p[7], 'last index');
      const lastTerm = termUpTo(p[8], term, 'last term');
      const transfer = boolean(p[9], 'transfer');
      const priority = integer(p[10], 'priority');
      const commit = count(p[11], 'commit');
      const commitTerm = termUpTo(p[12], term, 'commit term');
      return { type, from, to, term, pre, lastIndex, lastTerm, transfer, priority, commit, commitTerm };
    }
    case 'vote-response': {
      expectLength(p, 10);
      const pre = boolean(p[6], 'pre');
      const reject = boolean(p[7], 'reject');
      return { type, from, to, term, pre, reject, commit: count(p[8], 'commit'), commitTerm: count(p[9], 'commit term') };
    }
    case 'snapshot-request':
      return snapshotRequestFrom(p, from, to, term);
    case 'transfer-request':
      expectLength(p, 7);
      return { type, from, to, term, target: nodeId(p[6], 'target') };
    case 'timeout-now':
    case 'transfer-refused':
      expectLength(p, 6);
      return { type, from, to, term };
    case 'proxy-vote': {
      expectLength(p, 9);
      const lastTerm = termUpTo(p[7], term, 'last term');
      return { type, from, to, term, lastIndex: count(p[6], 'last index'), lastTerm, sealed: boolean(p[8], 'sealed') };
    }
    case 'propose-request': {
      expectLength(p, 7);
      const entries = entriesFrom(p[6]);
      if (entries[0] === undefined || entries[0].index !== 0) refuse('proposals');
      return { type, from, to, term, entries };
    }
    case 'read-index-request':
      expectLength(p, 7);
      return { type, from, to, term, context: text(p[6], TOKEN_CHARS_MAX, 'context') };
    case 'read-index-response': {
      expectLength(p, 9);
      const context = text(p[6], TOKEN_CHARS_MAX, 'context');
      return { type, from, to, term, context, index: count(p[7], 'index'), reject: boolean(p[8], 'reject') };
    }
  }
}

function upTo(max: number, value: number, name: string): number {
  return value <= max ? value : refuse(name);
}

function termUpTo(value: unknown, term: number, name: string): number {
  const other = count(value, name);
  return other <= term ? other : refuse(name);
}

function appendFrom(p: Parts, from: NodeId, to: NodeId, term: number): AppendRequest {
  expectLength(p, 10);
  const prevIndex = count(p[6], 'previous index');
  const prevTerm = count(p[7], 'previous term');
  const entries = p[9] === null ? [] : entriesFrom(p[9]);
  return appendOf(from, to, term, prevIndex, prevTerm, count(p[8], 'commit'), entries);
}

/** The entries follow directly on prevIndex, and none is of a later term than the leader's. Errors: message-invalid. */
export function appendOf(
  from: NodeId,
  to: NodeId,
  term: number,
  prevIndex: number,
  prevTerm: number,
  commit: number,
  entries: readonly Entry[],
): AppendRequest {
  if (prevTerm > term) refuse('previous term');
  const first = entries[0];
  const last = entries[entries.length - 1];
  if (first !== undefined && last !== undefined) {
    if (first.index !== prevIndex + 1) refuse('entries do not follow the previous index');
    if (first.term < prevTerm || last.term > term || first.term === 0) refuse('terms of entries');
  }
  return { type: 'append-request', from, to, term, prevIndex, prevTerm, commit, entries };
}

function entriesFrom(value: unknown): readonly Entry[] {
  return decodeRun(bytes(value, MESSAGE_BYTES_MAX, 'entries'), 0, MESSAGE_ENTRIES_MAX);
}

function snapshotRequestFrom(p: Parts, from: NodeId, to: NodeId, term: number): SnapshotRequest {
  expectLength(p, 7);
  const snapshot = snapshotMetaFrom(p[6]);
  if (snapshot.term > term) refuse('term of the snapshot');
  return { type: 'snapshot-request', from, to, term, snapshot };
}
