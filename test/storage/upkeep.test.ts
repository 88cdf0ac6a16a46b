<<<<<<< HEAD
/** What works in the background on stored segments must never undo what was written meanwhile. */
import { expect, test } from 'vitest';
import { ModelledDisk } from '../../src/testing/modelled-disk.ts';
import { entriesOf, readAll } from '../../src/testing/storage-suite/context.ts';
import { openOn } from './support/packed.ts';

/** More than this many small segments are merged: the scan that does it asks for one more than it merges. */
const MERGE_SCAN_LIMIT = 65;

/** A log of small segments, `merging` called once, when merging has read them and before it writes. */
async function duringMerge(
  merging: (store: Awaited<ReturnType<typeof openOn>>) => Promise<void>,
): Promise<{ disk: ModelledDisk; store: Awaited<ReturnType<typeof openOn>> }> {
  const disk = new ModelledDisk();
  const store = await openOn(disk, { tailBytesMax: 0 });
  await store.load();
  let interrupted: Promise<void> | undefined;
  const merged = new Promise<void>((resolve) => {
    disk.onRead = async (table, limit) => {
      if (table !== 'log' || limit !== MERGE_SCAN_LIMIT || interrupted !== undefined) return;
      interrupted = merging(store);
      await interrupted;
      resolve();
    };
  });
  for (let i = 1; i <= MERGE_SCAN_LIMIT; i += 1)
    await store.write({ entries: entriesOf(i, i, 1), hardState: { term: 1, vote: '', commit: 0 } });
  await merged;
  disk.onRead = undefined;
  return { disk, store };
}

test('merging leaves alone a log that was cut since it was read', async () => {
  const { disk, store } = await duringMerge(async (during) => {
    await during.write({ entries: entriesOf(10, 12, 2), hardState: { term: 2, vote: '', commit: 0 } });
  });
  // Closing waits for the merging under way.
  await store.write({ entries: entriesOf(13, 13, 2) });
  await store.close();
  const reopened = await openOn(disk, { tailBytesMax: 0 });
  expect((await reopened.load()).lastIndex).toBe(13);
  expect(await readAll(reopened, 1, 13)).toEqual([...entriesOf(1, 9, 1), ...entriesOf(10, 13, 2)]);
});

test('merging leaves alone a log that a received snapshot replaced since it was read', async () => {
  const { disk, store } = await duringMerge(async (during) => {
    const meta = { index: 30, term: 2, conf: EMPTY, data: undefined };
    const staged = await (await during.stageSnapshot(meta)).finish();
    await during.write({ snapshot: { staged, keepLogAfter: false }, entries: entriesOf(31, 33, 2) });
  });
  await store.write({ entries: entriesOf(34, 34, 2) });
  await store.close();
  const reopened = await openOn(disk, { tailBytesMax: 0 });
  expect(await reopened.load()).toMatchObject({ firstIndex: 31, lastIndex: 34 });
  expect(await readAll(reopened, 31, 34)).toEqual(entriesOf(31, 34, 2));
});

test('small segments do become few, and hold what they held', async () => {
  const disk = new ModelledDisk();
  const store = await openOn(disk, { tailBytesMax: 0 });
  await store.load();
  for (let i = 1; i <= 200; i += 1) await store.write({ entries: entriesOf(i, i, 1) });
  await expect.poll(() => disk.tables().log.size).toBeLessThan(140);
  await store.close();
  expect(await readAll(await openOn(disk), 1, 200)).toEqual(entriesOf(1, 200, 1));
});

const EMPTY = {
  voters: ['a'],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  witnesses: [],
  autoLeave: false,
  members: [],
  context: new Uint8Array(0),
};
=======
/** Merging in the background, against what is written meanwhile. */
import { expect, test } from 'vitest';
import { makeEntry } from '../../src/core/types.ts';
import type { Medium, Operation } from '../../src/storage/packed/medium.ts';
import type { Pipeline } from '../../src/storage/packed/pipeline.ts';
import { encodeSegments } from '../../src/storage/packed/segment.ts';
import { Upkeep } from '../../src/storage/packed/upkeep.ts';

const SEGMENTS = 70;
const segments = Array.from({ length: SEGMENTS }, (_, i) =>
  encodeSegments([makeEntry(i + 1, 1, 'normal', 0, Uint8Array.of(i), undefined)], 1, 0),
).flat();

/** Upkeep that has read what it would merge, and waits for its turn at the disk. */
async function aboutToMerge() {
  const committed: Operation[][] = [];
  const medium = {
    scan: (_table: string, key: number, limit: number) =>
      Promise.resolve(
        segments
          .filter(({ first }) => first >= key)
          .slice(0, limit)
          .map(({ first, value }) => ({ key: first, value })),
      ),
    commit: (operations: Operation[]) => Promise.resolve(void committed.push(operations)),
  } as unknown as Medium;
  let turn: (() => Promise<void>) | undefined;
  const pipeline = {
    exclusive: <T>(work: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        turn = () => work().then(resolve, reject);
      }),
  } as unknown as Pipeline;
  let rewrites = 0;
  const host = {
    generation: 0,
    firstIndex: 1,
    rewrites: () => rewrites,
    mergedTo: (index: number): Operation => ({ kind: 'put', table: 'meta', key: 'merged', value: Uint8Array.of(index) }),
    damaged: (error: unknown) => {
      throw error;
    },
  };
  const upkeep = new Upkeep(medium, pipeline, host, 0);
  upkeep.written(undefined, segments);
  while (turn === undefined) await new Promise((resolve) => setImmediate(resolve));
  const take = turn;
  return { committed, take, truncate: () => void (rewrites += 1) };
}

test('small segments are merged when their turn comes', async () => {
  const { committed, take } = await aboutToMerge();
  await take();
  expect(committed.length).toBe(1);
  expect(committed[0]?.[0]).toMatchObject({ kind: 'delete-range', table: 'log', from: 1 });
});

test('merging never writes over a log that was truncated since it was read', async () => {
  const { committed, take, truncate } = await aboutToMerge();
  truncate();
  await take();
  expect(committed).toEqual([]);
});
>>>>>>> 3e93a89 (Tests: the faults that no suite found die, and every fault of the list finds its text)
