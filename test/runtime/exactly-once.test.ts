/** Exactly once by default (§6.3): each promise of docs/GUARANTEES.md about writes, with the fault that would break it. */
import { expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { decodePeerMessage } from '../../src/wire/codec.ts';
import { Cluster, type Opened } from './cluster.ts';

const oneOf = <T>(items: readonly T[]): T => {
  const [first] = items;
  if (first === undefined) throw new Error('empty');
  return first;
};

function records({ disk, node }: Opened): ReadonlyMap<string, Uint8Array> {
  return disk.room('test').get(node.id)?.records ?? new Map();
}

test('a write that the old leader committed but never answered is applied once, and answered by the next', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const leader = cluster.leader();
  const writer = oneOf(cluster.followers());
  await writer.node.propose({ type: 'add', amount: 1 });
  // From here on the writer hears nothing of the leader: the write arrives and commits, its answer does not.
  cluster.hub.block(leader.node.id, writer.node.id);
  const answer = writer.node.propose({ type: 'add', amount: 10 });
  await leader.node.until((_, state) => state.balance === 11);
  cluster.crash(leader);
  cluster.hub.heal();
  expect(await answer).toBe(11);
  for (const { node } of cluster.running()) expect(await node.read((state) => state.balance)).toBe(11);
});

test('duplicates of every forwarded proposal change nothing', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const leader = cluster.leader();
  const writer = oneOf(cluster.followers());
  // Everything the writer proposes reaches the leader a second time.
  writer.node.trace(() => {});
  const send = writer.engine.options.transport.send.bind(writer.engine.options.transport);
  writer.engine.options.transport.send = (peer, bytes, lane) => {
    const message = decodePeerMessage(bytes, { self: writer.node.id, peer });
    if (message.kind === 'call' && message.method === 'propose') send(peer, bytes, lane);
    return send(peer, bytes, lane);
  };
  for (let i = 1; i <= 50; i++) expect(await writer.node.propose({ type: 'add', amount: 1 })).toBe(i);
  expect(leader.node.status.lastIndex).toBeGreaterThan(90);
  for (const { node } of cluster.running()) expect(await node.read((state) => state.balance)).toBe(50);
});

test('a node that dies in the middle of 1,000 writes and comes back: each is applied exactly once', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  let writer: Opened = oneOf(cluster.followers());
  const names = Array.from({ length: 1_000 }, (_, i) => `w${i}`);
  const write = (name: string): Promise<unknown> => writer.node.propose({ type: 'note', text: name }, { id: name });
  const first = names.map((name) =>
    write(name).then(
      () => name,
      () => undefined,
    ),
  );
  await writer.node.until((_, state) => state.log.length > 200);
  cluster.crash(writer);
  const answered = new Set(await Promise.all(first));
  writer = await cluster.open({ disk: writer.disk });
  await writer.node.ready;
  // Whoever was not told asks again, under the same names.
  await Promise.all(names.filter((name) => !answered.has(name)).map(write));
  const log = await writer.node.read((state) => [...state.log]);
  expect(log).toHaveLength(1_000);
  expect(new Set(log)).toEqual(new Set(names));
});

test('writes left in the outbox by a crash are finished by the next life of the node, without anybody asking', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const writer = oneOf(cluster.followers());
  await writer.node.propose({ type: 'add', amount: 1 });
  // The record of the first goes a moment after its answer.
  await writer.node.until(() => records(writer).size === 0);
  const leader = cluster.leader();
  cluster.hub.block(writer.node.id, leader.node.id);
  void writer.node.propose({ type: 'add', amount: 100 }).catch(() => {});
  await writer.node.until(() => records(writer).size === 1);
  cluster.crash(writer);
  cluster.hub.heal();
  const back = await cluster.open({ disk: writer.disk });
  expect(back.node.pending()).toMatchObject([{ command: { type: 'add', amount: 100 } }]);
  await back.node.until((_, state) => state.balance === 101);
  await back.node.until((status) => status.pendingWrites === 0);
});

test('a leader’s own write that nobody else has is finished by its next life, from its log', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const leader = cluster.leader();
  await leader.node.propose({ type: 'add', amount: 1 });
  await leader.node.until(() => records(leader).size === 0);
  for (const follower of cluster.followers()) cluster.hub.block(leader.node.id, follower.node.id);
  const text = 'n'.repeat(1_000);
  void leader.node.propose({ type: 'note', text }).catch(() => {});
  await leader.node.until(() => records(leader).size === 1);
  const [record] = records(leader).values();
  expect(record?.length).toBeLessThan(100);
  cluster.crash(leader);
  cluster.hub.heal();
  const back = await cluster.open({ disk: leader.disk });
  expect(back.node.pending()).toMatchObject([{ command: { type: 'note', text } }]);
  await back.node.until((_, state) => state.log.length === 1);
  await back.node.until((status) => status.pendingWrites === 0);
  expect(await back.node.read((state) => state.log)).toEqual([text]);
});

test('a deposed leader’s own write, dropped from its log, is saved whole and finished by its next life', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const old = cluster.leader();
  const [a, b] = cluster.followers();
  if (a === undefined || b === undefined) throw new Error('two followers expected');
  await old.node.propose({ type: 'add', amount: 1 });
  for (const other of [a, b]) {
    cluster.hub.block(old.node.id, other.node.id);
    cluster.hub.block(other.node.id, old.node.id);
  }
  void old.node.propose({ type: 'note', text: 'kept' }).catch(() => {});
  await a.node.until(() => a.node.role === 'leader' || b.node.role === 'leader');
  const [next] = [a, b].filter(({ node }) => node.role === 'leader');
  if (next === undefined) throw new Error('a new leader expected');
  await next.node.propose({ type: 'add', amount: 1 });
  // The new leader's appends reach the old one, and truncate its log; what it says back is lost.
  cluster.hub.heal();
  for (const other of [a, b]) cluster.hub.block(old.node.id, other.node.id);
  await old.node.until(() => [...records(old).values()].some((record) => record.length > 'kept'.length + 20));
  cluster.crash(old);
  cluster.hub.heal();
  const back = await cluster.open({ disk: old.disk });
  await back.node.until((_, state) => state.log.length === 1);
  expect(await back.node.read((state) => state.log)).toEqual(['kept']);
});

test('a duplicate’s result equals the first one’s, object for object, and is nobody’s alias', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  const { node } = cluster.leader();
  const first = await node.proposeDetailed({ type: 'note', text: 'x' }, { id: 'key' });
  const second = await node.proposeDetailed({ type: 'note', text: 'x' }, { id: 'key' });
  expect(second).toEqual({ ...first, replayed: true });
  expect(second.result).not.toBe(first.result);
});

test('without a leader a write ends with no-leader, and was not applied', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const [a, b] = cluster.followers();
  const leader = cluster.leader();
  if (a === undefined || b === undefined) throw new Error('two followers expected');
  cluster.crash(leader);
  cluster.crash(b);
  await a.node.until((status) => status.leaderId === undefined);
  const error = await a.node.propose({ type: 'add', amount: 1 }, { timeoutMs: 300 }).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: 'no-leader', mayHaveApplied: false, retryable: true });
});

test('a write that was sent and never answered ends with mayHaveApplied', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const leader = cluster.leader();
  await leader.node.propose({ type: 'add', amount: 1 });
  for (const { node } of cluster.followers()) cluster.hub.block(node.id, leader.node.id);
  const error = await leader.node.propose({ type: 'add', amount: 1 }, { timeoutMs: 100 }).catch((e: unknown) => e);
  expect(RaftError.is(error)).toBe(true);
  expect(error).toMatchObject({ code: 'timeout', mayHaveApplied: true });
});

test('stopping a node answers everything that waits on it', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const writer = oneOf(cluster.followers());
  await writer.node.propose({ type: 'add', amount: 1 });
  cluster.hub.partition([writer.node.id]);
  cluster.hub.block(writer.node.id, cluster.leader().node.id);
  const write = writer.node.propose({ type: 'add', amount: 1 }).catch((e: unknown) => e);
  const read = writer.node.read((state) => state.balance).catch((e: unknown) => e);
  const wait = writer.node.waitFor(10_000).catch((e: unknown) => e);
  await writer.node.stop();
  expect(await Promise.all([write, read, wait])).toEqual([
    expect.objectContaining({ code: 'stopped' }),
    expect.objectContaining({ code: 'stopped' }),
    expect.objectContaining({ code: 'stopped' }),
  ]);
  await expect(writer.node.propose({ type: 'add', amount: 1 })).rejects.toMatchObject({ code: 'stopped', mayHaveApplied: false });
});

test('an aborted call says so, and whether it may have happened', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  const { node } = cluster.leader();
  await expect(node.propose({ type: 'add', amount: 1 }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'aborted',
    mayHaveApplied: false,
  });
  const controller = new AbortController();
  const read = node.read((state) => state.balance, { signal: controller.signal });
  controller.abort();
  await expect(read).rejects.toMatchObject({ code: 'aborted' });
});

test('more writes than may wait are refused with busy and a time to come back', async () => {
  await using cluster = new Cluster();
  await cluster.of(1, { tune: { pendingCallsMax: 3 } });
  const { node } = cluster.leader();
  const calls = Array.from({ length: 5 }, () => node.propose({ type: 'add', amount: 1 }).catch((e: unknown) => e));
  const results = await Promise.all(calls);
  expect(results.filter((result) => RaftError.is(result, 'busy'))).toHaveLength(2);
  expect(results.find((result) => RaftError.is(result))).toMatchObject({
    retryAfterMs: 100,
    retryable: true,
    mayHaveApplied: false,
  });
});

test('pending writes can be listed and cancelled; a cancelled one that was never sent is never applied', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const writer = oneOf(cluster.followers());
  for (const other of cluster.running()) if (other !== writer) cluster.crash(other);
  await writer.node.until((status) => status.leaderId === undefined);
  const call = writer.node.propose({ type: 'note', text: 'never' }, { id: 'mine' }).catch((e: unknown) => e);
  expect(writer.node.pending()).toEqual([
    expect.objectContaining({ id: 'mine', command: { type: 'note', text: 'never' }, attempts: 0 }),
  ]);
  expect(writer.node.cancel('mine')).toBe(true);
  expect(writer.node.cancel('mine')).toBe(false);
  expect(await call).toMatchObject({ code: 'aborted', mayHaveApplied: false });
});

test('a write with an expiry that is over is never applied', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const writer = oneOf(cluster.followers());
  await writer.node.propose({ type: 'add', amount: 1 });
  // The record of the first goes a moment after its answer.
  await writer.node.until(() => records(writer).size === 0);
  const leader = cluster.leader();
  cluster.hub.block(writer.node.id, leader.node.id);
  const before = leader.engine.options.clock.wallMs();
  const call = writer.node.propose({ type: 'add', amount: 100 }, { expiresMs: 20, timeoutMs: 5_000 }).catch((e: unknown) => e);
  await leader.node.until(() => leader.engine.options.clock.wallMs() > before + 40);
  cluster.hub.heal();
  expect(await call).toMatchObject({ code: 'timeout', mayHaveApplied: false });
  expect(await leader.node.read((state) => state.balance)).toBe(1);
});

test('a fence of an earlier term is refused by the log itself', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const { node } = cluster.leader();
  const { term } = node;
  expect(await node.propose({ type: 'add', amount: 1 }, { expectedTerm: term })).toBe(1);
  await cluster.transferTo(oneOf(cluster.followers()));
  await expect(node.propose({ type: 'add', amount: 1 }, { expectedTerm: term })).rejects.toMatchObject({
    code: 'term-mismatch',
    mayHaveApplied: false,
  });
});

test('a batch is a tuple of results, each at its own index', async () => {
  await using cluster = new Cluster();
  await cluster.of(2);
  const { node } = oneOf(cluster.followers());
  const [sum, note, again] = await node.batch([
    { type: 'add', amount: 2 },
    { type: 'note', text: 'b' },
    { type: 'add', amount: 3 },
  ]);
  expect([sum, note.position, again]).toEqual([2, 1, 5]);
});

test('a handler that throws is a result, the same on every member, and the cluster goes on', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  for (const { node } of cluster.running()) {
    await expect(node.propose({ type: 'refuse' })).rejects.toMatchObject({
      code: 'handler-failed',
      message: 'refused by the handler',
      mayHaveApplied: false,
    });
  }
  expect(await cluster.leader().node.propose({ type: 'add', amount: 1 })).toBe(1);
});

test('what cannot be a command is refused before anything is promised', async () => {
  await using cluster = new Cluster();
  await cluster.of(1, { tune: { commandBytesMax: 1_000 } });
  const { node } = cluster.leader();
  const propose = node.propose.bind(node) as (command: unknown) => Promise<unknown>;
  await expect(propose({ type: 'nope' })).rejects.toMatchObject({ code: 'unknown-command' });
  await expect(propose(undefined)).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(propose({ type: 'note', text: () => 1 })).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(propose({ type: 'note', text: 'x'.repeat(2_000) })).rejects.toMatchObject({ code: 'too-large' });
  await expect(node.propose({ type: 'add', amount: 1 }, { timeoutMs: 0 })).rejects.toMatchObject({ code: 'invalid-argument' });
  expect(node.pending()).toEqual([]);
});
