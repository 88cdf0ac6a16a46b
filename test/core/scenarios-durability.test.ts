/** What must be durable before it is promised; numbers as in the list of scenarios. */
import { expect, test } from 'vitest';
import { type AppendRequest, makeEntry, NO_BYTES } from '../../src/core/types.ts';
import { TestCluster } from './cluster.ts';

const abc = { voters: ['a', 'b', 'c'] };

function append(fields: Partial<AppendRequest>): AppendRequest {
  return {
    type: 'append-request',
    from: 'c',
    to: 'b',
    term: 2,
    prevIndex: 0,
    prevTerm: 0,
    commit: 0,
    entries: [],
    ...fields,
  };
}

test('S1: a crash before the vote is written leaves no grant behind, and one after it no second vote', () => {
  const cluster = new TestCluster({ ...abc, config: { preVote: false } });
  cluster.member('c').holdsWrites = true;
  cluster.node('a').campaign();
  cluster.node('b').campaign();
  cluster.work('a');
  cluster.work('b');
  cluster.deliver(({ from, to }) => from === 'a' && to === 'c');
  cluster.work('c');
  cluster.crash('c');
  expect(cluster.sent.filter(({ from }) => from === 'c')).toEqual([]);
  cluster.restart('c');
  cluster.member('c').holdsWrites = false;
  cluster.receive({ ...vote, from: 'b' });
  cluster.work('c');
  cluster.crash('c');
  cluster.restart('c');
  cluster.receive({ ...vote, from: 'a' });
  cluster.work('c');
  const answers = cluster.sent.filter(({ from, type }) => from === 'c' && type === 'vote-response');
  expect(answers).toMatchObject([
    { to: 'b', term: 1, reject: false },
    { to: 'a', term: 1, reject: true },
  ]);
});

const vote = {
  type: 'vote-request',
  from: 'a',
  to: 'c',
  term: 1,
  pre: false,
  lastIndex: 0,
  lastTerm: 0,
  transfer: false,
  priority: 0,
  commit: 0,
  commitTerm: 0,
} as const;

test('S2: neither a follower nor the leader itself counts an entry that it has not written', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.isolate('c');
  cluster.member('a').holdsWrites = true;
  cluster.member('b').holdsWrites = true;
  cluster.propose('a', 'x');
  cluster.work('a');
  // The leader sends before its own write.
  expect(cluster.network).toMatchObject([
    { type: 'append-request', to: 'b' },
    { type: 'append-request', to: 'c' },
  ]);
  cluster.settle();
  expect(cluster.sent.some((message) => message.type === 'append-response' && message.index === 2)).toBe(false);
  cluster.finishWrites('b');
  cluster.settle();
  expect(cluster.node('a').status().commitIndex).toBe(1);
  cluster.finishWrites('a');
  cluster.settle();
  expect(cluster.node('a').status().commitIndex).toBe(2);
});

test('S5: a single voter does not apply an entry in the Ready that hands it out for writing', () => {
  const cluster = new TestCluster({ voters: ['a'], config: { asyncStorageWrites: false } });
  const node = cluster.node('a');
  const handedOutWith: boolean[] = [];
  const drain = (): void => {
    while (node.hasReady()) {
      const ready = node.ready();
      const saved = new Set(ready.entries.map(({ index }) => index));
      handedOutWith.push(ready.committedEntries.some(({ index }) => saved.has(index)));
      cluster.member('a').disk.write(ready);
      node.advance();
    }
  };
  node.campaign();
  drain();
  cluster.propose('a', 'x');
  drain();
  expect(node.status()).toMatchObject({ role: 'leader', lastIndex: 2, appliedIndex: 2 });
  expect(handedOutWith).not.toContain(true);
});

test('S8: a late mark of an older term does not make stable what was rewritten twice', () => {
  const cluster = new TestCluster(abc);
  cluster.member('b').holdsWrites = true;
  const one = makeEntry(1, 1, 'normal', 0, NO_BYTES, undefined);
  cluster.receive(append({ from: 'a', term: 1, entries: [one] }));
  cluster.work('b');
  const late = cluster.member('b').writing[0]?.mark;
  expect(late).toMatchObject({ term: 1, index: 1, logTerm: 1 });
  cluster.receive(append({ term: 2, entries: [makeEntry(1, 2, 'normal', 0, NO_BYTES, undefined)] }));
  cluster.work('b');
  cluster.receive(append({ from: 'a', term: 3, entries: [one] }));
  if (late !== undefined) cluster.node('b').persisted(late);
  expect(cluster.node('b').status()).toMatchObject({ lastIndex: 1, lastTerm: 1, stableIndex: 0 });
  cluster.work('b');
  cluster.finishWrites('b');
  expect(cluster.node('b').status().stableIndex).toBe(1);
  expect(cluster.log('b')).toEqual(['1/1']);
});

test('S10: what replaces entries whose write is under way is handed out as well', () => {
  const cluster = new TestCluster(abc);
  cluster.member('b').holdsWrites = true;
  const of = (term: number, ...indexes: number[]): AppendRequest['entries'] =>
    indexes.map((index) => makeEntry(index, term, 'normal', 0, NO_BYTES, undefined));
  cluster.receive(append({ from: 'a', term: 1, entries: of(1, 1, 2, 3) }));
  cluster.work('b');
  cluster.receive(append({ term: 2, prevIndex: 1, prevTerm: 1, entries: of(2, 2) }));
  const ready = cluster.node('b').ready();
  expect(ready.entries).toMatchObject([{ index: 2, term: 2 }]);
});

test('S11: what is committed and not written here is not applied', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.member('a').holdsWrites = true;
  cluster.propose('a', 'x');
  cluster.settle();
  expect(cluster.node('a').status()).toMatchObject({ commitIndex: 2, stableIndex: 1, appliedIndex: 1 });
  expect(cluster.commands('a')).toEqual([]);
  cluster.finishWrites('a');
  cluster.settle();
  expect(cluster.commands('a')).toEqual(['x']);
});

test('S14: with a snapshot to write, its entries follow it and nothing is applied before', () => {
  const cluster = new TestCluster(abc);
  const { conf } = cluster.member('b').disk;
  cluster.member('b').holdsWrites = true;
  cluster.receive({
    type: 'snapshot-request',
    from: 'c',
    to: 'b',
    term: 2,
    snapshot: { index: 5, term: 1, conf, data: undefined },
  });
  const entries = [makeEntry(6, 2, 'normal', 0, new TextEncoder().encode('x'), undefined)];
  cluster.receive(append({ prevIndex: 5, prevTerm: 1, commit: 6, entries }));
  const ready = cluster.node('b').ready();
  expect(ready).toMatchObject({ snapshot: { index: 5 }, entries: [{ index: 6 }], committedEntries: [] });
  expect(cluster.node('b').hasReady()).toBe(false);
  cluster.member('b').disk.write(ready);
  if (ready.mark !== undefined) cluster.node('b').persisted(ready.mark);
  cluster.work('b');
  expect(cluster.commands('b')).toEqual(['x']);
});
