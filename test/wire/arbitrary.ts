/** Every peer message there can be, for property tests. */
import fc from 'fast-check';
import { type ConfState, type Entry, type Message, makeEntry, NO_BYTES, type SnapshotRequest } from '../../src/core/types.ts';
import type { PeerMessage } from '../../src/wire/peer-message.ts';
import { REFUSAL_REASONS } from '../../src/wire/tables.ts';

const id = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 24 });
const token = fc.string({ maxLength: 40 });
const count = fc.maxSafeInteger().map(Math.abs);
const small = fc.nat({ max: 1_000 });
const bytes = fc.uint8Array({ maxLength: 200 });
const ids = fc.uniqueArray(id, { maxLength: 7 });
const optionalBytes = fc.option(bytes, { nil: undefined });

export const confState: fc.Arbitrary<ConfState> = fc.record({
  voters: fc.uniqueArray(id, { minLength: 1, maxLength: 7 }),
  votersOutgoing: ids,
  learners: ids,
  learnersNext: ids,
  witnesses: ids,
  autoLeave: fc.boolean(),
  members: fc.array(fc.record({ id, context: bytes }), { maxLength: 4 }),
  context: bytes,
});
const op = fc.constantFrom('voter', 'learner', 'witness', 'remove', 'update');
const change = fc.record({
  transition: fc.constantFrom('auto', 'implicit', 'explicit'),
  steps: fc.array(fc.record({ op, id, context: optionalBytes }), { maxLength: 3 }),
  context: optionalBytes,
});
const entry = (index: number, term: number): fc.Arbitrary<Entry> =>
  fc.oneof(
    fc.tuple(small, bytes).map(([time, data]) => makeEntry(index, term, 'normal', time, data, undefined)),
    fc.tuple(small, change).map(([time, how]) => makeEntry(index, term, 'conf', time, NO_BYTES, how)),
  );
const run = (first: number, term: number): fc.Arbitrary<Entry[]> =>
  fc.nat({ max: 5 }).chain((length) => fc.tuple(...Array.from({ length }, (_, i) => entry(first + i, term + i))));

const envelope = { from: id, to: id, term: count.map((n) => Math.max(n, 1)) };
const type = <T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name);

export const snapshotRequest: fc.Arbitrary<SnapshotRequest> = fc.record({
  type: type('snapshot-request'),
  from: id,
  to: id,
  term: fc.constant(2_000),
  snapshot: fc.record({
    index: count.map((n) => Math.max(n, 1)),
    term: fc.integer({ min: 1, max: 2_000 }),
    conf: confState,
    data: optionalBytes,
  }),
});

/** That nodes send each other. */
export const raftMessage: fc.Arbitrary<Message> = fc.oneof(
  fc
    .tuple(id, id, fc.integer({ min: 0, max: 2 ** 40 }), fc.integer({ min: 1, max: 1_000 }), count)
    .chain(([from, to, prevIndex, first, commit]) =>
      run(prevIndex + 1, first).map((entries): Message => {
        return { type: 'append-request', from, to, term: 2_000, prevIndex, prevTerm: first, commit, entries };
      }),
    ),
  fc.record({
    type: type('append-response'),
    ...envelope,
    index: count,
    reject: fc.boolean(),
    hintIndex: count,
    hintTerm: count,
    commit: count,
  }),
  fc.record({ type: type('heartbeat-request'), ...envelope, commit: count, round: count }),
  fc.record({ type: type('heartbeat-response'), ...envelope, round: count }),
  fc.record({
    type: type('vote-request'),
    from: id,
    to: id,
    term: fc.constant(2_000),
    pre: fc.boolean(),
    lastIndex: count,
    lastTerm: small,
    transfer: fc.boolean(),
    priority: fc.maxSafeInteger(),
    commit: count,
    commitTerm: small,
  }),
  fc.record({
    type: type('vote-response'),
    ...envelope,
    pre: fc.boolean(),
    reject: fc.boolean(),
    commit: count,
    commitTerm: count,
  }),
  fc.record({ type: type('timeout-now'), ...envelope }),
  fc.record({
    type: type('proxy-vote'),
    from: id,
    to: id,
    term: fc.constant(2_000),
    lastIndex: count,
    lastTerm: small,
    sealed: fc.boolean(),
  }),
  fc.record({ type: type('transfer-refused'), ...envelope }),
  fc.record({ type: type('read-index-request'), ...envelope, context: token }),
  fc.record({ type: type('read-index-response'), ...envelope, context: token, index: count, reject: fc.boolean() }),
);

/** That a core can be told, and a record of it holds; nobody sends them to another node as they are. */
export const unusedMessage: fc.Arbitrary<Message> = fc.oneof(
  snapshotRequest,
  fc.record({ type: type('transfer-request'), ...envelope, target: id }),
  fc.tuple(id, id, count, fc.array(entry(0, 0), { minLength: 1, maxLength: 4 })).map(([from, to, term, entries]): Message => {
    return { type: 'propose-request', from, to, term, entries };
  }),
);

const code = fc.constantFrom('not-leader' as const, 'busy' as const, 'outcome-unknown' as const);
const positive = count.map((n) => Math.max(n, 1));
const hello = fc.record({
  kind: type('hello'),
  versionMin: fc.constant(1),
  versionMax: fc.integer({ min: 1, max: 9 }),
  nodeId: id,
  bootNonce: token,
  clusterId: token,
  epoch: count,
  machineVersion: count,
  name: token,
});

export const peerMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  hello,
  fc.record({ kind: type('raft'), group: small, message: raftMessage }),
  fc.record({
    kind: type('call'),
    id: positive,
    method: fc.constantFrom('propose', 'membership', 'join', 'status', 'transfer', 'digest', 'secret', 'client', 'relay'),
    body: bytes,
  }),
  fc.record({
    kind: type('reply'),
    id: positive,
    error: fc.option(fc.record({ code, message: token, leaderHint: fc.oneof(id, fc.constant('')), retryAfterMs: count })),
    body: bytes,
  }),
  fc.record({ kind: type('snapshot-offer'), transfer: count, request: snapshotRequest, bytes: fc.nat(), digest: token }),
  fc.record({ kind: type('snapshot-chunk'), transfer: count, sequence: count, last: fc.boolean(), data: bytes }),
  fc.record({ kind: type('snapshot-ack'), transfer: count, next: count, refused: fc.boolean() }),
  fc.record({ kind: type('presence'), ttlMs: fc.integer({ min: 1, max: 60_000 }), data: fc.option(bytes) }),
  fc.record({ kind: type('goodbye'), reason: fc.constantFrom('stop', 'pagehide', 'leave', 'removed') }),
  fc.record({ kind: type('refusal'), reason: fc.constantFrom(...REFUSAL_REASONS), message: token }),
);
