/** Snapshots on their way between a leader and a follower, each for one of two purposes. */
import { expect, test } from 'vitest';
import { EMPTY_CONF } from '../../../src/core/conf/conf-change.ts';
import { makeEntry, NO_BYTES, type SnapshotMeta, type SnapshotRequest } from '../../../src/core/types.ts';
import { LogView } from '../../../src/runtime/member/log-cache.ts';
import { RESYNC_STALL_MS } from '../../../src/runtime/member/snapshot-receiver.ts';
import { SnapshotTransfers } from '../../../src/runtime/member/snapshot-transfers.ts';
import { MemoryStorage } from '../../../src/storage/memory/memory-storage.ts';
import type { NodeStore } from '../../../src/storage/storage.ts';
import type { SnapshotAck, SnapshotChunk, SnapshotOffer } from '../../../src/wire/peer-message.ts';

type Message = SnapshotOffer | SnapshotChunk | SnapshotAck;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const metaAt = (index: number, voters = ['a', 'b']): SnapshotMeta => {
  return { index, term: 1, conf: { ...EMPTY_CONF, voters }, data: undefined };
};
const requestAt = (index: number): SnapshotRequest => {
  return { type: 'snapshot-request', from: 'a', to: 'b', term: 1, snapshot: metaAt(index) };
};

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

async function storeOf(entries: number, snapshot: number): Promise<{ readonly store: NodeStore; readonly view: LogView }> {
  const store: NodeStore = new MemoryStorage().open({ room: 'test' });
  const log = Array.from({ length: entries }, (_, i) => makeEntry(i + 1, 1, 'normal', 0, NO_BYTES, undefined));
  await store.write({ hardState: { term: 1, vote: '', commit: entries }, entries: log });
  if (snapshot > 0) {
    await takeSnapshot(store, snapshot);
    await store.compact(snapshot);
  }
  const fail = (error: unknown): void => {
    throw error;
  };
  return { store, view: new LogView(store, await store.load(), () => {}, fail) };
}

async function takeSnapshot(store: NodeStore, index: number): Promise<void> {
  const writer = await store.stageSnapshot(metaAt(index));
  await writer.write(Uint8Array.of(index));
  await store.write({ snapshot: { staged: await writer.finish(), keepLogAfter: true } });
}

/** Leader a with 20 entries and a snapshot of 10; follower b with as many entries. What they say waits to be passed on. */
async function pair({ followersSnapshot = 5 } = {}) {
  const time = { ms: 0 };
  const clock = { monotonicMs: () => time.ms };
  const lines: { readonly to: 'a' | 'b'; readonly message: Message }[] = [];
  const seen = {
    sent: [] as (readonly [ok: boolean, index: number | undefined])[],
    followed: [] as number[],
    resynced: [] as number[],
    failed: 0,
    taken: 0,
    faults: [] as unknown[],
  };
  const applied = { index: 20 };
  const ends = await Promise.all(
    (['a', 'b'] as const).map(async (self) => {
      const { store, view } = await storeOf(20, self === 'a' ? 10 : followersSnapshot);
      const takeNow = async (): Promise<never> => {
        seen.taken++;
        await takeSnapshot(store, applied.index);
        return undefined as never;
      };
      return new SnapshotTransfers(
        { self, store, view, clock, maker: { takeNow } },
        {
          sendMessage: (_peer, message) => lines.push({ to: self === 'a' ? 'b' : 'a', message }) > 0,
          metaNow: () => metaAt(applied.index),
          onSent: (_peer, ok, sent) => seen.sent.push([ok, sent?.meta.index]),
          onProgress: () => {},
          onFollow: ({ snapshot }) => seen.followed.push(snapshot.index),
          onResync: ({ meta }) => seen.resynced.push(meta.index),
          onFault: (error) => seen.faults.push(error),
        },
      );
    }),
  );
  const [a, b] = ends as [SnapshotTransfers, SnapshotTransfers];
  const lost = (): void => {
    seen.failed++;
  };
  /** Passes on what was said until one of these is next; true when it is. */
  const passUntil = async (kind?: Message['kind']): Promise<boolean> => {
    for (let quiet = 0; quiet < 20; quiet++) {
      await turn();
      for (let line = lines[0]; line !== undefined; line = lines[0]) {
        if (line.message.kind === kind) return true;
        quiet = 0;
        lines.shift();
        (line.to === 'a' ? a : b).onMessage(line.to === 'a' ? 'b' : 'a', line.message);
        await turn();
      }
    }
    return false;
  };
  return { a, b, seen, lines, passUntil, time, applied, lost };
}

test('a snapshot that nobody asked for is the core’s to take, one that was asked for takes the place of the state', async () => {
  const { a, b, seen, passUntil, lost } = await pair();
  a.sendToFollow(requestAt(10));
  await passUntil();
  expect(seen).toMatchObject({ sent: [[true, 10]], followed: [10], resynced: [], taken: 0 });
  b.awaitResync('a', lost);
  a.sendToResync('b', 1);
  await passUntil();
  expect(seen).toMatchObject({ followed: [10], resynced: [20], failed: 0, taken: 1, faults: [] });
  expect(seen.sent.at(-1)).toEqual([true, 20]);
  // Asked for once: what comes after that is the core's again.
  a.sendToFollow(requestAt(20));
  await passUntil();
  expect(seen).toMatchObject({ followed: [10, 20], resynced: [20] });
});

test('a resync takes the place of a snapshot to follow that is under way; what of that one arrives yet is the core’s', async () => {
  const { a, b, seen, passUntil, lost } = await pair();
  a.sendToFollow(requestAt(10));
  expect(await passUntil('snapshot-chunk')).toBe(true);
  b.awaitResync('a', lost);
  a.sendToResync('b', 1);
  await passUntil();
  expect(seen).toMatchObject({
    sent: [
      [false, 10],
      [true, 20],
    ],
    followed: [10],
    resynced: [20],
    faults: [],
  });
});

test('a snapshot to follow does not take the place of a resync: that one serves as well', async () => {
  const { a, b, seen, passUntil, lost } = await pair();
  b.awaitResync('a', lost);
  a.sendToResync('b', 1);
  expect(await passUntil('snapshot-chunk')).toBe(true);
  a.sendToFollow(requestAt(10));
  await passUntil();
  expect(seen).toMatchObject({ sent: [[true, 20]], followed: [], resynced: [20] });
});

test('a member that asks for the state again and again costs its leader one snapshot at a time', async () => {
  const { a, b, seen, passUntil, lost } = await pair();
  b.awaitResync('a', lost);
  for (let i = 0; i < 5; i++) a.sendToResync('b', 1);
  expect(await passUntil('snapshot-chunk')).toBe(true);
  a.sendToResync('b', 1);
  await passUntil();
  expect(seen).toMatchObject({ taken: 1, sent: [[true, 20]], resynced: [20] });
  b.awaitResync('a', lost);
  a.sendToResync('b', 1);
  await passUntil();
  expect(seen).toMatchObject({ taken: 2, resynced: [20, 20] });
});

test('a resync that breaks off, or never begins, is given up after a while, once; one that goes on is not', async () => {
  const { a, b, seen, passUntil, lines, time, lost } = await pair();
  b.awaitResync('a', lost);
  a.sendToResync('b', 1);
  time.ms += RESYNC_STALL_MS - 1;
  expect(await passUntil('snapshot-chunk')).toBe(true);
  time.ms += RESYNC_STALL_MS;
  b.tick();
  expect(seen.failed).toBe(0);
  time.ms += 1;
  b.tick();
  b.tick();
  expect(seen.failed).toBe(1);
  // What comes of it later is nothing to this node.
  lines.splice(0);
  b.onMessage('a', { kind: 'snapshot-chunk', transfer: 1, sequence: 0, last: true, data: NO_BYTES });
  await passUntil();
  expect(seen).toMatchObject({ resynced: [], followed: [], faults: [] });
});

test('another leader, or a refusal, ends the waiting at once; the end of the member tells nobody', async () => {
  const { b, seen, lost } = await pair();
  b.awaitResync('a', lost);
  b.leaderChanged();
  expect(seen.failed).toBe(1);
  b.awaitResync('a', lost);
  b.giveUpResync();
  expect(seen.failed).toBe(2);
  b.awaitResync('a', lost);
  b.stop();
  b.leaderChanged();
  expect(seen.failed).toBe(2);
});

test('a resync older than what the log here begins with is refused: it would leave a hole before the log', async () => {
  const { a, b, seen, passUntil, applied, lost } = await pair({ followersSnapshot: 15 });
  applied.index = 14;
  b.awaitResync('a', lost);
  a.sendToResync('b', 1);
  await passUntil();
  expect(seen).toMatchObject({ sent: [[false, 14]], resynced: [], followed: [] });
  applied.index = 15;
  a.sendToResync('b', 1);
  await passUntil();
  expect(seen).toMatchObject({
    sent: [
      [false, 14],
      [true, 15],
    ],
    resynced: [15],
  });
});

test('a snapshot from before the receiver was a member is not sent: a newer one is taken, and the core asks again', async () => {
  const { a, seen, lines } = await pair();
  a.sendToFollow({ ...requestAt(10), snapshot: metaAt(10, ['a']) });
  await until(() => seen.sent.length > 0);
  expect([seen.sent, seen.taken, lines]).toEqual([[[false, undefined]], 1, []]);
});

test('leadership that ends while storage is asked for the snapshot sends nothing, and tells the core once', async () => {
  const { a, seen, lines, passUntil } = await pair();
  a.sendToFollow(requestAt(10));
  a.leadershipLost();
  await passUntil();
  expect([seen.sent, lines]).toEqual([[[false, undefined]], []]);
});
