/** What a store lives through while the power goes, and what it may come back with. */
import type { Entry } from '../../../src/core/types.ts';
import { MemoryImage, type MemorySnapshot } from '../../../src/storage/memory/memory-disk.ts';
import type { PackedStore } from '../../../src/storage/packed/packed-store.ts';
import type { NodeStore, WriteBatch } from '../../../src/storage/storage.ts';
import { entriesOf, metaAt, readAll, readSnapshot } from '../../../src/testing/storage-suite/context.ts';

export interface Recorder {
  readonly store: PackedStore;
  /** Calls a write and notes when it is acknowledged. */
  write(batch: WriteBatch): Promise<void>;
  snapshot(index: number, term: number, keepLogAfter: boolean, more?: WriteBatch): Promise<void>;
}

/** States after 0, 1, 2 … of the batches called, and how many of them must survive. */
export class History {
  readonly states: MemoryImage[] = [new MemoryImage()];
  acknowledged = 0;
  opened = false;

  call(batch: WriteBatch, snapshot: MemorySnapshot | undefined): number {
    const next = (this.states.at(-1) ?? new MemoryImage()).clone();
    next.apply(batch, snapshot);
    this.states.push(next);
    return this.states.length - 1;
  }
}

/** Several are called at once: when the power goes, each of them may fail before anybody waits for it. */
function heard(work: Promise<void>): Promise<void> {
  work.catch(() => undefined);
  return work;
}

export function recorder(store: PackedStore, history: History): Recorder {
  const write = async (batch: WriteBatch, snapshot?: MemorySnapshot): Promise<void> => {
    const place = history.call(batch, snapshot);
    await store.write(batch);
    if (batch.sync !== false) history.acknowledged = Math.max(history.acknowledged, place);
  };
  return {
    store,
    write: (batch) => heard(write(batch)),
    snapshot: async (index, term, keepLogAfter, more = {}) => {
      const chunks = [new Uint8Array(1_100_000).fill(index), new Uint8Array([term])];
      const writer = await store.stageSnapshot(metaAt(index, term));
      for (const chunk of chunks) await writer.write(chunk);
      const staged = await writer.finish();
      await write({ ...more, snapshot: { staged, keepLogAfter } }, { ...staged, chunks });
    },
  };
}

export const SCENARIOS: Readonly<Record<string, (r: Recorder) => Promise<void>>> = {
  'appends, one by one and folded, with votes and records between': async ({ write }) => {
    await write({ cluster: { clusterId: 'c', epoch: 1 }, hardState: { term: 1, vote: 'node', commit: 0 } });
    await write({ entries: entriesOf(1, 3, 1), hardState: { term: 1, vote: 'node', commit: 1 } });
    const many = [4, 5, 6, 7].map((i) => write({ entries: entriesOf(i, i, 1), putRecords: [[`k${i}`, new Uint8Array([i])]] }));
    await write({ hardState: { term: 1, vote: 'node', commit: 6 }, sync: false });
    await write({ hardState: { term: 2, vote: '', commit: 6 } });
    await Promise.all(many);
    await write({ entries: entriesOf(8, 700, 2, 300), deleteRecords: ['k4'] });
  },
  'entries replaced, again and again, also while in flight': async ({ write }) => {
    for (let i = 1; i <= 6; i += 1) await write({ entries: entriesOf(i, i, 1) });
    await write({ entries: entriesOf(4, 8, 2), hardState: { term: 2, vote: 'b', commit: 2 } });
    await Promise.all([
      write({ entries: entriesOf(9, 10, 2) }),
      write({ entries: entriesOf(7, 7, 3), hardState: { term: 3, vote: '', commit: 3 } }),
      write({ entries: entriesOf(8, 9, 3) }),
      write({ entries: entriesOf(5, 5, 4) }),
    ]);
    await write({ entries: entriesOf(6, 6, 5) });
  },
  'an own snapshot, compaction, the next snapshot': async ({ store, write, snapshot }) => {
    for (let i = 1; i <= 12; i += 1)
      await write({ entries: entriesOf(i, i, 1), hardState: { term: 1, vote: 'n', commit: i - 1 } });
    await snapshot(8, 1, true);
    const compacted = heard(store.compact(6));
    await write({ entries: entriesOf(13, 14, 1) });
    await compacted;
    await snapshot(12, 1, true, { entries: entriesOf(15, 15, 1) });
    await store.compact(12);
    await write({ entries: entriesOf(16, 16, 1) });
  },
  'a received snapshot over a conflicting log, and what follows it': async ({ store, write, snapshot }) => {
    for (let i = 1; i <= 5; i += 1) await write({ entries: entriesOf(i * 4 - 3, i * 4, 1) });
    await snapshot(10, 3, false, { hardState: { term: 3, vote: '', commit: 10 } });
    await write({ entries: entriesOf(11, 13, 3) });
    await snapshot(30, 4, false, { entries: entriesOf(31, 32, 4), hardState: { term: 4, vote: '', commit: 31 } });
    await write({ entries: entriesOf(32, 34, 5) });
    await store.compact(30);
  },
  'small segments merged in the background while the log grows and is cut': async ({ store, write }) => {
    for (let i = 1; i <= 75; i += 1)
      await write({ entries: entriesOf(i, i, 1, 40), hardState: { term: 1, vote: 'n', commit: 0 } });
    await write({ entries: entriesOf(60, 61, 2), hardState: { term: 2, vote: '', commit: 0 } });
    for (let i = 62; i <= 140; i += 1) await write({ entries: entriesOf(i, i, 2, 40) });
    await store.close();
  },
};

export async function stateOf(store: NodeStore): Promise<unknown> {
  const { cluster, hardState, snapshot, firstIndex, lastIndex, records } = await store.load();
  const state = await store.snapshot();
  const from = Math.max(firstIndex, (snapshot?.index ?? 0) + 1);
  const entries = lastIndex < from ? [] : await readAll(store, from, lastIndex);
  return { cluster, hardState, snapshot, lastIndex, records: [...records], entries, state: (await readSnapshot(state)).length };
}

export function expected(image: MemoryImage): unknown {
  const { cluster, hardState, snapshot, log, records } = image;
  const from = Math.max(log.firstIndex, (snapshot?.meta.index ?? 0) + 1);
  const entries: Entry[] = log.lastIndex < from ? [] : log.slice(from, log.lastIndex + 1, 1e9);
  return {
    cluster,
    hardState,
    snapshot: snapshot?.meta,
    lastIndex: log.lastIndex,
    records: [...records].sort(([a], [b]) => (a < b ? -1 : 1)),
    entries,
    state: snapshot?.bytes ?? 0,
  };
}
