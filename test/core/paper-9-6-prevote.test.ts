/** Thesis §9.6: PreVote. */
import { expect, test } from 'vitest';
import { TestCluster } from './cluster.ts';
import { says, startWith, stateOf, voteRequest, voteResponse } from './paper.ts';

const abc = { voters: ['a', 'b', 'c'] };

test('§9.6 who times out asks first, about the next term, and stays in its own with its vote unspent', () => {
  const cluster = new TestCluster(abc);
  cluster.tick('b', 20);
  expect(says(cluster, 'b')).toMatchObject([
    { type: 'vote-request', to: 'a', pre: true, term: 1 },
    { type: 'vote-request', to: 'c', pre: true, term: 1 },
  ]);
  expect(stateOf(cluster, 'b')).toMatchObject({ role: 'pre-candidate', term: 0, vote: '' });
  expect(cluster.member('b').disk.hardState).toMatchObject({ term: 0, vote: '' });
});

test('§9.6 only with the yes of a majority it begins the election', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c', 'd', 'e'] });
  cluster.node('a').campaign();
  says(cluster, 'a');
  cluster.receive(voteResponse({ pre: true, from: 'b' }));
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'pre-candidate', term: 0 });
  cluster.receive(voteResponse({ pre: true, from: 'c' }));
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'candidate', term: 1, vote: 'a' });
});

test('§9.6 a yes needs a log that is up to date', () => {
  const cluster = startWith({ a: [1], b: [1, 1], c: [1] }, {});
  cluster.receive(voteRequest({ pre: true, term: 2, lastIndex: 1, lastTerm: 1 }));
  cluster.receive(voteRequest({ pre: true, term: 2, lastIndex: 2, lastTerm: 1 }));
  expect(says(cluster, 'b')).toMatchObject([
    { pre: true, reject: true },
    { pre: true, reject: false },
  ]);
});

test('§9.6 a yes needs silence of the leader for an election timeout; the leader itself never says yes', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.receive(voteRequest({ pre: true }));
  cluster.receive(voteRequest({ pre: true, to: 'a' }));
  expect([...says(cluster, 'a'), ...says(cluster, 'b')].filter(({ type }) => type === 'vote-response')).toEqual([]);
  cluster.node('b').setElectionTimeout(19);
  cluster.tick('b', 10);
  cluster.receive(voteRequest({ pre: true }));
  expect(says(cluster, 'b')).toMatchObject([{ type: 'vote-response', pre: true, reject: false }]);
});

test('§9.6 a yes binds nobody: it may be given to several, and leaves term, vote and timer as they are', () => {
  const cluster = new TestCluster(abc);
  cluster.tick('b', 3);
  cluster.receive(voteRequest({ pre: true, from: 'a', term: 1 }));
  cluster.receive(voteRequest({ pre: true, from: 'c', term: 1 }));
  expect(says(cluster, 'b')).toMatchObject([
    { to: 'a', pre: true, reject: false },
    { to: 'c', pre: true, reject: false },
  ]);
  expect(stateOf(cluster, 'b')).toMatchObject({ role: 'follower', term: 0, vote: '', electionElapsedTicks: 3 });
});

test('§9.6 who was cut off comes back without disturbing the leader, however long it asked', () => {
  const cluster = new TestCluster({ ...abc, config: { checkQuorum: false } });
  cluster.elect('a');
  cluster.isolate('c');
  for (let i = 0; i < 100; i++) {
    cluster.tick('c');
    cluster.settle();
  }
  expect(stateOf(cluster, 'c').term).toBe(1);
  cluster.heal();
  for (let i = 0; i < 5; i++) {
    for (const id of ['a', 'b', 'c']) cluster.tick(id);
    cluster.settle();
  }
  expect(cluster.leaders).toEqual(['a']);
  expect(stateOf(cluster, 'a').term).toBe(1);
});

test('§9.6 without it the same server would have', () => {
  const cluster = new TestCluster({ ...abc, config: { preVote: false, checkQuorum: false } });
  cluster.elect('a');
  cluster.isolate('c');
  for (let i = 0; i < 100; i++) {
    cluster.tick('c');
    cluster.settle();
  }
  cluster.heal();
  const { term } = stateOf(cluster, 'c');
  cluster.tick('c', 20);
  cluster.settle();
  expect(term).toBeGreaterThan(2);
  expect(stateOf(cluster, 'a').term).toBeGreaterThan(term);
});

test('§9.6 with the leader gone the others elect one of them', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.crash('a');
  for (let i = 0; i < 60 && cluster.leaders.length === 0; i++) {
    for (const id of ['b', 'c']) cluster.tick(id);
    cluster.settle();
  }
  expect(cluster.leaders).toHaveLength(1);
});

test('§9.6 refused by a majority it is a follower again, in its own term', () => {
  const cluster = new TestCluster(abc);
  cluster.node('a').campaign();
  says(cluster, 'a');
  for (const from of ['b', 'c']) cluster.receive(voteResponse({ pre: true, from, term: 0, reject: true }));
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'follower', term: 0, vote: '' });
});

test('§9.6 a refusal of a later term is taken over: it is no use to ask about an old one', () => {
  const cluster = startWith({ a: [], b: [], c: [] }, {}, { b: 7 });
  cluster.node('a').campaign();
  cluster.work('a');
  cluster.deliver(({ to }) => to === 'b');
  cluster.work('b');
  cluster.deliver(({ from }) => from === 'b');
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'follower', term: 7 });
});

test('§9.6 the election that follows is a real one: each voter decides anew', () => {
  const cluster = new TestCluster(abc);
  cluster.node('a').campaign();
  says(cluster, 'a');
  cluster.receive(voteResponse({ pre: true, from: 'b' }));
  expect(says(cluster, 'a')).toMatchObject([
    { type: 'vote-request', to: 'b', pre: false, term: 1 },
    { type: 'vote-request', to: 'c', pre: false, term: 1 },
  ]);
  cluster.receive(voteResponse({ pre: true, from: 'c' }));
  expect(stateOf(cluster, 'a').role).toBe('candidate');
});

test('§9.6 a transfer does without: its leader has agreed already', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.receive({ type: 'timeout-now', from: 'a', to: 'b', term: 1 });
  expect(stateOf(cluster, 'b')).toMatchObject({ role: 'candidate', term: 2 });
});
