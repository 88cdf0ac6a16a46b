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
