/**
 * Two failures at once: for every pair of moments of a scenario the first fault falls at the one and the second at the other,
 * where a fault is a transaction or a read that fails, or a power cut. The owner does what a node does: it reads the disk
 * again, as often as that fails too, and goes on from what it finds. Nothing acknowledged may be missing.
 */
import { expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import type { PackedStore } from '../../src/storage/packed/packed-store.ts';
import { ModelledDisk } from '../../src/testing/modelled-disk.ts';
import { entriesOf, metaAt, readAll, readSnapshot } from '../../src/testing/storage-suite/context.ts';
import { openOn } from './support/packed.ts';

type Fault = 'write fails' | 'read fails' | 'power goes';
const LAST = 18;
const SNAPSHOT_AT = 9;
const STATE_BYTES = 3_000;

/** A disk whose moments are counted: at those named, the fault happens. */
class FaultyDisk {
  readonly disk = new ModelledDisk();
  readonly #faults: ReadonlyMap<number, Fault>;
  moments = 0;
  #died: () => void = () => undefined;

  constructor(faults: ReadonlyMap<number, Fault>) {
    this.#faults = faults;
    this.disk.onStep = ({ step }) => {
      if (step !== 'durable') this.#moment(step === 'called' ? 'write fails' : undefined);
    };
    this.disk.onRead = () => this.#moment('read fails');
  }

  /** Resolves at the next power cut. */
  nextDeath(): Promise<'died'> {
    return new Promise((resolve) => {
      this.#died = () => resolve('died');
    });
  }

  #moment(can: Fault | undefined): void {
    this.moments += 1;
    const fault = this.#faults.get(this.moments);
    if (fault === 'power goes') {
      this.disk.crash((place) => place % 2 === 0);
      this.#died();
    } else if (fault !== undefined && fault === can) throw new RaftError('quota', 'There is no room.');
  }
}

/** The store, ready for writing: whatever fails is tried again. */
async function ready(store: PackedStore): Promise<number> {
  for (;;) {
    try {
      return (await store.load()).lastIndex;
    } catch (error) {
      expect(error).toMatchObject({ code: 'quota' });
    }
  }
}

async function openAgain(disk: ModelledDisk): Promise<PackedStore> {
  for (;;) {
    try {
      return await openOn(disk, { tailBytesMax: 0 });
    } catch (error) {
      expect(error).toMatchObject({ code: 'quota' });
    }
  }
}

interface Progress {
  acknowledged: number;
  snapshot: boolean;
}

/** One life: until the scenario is done, or the power goes (then this never settles). */
async function live(faulty: FaultyDisk, progress: Progress): Promise<'done'> {
  const store = await openAgain(faulty.disk);
  for (;;) {
    const lastIndex = await ready(store);
    expect(lastIndex).toBeGreaterThanOrEqual(progress.acknowledged);
    try {
      for (let i = lastIndex + 1; i <= LAST; i += 1) {
        await store.write({ entries: entriesOf(i, i, 1), hardState: { term: 1, vote: 'n', commit: 0 } });
        progress.acknowledged = i;
        if (i === SNAPSHOT_AT) await takeSnapshot(store, progress);
      }
      if (!progress.snapshot) await takeSnapshot(store, progress);
      await store.compact(SNAPSHOT_AT - 3);
      await store.close();
      return 'done';
    } catch (error) {
      expect(error).toMatchObject({ code: 'quota' });
    }
  }
}

async function takeSnapshot(store: PackedStore, progress: Progress): Promise<void> {
  const writer = await store.stageSnapshot(metaAt(SNAPSHOT_AT, 1));
  await writer.write(new Uint8Array(STATE_BYTES).fill(9));
  await store.write({ snapshot: { staged: await writer.finish(), keepLogAfter: true } });
  progress.snapshot = true;
}

async function run(faults: ReadonlyMap<number, Fault>): Promise<number> {
  const faulty = new FaultyDisk(faults);
  const progress: Progress = { acknowledged: 0, snapshot: false };
  let ended = '';
  while (ended !== 'done') ended = await Promise.race([faulty.nextDeath(), live(faulty, progress)]);
  const { moments } = faulty;
  faulty.disk.onStep = undefined;
  faulty.disk.onRead = undefined;
  const store = await openOn(faulty.disk, { tailBytesMax: 0 });
  const state = await store.load();
  expect(state).toMatchObject({ lastIndex: LAST, hardState: { term: 1, vote: 'n' }, snapshot: metaAt(SNAPSHOT_AT, 1) });
  expect(await readAll(store, state.firstIndex, LAST)).toEqual(entriesOf(state.firstIndex, LAST, 1));
  expect((await readSnapshot(await store.snapshot())).length).toBe(STATE_BYTES);
  await expect.poll(() => faulty.disk.tables().chunks.size).toBe(1);
  await store.close();
  return moments;
}

const PAIRS: readonly (readonly [Fault, Fault])[] = [
  ['write fails', 'write fails'],
  ['write fails', 'read fails'],
  ['read fails', 'write fails'],
  ['write fails', 'power goes'],
  ['power goes', 'write fails'],
  ['power goes', 'power goes'],
];

test.each(PAIRS)(
  '%s, and then %s: every pair of moments',
  async (first, second) => {
    const moments = await run(new Map());
    expect(moments).toBeGreaterThan(45);
    for (let a = 1; a <= moments; a += 1) {
      // The second falls soon after the first, where the first is being dealt with, or anywhere later.
      for (let b = a + 1; b <= moments + 4; b += b < a + 6 ? 1 : 7) {
        await run(
          new Map<number, Fault>([
            [a, first],
            [b, second],
          ]),
        ).catch((error: unknown) => {
          throw new Error(`faults at ${a} and ${b}: ${String(error)}`, { cause: error });
        });
      }
    }
  },
  120_000,
);
