import { describe, expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { makeEntry, NO_BYTES, type SnapshotMeta } from '../../src/core/types.ts';
import { exportStore, importDump } from '../../src/storage/dump.ts';
import { checkStore, describeLog, describeMembers, describeMetadata } from '../../src/storage/inspect.ts';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { recover } from '../../src/storage/recover.ts';
import type { NodeStore } from '../../src/storage/storage.ts';
import { entriesOf, readAll, readSnapshot } from '../../src/testing/storage-suite/context.ts';

const META: SnapshotMeta = {
  index: 3,
  term: 1,
  conf: {
    voters: ['a', 'b', 'c'],
    votersOutgoing: [],
    learners: ['d'],
    learnersNext: [],
    witnesses: [],
    autoLeave: false,
    members: [],
    context: NO_BYTES,
  },
  data: undefined,
};

/** A member of {a b c} with a snapshot at 3, entries to 6, of which 5 removes c and 6 adds e. */
async function member(): Promise<NodeStore> {
  const store = await new MemoryStorage().acquire({ room: 'r' });
  const writer = await store.stageSnapshot(META);
  await writer.write(new Uint8Array(1_500_000).fill(3));
  await store.write({ snapshot: { staged: await writer.finish(), keepLogAfter: false } });
  const change = (op: 'remove' | 'voter', id: string) =>
    ({ transition: 'auto', steps: [{ op, id, context: undefined }], context: undefined }) as const;
  await store.write({
    cluster: { clusterId: 'c1', epoch: 4 },
    hardState: { term: 2, vote: 'b', commit: 5 },
    entries: [
      ...entriesOf(4, 4, 1),
      makeEntry(5, 2, 'conf', 9, NO_BYTES, change('remove', 'c')),
      makeEntry(6, 2, 'conf', 9, NO_BYTES, change('voter', 'e')),
    ],
    putRecords: [['key', new Uint8Array([1])]],
  });
  return store;
}

async function bytesOf(store: NodeStore, records = false): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of exportStore(store, { records })) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const fresh = (): Promise<NodeStore> => new MemoryStorage({ disk: new MemoryDisk() }).acquire({ room: 'r' });

describe('describing', () => {
  test('the log, line by line', async () => {
    const store = await member();
    expect((await describeLog(store)).map(({ index, type, text }) => [index, type, text])).toEqual([
      [4, 'normal', '1/4 <8 bytes>'],
      [5, 'conf', '2/5 conf -c'],
      [6, 'conf', '2/6 conf +e'],
    ]);
    expect((await describeLog(store, { last: 1 })).map(({ index }) => index)).toEqual([6]);
    expect((await describeLog(store, { from: 1, to: 4 })).map(({ index }) => index)).toEqual([4]);
  });

  test('the metadata: records by name and size only', async () => {
    expect(await describeMetadata(await member())).toMatchObject({
      cluster: { clusterId: 'c1', epoch: 4 },
      hardState: { term: 2, vote: 'b', commit: 5 },
      snapshot: { index: 3, term: 1, bytes: 1_500_000 },
      firstIndex: 4,
      lastIndex: 6,
      records: [{ key: 'key', bytes: 1 }],
    });
  });

  test('the members: what is committed, and what the log says', async () => {
    const { committed, latest } = await describeMembers(await member());
    expect(committed.voters).toEqual(['a', 'b']);
    expect(latest.voters).toEqual(['a', 'b', 'e']);
    expect(latest.learners).toEqual(['d']);
  });

  test('checking reads everything', async () => {
    expect(await checkStore(await member())).toEqual({ entries: 3, snapshotBytes: 1_500_000 });
  });
});

describe('a dump', () => {
  test('carries the state into a new node, which has not voted; records only when asked', async () => {
    const store = await member();
    for (const records of [false, true]) {
      const next = await fresh();
      const header = await importDump(next, cut(await bytesOf(store, records), 70_000));
      expect(header).toMatchObject({ nodeId: store.identity.nodeId, hardState: { vote: 'b' } });
      const state = await next.load();
      expect(state).toMatchObject({ cluster: { clusterId: 'c1', epoch: 4 }, hardState: { term: 2, vote: '', commit: 5 } });
      expect(next.identity.nodeId).not.toBe(store.identity.nodeId);
      expect(await readAll(next, 4, 6)).toEqual(await readAll(store, 4, 6));
      expect(await readSnapshot(await next.snapshot())).toEqual(await readSnapshot(await store.snapshot()));
      expect(state.records.size).toBe(records ? 1 : 0);
    }
  });

  test('that is damaged, cut short or empty is refused', async () => {
    const bytes = await bytesOf(await member());
    const refused = async (given: Uint8Array): Promise<RaftError> => {
      const error: unknown = await importDump(await fresh(), cut(given, 100_000)).catch((reason: unknown) => reason);
      if (!RaftError.is(error)) throw new Error(`expected a refusal, got ${String(error)}`);
      return error;
    };
    for (let at = 0; at < bytes.length; at += at < 400 || at > bytes.length - 400 ? 7 : 100_003) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 4;
      expect((await refused(flipped)).code, `byte ${at}`).toBe('corrupt');
      expect((await refused(bytes.slice(0, at))).code, `cut at ${at}`).toBe('corrupt');
    }
  });

  test('does not go over what is there already', async () => {
    const store = await member();
    const bytes = await bytesOf(store);
    await expect(importDump(store, cut(bytes, 1000))).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe('recover', () => {
  test('the survivor is the only voter of a new epoch, and all it holds is committed', async () => {
    const store = await member();
    const me = store.identity.nodeId;
    expect(await recover(store, 77)).toEqual({ epoch: 5, removed: ['a', 'b', 'd', 'e'], commit: 11 });
    const { committed, latest } = await describeMembers(store);
    expect(latest).toEqual(committed);
    expect(latest).toMatchObject({ voters: [me], votersOutgoing: [], learners: [] });
    expect(await store.load()).toMatchObject({
      cluster: { clusterId: 'c1', epoch: 5 },
      hardState: { term: 3, vote: me, commit: 11 },
      lastIndex: 11,
    });
  });

  test('leaves a joint configuration first', async () => {
    const store = await member();
    const steps = (['x', 'y'] as const).map((id) => ({ op: 'voter', id, context: undefined }) as const);
    const change = { transition: 'explicit', steps, context: undefined } as const;
    await store.write({ entries: [makeEntry(7, 2, 'conf', 9, NO_BYTES, change)] });
    expect((await describeMembers(store)).latest.votersOutgoing).toEqual(['a', 'b', 'e']);
    await recover(store, 77);
    expect((await describeMembers(store)).committed).toMatchObject({ voters: [store.identity.nodeId], votersOutgoing: [] });
  });

  test('is for a member of a cluster only', async () => {
    await expect(recover(await fresh(), 1)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});
