/** Thesis §4.1 and §4.2: one server at a time, catching up, removing the leader, and servers that disturb. */
import { expect, test } from 'vitest';
import { change, TestCluster } from './cluster.ts';
import { appendResponse, BARE, progressOf, says, stateOf, voteRequest, voteResponse } from './paper.ts';

const abc = { voters: ['a', 'b', 'c'], outside: ['d', 'e'] };

function ledByA(config = {}): TestCluster {
  const cluster = new TestCluster({ ...abc, config });
  cluster.elect('a');
  return cluster;
}

test('§4.1 a change is an entry of the log, and is in force on every member that has applied it', () => {
  const cluster = ledByA();
  expect(cluster.change('a', change('+d'))).toMatchObject({ ok: true, firstIndex: 2, lastIndex: 2 });
  expect(stateOf(cluster, 'a').conf.voters).toEqual(['a', 'b', 'c']);
  cluster.settle();
  for (const id of ['a', 'b', 'c', 'd']) expect(stateOf(cluster, id).conf.voters).toEqual(['a', 'b', 'c', 'd']);
});

test('§4.1 the next change waits until the one before is applied', () => {
  const cluster = ledByA();
  cluster.change('a', change('+d'));
  expect(cluster.change('a', change('+e'))).toEqual({ ok: false, reason: 'config-change-in-progress' });
  cluster.settle();
  expect(cluster.change('a', change('+e')).ok).toBe(true);
});

test('§4.1 a new leader takes no change before it has committed and applied an entry of its own term', () => {
  const cluster = ledByA();
  cluster.change('a', change('+d'));
  cluster.work('a');
  cluster.deliver(({ to }) => to === 'b');
  cluster.work('b');
  cluster.isolate('a');
  cluster.isolate('d');
  for (const id of ['b', 'c']) cluster.node(id).forgetLeader();
  cluster.node('b').campaign();
  for (let i = 0; i < 8 && stateOf(cluster, 'b').role !== 'leader'; i++) {
    for (const id of ['b', 'c']) while (cluster.work(id));
    cluster.deliver();
  }
  expect(stateOf(cluster, 'b').role).toBe('leader');
  expect(cluster.change('b', change('+e'))).toEqual({ ok: false, reason: 'config-change-in-progress' });
  cluster.settle();
  expect(cluster.change('b', change('+e')).ok).toBe(true);
});

test('§4.1 a member just added counts for the majority as soon as the change is in force', () => {
  const cluster = ledByA();
  cluster.change('a', change('+d'));
  cluster.settle();
  cluster.isolate('c');
  cluster.isolate('d');
  cluster.propose('a', 'x');
  cluster.settle();
  expect(cluster.commands('a')).toEqual([]);
});

test('§4.1 a server that a voter does not know may still have its vote, and be followed', () => {
  const cluster = new TestCluster({ ...abc, config: BARE });
  cluster.receive(voteRequest({ from: 'z', to: 'b', term: 3 }));
  expect(says(cluster, 'b')).toMatchObject([{ to: 'z', reject: false }]);
});

test('§4.1 a smaller majority is made use of at once: what waited is committed', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c', 'd'] });
  cluster.elect('a');
  cluster.isolate('d');
  cluster.change('a', change('-d'));
  cluster.settle();
  cluster.isolate('c');
  cluster.propose('a', 'x');
  cluster.settle();
  expect(cluster.commands('a')).toEqual(['x']);
});

test('§4.2.1 a learner is sent the log and counts for nothing: neither for commitment nor in elections', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c'], learners: ['l'] });
  cluster.elect('a');
  expect(cluster.sent.filter(({ type, to }) => type === 'vote-request' && to === 'l')).toEqual([]);
  cluster.isolate('b');
  cluster.isolate('c');
  cluster.propose('a', 'x');
  cluster.settle();
  expect(progressOf(cluster, 'a', 'l').matchIndex).toBe(2);
  expect(stateOf(cluster, 'a').commitIndex).toBe(1);
  cluster.heal();
  cluster.tick('a');
  cluster.settle();
  expect(cluster.commands('l')).toEqual(['x']);
});

test('§4.2.1 the vote of a learner is not counted', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c'], learners: ['l'], config: BARE });
  cluster.node('a').campaign();
  says(cluster, 'a');
  cluster.receive(voteResponse({ from: 'l' }));
  expect(stateOf(cluster, 'a').role).toBe('candidate');
});

test('§4.2.1 a learner never campaigns; made a voter, it does', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c'], learners: ['l'] });
  cluster.tick('l', 100);
  expect(stateOf(cluster, 'l')).toMatchObject({ role: 'follower', promotable: false });
  cluster.elect('a');
  cluster.change('a', change('+l'));
  cluster.settle();
  expect(stateOf(cluster, 'l').promotable).toBe(true);
  cluster.node('l').forgetLeader();
  cluster.tick('l', 20);
  expect(stateOf(cluster, 'l').role).toBe('pre-candidate');
});

test('§4.2.1 a learner that is made a voter keeps what the leader knows of its log', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c'], learners: ['l'] });
  cluster.elect('a');
  cluster.settle();
  cluster.isolate('l');
  cluster.change('a', change('+l'));
  cluster.settle();
  expect(progressOf(cluster, 'a', 'l')).toMatchObject({ matchIndex: 1, learner: false });
});

test('§4.2.1 who is removed and added again begins with nothing, whatever it had acknowledged in its earlier life', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c'], learners: ['l'] });
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.settle();
  expect(progressOf(cluster, 'a', 'l').matchIndex).toBe(2);
  cluster.isolate('l');
  // In one change: between removal and addition nothing is applied that would make the leader forget it.
  expect(cluster.change('a', change('-l', '+l')).ok).toBe(true);
  cluster.settle();
  expect(stateOf(cluster, 'a').conf).toMatchObject({ voters: ['a', 'b', 'c', 'l'], votersOutgoing: [] });
  expect(progressOf(cluster, 'a', 'l').matchIndex).toBe(0);
  // So it does not help to commit what it may not have any more.
  cluster.isolate('c');
  const { commitIndex } = stateOf(cluster, 'a');
  cluster.propose('a', 'y');
  cluster.settle();
  expect(stateOf(cluster, 'a').commitIndex).toBe(commitIndex);
});

test('§4.2.2 a leader that removes itself leads until that is committed by the configuration before, and then steps down', () => {
  const cluster = ledByA();
  cluster.change('a', change('-a'));
  cluster.isolate('b');
  cluster.isolate('c');
  cluster.settle();
  expect(stateOf(cluster, 'a').role).toBe('leader');
  cluster.heal();
  cluster.tick('a');
  cluster.settle();
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'follower', conf: { voters: ['b', 'c'] } });
});

test('§4.2.2 a leader that has removed itself goes with a word: the others know that it is committed, and need it no more', () => {
  const cluster = new TestCluster({ voters: ['a', 'b'] });
  cluster.elect('a');
  cluster.change('a', change('-a'));
  cluster.settle();
  cluster.crash('a');
  expect(stateOf(cluster, 'b').conf.voters).toEqual(['b']);
  cluster.node('b').forgetLeader();
  cluster.elect('b');
  expect(cluster.propose('b', 'x').ok).toBe(true);
});

test('§4.2.2 told to go on until it is replaced, it manages a cluster that it is no part of, without counting itself', () => {
  const cluster = ledByA({ compat: { stepDownOnRemoval: false } });
  cluster.change('a', change('-a'));
  cluster.settle();
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'leader', conf: { voters: ['b', 'c'] } });
  expect(cluster.propose('a', 'x')).toEqual({ ok: false, reason: 'removed' });
});

test('§4.2.2 who is not in its configuration holds no election', () => {
  const cluster = ledByA();
  cluster.change('a', change('-c'));
  cluster.settle();
  cluster.tick('a');
  cluster.settle();
  cluster.member('c').node.applyConfChange(change('-c'));
  cluster.tick('c', 100);
  expect(stateOf(cluster, 'c')).toMatchObject({ role: 'follower', promotable: false });
});

test('§4.2.3 a removed server that was not told cannot depose a leader that its voters hear', () => {
  const cluster = ledByA({ preVote: false });
  cluster.isolate('c');
  cluster.change('a', change('-c'));
  cluster.settle();
  cluster.heal();
  for (let i = 0; i < 30; i++) {
    for (const id of ['a', 'b', 'c']) cluster.tick(id);
    cluster.settle();
  }
  expect(stateOf(cluster, 'c').term).toBeGreaterThan(1);
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'leader', term: 1 });
  expect(stateOf(cluster, 'b')).toMatchObject({ leader: 'a', term: 1 });
});

test('§4.2.3 the guard ends with the election timeout: a leader that is gone is replaced', () => {
  const cluster = ledByA({ preVote: false });
  cluster.crash('a');
  cluster.receive(voteRequest({ from: 'c', to: 'b' }));
  expect(says(cluster, 'b')).toEqual([]);
  cluster.node('b').setElectionTimeout(19);
  cluster.tick('b', 10);
  cluster.receive(voteRequest({ from: 'c', to: 'b' }));
  expect(says(cluster, 'b')).toMatchObject([{ type: 'vote-response', term: 2, reject: false }]);
});

test('§4.1 an acknowledgement of somebody who is no member any more counts for nothing', () => {
  const cluster = ledByA();
  cluster.change('a', change('-c'));
  cluster.settle();
  expect(() => cluster.node('a').step(appendResponse({ from: 'c', index: 2 }))).toThrow(
    expect.objectContaining({ code: 'peer-not-found' }),
  );
});
