/** Words as numbers on the wire. A position in these lists is part of the protocol: append only. */
import type { RaftErrorCode } from '../core/errors.ts';
import type { MessageType } from '../core/types.ts';
import type { CallMethod, Goodbye, PeerMessage, RefusalReason } from './peer-message.ts';

export const KINDS: readonly PeerMessage['kind'][] = [
  'hello',
  'raft',
  'call',
  'reply',
  'snapshot-offer',
  'snapshot-chunk',
  'snapshot-ack',
  'goodbye',
  'refusal',
  'presence',
];
/** Stands for the sender or the receiver of a Raft message that is an end of its link. */
export const IMPLIED = 0;
/** Number 3 was a method that never did anything. */
export const METHODS: readonly (CallMethod | undefined)[] = [
  'propose',
  'membership',
  'join',
  undefined,
  'status',
  'transfer',
  'digest',
  'secret',
  'client',
  'relay',
];
export const GOODBYE_REASONS: readonly Goodbye['reason'][] = ['stop', 'pagehide', 'leave', 'removed'];
export const REFUSAL_REASONS: readonly RefusalReason[] = [
  'other-node',
  'protocol',
  'other-cluster',
  'other-epoch',
  'removed',
  'not-a-member',
];
/** What a reason is called as an error; in protocol 1 a refusal carried this code instead. */
export const REFUSAL_CODES: { readonly [R in RefusalReason]: RaftErrorCode } = {
  'other-node': 'node-mismatch',
  protocol: 'protocol-mismatch',
  'other-cluster': 'cluster-mismatch',
  'other-epoch': 'epoch-mismatch',
  removed: 'removed',
  'not-a-member': 'not-a-member',
};

/** Raft messages. Numbers instead of positions, so that the codec's switches read as a table. */
export const RAFT_TYPES: { readonly [T in MessageType]: number } = {
  'append-request': 0,
  'append-response': 1,
  'heartbeat-request': 2,
  'heartbeat-response': 3,
  'vote-request': 4,
  'vote-response': 5,
  'snapshot-request': 6,
  'transfer-request': 7,
  'timeout-now': 8,
  'transfer-refused': 9,
  'propose-request': 10,
  'read-index-request': 11,
  'read-index-response': 12,
  'proxy-vote': 13,
};
export const RAFT_TYPE_NAMES: readonly MessageType[] = (Object.keys(RAFT_TYPES) as MessageType[]).sort(
  (a, b) => RAFT_TYPES[a] - RAFT_TYPES[b],
);

/** Raft messages that the runtime never sends: it offers snapshots, forwards proposals and asks for transfers in its own words. */
export const UNUSED_RAFT: ReadonlySet<MessageType> = new Set<MessageType>([
  'snapshot-request',
  'transfer-request',
  'propose-request',
]);
/** The protocol version that a Raft message came with, where that is not the first: who speaks an earlier one would not know it. */
export const RAFT_SINCE: { readonly [T in MessageType]?: number } = { 'proxy-vote': 2 };
/** Raft messages whose sender may be in no term yet: they ask, or answer a question of no term. All others come from a term. */
export const TERMLESS: ReadonlySet<MessageType> = new Set<MessageType>([
  'vote-request',
  'vote-response',
  'read-index-request',
  'read-index-response',
]);
/** The same of calls: a build that does not know one takes it for nonsense. */
export const CALL_SINCE: { readonly [M in CallMethod]?: number } = { client: 3, relay: 3 };
/** The protocol version that `presence` came with. */
export const PRESENCE_SINCE = 2;
