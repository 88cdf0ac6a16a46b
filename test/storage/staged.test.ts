/** Snapshots that are staged and never written leave the disk while the store is open: nobody waits for a reload. */
import { expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import type { PackedStore } from '../../src/storage/packed/packed-store.ts';
import { STAGED_SNAPSHOTS_MAX } from '../../src/storage/staged.ts';
import type { StagedSnapshot } from '../../src/storage/storage.ts';
import { ModelledDisk } from '../../src/testing/modelled-disk.ts';
import { metaAt } from '../../src/testing/storage-suite/context.ts';
import { openOn } from './support/packed.ts';

const CHUNK_BYTES = 1024 * 1024;

async function stage(store: PackedStore, index: number): Promise<StagedSnapshot> {
  const writer = await store.stageSnapshot(metaAt(index, 1));
  await writer.write(new Uint8Array(2 * CHUNK_BYTES + 1).fill(index));
  return writer.finish();
}
async function opened(disk: ModelledDisk): Promise<PackedStore> {
  const store = await openOn(disk);
  await store.load();
  return store;
}
const chunks = (disk: ModelledDisk): number => disk.tables().chunks.size;

test('discarded after finish: its chunks are gone when the call resolves, those of others are not', async () => {
  const disk = new ModelledDisk();
  const store = await opened(disk);
  const [gone, kept] = [await stage(store, 1), await stage(store, 2)];
  expect(chunks(disk)).toBe(6);
  await store.discardStaged(gone);
  expect(chunks(disk)).toBe(3);
  await store.write({ snapshot: { staged: kept, keepLogAfter: false } });
  await store.discardStaged(kept);
  expect(chunks(disk)).toBe(3);
});

test('cut in the middle and aborted: nothing is left', async () => {
  const disk = new ModelledDisk();
  const store = await opened(disk);
  const writer = await store.stageSnapshot(metaAt(1, 1));
  await writer.write(new Uint8Array(5 * CHUNK_BYTES));
  await writer.abort();
  expect(chunks(disk)).toBe(0);
});

test('forgotten by their owners, finished or not: never more than the limit on the disk', async () => {
  const disk = new ModelledDisk();
  const store = await opened(disk);
  for (let i = 1; i <= STAGED_SNAPSHOTS_MAX * 2; i += 1) {
    if (i % 2 === 0) await stage(store, i);
    else await (await store.stageSnapshot(metaAt(i, 1))).write(new Uint8Array(3 * CHUNK_BYTES));
  }
  await expect.poll(() => chunks(disk)).toBeLessThanOrEqual(STAGED_SNAPSHOTS_MAX * 3);
});

test('its write failed: when the disk was read again its chunks are gone, and those in force are not', async () => {
  const disk = new ModelledDisk();
  const store = await opened(disk);
  await store.write({ snapshot: { staged: await stage(store, 1), keepLogAfter: false } });
  const staged = await stage(store, 2);
  disk.onStep = ({ step, operations }) => {
    const installs = operations.some(({ table, kind }) => table === 'meta' && kind === 'put');
    if (step === 'called' && installs) throw new RaftError('quota', 'no room');
  };
  await expect(store.write({ snapshot: { staged, keepLogAfter: false } })).rejects.toMatchObject({ code: 'quota' });
  disk.onStep = undefined;
  expect((await store.load()).snapshot?.index).toBe(1);
  await expect.poll(() => chunks(disk)).toBe(3);
  let bytes = 0;
  for await (const chunk of (await store.snapshot())?.chunks() ?? []) bytes += chunk.length;
  expect(bytes).toBe(2 * CHUNK_BYTES + 1);
});
