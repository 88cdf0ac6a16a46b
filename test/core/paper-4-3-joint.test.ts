/** Thesis §4.3: joint consensus. */
import { expect, test } from 'vitest';
import { change, TestCluster } from './cluster.ts';
import { BARE, says, stateOf, voteResponse } from './paper.ts';

/** Led by a, in the joint configuration (a d e)&&(a b c), applied by everybody. */
function joint(config = {}): TestCluster {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c'], outside: ['d', 'e'], config });
  cluster.elect('a');
  cluster.change('a', change('-b', '-c', '+d', '+e', 'explicit'));
  cluster.settle();
  return cluster;
}

test('§4.3 in a joint configuration entries go to the servers of both halves', () => {
  const cluster = joint();
  expect(stateOf(cluster, 'a').conf).toMatchObject({ voters: ['a', 'd', 'e'], votersOutgoing: ['a', 'b', 'c'] });
  cluster.propose('a', 'x');
  expect(says(cluster, 'a').map(({ to }) => to)).toEqual(['b', 'c', 'd', 'e']);
});

test.each([
  ['new', ['b', 'c']],
  ['old', ['d', 'e']],
])('§4.3 the %s half alone commits nothing', (_half, away) => {
  const cluster = joint();
  for (const id of away) cluster.isolate(id);
  cluster.propose('a', 'x');
  cluster.settle();
  expect(cluster.commands('a')).toEqual([]);
  cluster.heal();
  cluster.tick('a');
  cluster.settle();
  expect(cluster.commands('a')).toEqual(['x']);
});

/** b campaigns in the joint configuration, with its own vote in the old half only. */
function campaigning(): { readonly answer: (from: string, reject: boolean) => string } {
  const cluster = joint(BARE);
  cluster.node('b').campaign();
  says(cluster, 'b');
  const { term } = stateOf(cluster, 'b');
  const answer = (from: string, reject: boolean): string => {
    cluster.receive(voteResponse({ from, to: 'b', term, reject }));
    return stateOf(cluster, 'b').role;
  };
  return { answer };
}

test.each([
  ['the new half first', ['d', 'e', 'c']],
  ['the old half first', ['c', 'd', 'e']],
])('§4.3 an election takes a majority of each half (%s)', (_name, order) => {
  const { answer } = campaigning();
  expect(order.map((from) => answer(from, false))).toEqual(['candidate', 'candidate', 'leader']);
});

test.each([
  ['new', ['d', 'e']],
  ['old', ['a', 'c']],
])('§4.3 an election is lost when the %s half cannot be won any more', (_name, order) => {
  const { answer } = campaigning();
  expect(order.map((from) => answer(from, true))).toEqual(['candidate', 'follower']);
});

test('§4.3 any server of either half may lead', () => {
  for (const id of ['b', 'd']) {
    const cluster = joint(BARE);
    cluster.elect(id);
    expect(cluster.leaders).toContain(id);
  }
});

test('§4.3 while it lasts no other change is taken, but to leave it; then it is left', () => {
  const cluster = joint();
  expect(cluster.change('a', change('+f'))).toEqual({ ok: false, reason: 'config-change-in-progress' });
  expect(cluster.change('a', change('leave')).ok).toBe(true);
  cluster.settle();
  expect(stateOf(cluster, 'a').conf).toMatchObject({ voters: ['a', 'd', 'e'], votersOutgoing: [] });
  expect(cluster.change('a', change('leave'))).toEqual({ ok: false, reason: 'config-invalid' });
});

test('§4.3 entered explicitly it stays until told; entered otherwise the leader leaves it when it is applied', () => {
  const cluster = joint();
  for (let i = 0; i < 30; i++) {
    cluster.tick('a');
    cluster.settle();
  }
  expect(stateOf(cluster, 'a').conf.votersOutgoing).toEqual(['a', 'b', 'c']);
  const other = new TestCluster({ voters: ['a', 'b', 'c'], outside: ['d'] });
  other.elect('a');
  other.change('a', change('-b', '+d', 'implicit'));
  other.settle();
  expect(other.log('d').map((line) => line.split(' ').slice(1).join(' '))).toEqual(['', 'conf -b +d implicit', 'conf leave']);
  expect(stateOf(other, 'a').conf).toMatchObject({ voters: ['a', 'c', 'd'], votersOutgoing: [] });
});

test('§4.3 leaving it needs both halves as well', () => {
  const cluster = joint();
  cluster.isolate('b');
  cluster.isolate('c');
  cluster.change('a', change('leave'));
  cluster.settle();
  expect(stateOf(cluster, 'a').conf.votersOutgoing).toEqual(['a', 'b', 'c']);
  cluster.heal();
  cluster.tick('a');
  cluster.settle();
  expect(stateOf(cluster, 'a').conf.votersOutgoing).toEqual([]);
});

test('§4.3 a voter that becomes a learner votes until the joint configuration is left', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c'], outside: ['d'] });
  cluster.elect('a');
  cluster.change('a', change('~b', '+d', 'explicit'));
  cluster.settle();
  expect(stateOf(cluster, 'b')).toMatchObject({ promotable: true, conf: { learnersNext: ['b'], learners: [] } });
  cluster.change('a', change('leave'));
  cluster.settle();
  expect(stateOf(cluster, 'b')).toMatchObject({ promotable: false, conf: { learnersNext: [], learners: ['b'] } });
});

test('§4.3 a leader that is not in the new half leads until the joint configuration is left', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c'], outside: ['d'] });
  cluster.elect('a');
  cluster.change('a', change('-a', '+d', 'explicit'));
  cluster.settle();
  expect(stateOf(cluster, 'a').role).toBe('leader');
  cluster.change('a', change('leave'));
  cluster.settle();
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'follower', promotable: false });
});

test('§4.3 a read in a joint configuration is confirmed by both halves', () => {
  const cluster = joint();
  cluster.isolate('d');
  cluster.isolate('e');
  cluster.node('a').readIndex('r');
  cluster.settle();
  expect(cluster.member('a').reads).toEqual([]);
  cluster.heal();
  cluster.tick('a');
  cluster.settle();
  expect(cluster.member('a').reads).toMatchObject([{ context: 'r', rejected: false }]);
});
