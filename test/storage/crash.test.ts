/**
 * Every boundary of the write path is crashed once: at each step of each transaction of a scenario the power goes, with
 * every choice of what the disk had not synced. What comes back must be the state after some of the batches called, in
 * their order, and at least after all that were acknowledged.
 */
import { expect, test } from 'vitest';
import type { Entry } from '../../src/core/types.ts';
import { MemoryImage, type MemorySnapshot } from '../../src/storage/memory/memory-disk.ts';
import type { PackedStore } from '../../src/storage/packed/packed-store.ts';
import type { NodeStore, WriteBatch } from '../../src/storage/storage.ts';
import { ModelledDisk } from '../../src/testing/modelled-disk.ts';
import { entriesOf, metaAt, readAll, readSnapshot } from '../../src/testing/storage-suite/context.ts';
import { openOn } from './support/packed.ts';

interface Recorder {
  readonly store: PackedStore;
  /** Calls a write and notes when it is acknowledged. */
  write(batch: WriteBatch): Promise<void>;
  snapshot(index: number, term: number, keepLogAfter: boolean, more?: WriteBatch): Promise<void>;
}

/** States after 0, 1, 2 … of the batches called, and how many of them must survive. */
class History {
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

function recorder(store: PackedStore, history: History): Recorder {
  const write = async (batch: WriteBatch, snapshot?: MemorySnapshot): Promise<void> => {
    const place = history.call(batch, snapshot);
    await store.write(batch);
    if (batch.sync !== false) history.acknowledged = Math.max(history.acknowledged, place);
  };
  return {
    store,
    write,
    snapshot: async (index, term, keepLogAfter, more = {}) => {
      const chunks = [new Uint8Array(1_100_000).fill(index), new Uint8Array([term])];
      const writer = await store.stageSnapshot(metaAt(index, term));
      for (const chunk of chunks) await writer.write(chunk);
      const staged = await writer.finish();
      await write({ ...more, snapshot: { staged, keepLogAfter } }, { ...staged, chunks });
    },
  };
}

const SCENARIOS: Readonly<Record<string, (r: Recorder) => Promise<void>>> = {
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
    const compacted = store.compact(6);
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

/** What of the transactions not synced survives: in order, and any subset. */
const LOSSES: ReadonlyArray<readonly [name: string, keep: (place: number, crashAt: number) => boolean, tailBytesMax: number]> = [
  ['all of it kept', () => true, 0],
  ['none of it kept', () => false, 0],
  ['some of it kept', (place, crashAt) => (place * 7 + crashAt) % 3 === 0, 0],
  ['all of it kept', () => true, 120],
  ['none of it kept', () => false, 120],
  ['none of it kept', () => false, 3072],
];

/** Runs the scenario until step `crashAt`; false when it ended before. */
async function runUntil(
  scenario: (r: Recorder) => Promise<void>,
  disk: ModelledDisk,
  history: History,
  crash: { at: number; tailBytesMax: number; keep: (place: number) => boolean },
): Promise<boolean> {
  let steps = 0;
  let crashed = false;
  const died = new Promise<void>((resolve) => {
    disk.onStep = () => {
      steps += 1;
      if (steps !== crash.at) return;
      crashed = true;
      disk.crash(crash.keep);
      resolve();
    };
  });
  const work = async (): Promise<void> => {
    const store = await openOn(disk, crash);
    history.opened = true;
    await store.load();
    await scenario(recorder(store, history));
  };
  await Promise.race([work(), died]);
  disk.onStep = undefined;
  return crashed;
}

async function stateOf(store: NodeStore): Promise<unknown> {
  const { cluster, hardState, snapshot, firstIndex, lastIndex, records } = await store.load();
  const state = await store.snapshot();
  const from = Math.max(firstIndex, (snapshot?.index ?? 0) + 1);
  const entries = lastIndex < from ? [] : await readAll(store, from, lastIndex);
  return { cluster, hardState, snapshot, lastIndex, records: [...records], entries, state: (await readSnapshot(state)).length };
}

function expected(image: MemoryImage): unknown {
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

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  for (const [loss, keep, tailBytesMax] of LOSSES) {
    test(`crashed at every step, ${loss}, a tail of ${tailBytesMax} bytes: ${name}`, async () => {
      let at = 1;
      let points = 0;
      for (; ; at += 1) {
        const disk = new ModelledDisk();
        const history = new History();
        const crashed = await runUntil(scenario, disk, history, { at, tailBytesMax, keep: (place) => keep(place, at) });
        if (disk.tables().meta.size === 0) expect(history.opened, `crash ${at}: the identity is lost`).toBe(false);
        const reborn = await openOn(disk, { tailBytesMax });
        const found = JSON.stringify(await stateOf(reborn));
        const place = history.states.findLastIndex(
          (image, i) => i >= history.acknowledged && JSON.stringify(expected(image)) === found,
        );
        expect(
          place,
          `crash ${at}: no state of the history, or an acknowledged write is lost: ${found.slice(0, 300)}`,
        ).toBeGreaterThanOrEqual(history.acknowledged);
        await continues(reborn, disk);
        points += 1;
        if (!crashed) break;
      }
      expect(points).toBeGreaterThan(15);
    });
  }
}

/** The survivor works on: it takes entries, and another life finds them. */
async function continues(store: PackedStore, disk: ModelledDisk): Promise<void> {
  const { lastIndex, hardState } = await store.load();
  const term = hardState.term + 10;
  await store.write({ entries: entriesOf(lastIndex + 1, lastIndex + 2, term), hardState: { ...hardState, term } });
  await store.close();
  const next = await openOn(disk);
  expect((await next.load()).lastIndex).toBe(lastIndex + 2);
  expect(next.term(lastIndex + 2)).toBe(term);
  await next.close();
}
