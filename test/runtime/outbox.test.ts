/** The outbox: writes made while nobody can take them, kept on this device, sent once when somebody can. */
import { expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import type { MemoryDisk } from '../../src/storage/memory/memory-disk.ts';
import type { WriteBatch } from '../../src/storage/storage.ts';
import { Cluster, type ClusterNodeOptions, type Opened } from './cluster.ts';

const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => undefined).catch((error: unknown) => error);

function queue({ disk, node }: { readonly disk: MemoryDisk; readonly node: { readonly id: string } }): string[] {
  const records = disk.room('test').get(node.id)?.records.keys() ?? [];
  return [...records].filter((key) => key.startsWith('queue/'));
}

/** A member of three whose fellows are gone: nobody leads. */
async function alone(cluster: Cluster, options: ClusterNodeOptions = {}): Promise<Opened> {
  await cluster.of(2);
  const writer = await cluster.open(options);
  await cluster.voters(3);
  await cluster.transferTo(cluster.opened[0] as Opened);
  await writer.node.propose({ type: 'add', amount: 1 });
  for (const other of cluster.running()) if (other !== writer) cluster.crash(other);
  await writer.node.until((status) => status.leaderId === undefined);
  return writer;
}

/** Those that were gone come back, with what they had on disk. */
async function back(cluster: Cluster): Promise<Opened[]> {
  const gone = cluster.opened.filter(({ node }) => node.role === 'stopped').slice(0, 2);
  return Promise.all(gone.map(({ disk }) => cluster.open({ disk })));
}

test('a write made without a majority is kept, shown, and applied once when there is one; it is answered then', async () => {
  await using cluster = new Cluster();
  const { node, disk } = await alone(cluster);
  const shown: number[] = [];
  node.outbox.subscribe((pending) => shown.push(pending.length));
  const write = node.outbox.add({ type: 'note', text: 'offline' }, { id: 'mine' });
  expect(node.outbox.pending()).toMatchObject([
    { id: 'mine', command: { type: 'note', text: 'offline' }, state: 'waiting', attempts: 0, stored: false },
  ]);
  await write.stored;
  expect(node.outbox.pending()).toMatchObject([{ id: 'mine', stored: true }]);
  expect(node.outbox.pending()).toBe(node.outbox.pending());
  expect(queue({ node, disk })).toHaveLength(1);
  await back(cluster);
  const result = await write.done;
  expect(result).toMatchObject({ position: 1 });
  expect(await node.outbox.watch('mine')).toEqual(result);
  await node.until(() => queue({ node, disk }).length === 0 && shown.at(-1) === 0);
  expect(await node.read((state) => state.log)).toEqual(['offline']);
});

test('a write that was never sent is found by the next life of the node, sent once, and can be watched there', async () => {
  await using cluster = new Cluster();
  const writer = await alone(cluster);
  const write = writer.node.outbox.add({ type: 'note', text: 'kept' }, { id: 'mine' });
  const second = writer.node.outbox.add({ type: 'note', text: 'next' });
  await second.stored;
  cluster.crash(writer);
  expect(await failure(write.done)).toMatchObject({ code: 'stopped', mayHaveApplied: true, id: 'mine' });
  const { node } = await cluster.open({ disk: writer.disk });
  expect(node.outbox.pending()).toMatchObject([
    { id: 'mine', state: 'waiting' },
    { id: second.id, state: 'waiting' },
  ]);
  const watched = node.outbox.watch('mine');
  await back(cluster);
  expect(await watched).toMatchObject({ position: 1 });
  await node.outbox.watch(second.id);
  expect(await node.read((state) => state.log)).toEqual(['kept', 'next']);
  expect(node.outbox.pending()).toEqual([]);
  expect(await failure(node.outbox.watch('other'))).toMatchObject({ code: 'outcome-unknown', mayHaveApplied: true, id: 'other' });
});

test('crashed at any write of its disk on the way out, it is applied exactly once', async () => {
  // Puts and deletes of the record: waiting, numbered, gone. The node dies when each has been asked for, before or after it is durable.
  for (const dieAt of [1, 2, 3]) {
    for (const durable of [false, true]) {
      await using cluster = new Cluster();
      let seen = 0;
      let die = (): void => {};
      const died = new Promise<void>((resolve) => {
        die = resolve;
      });
      const touches = ({ putRecords = [], deleteRecords = [] }: WriteBatch): boolean =>
        [...putRecords.map(([key]) => key), ...deleteRecords].some((key) => key.startsWith('queue/'));
      let victim: Opened | undefined;
      const crash = (dying: Opened): void => {
        cluster.crash(dying);
        die();
      };
      const onWrite = (batch: WriteBatch): void => {
        if (!touches(batch) || ++seen !== dieAt || victim === undefined) return;
        const dying = victim;
        if (durable) queueMicrotask(() => queueMicrotask(() => crash(dying)));
        else crash(dying);
      };
      const writer = await alone(cluster, { onWrite });
      victim = writer;
      const write = writer.node.outbox.add({ type: 'note', text: 'once' }, { id: 'mine' });
      const told = write.done.catch((error: unknown) => error);
      const stored = write.stored.then(
        () => true,
        () => false,
      );
      if (dieAt > 1) {
        await write.stored;
        await back(cluster);
      }
      await died;
      const next = await cluster.open({ disk: writer.disk });
      if (dieAt === 1) await back(cluster);
      await next.node.ready;
      await next.node.until(() => next.node.outbox.pending().length === 0 && queue(next).length === 0);
      const log = await next.node.read((state) => state.log);
      if (await stored) expect(log).toEqual(['once']);
      else expect(log.length).toBeLessThanOrEqual(1);
      expect(RaftError.is(await told, 'stopped') || log.length === 1).toBe(true);
    }
  }
}, 60_000);

test('cancelled before it was sent it is off the disk and never applied', async () => {
  await using cluster = new Cluster();
  const writer = await alone(cluster);
  const { node, disk } = writer;
  const write = node.outbox.add({ type: 'note', text: 'never' });
  await write.stored;
  expect(await write.cancel()).toBe(true);
  expect(queue({ node, disk })).toEqual([]);
  expect(await failure(write.done)).toMatchObject({ code: 'aborted', mayHaveApplied: false });
  expect(await node.outbox.cancel(write.id)).toBe(false);
  // By the name that it has among all pending writes, too.
  const other = node.outbox.add({ type: 'note', text: 'never' }, { id: 'other' });
  expect(node.pending()).toMatchObject([{ id: 'other' }]);
  expect(node.cancel('other')).toBe(true);
  expect(await failure(other.done)).toMatchObject({ code: 'aborted', mayHaveApplied: false });
  await back(cluster);
  await node.propose({ type: 'note', text: 'later' });
  expect(await node.read((state) => state.log)).toEqual(['later']);
});

test('expired it is never applied, whether it was sent or not', async () => {
  await using cluster = new Cluster();
  const { node } = await alone(cluster);
  const write = node.outbox.add({ type: 'note', text: 'late' }, { expiresMs: 1 });
  expect(await failure(write.done)).toMatchObject({ code: 'timeout', mayHaveApplied: false });
  expect(node.outbox.pending()).toEqual([]);
  await back(cluster);
  await node.propose({ type: 'note', text: 'later' });
  expect(await node.read((state) => state.log)).toEqual(['later']);
});

test('with ifVersion it comes to nothing when somebody else was faster, and its own writes before it do not count', async () => {
  await using cluster = new Cluster();
  const { node } = await alone(cluster);
  const seen = node.status.appliedIndex;
  const [first, second] = [1, 2].map((amount) => node.outbox.add({ type: 'add', amount }, { ifVersion: seen }));
  const [one] = await back(cluster);
  expect(await first?.done).toBe(2);
  expect(await second?.done).toBe(4);
  await one?.node.propose({ type: 'add', amount: 10 });
  const late = node.outbox.add({ type: 'add', amount: 100 }, { ifVersion: seen });
  expect(await failure(late.done)).toMatchObject({ code: 'state-changed', mayHaveApplied: false, id: late.id });
  await expect(node.propose({ type: 'add', amount: 100 }, { ifVersion: seen })).rejects.toMatchObject({ code: 'state-changed' });
  expect(await node.read((state) => state.balance)).toBe(14);
});

test('a node that belongs to no cluster yet keeps writes as well', async () => {
  await using cluster = new Cluster();
  const { node } = await cluster.open({ mode: 'join', transport: cluster.hub.transport() });
  const write = node.outbox.add({ type: 'add', amount: 5 });
  await write.stored;
  expect(node.clusterId).toBe('');
  await cluster.open();
  expect(await write.done).toBe(5);
});

test('a handler’s refusal is the answer', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  const { node, disk } = cluster.leader();
  const write = node.outbox.add({ type: 'refuse' });
  expect(await failure(write.done)).toMatchObject({ code: 'handler-failed', mayHaveApplied: false });
  await node.until(() => queue({ node, disk }).length === 0);
});

test('a disk that fails and comes back loses nothing that was kept; a full one refuses what is new', async () => {
  await using cluster = new Cluster();
  let full: 'storage' | 'quota' | undefined;
  const onWrite = ({ putRecords }: WriteBatch): void => {
    const isKept = putRecords?.some(([key]) => key.startsWith('queue/')) === true;
    if (isKept && full !== undefined) throw new RaftError(full, 'The disk says no.');
  };
  const writer = await alone(cluster, { onWrite });
  const { node } = writer;
  const faults: string[] = [];
  node.on('fault', ({ error }) => faults.push(error.code));
  full = 'storage';
  const write = node.outbox.add({ type: 'note', text: 'kept' });
  await node.until(() => faults.includes('storage'));
  expect(node.outbox.pending()).toMatchObject([{ id: write.id, stored: false }]);
  full = undefined;
  await write.stored;
  full = 'quota';
  const refused = node.outbox.add({ type: 'note', text: 'too much' });
  expect(await failure(refused.done)).toMatchObject({ code: 'quota', mayHaveApplied: false });
  expect(await failure(refused.stored)).toMatchObject({ code: 'quota' });
  full = undefined;
  await back(cluster);
  expect(await write.done).toMatchObject({ position: 1 });
  expect(await node.read((state) => state.log)).toEqual(['kept']);
}, 30_000);

test('the outbox is bounded, and does not take the room of calls', async () => {
  await using cluster = new Cluster();
  const { node } = await alone(cluster, { tune: { pendingCallsMax: 2 } });
  for (let i = 0; i < 1_000; i++) node.outbox.add({ type: 'add', amount: 1 }, { id: `n${i}` });
  expect(() => node.outbox.add({ type: 'add', amount: 1 })).toThrow(expect.objectContaining({ code: 'busy', retryable: true }));
  const call = failure(node.propose({ type: 'add', amount: 1 }, { timeoutMs: 1 }));
  expect(await call).toMatchObject({ code: 'no-leader' });
  await back(cluster);
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => node.outbox.watch(`n${i}`)));
  expect(await node.read((state) => state.balance)).toBe(1_001);
});

test('wrong words are told at the call; the same id twice is one write', async () => {
  await using cluster = new Cluster();
  const { node } = await alone(cluster);
  const add = node.outbox.add.bind(node.outbox) as (command: unknown, options?: unknown) => unknown;
  for (const [command, options] of [
    [{ type: 'nope' }, {}],
    [{ type: 'add', amount: 1 }, { expires: 5 }],
    [{ type: 'add', amount: 1 }, { expiresMs: 0 }],
    [{ type: 'add', amount: 1 }, { ifVersion: -1 }],
    [{ type: 'add', amount: 1 }, { id: 'x'.repeat(70) }],
    [{ type: 'add', amount: 1 }, { id: '' }],
    [{ type: 'add', amount: 1 }, null],
  ])
    expect(() => add(command, options)).toThrow(RaftError);
  const one = node.outbox.add({ type: 'add', amount: 1 }, { id: 'same' });
  const two = node.outbox.add({ type: 'add', amount: 1 }, { id: 'same' });
  expect(() => node.outbox.add({ type: 'add', amount: 2 }, { id: 'same' })).toThrow(
    expect.objectContaining({ code: 'invalid-argument' }),
  );
  expect(node.outbox.pending()).toHaveLength(1);
  await back(cluster);
  expect([await one.done, await two.done]).toEqual([2, 2]);
  await node.stop();
  expect(() => node.outbox.add({ type: 'add', amount: 1 })).toThrow(expect.objectContaining({ code: 'stopped' }));
  expect(() => node.outbox.subscribe(() => {})).toThrow(expect.objectContaining({ code: 'stopped' }));
});
