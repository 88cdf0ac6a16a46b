/**
 * Peer messages to bytes and back: one MessagePack array each, positional, its first part the kind (docs/WIRE.md).
 * Entries are one binary run (codec/entries.ts), encoded once for all who are sent the same run.
 */
import { snapshotMetaParts } from '../codec/conf-state.ts';
import { encodeEntriesOnce } from '../codec/entries.ts';
import { packMessage, unpackMessage } from '../codec/pack.ts';
import { RaftError } from '../core/errors.ts';
import type { Message, NodeId, SnapshotRequest } from '../core/types.ts';
import { decodeHot, encodeHot } from './hot.ts';
import { CALL_BODY_BYTES_MAX, ERROR_CHARS_MAX, MESSAGE_BYTES_MAX } from './limits.ts';
import { type PeerMessage, PROTOCOL_VERSION_MAX, type RefusalReason, type Reply } from './peer-message.ts';
import { bytesMaxOf, checkSize } from './sizes.ts';
import { GOODBYE_REASONS, IMPLIED, KINDS, METHODS, RAFT_TYPES, REFUSAL_CODES, REFUSAL_REASONS } from './tables.ts';
import { peerMessageFrom, recordedMessageFrom } from './validate.ts';

const RAFT = KINDS.indexOf('raft');

/** The two ends of the link a message travels on, as seen from here. Messages that go from one to the other need not name them. */
export interface LinkEnds {
  readonly self: NodeId;
  readonly peer: NodeId;
}

/**
 * Encodes a message for `Transport.send`. The bytes may be a view on a larger buffer that is never written again: send
 * them or copy them, do not structured-clone them; nobody may change them, an append is shared by all who are sent the same.
 * Errors: too-large.
 * @param version of the protocol that the link speaks
 */
export function encodePeerMessage(message: PeerMessage, link?: LinkEnds, version: number = PROTOCOL_VERSION_MAX): Uint8Array {
  if (message.kind !== 'raft') return checkedSize(packMessage(otherParts(message, version)), message);
  const { group, message: raft } = message;
  const from = link !== undefined && raft.from === link.self ? IMPLIED : raft.from;
  const to = link !== undefined && raft.to === link.peer ? IMPLIED : raft.to;
  const hot = from === IMPLIED && to === IMPLIED ? encodeHot(group, raft) : undefined;
  return hot ?? checkedSize(packMessage(raftParts(group, raft, from, to)), message);
}

/** What a peer would refuse for its length does not leave. */
function checkedSize(encoded: Uint8Array, message: PeerMessage): Uint8Array {
  const bytesMax = bytesMaxOf(message);
  if (encoded.length <= bytesMax) return encoded;
  throw new RaftError('too-large', `a ${message.kind} message of ${encoded.length} bytes; at most ${bytesMax}`);
}

/**
 * Decodes and checks untrusted bytes; what comes back is as trusted as its sender. Byte fields are views on `bytes`: who
 * keeps one keeps all of them. Errors: message-invalid, also for a message that implies the ends of a link none was given.
 * @param bytesMax STRANGER_BYTES_MAX until the sender's hello has been accepted
 */
export function decodePeerMessage(bytes: Uint8Array, link?: LinkEnds, bytesMax: number = MESSAGE_BYTES_MAX): PeerMessage {
  if (bytes.length > bytesMax) throw new RaftError('message-invalid', 'message: longer than allowed');
  const hot = link === undefined ? undefined : decodeHot(bytes, link.peer, link.self);
  if (hot !== undefined) return hot;
  checkSize(bytes);
  return peerMessageFrom(unpackMessage(bytes), link);
}

/** Encodes a Raft message for a record of what a core was told: all of them can be, and both ends are named. Errors: too-large. */
export function encodeRecordedMessage(message: Message): Uint8Array {
  const encoded = packMessage(raftParts(0, message, message.from, message.to));
  if (encoded.length <= MESSAGE_BYTES_MAX) return encoded;
  throw new RaftError('too-large', `a recorded message of ${encoded.length} bytes; at most ${MESSAGE_BYTES_MAX}`);
}

/** Errors: message-invalid. */
export function decodeRecordedMessage(bytes: Uint8Array): Message {
  return recordedMessageFrom(unpackMessage(bytes));
}

function otherParts(message: Exclude<PeerMessage, { kind: 'raft' }>, version: number): readonly unknown[] {
  const kind = KINDS.indexOf(message.kind);
  switch (message.kind) {
    case 'hello': {
      const { versionMin, versionMax, nodeId, bootNonce, clusterId, epoch, machineVersion, name } = message;
      return [kind, versionMin, versionMax, nodeId, bootNonce, clusterId, epoch, machineVersion, name];
    }
    case 'call':
      return [kind, message.id, METHODS.indexOf(message.method), checkedBody(message.body)];
    case 'reply':
      return [kind, message.id, replyErrorParts(message.error), checkedBody(message.body)];
    case 'snapshot-offer': {
      const request = raftParts(0, message.request satisfies SnapshotRequest, message.request.from, message.request.to);
      return [kind, message.transfer, request, message.bytes, message.digest];
    }
    case 'snapshot-chunk':
      return [kind, message.transfer, message.sequence, message.last, message.data];
    case 'snapshot-ack':
      return [kind, message.transfer, message.next, message.refused];
    case 'goodbye':
      return [kind, GOODBYE_REASONS.indexOf(message.reason), ...(version === 1 ? [0] : [])];
    case 'presence':
      return [kind, message.ttlMs, message.data];
    case 'refusal':
      return [kind, reasonPart(message.reason, version), message.message.slice(0, ERROR_CHARS_MAX)];
  }
}

function reasonPart(reason: RefusalReason, version: number): number | string {
  return version === 1 ? REFUSAL_CODES[reason] : REFUSAL_REASONS.indexOf(reason);
}

function checkedBody(body: Uint8Array): Uint8Array {
  if (body.length <= CALL_BODY_BYTES_MAX) return body;
  throw new RaftError('too-large', `a body of ${body.length} bytes; at most ${CALL_BODY_BYTES_MAX}`);
}

function replyErrorParts(error: Reply['error']): readonly unknown[] | null {
  if (error === null) return null;
  return [error.code, error.message.slice(0, ERROR_CHARS_MAX), error.leaderHint, error.retryAfterMs];
}

/** [kind, group, type, from, to, term, then the fields of the type in the order of core/types.ts, entries last]. */
function raftParts(group: number, m: Message, from: NodeId | typeof IMPLIED, to: NodeId | typeof IMPLIED): readonly unknown[] {
  const type = RAFT_TYPES[m.type];
  switch (m.type) {
    case 'append-request': {
      const entries = m.entries.length === 0 ? null : encodeEntriesOnce(m.entries);
      return [RAFT, group, type, from, to, m.term, m.prevIndex, m.prevTerm, m.commit, entries];
    }
    case 'append-response':
      return [RAFT, group, type, from, to, m.term, m.index, m.reject, m.hintIndex, m.hintTerm, m.commit];
    case 'heartbeat-request':
      return [RAFT, group, type, from, to, m.term, m.commit, m.round];
    case 'heartbeat-response':
      return [RAFT, group, type, from, to, m.term, m.round];
    case 'vote-request': {
      const { term, pre, lastIndex, lastTerm, transfer, priority, commit, commitTerm } = m;
      return [RAFT, group, type, from, to, term, pre, lastIndex, lastTerm, transfer, priority, commit, commitTerm];
    }
    case 'vote-response':
      return [RAFT, group, type, from, to, m.term, m.pre, m.reject, m.commit, m.commitTerm];
    case 'snapshot-request':
      return [RAFT, group, type, from, to, m.term, snapshotMetaParts(m.snapshot)];
    case 'transfer-request':
      return [RAFT, group, type, from, to, m.term, m.target];
    case 'timeout-now':
    case 'transfer-refused':
      return [RAFT, group, type, from, to, m.term];
    case 'proxy-vote':
      return [RAFT, group, type, from, to, m.term, m.lastIndex, m.lastTerm, m.sealed];
    case 'propose-request':
      return [RAFT, group, type, from, to, m.term, encodeEntriesOnce(m.entries)];
    case 'read-index-request':
      return [RAFT, group, type, from, to, m.term, m.context];
    case 'read-index-response':
      return [RAFT, group, type, from, to, m.term, m.context, m.index, m.reject];
  }
}
