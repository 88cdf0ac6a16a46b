/** Subscriptions, changes, leadership work, events, traces: what watches a node. */
import { expect, test } from 'vitest';
import type { TraceEvent, WriteEvent } from '../../src/runtime/api/api.ts';
import { Cluster, type Opened } from './cluster.ts';
import { SIDES_APART } from './crossing/apart.ts';

const oneOf = (items: readonly Opened[]): Opened => {
  const [first] = items;
  if (first === undefined) throw new Error('empty');
  return first;
};

test('a subscriber hears each new value, and not the same one twice', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  const { node } = cluster.leader();
  const seen: number[] = [];
  using _ = node.subscribe(
    (state) => state.balance,
    (value) => seen.push(value),
  );
  await node.propose({ type: 'add', amount: 1 });
  await node.propose({ type: 'note', text: 'no change of the balance' });
  await node.propose({ type: 'add', amount: 1 });
  await node.until(() => seen.length === 2);
  expect(seen).toEqual([1, 2]);
});

test('an object is told when what is in it changes, as a value that stays what it was', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  const { node } = cluster.leader();
  const seen: (readonly string[])[] = [];
  using _ = node.subscribe(
    (state) => state.log,
    (value) => seen.push(value),
  );
  await node.propose({ type: 'note', text: 'a' });
  await node.until(() => seen.length === 1);
  await node.propose({ type: 'add', amount: 1 });
  await node.propose({ type: 'note', text: 'b' });
  await node.until(() => seen.length === 2);
  expect(seen).toEqual([['a'], ['a', 'b']]);
});

test('a subscriber or listener that throws harms nobody else', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  const { node } = cluster.leader();
  const faults: string[] = [];
  const seen: number[] = [];
  using _a = node.on('fault', ({ error }) => faults.push(error.code));
  using _b = node.subscribe(
    (state) => state.balance,
    () => {
      throw new Error('bad subscriber');
    },
  );
  using _c = node.on('apply', () => {
    throw new Error('bad listener');
  });
  using _d = node.subscribe(
    (state) => state.balance,
    (value) => seen.push(value),
  );
  await node.propose({ type: 'add', amount: 1 });
  await node.until(() => seen.length === 1);
  expect(faults).toContain('handler-failed');
});

test('changes come in order, without gaps or duplicates, and can be taken up again from an index', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const { node } = oneOf(cluster.followers());
  const from = node.status.appliedIndex + 1;
  const controller = new AbortController();
  const seen: [string, unknown, number][] = [];
  const reading = (async () => {
    for await (const change of node.changes({ from, signal: controller.signal }))
      seen.push([change.type, change.result, change.index]);
  })();
  for (let i = 0; i < 10; i++) await node.propose({ type: 'add', amount: 1 });
  await node.until(() => seen.length === 10);
  controller.abort();
  await reading;
  expect(seen.map(([, result]) => result)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const fifth = seen[4]?.[2] ?? 0;
  const again: number[] = [];
  for await (const change of node.changes({ from: fifth + 1 })) {
    again.push(change.index);
    if (again.length === 5) break;
  }
  expect(again).toEqual(seen.slice(5).map(([, , index]) => index));
});

test('changes from before what is remembered say so instead of leaving a gap', async () => {
  await using cluster = new Cluster();
  const [first] = await cluster.of(1);
  if (first === undefined) throw new Error('no node');
  await first.node.propose({ type: 'add', amount: 1 });
  await first.node.admin.snapshot();
  await first.node.stop();
  const back = await cluster.open({ disk: first.disk });
  await back.node.ready;
  const iterator = back.node.changes({ from: 1 })[Symbol.asyncIterator]();
  await expect(iterator.next()).rejects.toMatchObject({ code: 'index-compacted' });
});

test('whileLeader runs on one node at a time, and is told when leadership ends', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const running = new Set<string>();
  let most = 0;
  const started: string[] = [];
  for (const { node } of cluster.running()) {
    node.whileLeader(async ({ signal }) => {
      running.add(node.id);
      started.push(node.id);
      most = Math.max(most, running.size);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      running.delete(node.id);
    });
  }
  const first = cluster.leader();
  await first.node.until(() => started.length === 1);
  const next = oneOf(cluster.followers());
  await cluster.transferTo(next);
  await next.node.until(() => started.length === 2 && running.size === 1);
  expect(started).toEqual([first.node.id, next.node.id]);
  expect(most).toBe(1);
});

test('events tell of role, leader, membership, commit and apply', async () => {
  await using cluster = new Cluster();
  const { node } = await cluster.open();
  const seen = new Set<string>();
  for (const type of ['role', 'leader', 'config', 'commit', 'apply', 'peer', 'snapshot'] as const)
    node.on(type, () => seen.add(type));
  await node.ready;
  const other = await cluster.open();
  await other.node.ready;
  await node.propose({ type: 'add', amount: 1 });
  await node.admin.snapshot();
  await node.until(() => seen.has('apply') && seen.has('peer'));
  expect([...seen].sort()).toEqual(['apply', 'commit', 'config', 'leader', 'peer', 'role', 'snapshot']);
});

test('losing and regaining a majority is told once each', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const { node } = cluster.leader();
  const seen: string[] = [];
  node.on('quorum-lost', ({ alive, need }) => seen.push(`lost ${alive}/${need}`));
  node.on('quorum-restored', () => seen.push('restored'));
  cluster.hub.partition([node.id]);
  for (const other of cluster.followers()) {
    cluster.hub.block(node.id, other.node.id);
    cluster.hub.block(other.node.id, node.id);
  }
  await node.until(() => seen.length === 1);
  expect(node.admin.explain()).toMatchObject({ healthy: false, silentVoters: expect.arrayContaining([expect.any(String)]) });
  cluster.hub.heal();
  await node.until(() => seen.length === 2);
  expect(seen).toEqual(['lost 1/2', 'restored']);
});

test('a trace sees every message in words, and stops when disposed', async () => {
  await using cluster = new Cluster();
  await cluster.of(2);
  const { node } = cluster.leader();
  const kinds = new Set<string>();
  const trace = node.trace((event) => kinds.add(`${event.direction} ${event.kind}`));
  await oneOf(cluster.followers()).node.propose({ type: 'add', amount: 1 });
  await node.until(() => kinds.has('sent append-request') && kinds.has('received append-response'));
  trace[Symbol.dispose]();
  const before = kinds.size;
  await oneOf(cluster.followers()).node.propose({ type: 'add', amount: 1 });
  expect(kinds.size).toBe(before);
});

// Over a line they are made before.
test.skipIf(SIDES_APART)('words of a traced message are made when they are read, and stay', async () => {
  await using cluster = new Cluster();
  await cluster.of(2);
  const { node } = cluster.leader();
  const events: TraceEvent[] = [];
  using _ = node.trace((event) => events.push(event));
  await node.propose({ type: 'add', amount: 1 });
  await node.until(() => events.some(({ kind }) => kind === 'append-response'));
  const [event] = events;
  expect(Object.getOwnPropertyDescriptor(event, 'text')?.get).toBeTypeOf('function');
  expect(JSON.parse(JSON.stringify(event))).toEqual({ ...event });
  expect(event?.text).toMatch(/append/);
});

test('a write is told when it has its answer: how long it took, where it is, or why it failed', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  const { node } = cluster.leader();
  const told: WriteEvent[] = [];
  const hearing = node.on('write', (event) => told.push(event));
  const { index } = await node.proposeDetailed({ type: 'add', amount: 1 });
  await node.propose({ type: 'refuse' }).catch(() => undefined);
  await node.propose({ type: 'add', amount: 1 }, { expectedTerm: 99 }).catch(() => undefined);
  expect(told.map(({ code }) => code)).toEqual([undefined, 'handler-failed', 'term-mismatch']);
  expect(told[0]?.index).toBe(index);
  expect(told.every(({ ms }) => ms >= 0)).toBe(true);
  hearing[Symbol.dispose]();
  await node.propose({ type: 'add', amount: 1 });
  expect(told).toHaveLength(3);
});

test('a status says what is on disk, whom the others follow, what the links carry, and when an election is due', async () => {
  await using cluster = new Cluster();
  await cluster.of(2);
  const { node } = cluster.leader();
  const follower = oneOf(cluster.followers()).node;
  const { index } = await node.proposeDetailed({ type: 'add', amount: 1 });
  await node.until(({ durableIndex }) => durableIndex >= index);
  expect(node.status.election).toBeUndefined();
  const due = follower.status.election;
  expect(due?.timeoutMs).toBeGreaterThanOrEqual(150);
  expect(due?.elapsedMs).toBeLessThan(due?.timeoutMs ?? 0);
  await node.until(({ peers }) => peers[0]?.leaderId === node.id && (peers[0]?.lastIndex ?? 0) >= index);
  const [peer] = node.status.peers;
  expect(peer?.sentBytes).toBeGreaterThan(0);
  expect(peer?.receivedBytes).toBeGreaterThan(0);
  expect(peer?.slowedBy).toEqual([]);
});

test('the log can be described in words', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  const { node } = cluster.leader();
  await node.propose({ type: 'note', text: 'hello' });
  const log = await node.admin.describeLog();
  expect(log[0]).toMatchObject({ index: 1, type: 'config' });
  expect(log.map((entry) => entry.type)).toEqual(expect.arrayContaining(['noop', 'session', 'command']));
  expect(log.at(-1)).toMatchObject({ type: 'command', data: { type: 'note', text: 'hello' } });
  expect((await node.admin.describeLog({ last: 1 })).map((entry) => entry.index)).toEqual([log.at(-1)?.index]);
  expect(await node.admin.describeMetadata()).toMatchObject({ lastIndex: log.at(-1)?.index, config: { voters: [node.id] } });
});
