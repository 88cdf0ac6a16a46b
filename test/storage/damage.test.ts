/** Bad disks: whatever is wrong is named by a coded error, never served, and nothing is deleted. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import type { Key, Table } from '../../src/storage/packed/medium.ts';
import { FORMAT_VERSION, putMeta } from '../../src/storage/packed/meta.ts';
import type { StoreFault } from '../../src/storage/storage.ts';
import { ModelledDisk, type Tables } from '../../src/testing/modelled-disk.ts';
import { entriesOf, metaAt, readAll, readSnapshot } from '../../src/testing/storage-suite/context.ts';
import { FORMAT_2_ENTRIES, FORMAT_2_STATE } from './support/format-2.ts';
import { diskFrom, dumpTables, openOn, parseTables } from './support/packed.ts';

/** A log of three terms in many segments, one cut short by a replacement, a snapshot, a compacted prefix, a record. */
async function written(tailBytesMax = 0): Promise<Tables> {
  const disk = new ModelledDisk();
  const store = await openOn(disk, { tailBytesMax });
  await store.load();
  await store.write({ cluster: { clusterId: 'c', epoch: 1 } });
  for (let i = 1; i <= 9; i += 1) {
    await store.write({ entries: entriesOf(i * 2 - 1, i * 2, 1), hardState: { term: 1, vote: 'v', commit: 1 } });
  }
  await store.write({ entries: entriesOf(16, 20, 3) });
  const writer = await store.stageSnapshot(metaAt(6, 1));
  await writer.write(new Uint8Array(50).fill(7));
  await store.write({ snapshot: { staged: await writer.finish(), keepLogAfter: true } });
  await store.compact(3);
  await store.write({
    entries: entriesOf(21, 22, 4),
    hardState: { term: 4, vote: '', commit: 20 },
    putRecords: [['k', new Uint8Array(9)]],
  });
  await store.close();
  return disk.tables();
}

/** Everything a reader can see. */
async function seen(disk: ModelledDisk): Promise<string> {
  const store = await openOn(disk);
  const { cluster, hardState, snapshot, firstIndex, lastIndex, records } = await store.load();
  const entries = await readAll(store, firstIndex, lastIndex);
  const state = await readSnapshot(await store.snapshot());
  const terms = entries.map(({ index }) => store.term(index));
  return JSON.stringify({ cluster, hardState, snapshot, firstIndex, lastIndex, records: [...records], entries, state, terms });
}

async function errorOf(work: () => Promise<unknown>): Promise<RaftError> {
  const error: unknown = await work().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RaftError)) throw new Error(`expected a RaftError, got ${String(error)}`);
  return error;
}

function edited(tables: Tables, edit: (tables: Tables) => void): ModelledDisk {
  const copy = parseTables(dumpTables(tables));
  edit(copy);
  return ModelledDisk.from(copy);
}

async function refusal(tables: Tables, edit: (tables: Tables) => void): Promise<RaftError> {
  const disk = edited(tables, edit);
  const before = Object.values(disk.tables()).map((table) => [...table.keys()].join());
  const error = await errorOf(() => seen(disk));
  expect(Object.values(disk.tables()).map((table) => [...table.keys()].join())).toEqual(before);
  return error;
}

describe('a damaged database', () => {
  test.each([0, 100])('any flipped byte of any record is found, with a tail of %i bytes', async (tailBytesMax) => {
    const tables = await written(tailBytesMax);
    const whole = await seen(edited(tables, () => undefined));
    let flips = 0;
    let harmless = 0;
    for (const [name, table] of Object.entries(tables) as [Table, Map<Key, Uint8Array>][]) {
      for (const [key, value] of table) {
        for (let at = 0; at < value.length; at += 1) {
          const disk = edited(tables, (copy) => {
            const bytes = copy[name].get(key);
            if (bytes !== undefined) bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
          });
          flips += 1;
          const result = await seen(disk).catch((error: unknown) => error);
          if (result === whole) harmless += 1;
          else
            expect(result, `${name} ${key}, byte ${at}`).toMatchObject({
              code: expect.stringMatching(/^(corrupt|storage-newer)$/),
            });
        }
      }
    }
    expect(flips).toBeGreaterThan(400);
    expect(harmless).toBe(0);
  });

  test.each([0, 100])('any record cut short, or missing, is found, with a tail of %i bytes', async (tailBytesMax) => {
    const tables = await written(tailBytesMax);
    const optional = ['meta cluster', 'records k'];
    for (const [name, table] of Object.entries(tables) as [Table, Map<Key, Uint8Array>][]) {
      for (const [key, value] of table) {
        const cut = await refusal(tables, (copy) => copy[name].set(key, value.slice(0, -1)));
        expect(cut.code, `${name} ${key} cut`).toBe('corrupt');
        if (optional.includes(`${name} ${key}`)) continue;
        const gone = await refusal(tables, (copy) => copy[name].delete(key));
        expect(gone.code, `${name} ${key} missing`).toBe('corrupt');
      }
    }
  });

  test('the message names what is wrong', async () => {
    const tables = await written();
    expect((await refusal(tables, (copy) => copy.meta.delete('head'))).message).toContain("'head' is missing");
    expect((await refusal(tables, (copy) => copy.log.delete(9))).message).toContain('entry 9 is missing');
    expect((await refusal(tables, (copy) => copy.log.delete(21))).message).toContain('written up to 22, the log ends at 20');
    expect((await refusal(tables, (copy) => copy.meta.delete('snapshot'))).message).toContain('there is no snapshot');
    const swapped = await refusal(tables, (copy) => copy.log.set(9, copy.log.get(11) ?? new Uint8Array(0)));
    expect(swapped.message).toContain('starts at 9 says that it starts at 11');
  });

  test('a database of a newer version, half-migrated, or of another node', async () => {
    const tables = await written();
    const put = (copy: Tables, name: 'format' | 'identity', operation: ReturnType<typeof putMeta>): void => {
      if (operation.kind === 'put') copy.meta.set(name, operation.value);
    };
    const newer = await refusal(tables, (copy) => put(copy, 'format', putMeta('format', FORMAT_VERSION + 1)));
    expect(newer).toMatchObject({ code: 'storage-newer', message: expect.stringContaining(`format ${FORMAT_VERSION + 1}`) });
    const none = await refusal(tables, (copy) => put(copy, 'format', putMeta('format', 0)));
    expect(none).toMatchObject({ code: 'corrupt', message: expect.stringContaining('format 0, which never was') });
    const half = await refusal(tables, (copy) => {
      copy.meta.delete('head');
      const hard = putMeta('hard', { term: 1, vote: '', commit: 1 });
      if (hard.kind === 'put') copy.meta.set('hard', hard.value);
    });
    expect(half).toMatchObject({ code: 'corrupt', message: expect.stringContaining("'head' is missing") });
    const other = { nodeId: 'other', room: 'room', bootCount: 1, openedAtMs: 1 };
    const foreign = await refusal(tables, (copy) => put(copy, 'identity', putMeta('identity', other)));
    expect(foreign).toMatchObject({ code: 'node-mismatch', message: expect.stringContaining('other') });
  });

  test('any flipped byte of the stored key pair is found; the store itself opens', async () => {
    const disk = new ModelledDisk();
    const store = await openOn(disk);
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
    await store.identityKey.save(await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']));
    await store.close();
    const key = disk.tables().meta.get('key') ?? new Uint8Array(0);
    expect(key.length).toBeGreaterThan(200);
    for (let at = 0; at < key.length; at += 1) {
      const flipped = edited(disk.tables(), (copy) => {
        const bytes = copy.meta.get('key');
        if (bytes !== undefined) bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      });
      const opened = await openOn(flipped);
      expect(await errorOf(() => opened.identityKey.load())).toMatchObject({ code: 'corrupt' });
    }
  });

  test('damage found by background merging reaches the owner', async () => {
    const disk = new ModelledDisk();
    const first = await openOn(disk, { tailBytesMax: 0 });
    await first.load();
    for (let i = 1; i <= 20; i += 1) await first.write({ entries: entriesOf(i, i, 1) });
    await first.close();
    const damaged = edited(disk.tables(), (copy) => copy.log.get(5)?.fill(0, 20));
    const faults: StoreFault[] = [];
    const store = await openOn(damaged, { tailBytesMax: 0, onFault: (fault) => faults.push(fault) });
    await store.load();
    for (let i = 21; i <= 100; i += 1) await store.write({ entries: entriesOf(i, i, 1) });
    await store.close();
    expect(faults).toMatchObject([{ code: 'corrupt', message: expect.stringContaining('starts at 5') }]);
  });
});

describe('a database of format 1', () => {
  const fixture = readFileSync(new URL('./fixtures/format-1.json', import.meta.url), 'utf8');

  test('opens, with all that was in it, and is of the present format from then on', async () => {
    const disk = diskFrom(fixture);
    const store = await openOn(disk);
    const state = await store.load();
    expect(state).toMatchObject({
      cluster: { clusterId: 'cluster-1', epoch: 1 },
      hardState: { term: 3, vote: 'other', commit: 9 },
      snapshot: metaAt(6, 1),
      firstIndex: 5,
      lastIndex: 14,
    });
    expect([...state.records]).toEqual([['client', new Uint8Array([1, 2, 3])]]);
    expect(await readAll(store, 5, 14)).toEqual([...entriesOf(5, 9, 1), ...entriesOf(10, 14, 3)]);
    expect(new TextDecoder().decode(await readSnapshot(await store.snapshot()))).toBe('the state of six');
    expect([...disk.tables().meta.keys()].sort()).toEqual(['cluster', 'format', 'head', 'identity', 'log', 'snapshot']);
    expect(disk.tables().meta.get('format')).toEqual(formatBytes());
    await store.write({ entries: entriesOf(15, 15, 3) });
    await store.close();
    expect((await (await openOn(disk)).load()).lastIndex).toBe(15);
  });

  test('an upgrade that crashes leaves the old or the new format', async () => {
    for (const step of [1, 2, 3]) {
      for (const keep of [true, false]) {
        const disk = diskFrom(fixture);
        const died = new Promise<void>((resolve) => {
          let steps = 0;
          disk.onStep = () => {
            steps += 1;
            if (steps !== step) return;
            disk.crash(() => keep);
            resolve();
          };
        });
        await Promise.race([openOn(disk), died]);
        disk.onStep = undefined;
        expect((await (await openOn(disk)).load()).lastIndex).toBe(14);
      }
    }
  });

  test('one that is damaged is refused, and stays as it was', async () => {
    const damaged = diskFrom(fixture.replace('"01cc9432', '"01cc9433'));
    const before = dumpTables(damaged.tables());
    expect(await errorOf(() => openOn(damaged))).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('starts at 10'),
    });
    expect(dumpTables(damaged.tables())).toBe(before);
  });
});

function formatBytes(): Uint8Array | undefined {
  const operation = putMeta('format', FORMAT_VERSION);
  return operation.kind === 'put' ? operation.value : undefined;
}

describe('a database of format 2', () => {
  const fixture = readFileSync(new URL('./fixtures/format-2.json', import.meta.url), 'utf8');

  test('opens, with all that was in it, and is of the present format from then on', async () => {
    const disk = diskFrom(fixture);
    const store = await openOn(disk);
    const state = await store.load();
    expect(state).toMatchObject(FORMAT_2_STATE);
    expect([...state.records]).toEqual([['client', new Uint8Array([1, 2, 3])]]);
    expect(await readAll(store, 5, 14)).toEqual(FORMAT_2_ENTRIES);
    expect(new TextDecoder().decode(await readSnapshot(await store.snapshot()))).toBe('the state of six');
    expect(disk.tables().meta.get('format')).toEqual(formatBytes());
    await store.write({ entries: entriesOf(15, 15, 3) });
    await store.close();
    expect((await (await openOn(disk)).load()).lastIndex).toBe(15);
  });

  test('an upgrade that crashes leaves the old or the new format', async () => {
    for (const step of [1, 2, 3, 4, 5, 6]) {
      for (const keep of [true, false]) {
        const disk = diskFrom(fixture);
        const died = new Promise<void>((resolve) => {
          let steps = 0;
          disk.onStep = () => {
            steps += 1;
            if (steps !== step) return;
            disk.crash(() => keep);
            resolve();
          };
        });
        await Promise.race([openOn(disk), died]);
        disk.onStep = undefined;
        expect(await (await openOn(disk)).load()).toMatchObject(FORMAT_2_STATE);
      }
    }
  });
});

describe('a transaction that fails', () => {
  test('at any place: nothing after it is acknowledged, load shows what was, and writing goes on', async () => {
    for (let fail = 1; fail <= 8; fail += 1) {
      const disk = new ModelledDisk();
      const faults: StoreFault[] = [];
      const store = await openOn(disk, { onFault: (fault) => faults.push(fault) });
      await store.load();
      let transactions = 0;
      disk.onStep = ({ step }) => {
        if (step !== 'called') return;
        transactions += 1;
        if (transactions === fail) throw new RaftError('quota', 'no room');
      };
      let acknowledged = 0;
      const errors: unknown[] = [];
      for (let i = 1; i <= 10; i += 1) {
        const written = store.write({ entries: entriesOf(i, i, 1), hardState: { term: 1, vote: 'v', commit: 0 } });
        await written.then(
          () => {
            acknowledged = i;
          },
          (error: unknown) => errors.push(error),
        );
      }
      expect(acknowledged).toBe(fail - 1);
      expect(errors).toHaveLength(10 - acknowledged);
      for (const error of errors) expect(error).toMatchObject({ code: 'quota', retryable: true });
      expect(faults.map(({ code }) => code)).toEqual(['quota']);
      expect((await store.load()).lastIndex).toBe(acknowledged);
      expect(store.term(acknowledged + 1)).toBeUndefined();
      await store.write({ entries: entriesOf(acknowledged + 1, 20, 2) });
      expect(await readAll(store, acknowledged + 1, 20)).toEqual(entriesOf(acknowledged + 1, 20, 2));
      await store.close();
      expect((await (await openOn(disk)).load()).lastIndex).toBe(20);
    }
  });
});
