/** A snapshot as it arrives, from a sender or a channel that is not to be trusted with its order. */
import { expect, test } from 'vitest';
import { EMPTY_CONF } from '../../../src/core/conf/conf-change.ts';
import type { SnapshotMeta, SnapshotRequest } from '../../../src/core/types.ts';
import { SnapshotReceiver } from '../../../src/runtime/member/snapshot-receiver.ts';
import { MemoryStorage } from '../../../src/storage/memory/memory-storage.ts';
import type { SnapshotAck } from '../../../src/wire/peer-message.ts';

const clock = { monotonicMs: () => 0 };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a chunk that comes twice, or before its turn, is not stored: the transfer goes on where it was', async () => {
  const meta: SnapshotMeta = { index: 5, term: 1, conf: { ...EMPTY_CONF, voters: ['a', 'b'] }, data: undefined };
  const request: SnapshotRequest = { type: 'snapshot-request', from: 'a', to: 'b', term: 1, snapshot: meta };
  const parts = [Uint8Array.of(1, 2), Uint8Array.of(3, 4), Uint8Array.of(5)];
  const store = new MemoryStorage().open({ room: 'test' });
  const writer = await store.stageSnapshot(meta);
  for (const part of parts) await writer.write(part);
  const { digest, bytes } = await writer.finish();
  const acks: SnapshotAck[] = [];
  const complete: SnapshotRequest[] = [];
  const faults: unknown[] = [];
  const receiver = new SnapshotReceiver(store, clock, {
    sendAck: (_peer, ack) => acks.push(ack),
    lowestResync: () => 0,
    onFollow: (whole) => complete.push(whole),
    onResync: (staged) => faults.push(staged),
    onFault: (error) => faults.push(error),
  });
  receiver.onOffer('a', { kind: 'snapshot-offer', transfer: 1, request, bytes, digest });
  for (const sequence of [0, 0, 2, 1, 2]) {
    const data = parts[sequence] ?? new Uint8Array();
    receiver.onChunk('a', { kind: 'snapshot-chunk', transfer: 1, sequence, last: sequence === 2, data });
    await turn();
  }
  expect(faults).toEqual([]);
  expect(acks.map(({ next, refused }) => [next, refused])).toEqual([0, 1, 1, 1, 2, 3].map((next) => [next, false]));
  expect(complete).toEqual([request]);
  expect(receiver.takeStaged(meta)).toMatchObject({ bytes: 5, digest });
});

test('a finished snapshot that the core has not taken leaves the disk when the member ends', async () => {
  const meta: SnapshotMeta = { index: 5, term: 1, conf: { ...EMPTY_CONF, voters: ['a', 'b'] }, data: undefined };
  const request: SnapshotRequest = { type: 'snapshot-request', from: 'a', to: 'b', term: 1, snapshot: meta };
  const store = new MemoryStorage().open({ room: 'test' });
  const writer = await store.stageSnapshot(meta);
  await writer.write(Uint8Array.of(1));
  const { digest, bytes } = await writer.finish();
  const discarded: number[] = [];
  const discardStaged = store.discardStaged.bind(store);
  store.discardStaged = (staged) => {
    discarded.push(staged.meta.index);
    return discardStaged(staged);
  };
  const ignore = (): void => {};
  const receiver = new SnapshotReceiver(store, clock, {
    sendAck: ignore,
    lowestResync: () => 0,
    onFollow: ignore,
    onResync: ignore,
    onFault: ignore,
  });
  receiver.onOffer('a', { kind: 'snapshot-offer', transfer: 1, request, bytes, digest });
  receiver.onChunk('a', { kind: 'snapshot-chunk', transfer: 1, sequence: 0, last: true, data: Uint8Array.of(1) });
  await turn();
  await turn();
  receiver.stop();
  expect(discarded).toEqual([5]);
  expect(receiver.takeStaged(meta)).toBeUndefined();
});
