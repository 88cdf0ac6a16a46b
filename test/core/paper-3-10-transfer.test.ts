/** Thesis §3.10: leadership transfer. */
import { expect, test } from 'vitest';
import { change, TestCluster } from './cluster.ts';
import { progressOf, says, stateOf } from './paper.ts';

const abc = { voters: ['a', 'b', 'c'] };

function ledByA(): TestCluster {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  return cluster;
}

test('§3.10 the leader takes nothing new while it hands over, neither commands nor changes', () => {
  const cluster = ledByA();
  cluster.isolate('b');
  cluster.node('a').transferLeader('b');
  expect(cluster.propose('a', 'x')).toEqual({ ok: false, reason: 'transfer-in-progress' });
  expect(cluster.change('a', change('+d'))).toEqual({ ok: false, reason: 'transfer-in-progress' });
});

test('§3.10 a target that lags is brought up to date first, and only then told', () => {
  const cluster = ledByA();
  cluster.cut('a', 'b');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.heal();
  cluster.node('a').reportUnreachable('b');
  cluster.node('a').transferLeader('b');
  expect(says(cluster, 'a').map(({ type }) => type)).not.toContain('timeout-now');
  cluster.settle();
  expect(cluster.leaders).toEqual(['b']);
  const kinds = cluster.sent.filter(({ to }) => to === 'b').map(({ type }) => type);
  expect(kinds.lastIndexOf('timeout-now')).toBeGreaterThan(kinds.lastIndexOf('append-request'));
});

test('§3.10 the target begins an election at once, without asking first and with a greater term', () => {
  const cluster = ledByA();
  cluster.node('a').transferLeader('b');
  cluster.work('a');
  cluster.deliver();
  expect(stateOf(cluster, 'b')).toMatchObject({ role: 'candidate', term: 2 });
  expect(says(cluster, 'b')).toMatchObject([
    { type: 'vote-request', to: 'a', pre: false, transfer: true, term: 2 },
    { type: 'vote-request', to: 'c', pre: false, transfer: true, term: 2 },
  ]);
});

test('§3.10 the old leader steps down by the term of the new one, and has everything it had committed', () => {
  const cluster = ledByA();
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.node('a').transferLeader('b');
  cluster.settle();
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'follower', leader: 'b', transferee: '' });
  expect(cluster.propose('b', 'y').ok).toBe(true);
  cluster.settle();
  for (const id of ['a', 'b', 'c']) expect(cluster.commands(id)).toEqual(['x', 'y']);
});

test('§3.10 a transfer that is not done within an election timeout is given up, and proposals are taken again', () => {
  const cluster = ledByA();
  cluster.isolate('b');
  cluster.node('a').transferLeader('b');
  for (let i = 0; i < 9; i++) {
    cluster.tick('a');
    cluster.settle();
  }
  expect(cluster.propose('a', 'x')).toEqual({ ok: false, reason: 'transfer-in-progress' });
  cluster.tick('a');
  expect(cluster.propose('a', 'x').ok).toBe(true);
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'leader', transferee: '' });
});

test('§3.10 a follower asks the leader for a transfer, to itself or to another', () => {
  const cluster = ledByA();
  expect(cluster.node('b').transferLeader('c')).toEqual({ ok: true });
  cluster.settle();
  expect(cluster.leaders).toEqual(['c']);
});

test('§3.10 a transfer is refused with the reason why: nobody leads, no member, no voter', () => {
  const cluster = new TestCluster({ ...abc, learners: ['l'] });
  expect(cluster.node('b').transferLeader('b')).toEqual({ ok: false, reason: 'no-leader' });
  cluster.elect('a');
  expect(cluster.node('a').transferLeader('z')).toEqual({ ok: false, reason: 'peer-not-found' });
  expect(cluster.node('a').transferLeader('l')).toEqual({ ok: false, reason: 'not-a-voter' });
  expect(cluster.propose('a', 'x').ok).toBe(true);
});

test('§3.10 a transfer to the leader itself is done already; one to another target replaces the first', () => {
  const cluster = ledByA();
  expect(cluster.node('a').transferLeader('a')).toEqual({ ok: true });
  expect(stateOf(cluster, 'a').transferee).toBe('');
  cluster.isolate('b');
  cluster.node('a').transferLeader('b');
  cluster.node('a').transferLeader('c');
  expect(stateOf(cluster, 'a').transferee).toBe('c');
  cluster.settle();
  expect(cluster.leaders).toEqual(['c']);
});

test('§3.10 a target that cannot campaign says so at once; the refusal of anybody else changes nothing', () => {
  const cluster = ledByA();
  cluster.crash('b');
  cluster.member('b').disk.conf = { ...cluster.member('b').disk.conf, voters: ['a', 'c'], learners: ['b'] };
  cluster.restart('b');
  cluster.tick('a');
  cluster.settle();
  cluster.node('a').transferLeader('b');
  cluster.receive({ type: 'transfer-refused', from: 'c', to: 'a', term: 1 });
  expect(stateOf(cluster, 'a').transferee).toBe('b');
  cluster.settle();
  expect(cluster.sent.filter(({ type }) => type === 'transfer-refused')).toMatchObject([{ from: 'b', to: 'a' }]);
  expect(cluster.propose('a', 'x').ok).toBe(true);
});

test('§3.10 without explicit refusals the same target is silent, and the leader waits for its timeout', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'w'], witnesses: ['w'], config: { compat: { explicitRefusals: false } } });
  cluster.elect('a');
  cluster.receive({ type: 'timeout-now', from: 'a', to: 'w', term: 1 });
  expect(says(cluster, 'w').filter(({ type }) => type === 'transfer-refused')).toEqual([]);
});

test('§3.10 a target that is removed meanwhile ends the transfer', () => {
  const cluster = ledByA();
  cluster.change('a', change('-c'));
  cluster.isolate('c');
  cluster.node('a').transferLeader('c');
  expect(stateOf(cluster, 'a').transferee).toBe('c');
  cluster.settle();
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'leader', transferee: '', conf: { voters: ['a', 'b'] } });
  expect(() => progressOf(cluster, 'a', 'c')).toThrow();
  expect(cluster.propose('a', 'x').ok).toBe(true);
});
