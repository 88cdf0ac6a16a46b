/** Thesis §3.8 and §3.9: what outlasts a crash, and what need not. */
import { expect, test } from 'vitest';
import { TestCluster } from './cluster.ts';
import { abc, appendRequest, heartbeat, run, says, startWith, stateOf, termsOf, voteRequest } from './paper.ts';

test('§3.8 a vote leaves once it is written, also in a term that is written already', () => {
  const cluster = startWith({ a: [], b: [], c: [] }, abc.config, { b: 2 });
  cluster.member('b').holdsWrites = true;
  cluster.receive(voteRequest({ term: 2 }));
  expect(says(cluster, 'b')).toEqual([]);
  cluster.finishWrites('b');
  expect(cluster.network).toMatchObject([{ type: 'vote-response', term: 2, reject: false }]);
  expect(cluster.member('b').disk.hardState).toMatchObject({ term: 2, vote: 'c' });
});

test('§3.8 entries are acknowledged once they are written, and not if the write never ended', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.member('b').holdsWrites = true;
  cluster.receive(appendRequest({ prevIndex: 1, prevTerm: 1, entries: run(2, [1]) }));
  expect(says(cluster, 'b')).toEqual([]);
  cluster.crash('b');
  cluster.restart('b');
  expect(stateOf(cluster, 'b').lastIndex).toBe(1);
  expect(says(cluster, 'b')).toEqual([]);
});

test('§3.8 a leader that restarts is a follower with its term, its vote and its log', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.crash('a');
  cluster.restart('a');
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'follower', leader: '', term: 1, vote: 'a', lastIndex: 2, lastTerm: 1 });
});

test('§3.8 the commit index may be lost: it is learned again, and nothing is applied twice or left out', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x', 'y');
  cluster.settle();
  for (const id of ['a', 'b', 'c']) {
    cluster.crash(id);
    cluster.member(id).disk.hardState = { ...cluster.member(id).disk.hardState, commit: 0 };
    cluster.restart(id);
  }
  cluster.elect('b');
  for (const id of ['a', 'b', 'c']) expect(cluster.commands(id)).toEqual(['x', 'y']);
});

test('§3.8 a machine that was lost is built again from the log', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x', 'y');
  cluster.settle();
  cluster.crash('c');
  const { disk } = cluster.member('c');
  disk.applied = 0;
  disk.commands.length = 0;
  cluster.restart('c');
  cluster.settle();
  expect(cluster.commands('c')).toEqual(['x', 'y']);
});

test('§3.8 what must be synced says so: entries, a term or a vote do, a commit index does not', () => {
  const cluster = new TestCluster(abc);
  const syncs: boolean[] = [];
  const take = (): void => {
    const ready = cluster.node('b').ready();
    syncs.push(ready.mustSync);
    if (ready.mark === undefined) return;
    cluster.member('b').disk.write(ready);
    cluster.node('b').persisted(ready.mark);
  };
  cluster.receive(voteRequest({ term: 2, from: 'a' }));
  take();
  cluster.receive(appendRequest({ term: 2, entries: run(1, [2]) }));
  take();
  cluster.receive(heartbeat({ term: 2, commit: 1 }));
  take();
  expect(syncs).toEqual([true, true, false]);
});

test('§3.9 with elections that outlast the messages a leader is found, and is kept', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c', 'd', 'e'] });
  const leaders = new Set<string>();
  for (let i = 0; i < 200; i++) {
    for (const id of cluster.members.keys()) cluster.tick(id);
    cluster.settle();
    for (const id of cluster.leaders) leaders.add(id);
  }
  expect(cluster.leaders).toHaveLength(1);
  expect(leaders.size).toBe(1);
  expect(termsOf(cluster, 'e')).toEqual([stateOf(cluster, 'e').term]);
});
