/** Reads; numbers as in the list of scenarios. */
import { expect, test } from 'vitest';
import { TestCluster } from './cluster.ts';

const abc = { voters: ['a', 'b', 'c'] };

test('S69: a new leader answers no read before it has committed in its term', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.work('a');
  cluster.deliver(({ to }) => to === 'b');
  cluster.work('b');
  cluster.deliver(({ from }) => from === 'b');
  cluster.work('a');
  expect(cluster.node('a').status().commitIndex).toBe(2);
  cluster.network = [];
  cluster.isolate('a');
  for (const id of ['b', 'c']) cluster.node(id).forgetLeader();
  cluster.node('b').campaign();
  while (cluster.node('b').status().role !== 'leader') {
    for (const id of ['b', 'c']) while (cluster.node('b').status().role !== 'leader' && cluster.work(id));
    cluster.deliver(({ type }) => type === 'vote-request' || type === 'vote-response');
  }
  expect(cluster.node('b').status()).toMatchObject({ commitIndex: 1, lastIndex: 3 });
  expect(cluster.node('b').readIndex('r')).toEqual({ ok: true });
  cluster.work('b');
  for (const round of [0, 1, 2]) cluster.receive({ type: 'heartbeat-response', from: 'c', to: 'b', term: 2, round });
  while (cluster.work('b'));
  expect(cluster.member('b').reads).toEqual([]);
  cluster.settle();
  expect(cluster.member('b').reads).toMatchObject([{ context: 'r', rejected: false }]);
  expect(cluster.member('b').reads[0]?.index).toBeGreaterThanOrEqual(3);
});

test('S70: an answer to the first round confirms no later read of the same name', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  const { node } = cluster.member('a');
  node.readIndex('r');
  cluster.work('a');
  cluster.deliver();
  cluster.work('b');
  cluster.work('c');
  const [first] = cluster.drop(({ from }) => from === 'b');
  const [late] = cluster.drop(({ from }) => from === 'c');
  if (first === undefined || late === undefined) throw new Error('no answers');
  cluster.receive(first);
  cluster.work('a');
  expect(cluster.member('a').reads).toHaveLength(1);
  node.readIndex('r');
  cluster.work('a');
  cluster.network = [];
  cluster.receive(late);
  cluster.receive(first);
  cluster.work('a');
  expect(cluster.member('a').reads).toHaveLength(1);
  cluster.tick('a', 5);
  cluster.settle();
  expect(cluster.member('a').reads).toHaveLength(2);
});

test('S72: reads that wait are bounded, and told when the leader steps down', () => {
  const cluster = new TestCluster({ ...abc, config: { maxReads: 2 } });
  cluster.elect('a');
  cluster.isolate('a');
  const { node } = cluster.member('a');
  expect(node.readIndex('r1')).toEqual({ ok: true });
  cluster.work('a');
  expect(node.readIndex('r2')).toEqual({ ok: true });
  expect(node.readIndex('r3')).toEqual({ ok: false, reason: 'busy' });
  cluster.heal();
  cluster.network = [];
  cluster.receive({ type: 'heartbeat-request', from: 'b', to: 'a', term: 2, commit: 0, round: 0 });
  cluster.settle();
  expect(cluster.member('a').reads.map(({ context, rejected }) => [context, rejected])).toEqual([
    ['r1', true],
    ['r2', true],
  ]);
  expect(node.status().pendingReads).toBe(0);
});

test('S75: a leader that slept for an election timeout answers nothing that it was asked before', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  const { node } = cluster.member('a');
  node.readIndex('r');
  cluster.work('a');
  cluster.deliver();
  cluster.work('b');
  cluster.work('c');
  node.resumeAfterPause(10);
  cluster.deliver();
  cluster.settle();
  expect(node.status().role).toBe('follower');
  expect(cluster.member('a').reads).toMatchObject([{ context: 'r', rejected: true }]);
  expect(node.readIndex('s')).toEqual({ ok: false, reason: 'no-leader' });
});
