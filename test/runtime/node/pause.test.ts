/** A page that is put away and comes back, or does not: nobody counts on it meanwhile. */
import { expect, test } from 'vitest';
import { Awakening } from '../../../src/runtime/duties/awakening.ts';
import { Cluster } from '../cluster.ts';

const add = { type: 'add', amount: 1 } as const;

test('a leader that is put away leaves its vote; back again it is the same node, with its own write answered once', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const first = cluster.leader();
  await first.node.propose(add);
  const heard = new Set<string>();
  for (const { node } of cluster.followers()) node.trace(({ kind, peer }) => peer === first.node.id && heard.add(kind));
  first.engine.pause();
  await first.node.until(({ role }) => role === 'stopped');
  expect(first.node.admin.explain().text).toContain('put away');
  const written = first.node.propose(add);
  const next = await cluster.newLeader(first.node.id);
  expect([...heard]).toEqual(expect.arrayContaining(['proxy-vote', 'goodbye']));
  expect(await next.node.propose(add)).toBe(2);
  first.engine.resume();
  expect(await written).toBe(3);
  expect(first.node.status.suffrage).not.toBe('none');
  expect(await next.node.read((state) => state.balance)).toBe(3);
});

test('the only voter is put away and comes back: it leads again', async () => {
  await using cluster = new Cluster();
  const { node, engine } = await cluster.open();
  await node.ready;
  expect(await node.propose(add)).toBe(1);
  const { term } = node;
  engine.pause();
  engine.pause();
  engine.resume();
  engine.resume();
  expect(await node.propose(add)).toBe(2);
  expect(node.term).toBeGreaterThan(term);
});

test('put away while it comes back, it stays away', async () => {
  await using cluster = new Cluster();
  const { node, engine } = await cluster.open();
  await node.ready;
  engine.pause();
  engine.resume();
  engine.pause();
  await engine.store.load();
  await node.until(() => engine.standing.state.kind === 'paused');
  engine.resume();
  expect(await node.propose(add)).toBe(1);
});

test('one that never comes back is a goodbye: the room goes on, and closing the page ends the node', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const gone = cluster.leader();
  const waiting = gone.node.propose(add).catch((error: unknown) => error);
  await waiting;
  gone.engine.pause();
  await gone.node.until(({ role }) => role === 'stopped');
  const late = gone.node.propose(add).catch((error: unknown) => error);
  const next = await cluster.newLeader(gone.node.id);
  expect(await next.node.propose(add)).toBe(2);
  await gone.node.stop();
  expect(await late).toMatchObject({ code: 'stopped' });
  await next.node.until(() => !next.node.config.voters.includes(gone.node.id));
});

test('storage that fails on the way back is told like any other fault, and tried again', async () => {
  await using cluster = new Cluster();
  const { node, engine } = await cluster.open();
  await node.ready;
  engine.pause();
  const load = engine.store.load.bind(engine.store);
  const fault = new Promise((resolve) => node.on('fault', ({ error }) => resolve(error.code)));
  engine.store.load = () => Promise.reject(new Error('the disk is not there yet'));
  engine.resume();
  expect(await fault).toBe('storage');
  engine.store.load = load;
  expect(await node.propose(add)).toBe(1);
});

test('after a sleep everybody is asked anew, and links that stay silent are dropped; after a pause they are not', () => {
  let now = 0;
  const done: string[] = [];
  const peer = (id: string, confirmedMs: number, link = 'open'): object => ({ id, confirmedMs, link });
  const standing = {
    clock: { monotonicMs: () => now },
    tuning: { electionTimeoutMs: [750, 1_500] },
    peers: { all: () => [peer('answered', 20_010), peer('silent', 900), peer('closed', 900, 'closed')] },
  };
  const reports = { tellNow: () => done.push('asked') };
  const awakening = new Awakening(standing as never, reports as never, {
    hurry: () => done.push('hurried'),
    disconnect: (id) => done.push(`dropped ${id}`),
  });
  const tick = (gapMs: number): void => {
    now += gapMs;
    awakening.onGap(gapMs);
    awakening.tick();
  };
  tick(1_500);
  tick(5_000);
  expect(done).toEqual(['asked', 'hurried']);
  done.length = 0;
  tick(13_500);
  for (let i = 0; i < 100; i++) tick(50);
  expect(done).toEqual(['asked', 'hurried', 'dropped silent']);
});
