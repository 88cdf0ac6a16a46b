/** Thesis §10.2: writing to the leader's disk in parallel, batching and pipelining. */
import { expect, test } from 'vitest';
import type { AppendRequest } from '../../src/core/types.ts';
import { TestCluster } from './cluster.ts';
import { appendRequest, appendResponse, heartbeat, progressOf, run, says, stateOf, termsOf } from './paper.ts';

const abc = { voters: ['a', 'b', 'c'] };

function ledByA(config = {}): TestCluster {
  const cluster = new TestCluster({ ...abc, config });
  cluster.elect('a');
  return cluster;
}

function appends(cluster: TestCluster, to: string): AppendRequest[] {
  return says(cluster, 'a').filter((message): message is AppendRequest => message.type === 'append-request' && message.to === to);
}

test('§10.2.1 a leader sends an entry while it writes it: the messages do not wait for the disk', () => {
  const cluster = ledByA();
  cluster.member('a').holdsWrites = true;
  cluster.propose('a', 'x');
  expect(appends(cluster, 'b')).toMatchObject([{ entries: [{ index: 2 }] }]);
  expect(termsOf(cluster, 'a')).toEqual([1]);
});

test('§10.2.1 an entry is committed by a majority of followers before the leader has written it', () => {
  const cluster = ledByA();
  cluster.member('a').holdsWrites = true;
  cluster.propose('a', 'x');
  cluster.settle();
  expect(stateOf(cluster, 'a')).toMatchObject({ commitIndex: 2, stableIndex: 1 });
  expect(cluster.commands('b')).toEqual(['x']);
});

test('§10.2.1 the leader counts itself when its write is done, not before', () => {
  const cluster = ledByA();
  cluster.isolate('c');
  cluster.member('a').holdsWrites = true;
  cluster.propose('a', 'x');
  cluster.settle();
  expect(stateOf(cluster, 'a').commitIndex).toBe(1);
  cluster.finishWrites('a');
  expect(stateOf(cluster, 'a').commitIndex).toBe(2);
});

test('§10.2.1 several writes may be under way; each that ends acknowledges what it made durable', () => {
  const cluster = ledByA();
  cluster.member('b').holdsWrites = true;
  for (const [index, command] of ['x', 'y', 'z'].entries()) {
    cluster.propose('a', command);
    cluster.work('a');
    cluster.deliver(({ to }) => to === 'b');
    cluster.work('b');
    expect(cluster.member('b').writing).toHaveLength(index + 1);
  }
  cluster.drop(() => true);
  const answers = [1, 2, 3].map(() => {
    cluster.network = [];
    cluster.finishWrites('b', 1);
    return cluster.network.map((message) => (message.type === 'append-response' ? message.index : 0));
  });
  expect(answers).toEqual([[2], [3], [4]]);
});

test('§10.2.1 a write that ends after its entries were replaced makes nothing durable that is not', () => {
  const cluster = ledByA();
  cluster.member('b').holdsWrites = true;
  cluster.receive(appendRequest({ prevIndex: 1, prevTerm: 1, entries: run(2, [1, 1]) }));
  cluster.work('b');
  cluster.receive(appendRequest({ from: 'c', term: 2, prevIndex: 1, prevTerm: 1, entries: run(2, [2, 2]) }));
  cluster.work('b');
  cluster.finishWrites('b', 1);
  expect(stateOf(cluster, 'b').stableIndex).toBe(1);
  cluster.finishWrites('b', 1);
  expect(stateOf(cluster, 'b').stableIndex).toBe(3);
});

test('§10.2.1 a follower applies only what it has written, whatever is committed', () => {
  const cluster = ledByA();
  cluster.member('b').holdsWrites = true;
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.receive(heartbeat({ commit: 2 }));
  cluster.settle();
  expect([stateOf(cluster, 'b').commitIndex, cluster.commands('b')]).toEqual([2, []]);
  cluster.finishWrites('b');
  cluster.settle();
  expect(cluster.commands('b')).toEqual(['x']);
});

test('§10.2.2 what is proposed together travels together: one append to each, one write, one answer', () => {
  const cluster = ledByA();
  for (let i = 0; i < 50; i++) cluster.propose('a', `${i}`);
  const ready = cluster.node('a').ready();
  expect(ready.entries).toHaveLength(50);
  expect(ready.messages.map((message) => (message.type === 'append-request' ? message.entries.length : 0))).toEqual([50, 50]);
  for (const message of ready.messages) cluster.receive(message);
  expect(says(cluster, 'b')).toMatchObject([{ type: 'append-response', index: 51, reject: false }]);
});

test('§10.2.2 a leader sends the next append before the last is answered', () => {
  const cluster = ledByA();
  const sent = ['x', 'y', 'z'].map((command) => {
    cluster.propose('a', command);
    return appends(cluster, 'b').map(({ prevIndex, entries }) => [prevIndex, entries.length]);
  });
  expect(sent).toEqual([[[1, 1]], [[2, 1]], [[3, 1]]]);
  expect(progressOf(cluster, 'a', 'b')).toMatchObject({ state: 'replicate', matchIndex: 1, nextIndex: 5, inflightMessages: 3 });
});

test('§10.2.2 it does so only where it knows that the logs connect: until then one append at a time', () => {
  const cluster = ledByA();
  cluster.node('a').reportUnreachable('b');
  cluster.propose('a', 'x');
  expect(appends(cluster, 'b')).toHaveLength(1);
  cluster.propose('a', 'y');
  expect(appends(cluster, 'b')).toEqual([]);
  cluster.receive(appendResponse({ index: 2 }));
  expect(appends(cluster, 'b')).toMatchObject([{ prevIndex: 2 }]);
  expect(progressOf(cluster, 'a', 'b').state).toBe('replicate');
});

test('§10.2.2 appends that arrive in another order are sorted out by the consistency check', () => {
  const cluster = ledByA();
  for (const command of ['x', 'y', 'z']) {
    cluster.propose('a', command);
    cluster.work('a');
  }
  const toB = cluster.drop(({ to }) => to === 'b').reverse();
  for (const message of toB) cluster.receive(message);
  cluster.settle();
  cluster.tick('a');
  cluster.settle();
  expect(cluster.commands('b')).toEqual(['x', 'y', 'z']);
});

test('§10.2.2 an append that was lost is found missing by the next, and sent again', () => {
  const cluster = ledByA();
  cluster.propose('a', 'x');
  cluster.work('a');
  cluster.drop(({ to }) => to === 'b');
  cluster.propose('a', 'y');
  cluster.settle();
  expect(cluster.commands('b')).toEqual(['x', 'y']);
});

test('§10.2.2 the window is bounded in messages: once full nothing but empty appends until one is answered', () => {
  const cluster = ledByA({ maxInflightMessages: 2 });
  const counts = ['1', '2', '3', '4'].map((command) => {
    cluster.propose('a', command);
    return appends(cluster, 'b').filter(({ entries }) => entries.length > 0).length;
  });
  expect(counts).toEqual([1, 1, 0, 0]);
  expect(progressOf(cluster, 'a', 'b')).toMatchObject({ inflightFull: true, paused: true });
  cluster.receive(appendResponse({ index: 2 }));
  expect(appends(cluster, 'b').flatMap(({ entries }) => entries.map(({ index }) => index))).toEqual([4, 5]);
});

test('§10.2.2 and in bytes', () => {
  const cluster = ledByA({ maxInflightBytes: 100, entryBytes: ({ data }: { data: Uint8Array }) => data.length + 1 });
  const counts = [60, 60, 60].map((bytes) => {
    cluster.propose('a', 'x'.repeat(bytes));
    return appends(cluster, 'b').filter(({ entries }) => entries.length > 0).length;
  });
  expect(counts).toEqual([1, 1, 0]);
});

test('§10.2.2 if all that filled the window was lost, a heartbeat that is answered starts the flow again', () => {
  const cluster = ledByA({ maxInflightMessages: 2 });
  for (const command of ['1', '2', '3']) {
    cluster.propose('a', command);
    cluster.work('a');
    cluster.drop(({ to }) => to === 'b');
  }
  cluster.settle();
  expect(cluster.commands('b')).toEqual([]);
  cluster.tick('a');
  cluster.settle();
  expect(cluster.commands('b')).toEqual(['1', '2', '3']);
});

test('§10.2.2 into a full window a heartbeat’s answer lets one append go, and that one without entries', () => {
  const cluster = ledByA({ maxInflightMessages: 2 });
  for (const command of ['1', '2', '3']) {
    cluster.propose('a', command);
    cluster.work('a');
  }
  cluster.drop(() => true);
  cluster.receive({ type: 'heartbeat-response', from: 'b', to: 'a', term: 1, round: 0 });
  expect(appends(cluster, 'b')).toMatchObject([{ prevIndex: 3, entries: [] }]);
  expect(progressOf(cluster, 'a', 'b')).toMatchObject({ nextIndex: 4, paused: true });
});

test('§10.2.2 one append carries no more than its limits in bytes and in entries, and always at least one entry', () => {
  const bytes = ({ data }: { data: Uint8Array }): number => data.length;
  const sizes = (config: object): number[] => {
    const cluster = ledByA({ entryBytes: bytes, ...config });
    cluster.propose('a', ...['x', 'y', 'z', 'u', 'v'].map((command) => command.repeat(10)));
    cluster.settle();
    return cluster.sent
      .filter((message): message is AppendRequest => message.type === 'append-request' && message.to === 'b')
      .map(({ entries }) => entries.filter(({ data }) => data.length > 0).length)
      .filter((count) => count > 0);
  };
  expect(sizes({ maxAppendBytes: 20 })).toEqual([2, 2, 1]);
  expect(sizes({ maxAppendBytes: 5 })).toEqual([1, 1, 1, 1, 1]);
  expect(sizes({ maxAppendEntries: 3 })).toEqual([3, 2]);
});
