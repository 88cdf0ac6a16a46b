/** Raft §5.3, thesis §3.5: log replication, from the leader's side to the machine. */
import { expect, test } from 'vitest';
import { TestCluster } from './cluster.ts';
import { abc, abcde, appendRequest, appendResponse, progressOf, says, startWith, stateOf, termsOf } from './paper.ts';

test('§5.3 a leader appends a command to its own log and asks all the others at once, in parallel', () => {
  const cluster = new TestCluster(abcde);
  cluster.elect('a');
  cluster.propose('a', 'x');
  const ready = cluster.node('a').ready();
  expect(ready.entries.map(({ index, term }) => [index, term])).toEqual([[2, 1]]);
  expect(ready.messages.map(({ type, to }) => [type, to])).toEqual(['b', 'c', 'd', 'e'].map((to) => ['append-request', to]));
});

test('§5.3 an entry is committed when a majority has it, and not with one less', () => {
  const cluster = new TestCluster(abcde);
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.work('a');
  cluster.drop(() => true);
  cluster.receive(appendResponse({ from: 'b', index: 2 }));
  cluster.receive(appendResponse({ from: 'b', index: 2 }));
  expect(stateOf(cluster, 'a').commitIndex).toBe(1);
  cluster.receive(appendResponse({ from: 'c', index: 2 }));
  expect(stateOf(cluster, 'a').commitIndex).toBe(2);
});

test('§5.3 only what is committed is applied, in the order of the log, by everybody', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.isolate('a');
  cluster.propose('a', 'x', 'y');
  cluster.propose('a', 'z');
  cluster.settle();
  expect(cluster.commands('a')).toEqual([]);
  cluster.heal();
  cluster.tick('a');
  cluster.settle();
  for (const id of ['a', 'b', 'c']) expect(cluster.commands(id)).toEqual(['x', 'y', 'z']);
});

test('§5.3 with an entry, all before it are committed, those of earlier leaders too', () => {
  const cluster = startWith({ a: [1, 2, 2], b: [1, 2], c: [1] });
  cluster.elect('a');
  expect(stateOf(cluster, 'a').commitIndex).toBe(4);
  expect(cluster.commands('c')).toEqual(['1.1', '2.2', '2.3']);
});

test('§5.3 a follower applies an entry once it learns that it is committed: from the next message, whichever it is', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.work('a');
  cluster.deliver();
  says(cluster, 'b');
  expect(cluster.commands('b')).toEqual([]);
  cluster.deliver();
  cluster.work('a');
  cluster.drop(({ to }) => to === 'b' || to === 'c');
  cluster.tick('a');
  cluster.settle();
  expect([cluster.commands('b'), cluster.commands('c')]).toEqual([['x'], ['x']]);
});

test('§5.3 a leader asks slow, crashed and cut off followers again for ever, also after it has answered', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.crash('c');
  cluster.propose('a', 'x');
  cluster.settle();
  expect(cluster.commands('a')).toEqual(['x']);
  for (let i = 0; i < 200; i++) {
    cluster.tick('a');
    cluster.settle();
  }
  cluster.restart('c');
  cluster.tick('a');
  cluster.settle();
  expect(cluster.commands('c')).toEqual(['x']);
});

test('§5.3 a leader that was lost each message in turn still gets its entry through', () => {
  for (let lost = 0; lost < 12; lost++) {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.propose('a', 'x');
    for (let round = 0, seen = 0; round < 20; round++) {
      for (const id of ['a', 'b', 'c']) while (cluster.work(id));
      cluster.drop(() => seen++ === lost);
      cluster.deliver();
      if (round % 4 === 3) cluster.tick('a');
    }
    for (const id of ['a', 'b', 'c']) expect([lost, id, cluster.commands(id)]).toEqual([lost, id, ['x']]);
  }
});

test('§5.3 an append carries the place and the term of the entry before its own', () => {
  const cluster = startWith({ a: [1, 2, 2], b: [1, 2, 2], c: [1, 2, 2] });
  cluster.elect('a');
  cluster.propose('a', 'x');
  expect(says(cluster, 'a')).toMatchObject([
    { to: 'b', prevIndex: 4, prevTerm: 3, entries: [{ index: 5, term: 3 }] },
    { to: 'c', prevIndex: 4, prevTerm: 3, entries: [{ index: 5, term: 3 }] },
  ]);
});

test('§5.3 a leader begins with every next index just past its log and every match index at nothing', () => {
  const cluster = startWith({ a: [1, 2, 2], b: [1], c: [1] });
  cluster.node('a').campaign();
  says(cluster, 'a');
  cluster.deliver();
  says(cluster, 'b');
  cluster.deliver();
  says(cluster, 'a');
  expect(progressOf(cluster, 'a', 'c')).toMatchObject({ matchIndex: 0, state: 'probe' });
  expect(cluster.network).toContainEqual(expect.objectContaining({ type: 'append-request', prevIndex: 3, to: 'c' }));
});

test('§5.3 a leader neither overwrites nor deletes what is in its own log, whatever it is sent', () => {
  const cluster = startWith({ a: [1, 2, 2], b: [], c: [] });
  cluster.elect('a');
  const before = termsOf(cluster, 'a');
  cluster.receive(appendRequest({ from: 'b', to: 'a', term: 3, prevIndex: 0, entries: [] }));
  cluster.receive(appendRequest({ from: 'b', to: 'a', term: 1, prevIndex: 1, prevTerm: 1, entries: [] }));
  cluster.settle();
  expect(termsOf(cluster, 'a')).toEqual(before);
});

test('§5.3 a leader makes one entry for an index of its term: two proposals never share a place', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  const first = cluster.propose('a', 'x', 'y');
  const second = cluster.propose('a', 'z');
  expect([first, second]).toMatchObject([
    { firstIndex: 2, lastIndex: 3, term: 1 },
    { firstIndex: 4, lastIndex: 4, term: 1 },
  ]);
});

test('§5.3 a follower that is not the leader passes a command on to who is', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  expect(cluster.propose('b', 'x')).toEqual({ ok: true, forwarded: true });
  cluster.settle();
  for (const id of ['a', 'b', 'c']) expect(cluster.commands(id)).toEqual(['x']);
});

test('§5.3 one slow follower does not hold up the others', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.cut('a', 'c');
  for (const command of ['1', '2', '3']) {
    cluster.propose('a', command);
    cluster.settle();
  }
  expect(cluster.commands('b')).toEqual(['1', '2', '3']);
});

test('§5.5 a request whose answer was lost is sent again, and is harmless the second time', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.work('a');
  const requests = [...cluster.network];
  cluster.deliver();
  says(cluster, 'b');
  cluster.drop(() => true);
  for (const message of requests) cluster.receive(message);
  cluster.settle();
  expect(cluster.commands('b')).toEqual(['x']);
  expect(termsOf(cluster, 'b')).toEqual([1, 1]);
});
