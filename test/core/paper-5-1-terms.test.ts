/** Raft §5.1, thesis §3.3: terms. */
import { describe, expect, test } from 'vitest';
import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import type { Message } from '../../src/core/types.ts';
import { TestCluster } from './cluster.ts';
import { abc, appendRequest, appendResponse, heartbeat, says, startWith, stateOf, voteRequest, voteResponse } from './paper.ts';

/** One of every kind of message that carries its sender's term. */
const ofTerm7: readonly Message[] = [
  appendRequest({ term: 7, to: 'a', from: 'b', prevIndex: 50 }),
  appendResponse({ term: 7, to: 'a' }),
  heartbeat({ term: 7, to: 'a', from: 'b' }),
  { type: 'heartbeat-response', from: 'b', to: 'a', term: 7, round: 0 },
  voteRequest({ term: 7, to: 'a', from: 'b', lastIndex: 0, lastTerm: 0 }),
  voteResponse({ term: 7, to: 'a', reject: true }),
  { type: 'timeout-now', from: 'b', to: 'a', term: 7 },
];

test.each(ofTerm7.map((message) => [message.type, message] as const))(
  '§5.1 a leader that sees a greater term in a %s takes it over and is a follower',
  (type, message) => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.receive(message);
    // Told to campaign, it goes one further.
    const expected = type === 'timeout-now' ? { role: 'candidate', term: 8 } : { role: 'follower', term: 7 };
    expect(stateOf(cluster, 'a')).toMatchObject(expected);
  },
);

test('§5.1 a candidate that sees a greater term is a follower at once, and its old votes are worth nothing', () => {
  const cluster = new TestCluster(abc);
  cluster.node('a').campaign();
  says(cluster, 'a');
  cluster.receive(voteResponse({ from: 'c', term: 4, reject: true }));
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'follower', term: 4, vote: '' });
  cluster.receive(voteResponse({ term: 1 }));
  expect(stateOf(cluster, 'a').role).toBe('follower');
});

test('§5.1 a request of a passed term is refused: entries, heartbeats and votes alike', () => {
  const cluster = startWith({ a: [1], b: [1], c: [1] }, abc.config, { b: 5 });
  cluster.receive(appendRequest({ term: 4, prevIndex: 1, prevTerm: 1, entries: [], commit: 1 }));
  cluster.receive(heartbeat({ term: 4, commit: 1 }));
  cluster.receive(voteRequest({ term: 4 }));
  expect(stateOf(cluster, 'b')).toMatchObject({ term: 5, vote: '', leader: '', commitIndex: 0, lastIndex: 1 });
  expect(says(cluster, 'b').filter((message) => message.type === 'vote-response' && !message.reject)).toEqual([]);
});

test('§5.1 who sends in a passed term is told the present one, and steps down', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c'] });
  cluster.elect('a');
  cluster.isolate('a');
  for (const id of ['b', 'c']) cluster.node(id).forgetLeader();
  cluster.elect('b');
  cluster.heal();
  cluster.tick('a');
  cluster.settle();
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'follower', term: stateOf(cluster, 'b').term });
});

test('§5.1 an answer of a passed term is not counted in this one', () => {
  const cluster = startWith({ a: [1, 1], b: [1, 1], c: [1, 1] });
  cluster.elect('a');
  const { lastIndex, term, commitIndex } = stateOf(cluster, 'a');
  cluster.isolate('a');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.receive(appendResponse({ term: term - 1, index: lastIndex + 1 }));
  cluster.settle();
  expect(stateOf(cluster, 'a').commitIndex).toBe(commitIndex);
});

test('§5.1 a term is on disk before anything is said in it, and a restart keeps it', () => {
  const cluster = new TestCluster(abc);
  cluster.member('b').holdsWrites = true;
  cluster.receive(voteRequest({ term: 6 }));
  expect(says(cluster, 'b')).toEqual([]);
  cluster.finishWrites('b');
  expect(cluster.member('b').disk.hardState.term).toBe(6);
  cluster.crash('b');
  cluster.restart('b');
  expect(stateOf(cluster, 'b')).toMatchObject({ term: 6, vote: 'c' });
});

test('§5.1 the same request twice has the effect of one', () => {
  const cluster = new TestCluster(abc);
  const once = appendRequest({ term: 3, entries: [], commit: 0 });
  cluster.receive(voteRequest({ term: 2 }));
  cluster.receive(voteRequest({ term: 2 }));
  expect(says(cluster, 'b').map((message) => message.type === 'vote-response' && !message.reject)).toEqual([true, true]);
  cluster.receive(once);
  const before = stateOf(cluster, 'b');
  cluster.receive(once);
  expect(stateOf(cluster, 'b')).toEqual(before);
});

/** What only who is in a term can say: an election comes before it. */
const ofNoTerm: readonly Message[] = [
  appendRequest({ term: 0, to: 'b', from: 'a', prevIndex: 0, prevTerm: 0, commit: 1 }),
  appendResponse({ term: 0, to: 'b', from: 'a', index: 1 }),
  heartbeat({ term: 0, to: 'b', from: 'a', commit: 1 }),
  { type: 'heartbeat-response', from: 'a', to: 'b', term: 0, round: 0 },
  voteRequest({ term: 0, to: 'b', from: 'a' }),
  { ...voteRequest({ term: 0, to: 'b', from: 'a' }), pre: true },
  voteResponse({ term: 0, to: 'b', from: 'a' }),
  { ...voteResponse({ term: 0, to: 'b', from: 'a' }), pre: true },
  {
    type: 'snapshot-request',
    from: 'a',
    to: 'b',
    term: 0,
    snapshot: { index: 9, term: 0, conf: { ...EMPTY_CONF, voters: ['a', 'b'] }, data: undefined },
  },
  { type: 'transfer-request', from: 'a', to: 'b', term: 0, target: 'a' },
  { type: 'timeout-now', from: 'a', to: 'b', term: 0 },
  { type: 'proxy-vote', from: 'a', to: 'b', term: 0, lastIndex: 1, lastTerm: 1, sealed: true },
  { type: 'transfer-refused', from: 'a', to: 'b', term: 0 },
  { type: 'read-index-response', from: 'a', to: 'b', term: 0, context: 'r', index: 9, reject: false },
];
const standings: readonly [string, (cluster: TestCluster) => void][] = [
  ['follower', (cluster) => cluster.elect('a')],
  ['new node', () => undefined],
  ['pre-candidate', (cluster) => cluster.node('b').campaign()],
  [
    'candidate',
    (cluster) => {
      cluster.elect('a');
      cluster.node('b').step({ type: 'timeout-now', from: 'a', to: 'b', term: 1 });
    },
  ],
  [
    'leader',
    (cluster) => {
      cluster.elect('b');
      cluster.node('b').transferLeader('a');
    },
  ],
];

describe('§3.3 a message of term 0 that only who is in a term can send is obeyed by nobody', () => {
  for (const [role, begin] of standings) {
    for (const message of ofNoTerm) {
      test(`${message.type}${'pre' in message && message.pre ? ' (pre)' : ''} at a ${role}`, () => {
        const cluster = new TestCluster({ voters: ['a', 'b', 'c'], config: { proxyVotes: true } });
        begin(cluster);
        while (cluster.work('b'));
        const before = JSON.stringify(cluster.node('b').status());
        cluster.node('b').step(message);
        expect(JSON.stringify(cluster.node('b').status())).toBe(before);
        expect(cluster.node('b').hasReady()).toBe(false);
      });
    }
  }
});
