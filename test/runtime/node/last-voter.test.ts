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
  await leader.node.until(() => leader.node.config.voters.length === 1);
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

test('of two the leader stops as applications stop it: it hands over, and the other goes on alone', async () => {
  await using cluster = new Cluster();
  await cluster.of(2);
  const leader = cluster.leader();
  expect(await add(leader)).toBe(1);
  const heir = other(cluster, leader);
  await leader.node.stop();
  expect(await add(heir)).toBe(2);
  expect(heir.node.config.voters).toEqual([heir.node.id]);
});

test('a vote that was left is not thrown away by the goodbye that follows it, however slow the disk of the heir is', async () => {
  await using cluster = new Cluster();
  const held: (() => void)[] = [];
  let slow = false;
  await cluster.open();
  const heir = await cluster.open({
    // Its own vote becomes durable only when the election that the goodbye would begin has had its time.
    onWrite: async () => {
      if (slow) await new Promise<void>((resolve) => held.push(resolve));
    },
    tune: { electionTimeoutMs: [3_000, 3_000] },
  });
  await cluster.voters(2);
  const leader = other(cluster, heir);
  await cluster.transferTo(leader);
  expect(await add(leader)).toBe(1);
  const { term } = leader.node;
  slow = true;
  await close(leader);
  await new Promise((resolve) => setTimeout(resolve, 100));
  slow = false;
  for (const release of held) release();
  expect(await add(heir)).toBe(2);
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
