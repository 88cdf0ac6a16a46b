/** Raft §5.3, thesis §3.5: the consistency check, and how logs are brought together again. */
import { expect, test } from 'vitest';
import type { AppendResponse, Term } from '../../src/core/types.ts';
import type { TestCluster } from './cluster.ts';
import { abc, appendRequest, appendResponse, progressOf, run, says, startWith, stateOf, termsOf } from './paper.ts';

const LEADER: readonly Term[] = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];

/** The followers of Figure 7. */
const FIGURE_7: Readonly<Record<string, readonly Term[]>> = {
  a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
  b: [1, 1, 1, 4],
  c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
  d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
  e: [1, 1, 1, 4, 4, 4, 4],
  f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
};

/** A leader of term 8 with the log of Figure 7, one follower as given, and a third node that gives it its majority. */
function leaderOver(follower: readonly Term[]): TestCluster {
  const cluster = startWith({ l: LEADER, f: follower, v: LEADER }, abc.config, { l: 7, f: 7, v: 7 });
  cluster.isolate('f');
  cluster.elect('l');
  cluster.heal();
  return cluster;
}

function refusals(cluster: TestCluster, from: string): AppendResponse[] {
  return cluster.sent.filter(
    (message): message is AppendResponse => message.type === 'append-response' && message.reject && message.from === from,
  );
}

test.each(Object.entries(FIGURE_7))('§5.3 Figure 7 (%s): the follower ends with the log of the leader', (_name, terms) => {
  const cluster = leaderOver(terms);
  cluster.tick('l');
  cluster.settle();
  expect(termsOf(cluster, 'f')).toEqual([...LEADER, 8]);
  expect(cluster.commands('f')).toEqual(cluster.commands('l'));
});

test('§5.3 a refused leader goes back a term at a time, not an entry at a time', () => {
  const long = (term: Term): Term[] => Array.from({ length: 50 }, () => term);
  const cluster = startWith(
    { l: [1, ...long(5), ...long(6)], f: [1, ...long(2), ...long(3)], v: [1, ...long(5), ...long(6)] },
    abc.config,
    { f: 6 },
  );
  cluster.isolate('f');
  cluster.elect('l');
  cluster.heal();
  cluster.tick('l');
  cluster.settle();
  expect(termsOf(cluster, 'f')).toEqual(termsOf(cluster, 'l'));
  expect(refusals(cluster, 'f').length).toBeLessThanOrEqual(2);
});

test('§5.3 an append is refused where the entry before it is missing or of another term, and changes nothing', () => {
  const cluster = startWith({ a: [1, 1, 2], b: [1, 1, 2], c: [] });
  cluster.receive(appendRequest({ term: 4, prevIndex: 9, prevTerm: 4, commit: 9, entries: run(10, [4]) }));
  cluster.receive(appendRequest({ term: 4, prevIndex: 3, prevTerm: 3, commit: 9, entries: run(4, [4]) }));
  expect(says(cluster, 'b')).toMatchObject([
    { reject: true, index: 9 },
    { reject: true, index: 3 },
  ]);
  expect(termsOf(cluster, 'b')).toEqual([1, 1, 2]);
  expect(stateOf(cluster, 'b').commitIndex).toBe(0);
});

test('§5.3 a refusal names the last entry of at most the term that was asked about, so that the leader skips the rest', () => {
  const cluster = startWith({ a: [1], b: [1, 1, 3, 3, 5, 5], c: [1] });
  cluster.receive(appendRequest({ term: 6, prevIndex: 6, prevTerm: 4 }));
  cluster.receive(appendRequest({ term: 6, prevIndex: 20, prevTerm: 5 }));
  expect(says(cluster, 'b')).toMatchObject([
    { reject: true, index: 6, hintIndex: 4, hintTerm: 3 },
    { reject: true, index: 20, hintIndex: 6, hintTerm: 5 },
  ]);
});

test('§5.3 the leader skips every entry of its own that is of a later term than the hint', () => {
  const cluster = startWith({ a: [1, 3, 3, 3, 5, 5, 5], b: [], c: [1, 3, 3, 3, 5, 5, 5] });
  cluster.isolate('b');
  cluster.elect('a');
  cluster.heal();
  cluster.drop(() => true);
  cluster.receive(appendResponse({ term: 6, reject: true, index: 7, hintIndex: 6, hintTerm: 2 }));
  expect(progressOf(cluster, 'a', 'b')).toMatchObject({ state: 'probe', nextIndex: 2 });
  expect(says(cluster, 'a')).toMatchObject([{ type: 'append-request', to: 'b', prevIndex: 1, prevTerm: 1 }]);
});

test('§5.3 where the hint is of a term the leader has, it probes at that very place', () => {
  const cluster = startWith({ a: [1, 2, 2, 2, 5], b: [], c: [1, 2, 2, 2, 5] });
  cluster.isolate('b');
  cluster.elect('a');
  cluster.heal();
  cluster.drop(() => true);
  cluster.receive(appendResponse({ term: 6, reject: true, index: 5, hintIndex: 3, hintTerm: 2 }));
  expect(says(cluster, 'a')).toMatchObject([{ to: 'b', prevIndex: 3, prevTerm: 2 }]);
});

test('§5.3 an entry that conflicts goes, and all that follow it; what agrees stays', () => {
  const cluster = startWith({ a: [1], b: [1, 2, 2, 2], c: [1] });
  cluster.receive(appendRequest({ term: 4, prevIndex: 1, prevTerm: 1, entries: run(2, [2, 4]) }));
  says(cluster, 'b');
  expect(termsOf(cluster, 'b')).toEqual([1, 2, 4]);
});

test('§5.3 an append whose entries are all there deletes nothing: it may be late', () => {
  const cluster = startWith({ a: [1], b: [1, 2, 2, 2], c: [1] });
  cluster.receive(appendRequest({ term: 4, prevIndex: 1, prevTerm: 1, entries: run(2, [2]) }));
  cluster.receive(appendRequest({ term: 4, prevIndex: 2, prevTerm: 2, entries: [] }));
  says(cluster, 'b');
  expect(termsOf(cluster, 'b')).toEqual([1, 2, 2, 2]);
});

test('§5.3 a follower commits no further than the last entry that the append showed it to share', () => {
  const cluster = startWith({ a: [1], b: [1, 2, 2, 2], c: [1] });
  cluster.receive(appendRequest({ term: 4, prevIndex: 1, prevTerm: 1, commit: 4, entries: run(2, [2]) }));
  expect(stateOf(cluster, 'b').commitIndex).toBe(2);
  // What came after it was no entry of the leader: committed, it could not be replaced now.
  cluster.receive(appendRequest({ term: 4, prevIndex: 2, prevTerm: 2, commit: 4, entries: run(3, [4, 4]) }));
  says(cluster, 'b');
  expect(termsOf(cluster, 'b')).toEqual([1, 2, 4, 4]);
  expect(cluster.commands('b')).toEqual(['1.1', '2.2', '4.3', '4.4']);
});

test('§5.3 a follower acknowledges what the append showed it to share, not what else it holds', () => {
  const cluster = startWith({ a: [1], b: [1, 2, 2, 2], c: [1] });
  cluster.receive(appendRequest({ term: 4, prevIndex: 1, prevTerm: 1, entries: [] }));
  expect(says(cluster, 'b')).toMatchObject([{ reject: false, index: 1 }]);
  cluster.receive(appendRequest({ term: 4, prevIndex: 1, prevTerm: 1, entries: run(2, [2]) }));
  expect(says(cluster, 'b')).toMatchObject([{ reject: false, index: 2 }]);
});

test('§5.3 entries that only a follower holds are never counted as the leader’s', () => {
  // b holds three entries of a leader that is gone, at places where the new leader will have its own.
  const cluster = startWith({ a: [1, 3], b: [1, 2, 2, 2], c: [1, 3] });
  cluster.isolate('b');
  cluster.elect('a');
  cluster.isolate('c');
  cluster.propose('a', 'x', 'y');
  cluster.settle();
  expect(stateOf(cluster, 'a')).toMatchObject({ lastIndex: 5, commitIndex: 3 });
  cluster.heal();
  cluster.isolate('c');
  cluster.drop(() => true);
  cluster.receive(appendRequest({ term: 4, prevIndex: 1, prevTerm: 1, entries: [] }));
  cluster.work('b');
  cluster.deliver(({ from }) => from === 'b');
  expect(progressOf(cluster, 'a', 'b').matchIndex).toBe(1);
  expect(stateOf(cluster, 'a').commitIndex).toBe(3);
});

test('§5.3 two logs with the same term at an index are the same up to it', () => {
  const cluster = leaderOver([1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]);
  cluster.propose('l', 'x');
  cluster.tick('l');
  for (let round = 0; round < 30; round++) {
    for (const id of ['l', 'f', 'v']) cluster.work(id);
    cluster.deliver();
    const [ours, theirs] = [cluster.log('l'), cluster.log('f')];
    const terms = [termsOf(cluster, 'l'), termsOf(cluster, 'f')];
    for (let i = Math.min(ours.length, theirs.length); i > 0; i--) {
      if (terms[0]?.[i - 1] !== terms[1]?.[i - 1]) continue;
      expect(theirs.slice(0, i)).toEqual(ours.slice(0, i));
      break;
    }
  }
  expect(cluster.log('f')).toEqual(cluster.log('l'));
});

test('§5.3 a leader does nothing special to repair logs: its appends alone do', () => {
  const cluster = leaderOver([1, 1, 1, 2, 2, 2]);
  const before = cluster.sent.length;
  cluster.tick('l');
  cluster.settle();
  const kinds = new Set(cluster.sent.slice(before).map(({ type }) => type));
  expect([...kinds].sort()).toEqual(['append-request', 'append-response', 'heartbeat-request', 'heartbeat-response']);
  expect(termsOf(cluster, 'f')).toEqual([...LEADER, 8]);
});
