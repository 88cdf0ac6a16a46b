/** Elections; numbers as in the list of scenarios. */
import { expect, test } from 'vitest';
import type { Message, VoteRequest, VoteResponse } from '../../src/core/types.ts';
import { change, TestCluster } from './cluster.ts';

const abc = { voters: ['a', 'b', 'c'] };

function ask(fields: Partial<VoteRequest>): VoteRequest {
  return {
    type: 'vote-request',
    from: 'c',
    to: 'b',
    term: 2,
    pre: false,
    lastIndex: 9,
    lastTerm: 9,
    transfer: false,
    priority: 0,
    commit: 0,
    commitTerm: 0,
    ...fields,
  };
}

function answer(fields: Partial<VoteResponse>): VoteResponse {
  return {
    type: 'vote-response',
    from: 'b',
    to: 'a',
    term: 1,
    pre: false,
    reject: false,
    commit: 0,
    commitTerm: 0,
    ...fields,
  };
}

/** What the node says next. */
function says(cluster: TestCluster, id: string): readonly Message[] {
  const before = cluster.sent.length;
  while (cluster.work(id));
  return cluster.sent.slice(before);
}

test('S18: who hears its leader ignores a candidate of a higher term, unless it was sent by that leader', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.receive(ask({ term: 7 }));
  expect(cluster.node('b').status()).toMatchObject({ term: 1, leader: 'a' });
  expect(says(cluster, 'b')).toEqual([]);
  cluster.receive(ask({ term: 7, transfer: true }));
  expect(says(cluster, 'b')).toMatchObject([{ type: 'vote-response', term: 7, reject: false }]);
});

test('S20: a PreVote is granted in the term asked about and refused in the own one', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.node('b').forgetLeader();
  cluster.receive(ask({ pre: true, term: 5 }));
  expect(says(cluster, 'b')).toMatchObject([{ pre: true, term: 5, reject: false }]);
  cluster.receive(ask({ pre: true, term: 5, lastIndex: 0, lastTerm: 0 }));
  expect(says(cluster, 'b')).toMatchObject([{ pre: true, term: 1, reject: true }]);
});

test('S21: a PreVote granted is no vote and no reason to wait; a late one does not count for a candidate', () => {
  const cluster = new TestCluster(abc);
  cluster.node('b').setElectionTimeout(15);
  cluster.tick('b', 4);
  cluster.receive(ask({ pre: true, term: 1 }));
  expect(says(cluster, 'b')).toMatchObject([{ pre: true, reject: false }]);
  expect(cluster.node('b').status()).toMatchObject({ term: 0, vote: '', electionElapsedTicks: 4 });
  cluster.node('a').campaign();
  cluster.work('a');
  cluster.receive(answer({ pre: true }));
  while (cluster.work('a'));
  expect(cluster.node('a').status()).toMatchObject({ role: 'candidate', term: 1 });
  cluster.receive(answer({ pre: true, from: 'c' }));
  expect(cluster.node('a').status().role).toBe('candidate');
  cluster.receive(answer({}));
  expect(cluster.node('a').status().role).toBe('leader');
});

test('S25: no vote in a term whose leader is followed already', () => {
  const cluster = new TestCluster({ ...abc, config: { checkQuorum: false, preVote: false } });
  cluster.receive({ type: 'heartbeat-request', from: 'a', to: 'b', term: 2, commit: 0, round: 0 });
  expect(cluster.node('b').status()).toMatchObject({ term: 2, vote: '', leader: 'a' });
  says(cluster, 'b');
  cluster.receive(ask({ term: 2 }));
  expect(says(cluster, 'b')).toMatchObject([{ type: 'vote-response', term: 2, reject: true }]);
});

test('S26: of two candidates in one term a voter grants one, and that one again', () => {
  const cluster = new TestCluster({ ...abc, config: { preVote: false } });
  cluster.receive(ask({ from: 'a', term: 1 }));
  cluster.receive(ask({ from: 'c', term: 1 }));
  cluster.receive(ask({ from: 'a', term: 1 }));
  expect(says(cluster, 'b')).toMatchObject([
    { to: 'a', reject: false },
    { to: 'c', reject: true },
    { to: 'a', reject: false },
  ]);
});

test('S27: an own vote that becomes durable after the election is over does not count in the next', () => {
  const cluster = new TestCluster({ ...abc, config: { preVote: false } });
  cluster.member('a').holdsWrites = true;
  cluster.node('a').campaign();
  cluster.work('a');
  cluster.receive({ type: 'heartbeat-request', from: 'c', to: 'a', term: 2, commit: 0, round: 0 });
  cluster.work('a');
  cluster.node('a').campaign();
  expect(cluster.node('a').status()).toMatchObject({ role: 'candidate', term: 3 });
  cluster.finishWrites('a');
  cluster.receive(answer({ term: 2 }));
  cluster.receive(answer({ term: 1, from: 'c' }));
  expect(cluster.node('a').status()).toMatchObject({ role: 'candidate', term: 3 });
});

test('S28: no election with a snapshot to write, as a learner, or with a change to apply', () => {
  const cluster = new TestCluster({ ...abc, learners: ['d'], config: { preVote: false } });
  const refuses = (id: string): void => {
    cluster.node(id).campaign();
    expect(cluster.node(id).status().role).toBe('follower');
  };
  refuses('d');
  const { conf } = cluster.member('b').disk;
  const snapshot = { index: 5, term: 1, conf, data: undefined };
  cluster.receive({ type: 'snapshot-request', from: 'c', to: 'b', term: 1, snapshot });
  refuses('b');
  expect(cluster.node('b').status().promotable).toBe(false);
  cluster.work('b');
  cluster.node('b').campaign();
  expect(cluster.node('b').status().role).toBe('candidate');
  const other = new TestCluster({ ...abc, config: { preVote: false } });
  other.elect('a');
  other.change('a', change('-c'));
  other.work('a');
  other.deliver(({ to }) => to === 'b');
  other.work('b');
  other.receive({ type: 'heartbeat-request', from: 'a', to: 'b', term: 1, commit: 2, round: 0 });
  expect(other.node('b').hasUnappliedConfChange()).toBe(true);
  other.node('b').campaign();
  expect(other.node('b').status().role).toBe('follower');
});

test('S29: who cannot lead does not start an election when told to', () => {
  const cluster = new TestCluster({ ...abc, learners: ['d'], outside: ['e'] });
  for (const to of ['d', 'e']) {
    cluster.receive({ type: 'timeout-now', from: 'a', to, term: 1 });
    expect(cluster.node(to).status()).toMatchObject({ role: 'follower', term: 1, vote: '' });
    while (cluster.work(to));
  }
  expect(cluster.sent.filter(({ type }) => type === 'vote-request')).toEqual([]);
});
