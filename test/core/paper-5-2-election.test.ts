/** Raft §5.2, thesis §3.4: leader election. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { TestCluster } from './cluster.ts';
import { abc, abcde, appendRequest, BARE, heartbeat, says, startWith, stateOf, voteRequest, voteResponse } from './paper.ts';

test('§5.2 a server starts as a follower of nobody', () => {
  const cluster = new TestCluster(abc);
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'follower', leader: '', term: 0, vote: '' });
});

test('§5.2 a follower stays one as long as it hears from its leader', () => {
  const cluster = new TestCluster(abc);
  cluster.node('b').setElectionTimeout(10);
  for (let i = 0; i < 10; i++) {
    cluster.tick('b', 9);
    cluster.receive(i % 2 === 0 ? heartbeat({}) : appendRequest({}));
  }
  expect(stateOf(cluster, 'b')).toMatchObject({ role: 'follower', leader: 'a', term: 1 });
});

test('§5.2 a follower that hears nothing for an election timeout begins an election, not a tick before', () => {
  const cluster = new TestCluster(abc);
  cluster.node('b').setElectionTimeout(13);
  cluster.tick('b', 12);
  expect(stateOf(cluster, 'b').role).toBe('follower');
  cluster.tick('b');
  expect(stateOf(cluster, 'b').role).toBe('candidate');
});

test('§5.2 a candidate raises its term, votes for itself, and asks all the others', () => {
  const cluster = new TestCluster(abcde);
  cluster.node('b').campaign();
  const asked = says(cluster, 'b');
  expect(stateOf(cluster, 'b')).toMatchObject({ role: 'candidate', term: 1, vote: 'b' });
  expect(asked.map(({ type, to, term }) => [type, to, term])).toEqual(['a', 'c', 'd', 'e'].map((to) => ['vote-request', to, 1]));
});

test('§5.2 a candidate with the votes of a majority leads, and with one less does not', () => {
  const cluster = new TestCluster(abcde);
  cluster.node('a').campaign();
  says(cluster, 'a');
  cluster.receive(voteResponse({ from: 'b' }));
  expect(stateOf(cluster, 'a').role).toBe('candidate');
  cluster.receive(voteResponse({ from: 'b' }));
  cluster.receive(voteResponse({ from: 'c', reject: true }));
  expect(stateOf(cluster, 'a').role).toBe('candidate');
  cluster.receive(voteResponse({ from: 'd' }));
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'leader', leader: 'a', term: 1 });
});

test('§5.2 a server gives at most one vote in a term, to the first that asks; a new term is a new vote', () => {
  const cluster = new TestCluster(abc);
  cluster.receive(voteRequest({ from: 'c' }));
  cluster.receive(voteRequest({ from: 'a' }));
  cluster.receive(voteRequest({ from: 'a', term: 3 }));
  expect(says(cluster, 'b')).toMatchObject([
    { to: 'c', term: 2, reject: false },
    { to: 'a', term: 2, reject: true },
    { to: 'a', term: 3, reject: false },
  ]);
});

test('§5.2 a vote given outlasts a restart', () => {
  const cluster = new TestCluster(abc);
  cluster.receive(voteRequest({ from: 'c' }));
  says(cluster, 'b');
  cluster.crash('b');
  cluster.restart('b');
  cluster.receive(voteRequest({ from: 'a' }));
  expect(says(cluster, 'b')).toMatchObject([{ to: 'a', reject: true }]);
  cluster.receive(voteRequest({ from: 'c' }));
  expect(says(cluster, 'b')).toMatchObject([{ to: 'c', reject: false }]);
});

test('§5.2 in any order of requests and restarts, nobody is granted a term that somebody else was granted', () => {
  const request = fc.record({ from: fc.constantFrom('a', 'c'), term: fc.integer({ min: 1, max: 4 }), restart: fc.boolean() });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
      const cluster = new TestCluster(abc);
      const granted = new Map<number, string>();
      for (const { from, term, restart } of requests) {
        cluster.receive(voteRequest({ from, term }));
        for (const answer of says(cluster, 'b')) {
          if (answer.type !== 'vote-response' || answer.reject) continue;
          expect(granted.get(answer.term) ?? answer.to).toBe(answer.to);
          granted.set(answer.term, answer.to);
        }
        if (!restart) continue;
        cluster.crash('b');
        cluster.restart('b');
      }
      expect(granted.size).toBe(new Set(risingTerms(requests.map(({ term }) => term))).size);
    }),
    { numRuns: 100 },
  );
});

/** The terms that were new when they came: each finds an unused vote. */
function risingTerms(terms: readonly number[]): number[] {
  let highest = 0;
  return terms.filter((term) => {
    if (term <= highest) return false;
    highest = term;
    return true;
  });
}

test('§5.2 a new leader tells everybody at once, and then in every heartbeat interval', () => {
  const cluster = new TestCluster({ ...abc, config: { ...BARE, heartbeatTicks: 3 } });
  cluster.node('a').campaign();
  says(cluster, 'a');
  cluster.receive(voteResponse({ from: 'b' }));
  expect(says(cluster, 'a').map(({ type, to }) => [type, to])).toEqual([
    ['append-request', 'b'],
    ['append-request', 'c'],
  ]);
  const perTick = [1, 2, 3, 4, 5, 6].map(() => {
    cluster.tick('a');
    return says(cluster, 'a').filter(({ type }) => type === 'heartbeat-request').length;
  });
  expect(perTick).toEqual([0, 0, 2, 0, 0, 2]);
});

test.each([
  ['an append', appendRequest({ from: 'c', to: 'a', term: 1 })],
  ['a heartbeat', heartbeat({ from: 'c', to: 'a', term: 1 })],
])('§5.2 a candidate that hears %s of its own term has lost to that leader', (_what, message) => {
  const cluster = new TestCluster(abc);
  cluster.node('a').campaign();
  says(cluster, 'a');
  cluster.receive(message);
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'follower', leader: 'c', term: 1, vote: 'a' });
});

test('§5.2 a candidate that hears a leader of an earlier term goes on', () => {
  const cluster = new TestCluster(abc);
  cluster.receive(voteRequest({ from: 'b', to: 'a', term: 4, lastIndex: 0, lastTerm: 0 }));
  cluster.node('a').campaign();
  cluster.receive(appendRequest({ from: 'c', to: 'a', term: 4 }));
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'candidate', term: 5, leader: '' });
});

test('§5.2 with split votes a candidate times out and begins a new election in the next term', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c', 'd'], config: BARE });
  cluster.node('a').campaign();
  cluster.node('b').campaign();
  for (const id of ['a', 'b']) cluster.work(id);
  cluster.deliver(({ from, to }) => (from === 'a' && to === 'c') || (from === 'b' && to === 'd'));
  cluster.settle();
  expect(cluster.leaders).toEqual([]);
  expect([stateOf(cluster, 'a').term, stateOf(cluster, 'b').term]).toEqual([1, 1]);
  cluster.tick('a', stateOf(cluster, 'a').electionTimeoutTicks);
  cluster.settle();
  expect(cluster.leaders).toEqual(['a']);
  expect(stateOf(cluster, 'a').term).toBe(2);
});

test('§5.2 a candidate refused by a majority does not lead; the same answer twice is one answer', () => {
  const cluster = new TestCluster(abcde);
  cluster.node('a').campaign();
  says(cluster, 'a');
  for (const from of ['b', 'b', 'b', 'c']) cluster.receive(voteResponse({ from, reject: true }));
  expect(stateOf(cluster, 'a').role).toBe('candidate');
  cluster.receive(voteResponse({ from: 'd', reject: true }));
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'follower', term: 1, vote: 'a' });
});

test('§5.2 election timeouts are drawn from a fixed interval, all of it, anew for every election', () => {
  const cluster = new TestCluster({ ...abc, config: { ...BARE, electionTicks: 5 } });
  const seen = new Set<number>();
  for (let i = 0; i < 100; i++) {
    seen.add(stateOf(cluster, 'a').electionTimeoutTicks);
    cluster.node('a').campaign();
    says(cluster, 'a');
  }
  expect([...seen].sort()).toEqual([5, 6, 7, 8, 9]);
});

test('§5.2 two servers draw different timeouts', () => {
  const cluster = new TestCluster(abcde);
  const drawn = ['a', 'b', 'c', 'd', 'e'].map((id) => stateOf(cluster, id).electionTimeoutTicks);
  expect(new Set(drawn).size).toBeGreaterThan(1);
});

test('§5.2 giving a vote puts off the own election; refusing one, or a stale request, does not', () => {
  const cluster = startWith({ a: [1], b: [1], c: [1] }, BARE, { b: 2 });
  cluster.tick('b', 4);
  cluster.receive(voteRequest({ from: 'a', lastIndex: 0, lastTerm: 0 }));
  cluster.receive(voteRequest({ from: 'a', term: 1 }));
  cluster.receive(appendRequest({ term: 1 }));
  expect(stateOf(cluster, 'b').electionElapsedTicks).toBe(4);
  cluster.receive(voteRequest({ from: 'c' }));
  expect(stateOf(cluster, 'b').electionElapsedTicks).toBe(0);
});

test('§5.2 who refused a candidate cannot be counted for it later in the same term', () => {
  const cluster = new TestCluster(abcde);
  cluster.node('a').campaign();
  says(cluster, 'a');
  cluster.receive(voteResponse({ from: 'b', reject: true }));
  cluster.receive(voteResponse({ from: 'b' }));
  cluster.receive(voteResponse({ from: 'c' }));
  expect(stateOf(cluster, 'a').role).toBe('candidate');
  cluster.receive(voteResponse({ from: 'd' }));
  expect(stateOf(cluster, 'a').role).toBe('leader');
});

test('§5.2 in a term there is one leader: the other candidate cannot win as well', () => {
  const cluster = new TestCluster(abcde);
  cluster.node('a').campaign();
  cluster.node('e').campaign();
  for (const id of ['a', 'e']) cluster.work(id);
  cluster.deliver(({ from, to }) => (from === 'a' ? to === 'b' || to === 'c' : to === 'd'));
  cluster.settle();
  expect(cluster.leaders).toEqual(['a']);
  expect(stateOf(cluster, 'e')).toMatchObject({ role: 'follower', leader: 'a' });
});
