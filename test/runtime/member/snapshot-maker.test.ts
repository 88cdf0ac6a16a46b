/** A node's own snapshots, where they take longer than what comes after them. */
import { expect, test } from 'vitest';
import { EMPTY_CONF } from '../../../src/core/conf/conf-change.ts';
import { makeEntry, NO_BYTES, type SnapshotMeta } from '../../../src/core/types.ts';
import { LogView } from '../../../src/runtime/member/log-cache.ts';
import { SnapshotMaker } from '../../../src/runtime/member/snapshot-maker.ts';
import { MemoryStorage } from '../../../src/storage/memory/memory-storage.ts';
import type { NodeStore, StagedSnapshot } from '../../../src/storage/storage.ts';

const fail = (error: unknown): void => {
  throw error;
};
const meta = (index: number): SnapshotMeta => ({
  index,
  term: 1,
  conf: { ...EMPTY_CONF, voters: ['a', 'b'] },
  data: undefined,
});

/** A store with ten entries, and a maker whose states stream when the test lets them. */
async function make() {
  const store: NodeStore = new MemoryStorage().open({ room: 'test' });
  const entries = Array.from({ length: 10 }, (_, i) => makeEntry(i + 1, 1, 'normal', 0, NO_BYTES, undefined));
  await store.write({ hardState: { term: 1, vote: '', commit: 10 }, entries });
  const view = new LogView(store, await store.load(), () => {}, fail);
  const streams: (() => void)[] = [];
  async function* slow(): AsyncIterable<Uint8Array> {
    await new Promise<void>((resolve) => streams.push(resolve));
    yield new Uint8Array([1]);
  }
  const application = { snapshot: slow };
  const made: number[] = [];
  const hooks = { onMade: ({ index }: { readonly index: number }) => made.push(index), onFault: fail };
  const maker = new SnapshotMaker({ store, view, application }, { snapshotEveryEntries: 100, keepEntries: 100 }, 0, hooks);
  const until = async (count: number): Promise<void> => {
    while (streams.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { store, maker, made, streams, until };
}

async function stage(store: NodeStore, of: SnapshotMeta): Promise<StagedSnapshot> {
  const writer = await store.stageSnapshot(of);
  await writer.write(new Uint8Array([9]));
  return writer.finish();
}

test('a snapshot of its own that ends after the leader’s has come does not take its place', async () => {
  const { store, maker, made, streams, until } = await make();
  const own = maker.takeNow(() => meta(5));
  await until(1);
  const staged = await stage(store, meta(20));
  maker.superseded(20);
  await store.write({ snapshot: { staged, keepLogAfter: false } });
  maker.installed(20);
  streams[0]?.();
  expect(await own).toMatchObject({ index: 5 });
  expect((await store.snapshot())?.meta.index).toBe(20);
  expect((await store.load()).firstIndex).toBe(21);
  expect([maker.snapshotIndex, made]).toEqual([20, []]);
});

test('of two snapshots of its own under way at once the older never replaces the newer', async () => {
  const { store, maker, made, streams, until } = await make();
  const first = maker.takeNow(() => meta(2));
  // Both wait for the one that is under way, and start when it ends.
  const older = maker.takeNow(() => meta(4));
  const newer = maker.takeNow(() => meta(8));
  await until(1);
  streams[0]?.();
  await first;
  await until(3);
  streams[2]?.();
  await newer;
  streams[1]?.();
  await older;
  expect((await store.snapshot())?.meta.index).toBe(8);
  expect([maker.snapshotIndex, made]).toEqual([8, [2, 8]]);
});

test('the log is compacted to its snapshot and no further, whatever is asked for', async () => {
  const { store, maker, streams, until } = await make();
  const own = maker.takeNow(() => meta(5));
  await until(1);
  streams[0]?.();
  await own;
  expect(await maker.compact(Number.MAX_SAFE_INTEGER)).toBe(5);
  expect((await store.load()).firstIndex).toBe(6);
  // What is gone already is not asked for again.
  expect(await maker.compact(3)).toBe(5);
});
