/** One message of every kind and type, by name: what the fixtures of each protocol version hold. */
import { type Entry, type Message, makeEntry, NO_BYTES, type SnapshotRequest } from '../../src/core/types.ts';
import type { PeerMessage } from '../../src/wire/peer-message.ts';

const ends = { from: 'node-a', to: 'node-b', term: 7 } as const;
const change = {
  transition: 'explicit' as const,
  steps: [
    { op: 'learner' as const, id: 'node-c', context: Uint8Array.of(9, 8) },
    { op: 'remove' as const, id: 'node-d', context: undefined },
  ],
  context: Uint8Array.of(5),
};
const entries: readonly Entry[] = [
  makeEntry(41, 6, 'normal', 1_700_000_000_000, Uint8Array.of(1, 2, 3), undefined),
  makeEntry(42, 7, 'normal', 1_700_000_000_005, NO_BYTES, undefined),
  makeEntry(43, 7, 'conf', 1_700_000_000_004, NO_BYTES, change),
];
const snapshotRequest: SnapshotRequest = {
  type: 'snapshot-request',
  ...ends,
  snapshot: {
    index: 40,
    term: 6,
    conf: {
      voters: ['node-a', 'node-b'],
      votersOutgoing: ['node-a', 'node-e'],
      learners: ['node-c'],
      learnersNext: ['node-e'],
      witnesses: ['node-b'],
      autoLeave: true,
      members: [{ id: 'node-a', context: Uint8Array.of(1) }],
      context: Uint8Array.of(2),
    },
    data: undefined,
  },
};

export const RAFT_SAMPLES: readonly Message[] = [
  { type: 'append-request', ...ends, prevIndex: 40, prevTerm: 6, commit: 39, entries },
  { type: 'append-response', ...ends, index: 43, reject: true, hintIndex: 300, hintTerm: 6, commit: 2 ** 33 },
  { type: 'heartbeat-request', ...ends, commit: 70_000, round: 12 },
  { type: 'heartbeat-response', ...ends, round: 12 },
  {
    type: 'vote-request',
    ...ends,
    pre: true,
    lastIndex: 43,
    lastTerm: 7,
    transfer: false,
    priority: -3,
    commit: 40,
    commitTerm: 6,
  },
  { type: 'vote-response', ...ends, pre: false, reject: true, commit: 40, commitTerm: 6 },
  { type: 'timeout-now', ...ends },
  { type: 'transfer-refused', ...ends },
  { type: 'read-index-request', ...ends, context: 'read-1' },
  { type: 'read-index-response', ...ends, context: 'read-1', index: 43, reject: false },
];

/** Of kinds whose form has not changed since protocol version 1. */
export const SAMPLES: readonly (readonly [name: string, message: PeerMessage])[] = [
  [
    'hello',
    {
      kind: 'hello',
      versionMin: 1,
      versionMax: 1,
      nodeId: 'node-a',
      bootNonce: 'boot',
      clusterId: 'cluster',
      epoch: 2,
      machineVersion: 3,
      name: 'Anna',
    },
  ],
  ...RAFT_SAMPLES.map((message): readonly [string, PeerMessage] => [`raft ${message.type}`, { kind: 'raft', group: 0, message }]),
  ['call propose', { kind: 'call', id: 5, method: 'propose', body: Uint8Array.of(1) }],
  ['call membership', { kind: 'call', id: 5, method: 'membership', body: Uint8Array.of(1) }],
  ['call join', { kind: 'call', id: 5, method: 'join', body: Uint8Array.of(1) }],
  ['call status', { kind: 'call', id: 2 ** 40, method: 'status', body: NO_BYTES }],
  ['call transfer', { kind: 'call', id: 5, method: 'transfer', body: Uint8Array.of(1) }],
  ['call digest', { kind: 'call', id: 5, method: 'digest', body: Uint8Array.of(1) }],
  ['reply', { kind: 'reply', id: 5, error: null, body: Uint8Array.of(4, 4) }],
  [
    'reply with an error',
    {
      kind: 'reply',
      id: 6,
      error: { code: 'not-leader', message: 'Ask node-b.', leaderHint: 'node-b', retryAfterMs: 20 },
      body: NO_BYTES,
    },
  ],
  ['snapshot-offer', { kind: 'snapshot-offer', transfer: 3, request: snapshotRequest, bytes: 123_456, digest: 'sum' }],
  ['snapshot-chunk', { kind: 'snapshot-chunk', transfer: 3, sequence: 9, last: true, data: Uint8Array.of(7, 7, 7) }],
  ['snapshot-ack', { kind: 'snapshot-ack', transfer: 3, next: 10, refused: false }],
];
