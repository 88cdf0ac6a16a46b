/**
 * Peer messages to bytes and back: one MessagePack array each, positional, its first part the kind (docs/WIRE.md).
 * Entries are one binary run (codec/entries.ts), encoded once for all who are sent the same run.
 */
import { snapshotMetaParts } from '../codec/conf-state.ts';
import { encodeEntriesOnce } from '../codec/entries.ts';
import { packMessage, unpack } from '../codec/pack.ts';
import { RaftError } from '../core/errors.ts';
import type { Message, SnapshotRequest } from '../core/types.ts';
import { CALL_BODY_BYTES_MAX, ERROR_CHARS_MAX, MESSAGE_BYTES_MAX } from './limits.ts';
import type { PeerMessage, Reply } from './peer-message.ts';
import { GOODBYE_REASONS, KINDS, METHODS, RAFT_TYPES } from './tables.ts';
import { peerMessageFrom } from './validate.ts';

const RAFT = KINDS.indexOf('raft');

/**
 * Encodes a message for `Transport.send`. The bytes may be a view on a larger buffer that is never written again: send
 * them or copy them, do not structured-clone them. Errors: too-large.
 */
export function encodePeerMessage(message: PeerMessage): Uint8Array {
  const encoded = packMessage(message.kind === 'raft' ? raftParts(message.group, message.message) : otherParts(message));
  if (encoded.length > MESSAGE_BYTES_MAX) {
    throw new RaftError('too-large', `a message of ${encoded.length} bytes; at most ${MESSAGE_BYTES_MAX}`);
  }
  return encoded;
}

/**
 * Decodes and checks untrusted bytes; what comes back is as trusted as its sender. Byte fields are views on `bytes`: who
 * keeps one keeps all of them. Errors: message-invalid.
 */
export function decodePeerMessage(bytes: Uint8Array): PeerMessage {
  if (bytes.length > MESSAGE_BYTES_MAX) throw new RaftError('message-invalid', 'message: longer than allowed');
  return peerMessageFrom(unpack(bytes));
}

function otherParts(message: Exclude<PeerMessage, { kind: 'raft' }>): readonly unknown[] {
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
      const request = raftParts(0, message.request satisfies SnapshotRequest);
      return [kind, message.transfer, request, message.bytes, message.digest];
    }
    case 'snapshot-chunk':
      return [kind, message.transfer, message.sequence, message.last, message.data];
    case 'snapshot-ack':
      return [kind, message.transfer, message.next, message.refused];
    case 'goodbye':
      return [kind, GOODBYE_REASONS.indexOf(message.reason), message.commit];
    case 'refusal':
      return [kind, message.code, message.message.slice(0, ERROR_CHARS_MAX)];
  }
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
function raftParts(group: number, m: Message): readonly unknown[] {
  const type = RAFT_TYPES[m.type];
  switch (m.type) {
    case 'append-request': {
      const entries = m.entries.length === 0 ? null : encodeEntriesOnce(m.entries);
      return [RAFT, group, type, m.from, m.to, m.term, m.prevIndex, m.prevTerm, m.commit, entries];
    }
    case 'append-response':
      return [RAFT, group, type, m.from, m.to, m.term, m.index, m.reject, m.hintIndex, m.hintTerm, m.commit];
    case 'heartbeat-request':
      return [RAFT, group, type, m.from, m.to, m.term, m.commit, m.round];
    case 'heartbeat-response':
      return [RAFT, group, type, m.from, m.to, m.term, m.round];
    case 'vote-request': {
      const { from, to, term, pre, lastIndex, lastTerm, transfer, priority, commit, commitTerm } = m;
      return [RAFT, group, type, from, to, term, pre, lastIndex, lastTerm, transfer, priority, commit, commitTerm];
    }
    case 'vote-response':
      return [RAFT, group, type, m.from, m.to, m.term, m.pre, m.reject, m.commit, m.commitTerm];
    case 'snapshot-request':
      return [RAFT, group, type, m.from, m.to, m.term, snapshotMetaParts(m.snapshot)];
    case 'transfer-request':
      return [RAFT, group, type, m.from, m.to, m.term, m.target];
    case 'timeout-now':
    case 'transfer-refused':
      return [RAFT, group, type, m.from, m.to, m.term];
    case 'propose-request':
      return [RAFT, group, type, m.from, m.to, m.term, encodeEntriesOnce(m.entries)];
    case 'read-index-request':
      return [RAFT, group, type, m.from, m.to, m.term, m.context];
    case 'read-index-response':
      return [RAFT, group, type, m.from, m.to, m.term, m.context, m.index, m.reject];
  }
}
