/** Elections that must be held, and those that must not disturb; numbers as in the list of scenarios. */
import { describe, expect, test } from 'vitest';
import { type ConfigInput, makeConfig } from '../../src/core/config.ts';
import { RawNode } from '../../src/core/raw-node.ts';
import type { Message } from '../../src/core/types.ts';
import { change, TestCluster } from './cluster.ts';
import { append, appendAnswer, entry, heartbeat, voteAnswer, voteAsk } from './messages.ts';

const abc = { voters: ['a', 'b', 'c'] };

/** Starts a node anew with options of its own. */
function restartAs(cluster: TestCluster, id: string, options: Partial<ConfigInput>): void {
  const member = cluster.member(id);
  const { hardState, conf, applied } = member.disk;
  const config = makeConfig({ id, random: () => 0, checkInvariants: true, ...options });
  member.node = new RawNode(config, member.disk, { hardState, conf, applied });
}

function says(cluster: TestCluster, id: string): readonly Message[] {
  const before = cluster.sent.length;
  while (cluster.work(id));
  return cluster.sent.slice(before);
}

/** Time for all of them, a tick each and what follows from it. */
function run(cluster: TestCluster, ticks: number): void {
  for (let i = 0; i < ticks; i++) {
    for (const { id, alive } of cluster.members.values()) if (alive) cluster.tick(id);
    cluster.settle();
  }
}

test('S19: who has just started and knows no leader votes at once, check-quorum or not', () => {
  const cluster = new TestCluster({ ...abc, config: { checkQuorum: true } });
  cluster.receive(voteAsk({ pre: true, term: 1 }));
  cluster.receive(voteAsk({ term: 1 }));
  expect(says(cluster, 'b')).toMatchObject([
    { type: 'vote-response', pre: true, reject: false },
    { type: 'vote-response', pre: false, reject: false },
  ]);
});

test('S22: a new pre-candidacy starts without a leader and without the answers to the last one', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c', 'd', 'e'] });
  cluster.receive(heartbeat({ from: 'b', to: 'a' }));
  const { node } = cluster.member('a');
  const pre = { pre: true, term: 1 };
  node.campaign();
  expect(node.status()).toMatchObject({ role: 'pre-candidate', leader: '', term: 1 });
  says(cluster, 'a');
  for (const from of ['b', 'c']) cluster.receive(voteAnswer({ ...pre, from, reject: true }));
  expect(node.status().role).toBe('pre-candidate');
  node.campaign();
  says(cluster, 'a');
  for (const from of ['b', 'c']) cluster.receive(voteAnswer({ pre: true, term: 2, from }));
  expect(node.status()).toMatchObject({ role: 'candidate', term: 2 });
});

test('S23: a voter two terms behind is no obstacle once the leader is gone, and may ask itself', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.isolate('c');
  for (const id of ['b', 'a']) {
    for (const other of ['a', 'b']) cluster.node(other).forgetLeader();
    cluster.node(id === 'a' ? 'b' : 'a').resumeAfterPause(10);
    cluster.elect(id);
  }
  expect(cluster.node('b').status().term).toBe(3);
  expect(cluster.node('c').status().term).toBe(1);
  cluster.crash('a');
  cluster.heal();
  for (const id of ['b', 'c']) cluster.node(id).forgetLeader();
  // Asking in term 2 it is told of term 3, instead of asking for ever.
  cluster.node('c').campaign();
  cluster.settle();
  expect(cluster.node('c').status()).toMatchObject({ role: 'follower', term: 3 });
  cluster.elect('b');
  expect(cluster.node('c').status()).toMatchObject({ leader: 'b', term: 4 });
});

test('S23: a grant of a voter in an earlier term counts: it carries the term asked about', () => {
  const cluster = new TestCluster({ voters: ['b', 'c'] });
  cluster.member('b').disk.hardState = { term: 3, vote: '', commit: 0 };
  cluster.member('c').disk.hardState = { term: 1, vote: '', commit: 0 };
  for (const id of ['b', 'c']) cluster.restart(id);
  cluster.elect('b');
  expect(cluster.node('c').status()).toMatchObject({ leader: 'b', term: 4 });
});

describe('S24: nodes with and without PreVote', () => {
  test('S24: the longer log in the lower term is elected over a voter whom lonely elections took to a high one', () => {
    const cluster = new TestCluster(abc);
    restartAs(cluster, 'c', { preVote: false });
    cluster.isolate('c');
    cluster.elect('a');
    for (let i = 0; i < 9; i++) cluster.node('c').campaign();
    cluster.settle();
    expect(cluster.node('c').status()).toMatchObject({ role: 'candidate', term: 9 });
    restartAs(cluster, 'c', { preVote: true });
    cluster.crash('a');
    cluster.heal();
    run(cluster, 60);
    expect(cluster.leaders).toEqual(['b']);
    expect(cluster.node('c').status().leader).toBe('b');
  });

  test('S24: a candidate that does not ask first is answered by voters that would', () => {
    const cluster = new TestCluster(abc);
    restartAs(cluster, 'c', { preVote: false });
    cluster.elect('c');
    cluster.crash('c');
    run(cluster, 60);
    expect(cluster.leaders).toHaveLength(1);
    expect(['a', 'b']).toContain(cluster.leaders[0]);
  });
});

for (const [how, config] of Object.entries({ 'asking first': {}, 'not asking first': { preVote: false } })) {
  test(`S30: a removed node that does not know it campaigns in vain, and nobody notices: ${how}`, () => {
    const cluster = new TestCluster({ ...abc, config });
    cluster.elect('a');
    cluster.isolate('c');
    cluster.change('a', change('-c'));
    cluster.settle();
    cluster.heal();
    cluster.sent.length = 0;
    run(cluster, 80);
    expect(cluster.sent.some(({ from, type }) => from === 'c' && type === 'vote-request')).toBe(true);
    expect(cluster.node('c').status().conf.voters).toContain('c');
    for (const id of ['a', 'b']) expect(cluster.node(id).status()).toMatchObject({ term: 1, leader: 'a' });
  });
}

test('S31: a node stranded in a high term makes the leader step down once, and follows the next', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.crash('c');
  cluster.member('c').disk.hardState = { ...cluster.member('c').disk.hardState, term: 9, vote: 'c' };
  cluster.restart('c');
  cluster.tick('a');
  cluster.settle();
  expect(cluster.node('a').status()).toMatchObject({ role: 'follower', term: 9 });
  run(cluster, 40);
  const [leader] = cluster.leaders;
  expect(cluster.leaders).toHaveLength(1);
  const { term } = cluster.node('c').status();
  expect(cluster.node('c').status().leader).toBe(leader);
  run(cluster, 60);
  expect(cluster.leaders).toEqual([leader]);
  expect(cluster.node('c').status()).toMatchObject({ term, leader });
});

test('S32: whose link to the leader is gone forgets it: votes at once, and its own timer goes on', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  const { node } = cluster.member('b');
  node.setElectionTimeout(15);
  cluster.tick('b', 6);
  cluster.receive(voteAsk({ pre: true }));
  expect(says(cluster, 'b')).toEqual([]);
  expect(node.forgetLeader()).toBe(true);
  expect(node.status()).toMatchObject({ leader: '', electionElapsedTicks: 6, term: 1 });
  cluster.receive(voteAsk({ pre: true }));
  expect(says(cluster, 'b')).toMatchObject([{ type: 'vote-response', pre: true, reject: false }]);
  cluster.tick('b', 8);
  expect(node.status().role).toBe('follower');
  cluster.tick('b');
  expect(node.status().role).toBe('pre-candidate');
  // Who leads, or follows nobody, has nothing to forget.
  cluster.node('a').forgetLeader();
  expect(cluster.node('a').status().role).toBe('leader');
});

test('S27: the own acknowledgement of an earlier leadership does not count in a later one', () => {
  const cluster = new TestCluster({ ...abc, config: { preVote: false } });
  cluster.elect('a');
  const { node } = cluster.member('a');
  cluster.propose('a', 'x', 'y');
  const acknowledgement = node.ready().messagesAfterPersist.find(({ to }) => to === 'a');
  expect(acknowledgement).toMatchObject({ type: 'append-response', index: 3, term: 1 });
  cluster.network = [];
  // Another leads, replaces both, and is followed by a leadership of this one whose entries are not written.
  cluster.receive(append({ from: 'b', to: 'a', term: 2, prevIndex: 1, prevTerm: 1, entries: [entry(2, 2)] }));
  cluster.work('a');
  node.forgetLeader();
  node.campaign();
  cluster.work('a');
  cluster.receive(voteAnswer({ term: 3 }));
  cluster.member('a').holdsWrites = true;
  expect(node.status()).toMatchObject({ role: 'leader', term: 3, lastIndex: 3 });
  cluster.work('a');
  if (acknowledgement !== undefined) node.step(acknowledgement);
  node.step(appendAnswer({ term: 3, index: 3 }));
  expect(node.status().commitIndex).toBe(1);
  cluster.finishWrites('a');
  expect(node.status().commitIndex).toBe(3);
});

test('S28: who has applied its own removal, or was never a member, holds no election', () => {
  const cluster = new TestCluster({ ...abc, outside: ['e'], config: { preVote: false } });
  cluster.elect('a');
  cluster.change('a', change('-c'));
  cluster.work('a');
  cluster.deliver();
  for (const id of ['b', 'c']) cluster.work(id);
  cluster.deliver();
  cluster.receive(heartbeat({ to: 'c', commit: 2 }));
  while (cluster.work('c'));
  expect(cluster.node('c').status().conf.voters).toEqual(['a', 'b']);
  for (const id of ['c', 'e']) {
    const before = cluster.node(id).status().term;
    cluster.node(id).campaign();
    cluster.tick(id, 50);
    expect(cluster.node(id).status()).toMatchObject({ role: 'follower', term: before, promotable: false });
  }
});

test('S67: a candidate that holds an old configuration learns of the new one from those that refuse it', () => {
  const cluster = new TestCluster({ ...abc, outside: ['d'] });
  cluster.elect('a');
  cluster.change('a', change('+d', '-a', 'explicit'));
  cluster.work('a');
  cluster.deliver();
  for (const id of ['b', 'c']) cluster.work(id);
  // c has the entry, but never hears that it is committed.
  cluster.isolate('c');
  cluster.settle();
  expect(cluster.node('b').status().conf).toMatchObject({ voters: ['b', 'c', 'd'], votersOutgoing: ['a', 'b', 'c'] });
  // One entry more, that is not committed, makes it refuse c.
  cluster.isolate('d');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.crash('a');
  cluster.heal();
  expect(cluster.node('c').status()).toMatchObject({ commitIndex: 1, conf: { votersOutgoing: [] } });
  for (const id of ['b', 'c', 'd']) cluster.node(id).forgetLeader();
  cluster.node('c').campaign();
  cluster.settle();
  expect(cluster.node('c').status()).toMatchObject({ role: 'follower', commitIndex: 2 });
  expect(cluster.node('c').status().conf).toMatchObject({ voters: ['b', 'c', 'd'], votersOutgoing: ['a', 'b', 'c'] });
});
