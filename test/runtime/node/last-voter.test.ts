/** To the last tab: whoever stays goes on, and whoever comes back is taken in again (docs/CORE.md, "The last voter"). */
import { expect, test } from 'vitest';
import { Cluster, type Opened } from '../cluster.ts';

const add = (opened: Opened): Promise<number> => opened.node.propose({ type: 'add', amount: 1 });
const close = (opened: Opened): Promise<void> => opened.node.stop({ transfer: false });

function other(cluster: Cluster, than: Opened): Opened {
  const found = cluster.running().find((opened) => opened !== than);
  if (found === undefined) throw new Error('nobody else runs');
  return found;
}

test('of two the follower closes: the leader goes on alone, and says so', async () => {
  await using cluster = new Cluster();
  await cluster.of(2);
  const leader = cluster.leader();
  expect(await add(leader)).toBe(1);
  const told = new Promise<unknown>((resolve) =>
    leader.node.on('autopilot', (event) => event.kind === 'alone' && resolve(event)),
  );
  const gone = other(cluster, leader);
  await close(gone);
  expect(await add(leader)).toBe(2);
  expect(await told).toMatchObject({ kind: 'alone', members: [gone.node.id] });
  expect(leader.node.config.voters).toEqual([leader.node.id]);
});

test('of two the follower crashes: the leader goes on alone', async () => {
  await using cluster = new Cluster();
  await cluster.of(2);
  const leader = cluster.leader();
  cluster.crash(other(cluster, leader));
  expect(await add(leader)).toBe(1);
});

test('of two the leader closes: it leaves its vote to the other, which goes on alone', async () => {
  await using cluster = new Cluster();
  await cluster.of(2);
  const leader = cluster.leader();
  expect(await add(leader)).toBe(1);
  const heir = other(cluster, leader);
  const { term } = heir.node;
  await close(leader);
  expect(await add(heir)).toBe(2);
  expect(heir.node.role).toBe('leader');
  expect(heir.node.term).toBe(term + 1);
});

test('three close one after another: the last one has everything and goes on', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.of(3);
  let balance = 0;
  while (cluster.running().length > 0) {
    const writer = cluster.running().at(-1);
    if (writer === undefined) break;
    expect(await add(writer)).toBe(++balance);
    const closing = cluster.running().find((opened) => opened !== writer);
    if (closing === undefined) break;
    const left = cluster.running().length - 1;
    await close(closing);
    await writer.node.until(() => writer.node.config.voters.length <= left);
  }
  expect(balance).toBe(nodes.length);
});

test('who comes back after the other went on alone votes again, with all that was written', async () => {
  await using cluster = new Cluster();
  await cluster.of(2);
  const leader = cluster.leader();
  const gone = other(cluster, leader);
  await close(gone);
  expect(await add(leader)).toBe(1);
  const back = await cluster.open({ disk: gone.disk });
  await back.node.until((status) => status.suffrage === 'voter' && back.node.config.voters.length === 2);
  expect(back.node.id).toBe(gone.node.id);
  expect(await back.node.read((state) => state.balance)).toBe(1);
  expect(await add(back)).toBe(2);
});
