import { expect, test } from 'vitest';
import { Cluster } from './cluster.ts';

test('the first node of a room founds, later ones join as learners and are promoted', async () => {
  await using cluster = new Cluster();
  const [a, b, c] = await cluster.of(3);
  expect(new Set([a?.node.clusterId, b?.node.clusterId, c?.node.clusterId]).size).toBe(1);
  expect(cluster.leader().node.config.voters).toHaveLength(3);
});

test('five that enter at once found one cluster', async () => {
  await using cluster = new Cluster();
  await Promise.all(Array.from({ length: 5 }, () => cluster.open()));
  await cluster.voters(5);
  expect(new Set(cluster.opened.map(({ node }) => node.clusterId)).size).toBe(1);
});

test('a proposal from any node resolves with the handler’s result, and every node applies it', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.of(3);
  const results: number[] = [];
  for (const { node } of nodes) results.push(await node.propose({ type: 'add', amount: 10 }));
  expect(results).toEqual([10, 20, 30]);
  for (const { node } of nodes) expect(await node.read((state) => state.balance)).toBe(30);
});

test('of two bookings of one seat exactly one wins', async () => {
  await using cluster = new Cluster();
  const [a, b] = await cluster.of(2);
  const won = await Promise.all([
    a?.node.propose({ type: 'book', seat: '1', name: 'a' }),
    b?.node.propose({ type: 'book', seat: '1', name: 'b' }),
  ]);
  expect(won.filter(Boolean)).toHaveLength(1);
});

test('when the leader says goodbye another leads, and nothing acknowledged is lost', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const old = cluster.leader();
  await old.node.propose({ type: 'add', amount: 1 });
  await old.engine.stop('pagehide');
  const next = await cluster.newLeader(old.node.id);
  expect(await next.node.propose({ type: 'add', amount: 1 })).toBe(2);
});

test('when the leader crashes another leads, and nothing acknowledged is lost', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const old = cluster.leader();
  await old.node.propose({ type: 'add', amount: 1 });
  cluster.crash(old);
  const next = await cluster.newLeader(old.node.id);
  expect(await next.node.propose({ type: 'add', amount: 1 })).toBe(2);
});

test('a node that comes back has its identity and its log', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.of(3);
  const [gone] = cluster.followers();
  if (gone === undefined) throw new Error('no follower');
  await nodes[0]?.node.propose({ type: 'add', amount: 5 });
  await gone.node.stop();
  const back = await cluster.open({ disk: gone.disk });
  expect(back.node.id).toBe(gone.node.id);
  await back.node.ready;
  expect(await back.node.read((state) => state.balance)).toBe(5);
});

test('when all have gone and come back the state is there', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.of(3);
  await nodes[1]?.node.propose({ type: 'note', text: 'kept' });
  await Promise.all(nodes.map(({ node }) => node.stop({ transfer: false })));
  const back = await Promise.all(nodes.map(({ disk }) => cluster.open({ disk })));
  for (const { node } of back) expect(await node.read((state) => [...state.log])).toEqual(['kept']);
});
