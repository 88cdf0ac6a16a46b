/** Bad files: whatever is wrong is refused with a code, or healed from what is there twice; never served, never lost in silence. */
import { describe, expect, test } from 'vitest';
import { FileMedium } from '../../src/storage/opfs/file-medium.ts';
import type { PackedStore } from '../../src/storage/packed/packed-store.ts';
import type { StoreFault } from '../../src/storage/storage.ts';
import { entriesOf, metaAt, readAll, readSnapshot } from '../../src/testing/storage-suite/context.ts';
import { type FileOptions, openOnFiles } from './support/files.ts';
import { ModelledFiles } from './support/modelled-files.ts';

type Contents = Map<string, Uint8Array>;
const OPTIONS: FileOptions = { tailBytesMax: 0, fileBytes: 2_500 };

/** Votes, two terms of entries, one replaced, a snapshot, a compacted prefix, a record; over several journal files. */
async function written(end: 'closed' | 'killed'): Promise<Contents> {
  const files = new ModelledFiles();
  const store = await openOnFiles(files.folder(), OPTIONS);
  await store.load();
  await store.write({ cluster: { clusterId: 'c', epoch: 1 } });
  for (let i = 1; i <= 5; i += 1) {
    await store.write({ entries: entriesOf(i * 2 - 1, i * 2, 1), hardState: { term: 1, vote: 'v', commit: 1 } });
  }
  await store.write({ entries: entriesOf(8, 11, 3) });
  const writer = await store.stageSnapshot(metaAt(6, 1));
  await writer.write(new Uint8Array(50).fill(7));
  await store.write({ snapshot: { staged: await writer.finish(), keepLogAfter: true } });
  await store.compact(3);
  await store.write({ hardState: { term: 4, vote: '', commit: 9 }, putRecords: [['k', new Uint8Array(9)]] });
  if (end === 'closed') await store.close();
  else files.crash(() => false);
  return files.contents();
}

async function seen(contents: Contents): Promise<string> {
  const store = await openOnFiles(ModelledFiles.from(contents).folder(), OPTIONS);
  if (store.identity.bootCount === 0) return 'a new identity';
  const { cluster, hardState, snapshot, firstIndex, lastIndex, records } = await store.load();
  const entries = await readAll(store, firstIndex, lastIndex);
  const state = await readSnapshot(await store.snapshot());
  const terms = entries.map(({ index }) => store.term(index));
  return JSON.stringify({ cluster, hardState, snapshot, firstIndex, lastIndex, records: [...records], entries, state, terms });
}

/** Everything that the medium holds: where that is the same, so is what a store makes of it. */
async function held(contents: Contents): Promise<string> {
  const medium = await FileMedium.open(ModelledFiles.from(contents).folder());
  const tables = [await medium.all('meta'), await medium.all('records')].map((table) => [...table].sort());
  const log = await medium.scan('log', 0, 1000);
  const chunks = await medium.scan('chunks', 0, 1000);
  return JSON.stringify([tables, log, chunks]);
}

interface Whole {
  readonly seen: string;
  readonly held: string;
}
async function wholeOf(contents: Contents): Promise<Whole> {
  return { seen: await seen(contents), held: await held(contents) };
}

/** What opening the edited files comes to: 'same', or the code it is refused with. */
async function outcome(contents: Contents, whole: Whole, edit: (copy: Contents) => void): Promise<string> {
  const copy = new Map([...contents].map(([name, bytes]) => [name, bytes.slice()]));
  edit(copy);
  try {
    if ((await held(copy)) === whole.held) return 'same';
    const found = await seen(copy);
    return found === whole.seen ? 'same' : `served ${found.slice(0, 300)}`;
  } catch (error) {
    return String((error as { code?: string }).code ?? error);
  }
}

describe.each(['closed', 'killed'] as const)('files of a store that was %s', (end) => {
  test('any flipped byte is refused, or makes no difference', async () => {
    const contents = await written(end);
    const whole = await wholeOf(contents);
    const outcomes = new Map<string, number>();
    for (const [name, bytes] of contents) {
      for (let at = 0; at < bytes.length; at += 1) {
        const got = await outcome(contents, whole, (copy) => {
          const flipped = copy.get(name);
          if (flipped !== undefined) flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
        });
        expect(['same', 'corrupt', 'storage-newer'], `${name}, byte ${at}: ${got}`).toContain(got);
        outcomes.set(got, (outcomes.get(got) ?? 0) + 1);
      }
    }
    expect(outcomes.get('corrupt')).toBeGreaterThan(300);
  }, 60_000);

  test('any sector turned to zeros that is not the last of what was written is refused, or makes no difference', async () => {
    const contents = await written(end);
    const whole = await wholeOf(contents);
    const journals = [...contents.keys()].filter((name) => name.startsWith('journal-'));
    const last = `journal-${Math.max(...journals.map((name) => Number(name.slice(8))))}`;
    for (const [name, bytes] of contents) {
      for (let at = 0; at < bytes.length; at += 512) {
        // Nothing later shows that it was there, unless a head does.
        if (end === 'killed' && name === last && at >= bytes.length - 1024) continue;
        const got = await outcome(contents, whole, (copy) => copy.get(name)?.fill(0, at, at + 512));
        expect(['same', 'corrupt'], `${name}, sector at ${at}: ${got}`).toContain(got);
      }
    }
  });
});

test('any file of a closed store that is missing or cut short is refused, or makes no difference', async () => {
  const contents = await written('closed');
  const whole = await wholeOf(contents);
  expect(contents.size).toBeGreaterThan(4);
  for (const [name, bytes] of contents) {
    const gone = await outcome(contents, whole, (copy) => copy.delete(name));
    expect(['same', 'corrupt'], `without ${name}: ${gone}`).toContain(gone);
    for (let length = 0; length < bytes.length; length += 100) {
      const cut = await outcome(contents, whole, (copy) => copy.set(name, bytes.slice(0, length)));
      expect(['same', 'corrupt'], `${name} of ${length} bytes: ${cut}`).toContain(cut);
    }
  }
});

test('both heads damaged, and the journal from the start gone: refused, nothing deleted', async () => {
  const contents = await written('closed');
  const damaged = new Map(contents);
  for (const name of ['head-0', 'head-1']) damaged.set(name, (contents.get(name) ?? new Uint8Array(0)).slice().fill(9, 40, 60));
  damaged.delete('journal-1');
  const files = ModelledFiles.from(damaged);
  await expect(openOnFiles(files.folder(), OPTIONS)).rejects.toMatchObject({ code: 'corrupt' });
  expect([...files.contents().keys()].sort()).toEqual([...damaged.keys()].sort());
});

describe('a disk that fails and comes back', () => {
  const LAST = 14;

  /** One life; whatever fails, the disk is read again and the rest is written. */
  async function live(files: ModelledFiles, progress: { acknowledged: number; faults: StoreFault[] }): Promise<void> {
    const store = await untilItWorks(() =>
      openOnFiles(files.folder(), { ...OPTIONS, onFault: (fault) => progress.faults.push(fault) }),
    );
    for (;;) {
      const { lastIndex } = await untilItWorks(() => store.load());
      expect(lastIndex).toBeGreaterThanOrEqual(progress.acknowledged);
      try {
        await writeRest(store, lastIndex, progress);
        await store.close();
        return;
      } catch (error) {
        expect(error).toMatchObject({ code: 'quota' });
      }
    }
  }

  async function writeRest(store: PackedStore, lastIndex: number, progress: { acknowledged: number }): Promise<void> {
    for (let i = lastIndex + 1; i <= LAST; i += 1) {
      await store.write({ entries: entriesOf(i, i, 1), hardState: { term: 1, vote: 'n', commit: 0 } });
      progress.acknowledged = i;
    }
    const writer = await store.stageSnapshot(metaAt(9, 1));
    await writer.write(new Uint8Array(600).fill(9));
    await store.write({ snapshot: { staged: await writer.finish(), keepLogAfter: true } });
    await store.compact(5);
  }

  async function untilItWorks<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        expect(error).toMatchObject({ code: 'quota' });
      }
    }
  }

  async function run(failing: ReadonlySet<number>): Promise<number> {
    const files = new ModelledFiles();
    const progress = { acknowledged: 0, faults: [] as StoreFault[] };
    let calls = 0;
    files.onCall = (_call, when) => {
      if (when === 'after') return;
      calls += 1;
      if (failing.has(calls)) throw new DOMException('There is no room.', 'QuotaExceededError');
    };
    await live(files, progress);
    files.onCall = undefined;
    // The power goes: only what was flushed counts, and a flush that failed flushed nothing.
    files.crash(() => false);
    const store = await openOnFiles(files.folder(), OPTIONS);
    const state = await store.load();
    expect(state).toMatchObject({ lastIndex: LAST, firstIndex: 6, snapshot: metaAt(9, 1), hardState: { vote: 'n' } });
    expect(await readAll(store, 6, LAST)).toEqual(entriesOf(6, LAST, 1));
    expect((await readSnapshot(await store.snapshot())).length).toBe(600);
    return calls;
  }

  test('once, at every call: nothing acknowledged is missing', async () => {
    const calls = await run(new Set());
    expect(calls).toBeGreaterThan(50);
    for (let at = 1; at <= calls; at += 1) {
      await run(new Set([at])).catch((error: unknown) => {
        throw new Error(`failing call ${at}: ${String(error)}`, { cause: error });
      });
    }
  }, 60_000);

  test('twice, at every pair of calls near each other, and three times in a row', async () => {
    const calls = await run(new Set());
    for (let a = 1; a <= calls; a += 1) {
      for (let b = a + 1; b <= a + 8; b += 1) {
        await run(new Set(b === a + 1 ? [a, b, b + 1] : [a, b])).catch((error: unknown) => {
          throw new Error(`failing calls ${a} and ${b}: ${String(error)}`, { cause: error });
        });
      }
    }
  }, 60_000);
});
