/** The journal and its heads, rule by rule, beneath any store. */
import { describe, expect, test } from 'vitest';
import { FileMedium } from '../../src/storage/opfs/file-medium.ts';
import type { Operation } from '../../src/storage/packed/medium.ts';
import { type FileCall, ModelledFiles } from './support/modelled-files.ts';

const put = (key: number, bytes = 20): Operation => ({
  kind: 'put',
  table: 'log',
  key,
  value: new Uint8Array(bytes).fill(key),
});
const note = (text: string): Operation => ({ kind: 'put', table: 'meta', key: 'note', value: new TextEncoder().encode(text) });

async function keysOf(files: ModelledFiles): Promise<readonly number[]> {
  const medium = await FileMedium.open(files.folder());
  const keys = await medium.keys('log', 0, Number.MAX_SAFE_INTEGER, 1000);
  for (const key of keys) expect((await medium.get('log', key))?.every((byte) => byte === key % 256)).toBe(true);
  return keys;
}
const KEEPS = [
  ['nothing', () => false],
  ['everything', () => true],
] as const;

/** Fails the next call of this kind, once. */
function failNext(files: ModelledFiles, call: FileCall['call']): void {
  files.onCall = (made, when) => {
    if (when === 'after' || made.call !== call) return;
    files.onCall = undefined;
    throw new DOMException('There is no room.', 'QuotaExceededError');
  };
}

describe.each(KEEPS)('when the power cut keeps %s of what was not flushed', (_name, keep) => {
  test.each(['flush', 'write'] as const)(
    'a %s that fails: what was relaxed before it is durable with the next strict',
    async (call) => {
      const files = new ModelledFiles();
      const medium = await FileMedium.open(files.folder());
      await medium.commit([put(1)], 'strict');
      await medium.commit([put(2)], 'relaxed');
      await medium.commit([put(3)], 'relaxed');
      failNext(files, call);
      await expect(medium.commit([put(4)], 'strict')).rejects.toMatchObject({ code: 'quota' });
      expect(await medium.keys('log', 0, 100, 100)).toEqual([1, 2, 3]);
      await medium.commit([put(5)], 'strict');
      expect((await medium.get('log', 2))?.[0]).toBe(2);
      // The head then tells where each of them lies: in what was written again.
      if (call === 'flush') await medium.close();
      files.crash(keep);
      expect(await keysOf(files)).toEqual([1, 2, 3, 5]);
    },
  );

  test('the rescue itself fails, at every call, again and again: what was relaxed is still there', async () => {
    for (let failing = 1; failing <= 12; failing += 1) {
      const files = new ModelledFiles();
      const medium = await FileMedium.open(files.folder());
      await medium.commit([put(1)], 'strict');
      for (const key of [2, 3, 4]) await medium.commit([put(key)], 'relaxed');
      let calls = 0;
      files.onCall = (_call, when) => {
        if (when === 'after') return;
        calls += 1;
        if (calls === 2 || (calls > 2 && calls < 2 + failing)) throw new DOMException('full', 'QuotaExceededError');
      };
      let committed = false;
      while (!committed) {
        committed = await medium.commit([put(9)], 'strict').then(
          () => true,
          () => false,
        );
      }
      for (const key of [1, 2, 3, 4, 9]) expect((await medium.get('log', key))?.[0]).toBe(key);
      files.onCall = undefined;
      files.crash(keep);
      expect(await keysOf(files)).toEqual([1, 2, 3, 4, 9]);
    }
  });

  test('going on in the next file fails at any call: nothing committed before or after is lost', async () => {
    for (let failing = 1; failing <= 14; failing += 1) {
      const files = new ModelledFiles();
      const medium = await FileMedium.open(files.folder(), { fileBytes: 2_000 });
      let calls = 0;
      const acknowledged: number[] = [];
      for (let key = 1; key <= 8; key += 1) {
        if (key === 3) {
          // The commit that fills the file, and what follows it.
          files.onCall = (_call, when) => {
            if (when === 'before') calls += 1;
            if (when === 'before' && calls === failing) throw new DOMException('full', 'QuotaExceededError');
          };
        }
        const committed = medium.commit([put(key)], 'strict');
        await committed.then(
          () => acknowledged.push(key),
          () => undefined,
        );
      }
      files.onCall = undefined;
      files.crash(keep);
      expect(await keysOf(files), `call ${failing}`).toEqual(acknowledged);
    }
  });
});

test('a next file that cannot be begun: what it would say of the one before must stay true', async () => {
  const files = new ModelledFiles();
  const medium = await FileMedium.open(files.folder(), { fileBytes: 2_000 });
  files.onCall = ({ call, name }, when) => {
    if (when === 'before' && call === 'flush' && name === 'journal-2') throw new DOMException('full', 'QuotaExceededError');
  };
  const acknowledged: number[] = [];
  for (let key = 1; key <= 8; key += 1) {
    await medium.commit([put(key)], 'strict').then(
      () => acknowledged.push(key),
      () => undefined,
    );
  }
  files.onCall = undefined;
  // The beginning of the next file may be on the disk after all.
  files.crash(() => true);
  expect(await keysOf(files)).toEqual(acknowledged);
});

test('one flush for a strict transaction, none for a relaxed one; what waits for a flush is bounded', async () => {
  const files = new ModelledFiles();
  const medium = await FileMedium.open(files.folder());
  await medium.commit([put(1)], 'strict');
  const before = files.flushes;
  for (let key = 2; key <= 11; key += 1) await medium.commit([put(key), note(`${key}`)], 'strict');
  expect(files.flushes - before).toBe(10);
  for (let key = 12; key <= 21; key += 1) await medium.commit([put(key)], 'relaxed');
  expect(files.flushes - before).toBe(10);
  for (let key = 22; key <= 25; key += 1) await medium.commit([put(key, 400_000)], 'relaxed');
  expect(files.flushes - before).toBe(11);
});

test('a log that is compacted as it grows takes a bounded number of files, and a damaged head costs nothing', async () => {
  const files = new ModelledFiles();
  const medium = await FileMedium.open(files.folder(), { fileBytes: 4_000 });
  for (let key = 1; key <= 200; key += 1) {
    const gone: Operation = { kind: 'delete-range', table: 'log', from: 0, to: key - 5 };
    await medium.commit([put(key), gone, note(`${key}`)], 'strict');
    expect([...files.contents().keys()].length).toBeLessThan(10);
  }
  expect(files.contents().has('journal-1')).toBe(false);
  files.crash(() => false, 'removals stay');
  const contents = files.contents();
  for (const name of ['head-0', 'head-1']) {
    const damaged = new Map(contents);
    damaged.set(name, (contents.get(name) ?? new Uint8Array(0)).slice().fill(7, 30, 50));
    const healed = await FileMedium.open(ModelledFiles.from(damaged).folder());
    expect(await healed.keys('log', 0, 1000, 100), `without ${name}`).toEqual([195, 196, 197, 198, 199, 200]);
    expect(new TextDecoder().decode(await healed.get('meta', 'note'))).toBe('200');
    expect((await healed.get('log', 197))?.every((byte) => byte === 197)).toBe(true);
  }
});

test('a segment in an old file stays readable while newer files come and go', async () => {
  const files = new ModelledFiles();
  const medium = await FileMedium.open(files.folder(), { fileBytes: 4_000 });
  await medium.commit([put(1, 900)], 'strict');
  for (let i = 0; i < 60; i += 1) await medium.commit([note(`${i}`)], 'strict');
  expect((await medium.get('log', 1))?.length).toBe(900);
  // Files that hold nothing but what a head repeats: the older head still needs those that follow it.
  for (const name of ['head-0', 'head-1']) {
    const damaged = files.contents();
    damaged.set(name, (damaged.get(name) ?? new Uint8Array(0)).fill(7, 30, 50));
    const healed = await FileMedium.open(ModelledFiles.from(damaged).folder());
    expect(new TextDecoder().decode(await healed.get('meta', 'note')), `without ${name}`).toBe('59');
  }
  await medium.close();
  expect(await keysOf(files)).toEqual([1]);
});

test('closing makes durable what was relaxed', async () => {
  const files = new ModelledFiles();
  const medium = await FileMedium.open(files.folder());
  await medium.commit([put(1), note('first')], 'strict');
  await medium.commit([put(2)], 'relaxed');
  await medium.close();
  files.crash(() => false);
  expect(await keysOf(files)).toEqual([1, 2]);
});

test('files that were removed under the medium: the commits after that are refused', async () => {
  const files = new ModelledFiles();
  const medium = await FileMedium.open(files.folder(), { presenceEveryMs: 0 });
  await medium.commit([put(1)], 'strict');
  await medium.commit([put(2)], 'strict');
  files.clear();
  const commit = (): Promise<string> =>
    medium.commit([put(3)], 'strict').then(
      () => 'acknowledged',
      (error: { code: string }) => error.code,
    );
  await expect.poll(commit).toBe('storage-closed');
  expect(await commit()).toBe('storage-closed');
});

test('a transaction of chunks and of something else is refused, with no effect', async () => {
  const files = new ModelledFiles();
  const medium = await FileMedium.open(files.folder());
  const chunk: Operation = { kind: 'put', table: 'chunks', key: 2 ** 20, value: new Uint8Array(3) };
  await expect(medium.commit([chunk, put(1)], 'strict')).rejects.toMatchObject({ code: 'invariant' });
  expect(await medium.keys('chunks', 0, Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  expect(await medium.keys('log', 0, 100, 10)).toEqual([]);
});

test('chunks: torn or from before, they are read or missed, and their numbers are not used again', async () => {
  const files = new ModelledFiles();
  const medium = await FileMedium.open(files.folder());
  const chunk = (key: number): Operation => ({ kind: 'put', table: 'chunks', key, value: new Uint8Array(1000).fill(key % 256) });
  await medium.commit([note('here')], 'strict');
  await medium.commit([chunk(2 ** 20), chunk(2 ** 20 + 1)], 'strict');
  failNext(files, 'flush');
  await expect(medium.commit([chunk(2 ** 21)], 'strict')).rejects.toMatchObject({ code: 'quota' });
  files.crash(() => true);
  const next = await FileMedium.open(files.folder());
  expect((await next.get('chunks', 2 ** 20 + 1))?.[0]).toBe(1);
  expect(await next.keys('chunks', 0, Number.MAX_SAFE_INTEGER, 10)).toEqual([2 ** 20, 2 ** 20 + 1, 2 ** 21]);
  await next.commit([{ kind: 'delete-range', table: 'chunks', from: 2 ** 21, to: 2 ** 21 + 8 }], 'relaxed');
  expect([...files.contents().keys()].filter((name) => name.startsWith('chunks'))).toEqual(['chunks-1']);
});
