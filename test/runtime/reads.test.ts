/** Reads (§6.4): a read never sees the past of what its caller has already seen. */
import { expect, test } from 'vitest';
import { holdsLease } from '../../src/runtime/standing/freshness.ts';
import { Cluster, type Opened } from './cluster.ts';

const oneOf = (items: readonly Opened[]): Opened => {
  const [first] = items;
  if (first === undefined) throw new Error('empty');
  return first;
};

test('a deposed leader in a minority answers no linearizable read', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const old = cluster.leader();
  const others = cluster.followers();
  await old.node.propose({ type: 'add', amount: 1 });
  cluster.hub.partition(
    [old.node.id],
    others.map(({ node }) => node.id),
  );
  const stale = old.node.read((state) => state.balance, { timeoutMs: 1_500 }).catch((e: unknown) => e);
  for (const { node } of others) await node.until((status) => status.leaderId !== undefined && status.leaderId !== old.node.id);
  expect(await oneOf(others).node.propose({ type: 'add', amount: 1 })).toBe(2);
  // Either it never learns and fails, or it learns and sees the new value: never the old one.
  cluster.hub.heal();
  const seen = await stale;
  if (typeof seen === 'number') expect(seen).toBe(2);
  else expect(seen).toMatchObject({ mayHaveApplied: false });
});

test('a deposed leader that stays cut off ends its reads with an error', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const old = cluster.leader();
  cluster.hub.partition(
    [old.node.id],
    cluster.followers().map(({ node }) => node.id),
  );
  await expect(old.node.read((state) => state.balance, { timeoutMs: 600 })).rejects.toMatchObject({ mayHaveApplied: false });
});

test('a follower’s linearizable read sees what was acknowledged anywhere before', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  for (let i = 1; i <= 20; i++) {
    await cluster.leader().node.propose({ type: 'add', amount: 1 });
    for (const { node } of cluster.followers()) expect(await node.read((state) => state.balance)).toBe(i);
  }
});

test('reads add nothing to the log', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  await cluster.leader().node.propose({ type: 'add', amount: 1 });
  const before = cluster.leader().node.status.lastIndex;
  await Promise.all(Array.from({ length: 500 }, () => oneOf(cluster.followers()).node.read((state) => state.balance)));
  expect(cluster.leader().node.status.lastIndex).toBe(before);
});

test('a handle’s peek sees its own writes, wherever they were proposed', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  for (const { node } of cluster.running()) {
    const sum = await node.propose({ type: 'add', amount: 1 });
    expect(node.peek((state) => state.balance)).toBeGreaterThanOrEqual(sum);
  }
});

test('atLeast waits for an index that another member has told', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const { index } = await cluster.leader().node.proposeDetailed({ type: 'add', amount: 7 });
  const follower = oneOf(cluster.followers());
  expect(await follower.node.read((state) => state.balance, { consistency: { atLeast: index } })).toBe(7);
  await expect(
    follower.node.read((state) => state.balance, { consistency: { atLeast: index + 100 }, timeoutMs: 50 }),
  ).rejects.toMatchObject({ code: 'timeout' });
});

test('bounded staleness is answered here when the leader was heard lately, and confirmed otherwise', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const follower = oneOf(cluster.followers());
  const roundsOf = async (maxStaleMs: number): Promise<number> => {
    const before = follower.engine.application.reads.rounds;
    expect(await follower.node.read((state) => state.balance, { consistency: { maxStaleMs } })).toBe(0);
    return follower.engine.application.reads.rounds - before;
  };
  // Asked again where a busy machine has just cost the leader its office: then nobody was heard lately.
  await expect.poll(async () => [await roundsOf(60_000), await roundsOf(0)], { timeout: 30_000 }).toEqual([0, 1]);
});

test('a local read and a query answer', async () => {
  await using cluster = new Cluster();
  await cluster.of(2);
  const { node } = oneOf(cluster.followers());
  await node.propose({ type: 'book', seat: '7', name: 'ann' });
  expect(await node.read((state) => state.owners, { consistency: 'local' })).toEqual({ 7: 'ann' });
  expect(await node.query('owner', '7')).toBe('ann');
  expect(await node.query('balance', { consistency: 'local' })).toBe(0);
  await expect((node.query as (name: string) => Promise<unknown>)('nope')).rejects.toMatchObject({ code: 'unknown-command' });
});

test('barrier: everything committed before it is applied here', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const { index } = await cluster.leader().node.proposeDetailed({ type: 'add', amount: 1 });
  for (const { node } of cluster.followers()) expect(await node.barrier()).toBeGreaterThanOrEqual(index);
});

test('lease reads only when asked for, and void after a pause', async () => {
  await using cluster = new Cluster();
  await cluster.of(3, { tune: { leaseReads: true } });
  const leader = cluster.leader();
  await leader.node.propose({ type: 'add', amount: 1 });
  await leader.node.until(() => holdsLease(leader.engine.standing));
  const before = leader.engine.application.reads.rounds;
  expect(await leader.node.read((state) => state.balance, { consistency: 'lease' })).toBe(1);
  expect(leader.engine.application.reads.rounds).toBe(before);
  expect(await leader.node.read((state) => state.balance)).toBe(1);
  expect(leader.engine.application.reads.rounds).toBe(before + 1);
  leader.engine.member?.tick(10_000);
  expect(holdsLease(leader.engine.standing)).toBe(false);
});
