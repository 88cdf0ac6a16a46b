/** Thesis §6.2 and §6.4: reads that are linearizable without a log entry, and leaders that notice they lead no more. */
import { expect, test } from 'vitest';
import { change, TestCluster } from './cluster.ts';
import { BARE, says, startWith, stateOf } from './paper.ts';

const abc = { voters: ['a', 'b', 'c'] };

/** a leads and has committed nothing in its term yet: its no-op is on its way. */
function justElected(): TestCluster {
  const cluster = startWith({ a: [1, 1], b: [1, 1], c: [1, 1] });
  cluster.node('a').campaign();
  for (let i = 0; i < 8 && stateOf(cluster, 'a').role !== 'leader'; i++) {
    for (const id of ['a', 'b', 'c']) while (cluster.work(id));
    if (stateOf(cluster, 'a').role !== 'leader') cluster.deliver();
  }
  return cluster;
}

test('§6.4 step 1: a leader that has committed nothing in its term answers no read, and asks nobody for one', () => {
  const cluster = justElected();
  cluster.drop(() => true);
  expect(cluster.node('a').readIndex('r')).toEqual({ ok: true });
  const asked = says(cluster, 'a').filter((message) => message.type === 'heartbeat-request' && message.round > 0);
  expect([asked, cluster.member('a').reads]).toEqual([[], []]);
  cluster.tick('a');
  cluster.settle();
  expect(cluster.member('a').reads).toEqual([{ context: 'r', index: 3, rejected: false }]);
});

test('§6.4 step 1: to that end each leader begins its term with a blank entry', () => {
  const cluster = justElected();
  cluster.settle();
  expect(cluster.log('b')).toEqual(['1/1 "1.1"', '1/2 "1.2"', '2/3']);
});

test('§6.4 step 2: the read index is the commit index when the read was asked for, not when it is answered', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.node('a').readIndex('r');
  cluster.propose('a', 'x');
  const before = stateOf(cluster, 'a').commitIndex;
  cluster.settle();
  expect(stateOf(cluster, 'a').commitIndex).toBeGreaterThan(before);
  expect(cluster.member('a').reads).toEqual([{ context: 'r', index: before, rejected: false }]);
});

test('§6.4 step 3: a read is answered after a round of heartbeats that a majority answered, and not with one less', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c', 'd', 'e'] });
  cluster.elect('a');
  cluster.node('a').readIndex('r');
  says(cluster, 'a');
  cluster.deliver(({ to }) => to === 'b');
  says(cluster, 'b');
  cluster.deliver(({ from }) => from === 'b');
  says(cluster, 'a');
  expect(cluster.member('a').reads).toEqual([]);
  cluster.deliver(({ to }) => to === 'c');
  says(cluster, 'c');
  cluster.deliver(({ from }) => from === 'c');
  says(cluster, 'a');
  expect(cluster.member('a').reads).toHaveLength(1);
});

test('§6.4 step 3: a leader that was replaced unseen answers no read from what it holds', () => {
  const cluster = new TestCluster({ ...abc, config: BARE });
  cluster.elect('a');
  cluster.isolate('a');
  cluster.elect('b');
  cluster.propose('b', 'new');
  cluster.settle();
  cluster.node('a').readIndex('r');
  for (let i = 0; i < 30; i++) {
    cluster.tick('a');
    cluster.settle();
  }
  expect(cluster.member('a').reads).toEqual([]);
  cluster.heal();
  cluster.tick('b');
  cluster.settle();
  expect(cluster.member('a').reads).toEqual([{ context: 'r', index: 0, rejected: true }]);
});

test('§6.4 step 3: what was answered before the read was asked confirms nothing', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.tick('a');
  says(cluster, 'a');
  cluster.deliver();
  says(cluster, 'b');
  says(cluster, 'c');
  cluster.node('a').readIndex('r');
  cluster.deliver(({ type }) => type === 'heartbeat-response');
  cluster.work('a');
  expect(cluster.member('a').reads).toEqual([]);
});

test('§6.4 step 4: a leader behind with applying names an index that it has yet to apply', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.member('a').holdsWrites = true;
  cluster.propose('a', 'x');
  cluster.settle();
  expect(stateOf(cluster, 'a')).toMatchObject({ commitIndex: 2, appliedIndex: 1 });
  cluster.node('a').readIndex('r');
  cluster.settle();
  expect(cluster.member('a').reads).toEqual([{ context: 'r', index: 2, rejected: false }]);
  expect(cluster.commands('a')).toEqual([]);
});

test('§6.4 one round confirms any number of reads that came before it', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  for (let i = 0; i < 100; i++) cluster.node('a').readIndex(`${i}`);
  const before = cluster.sent.length;
  cluster.settle();
  expect(cluster.member('a').reads).toHaveLength(100);
  expect(cluster.sent.slice(before).filter(({ type }) => type === 'heartbeat-request')).toHaveLength(2);
});

test('§6.4 a read that comes when the heartbeats have left needs a round of its own', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.node('a').readIndex('1');
  says(cluster, 'a');
  cluster.node('a').readIndex('2');
  cluster.deliver();
  says(cluster, 'b');
  cluster.deliver(({ from }) => from === 'b');
  cluster.work('a');
  expect(cluster.member('a').reads.map(({ context }) => context)).toEqual(['1']);
  cluster.settle();
  expect(cluster.member('a').reads.map(({ context }) => context)).toEqual(['1', '2']);
});

test('§6.4 a follower asks the leader for the index and answers from its own machine', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.node('c').readIndex('r');
  cluster.settle();
  expect(cluster.member('c').reads).toEqual([{ context: 'r', index: 2, rejected: false }]);
  expect(cluster.member('a').reads).toEqual([]);
});

test('§6.4 a read that a follower asked of a leader that is none any more is refused, not forgotten', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.receive({ type: 'read-index-request', from: 'c', to: 'a', term: 0, context: 'r' });
  cluster.node('a').resumeAfterPause(10);
  cluster.settle();
  expect(cluster.member('c').reads).toEqual([{ context: 'r', index: 0, rejected: true }]);
});

test('§6.4 a single voter confirms its reads alone, once it has committed in its term', () => {
  const cluster = new TestCluster({ voters: ['a'] });
  cluster.node('a').campaign();
  cluster.work('a');
  expect(stateOf(cluster, 'a').role).toBe('candidate');
  expect(cluster.node('a').readIndex('r')).toEqual({ ok: false, reason: 'no-leader' });
  cluster.settle();
  cluster.node('a').readIndex('r');
  cluster.settle();
  expect(cluster.member('a').reads).toEqual([{ context: 'r', index: 1, rejected: false }]);
});

test('§6.4 reads that wait are confirmed when the configuration shrinks to those that answered', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c', 'd'] });
  cluster.elect('a');
  cluster.change('a', change('-d'));
  cluster.cut('c', 'a');
  cluster.isolate('d');
  cluster.node('a').readIndex('r');
  says(cluster, 'a');
  cluster.deliver(({ type }) => type === 'heartbeat-request');
  says(cluster, 'b');
  cluster.deliver(({ type }) => type === 'heartbeat-response');
  says(cluster, 'a');
  expect(cluster.member('a').reads).toEqual([]);
  cluster.heal();
  cluster.settle();
  expect(cluster.member('a').reads).toMatchObject([{ context: 'r', rejected: false }]);
});

test('§6.4.1 under a lease a read is answered at once, and for half an election timeout after the heartbeats that were answered', () => {
  const cluster = new TestCluster({ ...abc, config: { readMode: 'lease', electionTicks: 10 } });
  for (const id of ['a', 'b', 'c']) cluster.tick(id, 10);
  cluster.elect('a');
  cluster.tick('a');
  cluster.settle();
  cluster.isolate('a');
  const answers = [0, 1, 2, 3, 4, 5, 6].map((ticks) => {
    if (ticks > 0) cluster.tick('a');
    return cluster.node('a').inLease();
  });
  expect(answers).toEqual([true, true, true, true, true, false, false]);
});

test('§6.4.1 a voter that restarts does not vote for an election timeout: it may be bound by a lease it has forgotten', () => {
  const vote = (guarded: boolean): boolean => {
    const cluster = new TestCluster({
      ...abc,
      config: { preVote: false, readMode: guarded ? 'lease' : 'safe', electionTicks: 10 },
    });
    cluster.crash('b');
    cluster.restart('b');
    cluster.tick('b', 9);
    cluster.receive({
      ...{ type: 'vote-request', from: 'c', to: 'b', term: 2, pre: false, lastIndex: 9, lastTerm: 9 },
      ...{ transfer: false, priority: 0, commit: 0, commitTerm: 0 },
    });
    return says(cluster, 'b').length > 0;
  };
  expect([vote(false), vote(true)]).toEqual([true, false]);
});

test('§6.4.1 the guard of a restarted voter ends after that election timeout, and does not hold against a transfer', () => {
  const cluster = new TestCluster({ ...abc, config: { preVote: false, readMode: 'lease', electionTicks: 10 } });
  const request = {
    ...({ type: 'vote-request', from: 'c', to: 'b', term: 2, pre: false, lastIndex: 9, lastTerm: 9 } as const),
    ...{ transfer: false, priority: 0, commit: 0, commitTerm: 0 },
  };
  cluster.receive({ ...request, transfer: true });
  expect(says(cluster, 'b')).toMatchObject([{ term: 2, reject: false }]);
  cluster.node('b').setElectionTimeout(19);
  cluster.tick('b', 10);
  cluster.receive({ ...request, term: 3 });
  expect(says(cluster, 'b')).toMatchObject([{ term: 3, reject: false }]);
});

test('§6.4.1 a leader that hands over, or has slept, holds no lease', () => {
  const cluster = new TestCluster({ ...abc, config: { readMode: 'lease' } });
  for (const id of ['a', 'b', 'c']) cluster.tick(id, 10);
  cluster.elect('a');
  cluster.tick('a');
  cluster.settle();
  expect(cluster.node('a').inLease()).toBe(true);
  cluster.node('a').transferLeader('b');
  expect(cluster.node('a').inLease()).toBe(false);
  const other = new TestCluster({ ...abc, config: { readMode: 'lease' } });
  for (const id of ['a', 'b', 'c']) other.tick(id, 10);
  other.elect('a');
  other.tick('a');
  other.settle();
  other.node('a').resumeAfterPause(1);
  expect(other.node('a').inLease()).toBe(false);
});

test('§6.2 a leader that hears no majority for an election timeout steps down; with a majority it stays', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.isolate('c');
  for (let i = 0; i < 50; i++) {
    cluster.tick('a');
    cluster.settle();
  }
  expect(cluster.leaders).toEqual(['a']);
  cluster.isolate('a');
  for (let i = 0; i < 20; i++) {
    cluster.tick('a');
    cluster.settle();
  }
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'follower', leader: '', term: 1 });
});

test('§6.2 a majority that only sends and never hears keeps no leader: what counts is what the leader hears', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.cut('b', 'a');
  cluster.cut('c', 'a');
  for (let i = 0; i < 20; i++) {
    cluster.tick('a');
    cluster.settle();
  }
  expect(cluster.leaders).toEqual([]);
});

test('§6.4 step 3: learners confirm no read, however many of them answer', () => {
  const cluster = new TestCluster({ ...abc, learners: ['d', 'e', 'f'] });
  cluster.elect('a');
  cluster.isolate('b');
  cluster.isolate('c');
  cluster.node('a').readIndex('r');
  cluster.settle();
  cluster.tick('a', 3);
  cluster.settle();
  expect(cluster.sent.filter(({ type, to }) => type === 'heartbeat-response' && to === 'a').length).toBeGreaterThan(2);
  expect(cluster.member('a').reads).toEqual([]);
  cluster.heal();
  cluster.tick('a');
  cluster.settle();
  expect(cluster.member('a').reads).toMatchObject([{ context: 'r', rejected: false }]);
});

test('§6.4.1 a round that is sent again does not make the lease longer: it runs from when the round first left', () => {
  const cluster = new TestCluster({ ...abc, config: { readMode: 'lease-on-request', electionTicks: 10, heartbeatTicks: 1 } });
  for (const id of ['a', 'b', 'c']) cluster.tick(id, 10);
  cluster.elect('a');
  for (const peer of ['b', 'c']) cluster.cut('a', peer);
  cluster.node('a').readIndex('r');
  cluster.settle();
  // The same round leaves with every heartbeat, as long as the read waits. The last of them arrives.
  cluster.tick('a', 3);
  cluster.settle();
  cluster.heal();
  cluster.tick('a');
  cluster.settle();
  expect(cluster.member('a').reads).toMatchObject([{ context: 'r', rejected: false }]);
  expect(cluster.node('a').inLease()).toBe(true);
  cluster.isolate('a');
  cluster.tick('a');
  expect(cluster.node('a').inLease()).toBe(false);
});

test('§6.4.1 a new leader answers under a lease once it has applied an entry of its own term, not before', () => {
  const cluster = new TestCluster({ ...abc, config: { readMode: 'lease-on-request', electionTicks: 10 } });
  for (const id of ['a', 'b', 'c']) cluster.tick(id, 10);
  cluster.elect('a');
  const { node } = cluster.member('a');
  for (const id of ['a', 'b', 'c']) cluster.tick(id);
  cluster.settle();
  cluster.node('a').transferLeader('b');
  cluster.settle();
  const b = cluster.member('b');
  expect(b.node.status()).toMatchObject({ role: 'leader', appliedIndex: 2 });
  expect(node.inLease()).toBe(false);
  // Led anew, with its writes held: heartbeats are answered, its no-op is not even durable here.
  cluster.node('b').transferLeader('c');
  cluster.work('b');
  cluster.deliver(({ to }) => to === 'c');
  const c = cluster.member('c');
  while (c.node.status().role !== 'leader') {
    for (const id of ['a', 'b', 'c']) while (c.node.status().role !== 'leader' && cluster.work(id));
    cluster.deliver(({ type }) => type === 'vote-request' || type === 'vote-response');
  }
  c.holdsWrites = true;
  cluster.tick('c');
  while (cluster.work('c'));
  cluster.deliver(({ type }) => type === 'heartbeat-request');
  for (const id of ['a', 'b']) while (cluster.work(id));
  cluster.deliver(({ type }) => type === 'heartbeat-response');
  expect(c.node.status()).toMatchObject({ role: 'leader', appliedIndex: 2 });
  expect(c.node.inLease()).toBe(false);
  c.holdsWrites = false;
  cluster.finishWrites('c');
  cluster.settle();
  cluster.tick('c');
  cluster.settle();
  expect(c.node.inLease()).toBe(true);
});

test('the leader of a settled pair answers reads without the other, once it has committed in its term; one that is not settled waits', () => {
  const config = { goesAlone: true };
  const cluster = new TestCluster({ voters: ['a', 'b'], config });
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.isolate('b');
  cluster.node('a').readIndex('r');
  cluster.settle();
  expect(cluster.member('a').reads).toEqual([{ context: 'r', index: 2, rejected: false }]);
  expect(cluster.node('a').inLease()).toBe(true);

  const three = new TestCluster({ ...abc, config });
  three.elect('a');
  three.change('a', change('~c'));
  three.work('a');
  three.deliver(({ to }) => to === 'b');
  three.work('b');
  three.deliver(({ from }) => from === 'b');
  three.work('a');
  three.isolate('a');
  three.node('a').readIndex('r');
  three.settle();
  expect(three.node('a').status()).toMatchObject({ conf: { voters: ['a', 'b'] }, settled: false });
  expect(three.member('a').reads).toEqual([]);
  expect(three.node('a').inLease()).toBe(false);
});
