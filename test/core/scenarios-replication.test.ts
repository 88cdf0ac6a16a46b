/** Replication; numbers as in the list of scenarios. */
import { expect, test } from 'vitest';
import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import type { TraceEvent } from '../../src/core/trace.ts';
import {
  type AppendRequest,
  type AppendResponse,
  type Entry,
  makeEntry,
  NO_BYTES,
  type SnapshotRequest,
} from '../../src/core/types.ts';
import { change, TestCluster } from './cluster.ts';

const abc = { voters: ['a', 'b', 'c'] };

function entry(index: number, term: number): Entry {
  return makeEntry(index, term, 'normal', 0, NO_BYTES, undefined);
}

function append(fields: Partial<AppendRequest>): AppendRequest {
  return {
    type: 'append-request',
    from: 'c',
    to: 'b',
    term: 1,
    prevIndex: 0,
    prevTerm: 0,
    commit: 0,
    entries: [],
    ...fields,
  };
}

function answer(fields: Partial<AppendResponse>): AppendResponse {
  return {
    type: 'append-response',
    from: 'b',
    to: 'a',
    term: 1,
    index: 0,
    reject: false,
    hintIndex: 0,
    hintTerm: 0,
    commit: 0,
    ...fields,
  };
}

function progressOf(cluster: TestCluster, leader: string, id: string): unknown {
  return cluster
    .node(leader)
    .status()
    .progress.find((progress) => progress.id === id);
}

test('S33: an entry of an earlier term on a majority is committed only with one of the own term', () => {
  const cluster = new TestCluster({ ...abc, config: { preVote: false, maxAppendEntries: 1 } });
  cluster.receive(append({ to: 'a', from: 'b', entries: [entry(1, 1), entry(2, 1)] }));
  cluster.settle();
  cluster.node('a').forgetLeader();
  cluster.node('a').campaign();
  cluster.work('a');
  cluster.deliver(({ type, to }) => type === 'vote-request' && to === 'b');
  cluster.work('b');
  cluster.deliver(({ type }) => type === 'vote-response');
  expect(cluster.node('a').status()).toMatchObject({ role: 'leader', term: 2, lastIndex: 3 });
  while (cluster.work('a'));
  cluster.receive(answer({ term: 2, index: 2 }));
  expect(cluster.node('a').status().commitIndex).toBe(0);
  cluster.receive(answer({ term: 2, index: 3 }));
  expect(cluster.node('a').status().commitIndex).toBe(3);
});

test('S35: an append from before the commit index is answered with the commit index, not refused', () => {
  const cluster = new TestCluster(abc);
  cluster.receive(append({ entries: [entry(1, 1), entry(2, 1), entry(3, 1)], commit: 3 }));
  cluster.settle();
  cluster.receive(append({ prevIndex: 1, prevTerm: 1, entries: [entry(2, 1)] }));
  cluster.work('b');
  expect(cluster.network).toMatchObject([{ type: 'append-response', reject: false, index: 3 }]);
  expect(cluster.log('b')).toEqual(['1/1', '1/2', '1/3']);
});

test('S36: an append commits no further than what it proves', () => {
  const cluster = new TestCluster(abc);
  cluster.receive(append({ entries: [entry(1, 1), entry(2, 1), entry(3, 1)] }));
  cluster.settle();
  cluster.receive(append({ term: 2, prevIndex: 1, prevTerm: 1, commit: 3 }));
  expect(cluster.node('b').status()).toMatchObject({ lastIndex: 3, commitIndex: 1 });
  cluster.receive(append({ term: 2, prevIndex: 1, prevTerm: 1, entries: [entry(2, 1)], commit: 3 }));
  expect(cluster.node('b').status().commitIndex).toBe(2);
});

test('S37: a heartbeat commits what the follower is known to hold, and never past its log', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.isolate('c');
  cluster.propose('a', 'x', 'y');
  cluster.settle();
  cluster.tick('a', 5);
  cluster.work('a');
  const beats = cluster.network.filter(({ type }) => type === 'heartbeat-request');
  expect(beats.find(({ to }) => to === 'b')).toMatchObject({ commit: 3 });
  expect(beats.find(({ to }) => to === 'c')).toMatchObject({ commit: 1 });
  cluster.heal();
  cluster.receive({ type: 'heartbeat-request', from: 'a', to: 'c', term: 1, commit: 99, round: 0 });
  expect(cluster.node('c').status()).toMatchObject({ commitIndex: 1, lastIndex: 1 });
});

test('S39: an old append keeps the longer log', () => {
  const cluster = new TestCluster(abc);
  cluster.receive(append({ entries: [entry(1, 1), entry(2, 1), entry(3, 1)] }));
  cluster.receive(append({ entries: [entry(1, 1)] }));
  expect(cluster.node('b').status()).toMatchObject({ lastIndex: 3, lastTerm: 1 });
  cluster.receive(append({ prevIndex: 1, prevTerm: 1, entries: [entry(2, 1)], commit: 2 }));
  expect(cluster.node('b').status()).toMatchObject({ lastIndex: 3, lastTerm: 1, commitIndex: 2 });
});

const contradictions: Readonly<Record<string, AppendRequest | SnapshotRequest>> = {
  'an entry': append({ term: 2, prevIndex: 1, prevTerm: 1, entries: [entry(2, 2)], commit: 2 }),
  'a later entry': append({ term: 2, entries: [entry(1, 1), entry(2, 2), entry(3, 2)] }),
  'the entry before': append({ term: 2, prevIndex: 2, prevTerm: 2, entries: [entry(3, 2)], commit: 3 }),
  'an entry further back': append({ term: 2, prevIndex: 1, prevTerm: 2 }),
  'a snapshot': {
    type: 'snapshot-request',
    from: 'c',
    to: 'b',
    term: 2,
    snapshot: { index: 2, term: 2, conf: EMPTY_CONF, data: undefined },
  },
};

for (const [what, message] of Object.entries(contradictions)) {
  test(`S39: a leader that contradicts what is committed is heard no more in its term: ${what}`, () => {
    const events: TraceEvent[] = [];
    const cluster = new TestCluster({ ...abc, config: { trace: (event) => events.push(event) } });
    cluster.receive(append({ from: 'a', entries: [entry(1, 1), entry(2, 1), entry(3, 1)], commit: 2 }));
    cluster.settle();
    const { node } = cluster.member('b');
    cluster.sent.length = 0;
    expect(() => node.step(message)).toThrow(expect.objectContaining({ code: 'log-conflict' }));
    expect(events.filter(({ kind }) => kind === 'contradicted')).toMatchObject([{ leader: 'c', term: 2, committed: 1 }]);
    // Said once; from then on nothing of that leader is taken, and nothing is said that would count for it.
    node.step(message);
    node.step({ type: 'heartbeat-request', from: 'c', to: 'b', term: 2, commit: 3, round: 1 });
    node.step(append({ term: 2, prevIndex: 3, prevTerm: 1, entries: [entry(4, 2)], commit: 4 }));
    while (cluster.work('b'));
    expect(cluster.sent).toEqual([]);
    expect(cluster.log('b')).toEqual(['1/1', '1/2', '1/3']);
    expect(node.status()).toMatchObject({ term: 2, role: 'follower', leader: '', commitIndex: 2, electionElapsedTicks: 0 });
    // The node is well: another leader may come, this node among them.
    node.step(append({ from: 'a', term: 3, prevIndex: 3, prevTerm: 1, entries: [entry(4, 3)], commit: 4 }));
    while (cluster.work('b'));
    expect(node.status()).toMatchObject({ leader: 'a', commitIndex: 4, appliedIndex: 4 });
    expect(cluster.sent).toMatchObject([{ type: 'append-response', to: 'a', reject: false, index: 4 }]);
  });
}

test('S39: after an election timeout the leader is heard again, as voter or learner', () => {
  const cluster = new TestCluster({ ...abc, learners: ['d'] });
  cluster.elect('a');
  for (const to of ['b', 'd']) {
    const { node } = cluster.member(to);
    const forged = append({ to, from: 'a', entries: [entry(1, 0)] });
    expect(() => node.step(forged)).toThrow(expect.objectContaining({ code: 'log-conflict' }));
    node.setElectionTimeout(10);
  }
  cluster.propose('a', 'x');
  cluster.settle();
  expect([cluster.commands('b'), cluster.commands('d')]).toEqual([[], []]);
  for (let i = 0; i < 12; i++) {
    for (const id of ['a', 'b', 'c', 'd']) cluster.tick(id);
    cluster.settle();
  }
  expect(cluster.leaders).toEqual(['a']);
  expect([cluster.commands('b'), cluster.commands('d')]).toEqual([['x'], ['x']]);
});

test('S40: refusals that are old or of another probe change nothing', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x', 'y');
  cluster.settle();
  const before = progressOf(cluster, 'a', 'b');
  expect(before).toMatchObject({ state: 'replicate', matchIndex: 3, nextIndex: 4 });
  cluster.receive(answer({ reject: true, index: 3, hintIndex: 0 }));
  cluster.receive(answer({ reject: true, index: 1, hintIndex: 0 }));
  expect(progressOf(cluster, 'a', 'b')).toMatchObject({ state: 'replicate', matchIndex: 3, nextIndex: 4 });
  cluster.node('a').reportUnreachable('b');
  cluster.propose('a', 'z');
  cluster.work('a');
  cluster.network = [];
  const probe = progressOf(cluster, 'a', 'b');
  expect(probe).toMatchObject({ state: 'probe' });
  cluster.receive(answer({ reject: true, index: 2, hintIndex: 1 }));
  expect(progressOf(cluster, 'a', 'b')).toEqual(probe);
});

test('S40: a probe is answered by the refusal of that probe only', () => {
  const cluster = new TestCluster({ ...abc, config: { preVote: false } });
  cluster.receive(append({ to: 'a', from: 'b', entries: [entry(1, 1), entry(2, 1), entry(3, 1)] }));
  cluster.settle();
  cluster.isolate('b');
  cluster.node('a').forgetLeader();
  cluster.elect('a');
  cluster.heal();
  const probe = { state: 'probe', matchIndex: 0, nextIndex: 4 };
  expect(progressOf(cluster, 'a', 'b')).toMatchObject(probe);
  cluster.receive(answer({ term: 2, reject: true, index: 2, hintIndex: 0 }));
  expect(progressOf(cluster, 'a', 'b')).toMatchObject(probe);
  cluster.receive(answer({ term: 2, reject: true, index: 3, hintIndex: 1, hintTerm: 1 }));
  expect(progressOf(cluster, 'a', 'b')).toMatchObject({ state: 'probe', nextIndex: 2 });
});

test('S41: the next index stays above the match index, whatever order the answers come in', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x', 'y');
  cluster.work('a');
  cluster.network = [];
  cluster.node('a').reportUnreachable('b');
  cluster.receive(answer({ index: 3 }));
  expect(progressOf(cluster, 'a', 'b')).toMatchObject({ matchIndex: 3, nextIndex: 4 });
  cluster.receive(answer({ index: 2 }));
  cluster.receive(answer({ reject: true, index: 3, hintIndex: 0 }));
  expect(progressOf(cluster, 'a', 'b')).toMatchObject({ matchIndex: 3, nextIndex: 4 });
});

test('S47: a leader that has removed itself does not count its own copy', () => {
  const cluster = new TestCluster({ ...abc, config: { compat: { stepDownOnRemoval: false } } });
  cluster.elect('a');
  cluster.change('a', change('-a'));
  cluster.work('a');
  cluster.propose('a', 'x');
  cluster.work('a');
  cluster.network = [];
  cluster.receive(answer({ index: 2 }));
  cluster.work('a');
  expect(cluster.node('a').status()).toMatchObject({ role: 'leader', commitIndex: 2, conf: { voters: ['b', 'c'] } });
  cluster.receive(answer({ index: 3 }));
  expect(cluster.node('a').status().commitIndex).toBe(2);
  cluster.receive(answer({ from: 'c', index: 3 }));
  expect(cluster.node('a').status().commitIndex).toBe(3);
});

test('S52: a snapshot that makes the voter a learner, or has it in the outgoing half only, is taken', () => {
  for (const fields of [
    { voters: ['a', 'c'], learners: ['b'] },
    { voters: ['a', 'c'], votersOutgoing: ['a', 'b'] },
  ]) {
    const cluster = new TestCluster(abc);
    const conf = { ...cluster.member('b').disk.conf, ...fields };
    const snapshot = { index: 5, term: 1, conf, data: undefined };
    cluster.receive({ type: 'snapshot-request', from: 'c', to: 'b', term: 1, snapshot });
    cluster.work('b');
    expect(cluster.node('b').status()).toMatchObject({ lastIndex: 5, commitIndex: 5, conf: fields });
    expect(cluster.network).toMatchObject([{ type: 'append-response', reject: false, index: 5 }]);
  }
});
