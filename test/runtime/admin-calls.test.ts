/** What an operator does by hand with a node, and reads of it: each call through the public node. */
import { expect, test } from 'vitest';
import { type LogLine, logNode } from '../../src/front-door/log-lines.ts';
import { Cluster, type Opened } from './cluster.ts';

function followerOf(cluster: Cluster): Opened {
  const [follower] = cluster.followers();
  if (follower === undefined) throw new Error('a follower expected');
  return follower;
}

test('stepDown: another leads afterwards; who does not lead is asked in vain, and nothing changes', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const old = cluster.leader();
  await followerOf(cluster).node.admin.stepDown();
  expect(cluster.leader()).toBe(old);
  await old.node.admin.stepDown();
  const next = await cluster.newLeader(old.node.id);
  expect(next.node.id).not.toBe(old.node.id);
  expect(await old.node.propose({ type: 'add', amount: 1 })).toBe(1);
});

test('campaign: true for who leads; where the others hear their leader it is false, and nothing changes', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const leader = cluster.leader();
  const follower = followerOf(cluster);
  expect(await leader.node.admin.campaign()).toBe(true);
  expect(await follower.node.admin.campaign()).toBe(false);
  expect(cluster.leader()).toBe(leader);
});

test('compact: the log goes as far as the snapshot, and no further, whatever is asked', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  const { node } = cluster.leader();
  for (let i = 0; i < 20; i++) await node.propose({ type: 'add', amount: 1 });
  const { firstIndex } = node.status;
  const taken = await node.admin.snapshot();
  await node.propose({ type: 'add', amount: 1 });
  expect(await node.admin.compact(node.status.lastIndex)).toBeLessThanOrEqual(taken.index + 1);
  expect(node.status.firstIndex).toBeGreaterThan(firstIndex);
  expect(node.status.firstIndex).toBeLessThanOrEqual(taken.index + 1);
  await expect(node.admin.compact(-1)).rejects.toMatchObject({ code: 'invalid-argument' });
  expect(await node.read((state) => state.balance)).toBe(21);
});

test('forward: false is refused by who does not lead, with the leader named, and nothing is applied', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const leader = cluster.leader();
  const refused = followerOf(cluster).node.propose({ type: 'add', amount: 1 }, { forward: false });
  await expect(refused).rejects.toMatchObject({ code: 'not-leader', leaderHint: leader.node.id, mayHaveApplied: false });
  expect(await leader.node.propose({ type: 'add', amount: 1 }, { forward: false })).toBe(1);
});

test('expectedTerm of a passed term is refused with term-mismatch', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  const { node } = cluster.leader();
  await expect(node.propose({ type: 'add', amount: 1 }, { expectedTerm: node.term - 1 })).rejects.toMatchObject({
    code: 'term-mismatch',
    mayHaveApplied: false,
  });
  expect(await node.propose({ type: 'add', amount: 1 }, { expectedTerm: node.term })).toBe(1);
});

test('logNode: a line for each change of state, until it is ended; a logger that throws harms nobody', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const old = cluster.leader();
  const lines: LogLine[] = [];
  const end = logNode(old.node, (line) => {
    lines.push(line);
    throw new Error('the disk of the log is full');
  });
  await old.node.admin.snapshot();
  await old.node.admin.stepDown();
  await cluster.newLeader(old.node.id);
  const told = (event: string): LogLine | undefined => lines.find((line) => line.event === event);
  expect(told('snapshot')).toMatchObject({ level: 'info', kind: 'created', room: 'test', node: old.node.id });
  expect(told('role')).toMatchObject({ from: 'leader', to: 'follower' });
  expect(lines.filter(({ event, leader }) => event === 'leader' && leader === old.node.id)).toEqual([]);
  end();
  const count = lines.length;
  await old.node.admin.snapshot();
  expect(lines.length).toBe(count);
});
