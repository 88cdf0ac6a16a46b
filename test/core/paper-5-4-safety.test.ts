/** Raft §5.4, thesis §3.6: why a committed entry stays. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Term } from '../../src/core/types.ts';
import { TestCluster } from './cluster.ts';
import { abcde, appendRequest, BARE, run, says, startWith, stateOf, termsOf, voteRequest } from './paper.ts';

/** Whether b, with this log, votes for a candidate whose log ends in the given place. */
function votesFor(own: readonly Term[], lastTerm: Term, lastIndex: number): boolean {
  const cluster = startWith({ a: [], b: own, c: [] });
  cluster.receive(voteRequest({ term: 9, lastTerm, lastIndex }));
  return says(cluster, 'b').some((message) => message.type === 'vote-response' && !message.reject);
}

test('§5.4.1 the log that ends in the later term is the more up to date, however short', () => {
  expect([votesFor([1, 1, 1, 1], 2, 1), votesFor([2], 1, 9)]).toEqual([true, false]);
});

test('§5.4.1 of logs that end in the same term the longer is the more up to date; the same is enough for a vote', () => {
  expect([votesFor([1, 2], 2, 3), votesFor([1, 2], 2, 2), votesFor([1, 2], 2, 1)]).toEqual([true, true, false]);
});

test('§5.4.1 what a voter has received and not yet written counts for its log', () => {
  const cluster = startWith({ a: [1, 1], b: [1], c: [1] });
  cluster.member('b').holdsWrites = true;
  cluster.receive(appendRequest({ term: 2, prevIndex: 1, prevTerm: 1, entries: run(2, [2]) }));
  says(cluster, 'b');
  expect(termsOf(cluster, 'b')).toEqual([1]);
  cluster.receive(voteRequest({ term: 9, lastTerm: 1, lastIndex: 7 }));
  says(cluster, 'b');
  cluster.finishWrites('b');
  expect(cluster.sent.filter(({ type }) => type === 'vote-response')).toMatchObject([{ to: 'c', term: 9, reject: true }]);
});

test('§5.4.1 a candidate without all committed entries cannot win, even against those that were not there', () => {
  const cluster = new TestCluster(abcde);
  cluster.elect('a');
  cluster.isolate('e');
  cluster.isolate('d');
  cluster.propose('a', 'x');
  cluster.settle();
  expect(cluster.commands('a')).toEqual(['x']);
  cluster.heal();
  cluster.isolate('a');
  for (let i = 0; i < 3; i++) {
    cluster.node('e').campaign();
    cluster.settle();
  }
  expect(cluster.leaders).toEqual(['a']);
  expect(stateOf(cluster, 'e').role).not.toBe('leader');
  cluster.node('b').campaign();
  cluster.settle();
  expect(stateOf(cluster, 'b').role).toBe('leader');
  expect(cluster.commands('e')).toEqual(['x']);
});

/** Figure 8 (c): s1 leads again, in term 4, and has brought its entry 2 of term 2 to a majority; s5 holds one of term 3. */
function figure8(): TestCluster {
  const logs = { s1: [1, 2], s2: [1, 2], s3: [1], s4: [1], s5: [1, 3] };
  const cluster = startWith(logs, BARE, { s1: 3, s2: 3, s3: 3, s4: 3, s5: 3 });
  cluster.isolate('s5');
  cluster.node('s1').campaign();
  for (let i = 0; i < 4 && stateOf(cluster, 's1').role !== 'leader'; i++) {
    for (const id of ['s1', 's2', 's3', 's4']) while (cluster.work(id));
    cluster.deliver();
  }
  return cluster;
}

/** s1 brings s2 and s3 the old entry, and not yet the one of its own term. */
function oldEntryOnMajority(cluster: TestCluster): void {
  for (const from of ['s2', 's3'])
    cluster.receive({
      type: 'append-response',
      from,
      to: 's1',
      term: 4,
      index: 2,
      reject: false,
      hintIndex: 0,
      hintTerm: 0,
      commit: 0,
    });
}

test('§5.4.2 Figure 8 (c): an entry of an earlier term is not committed by counting its copies', () => {
  const cluster = figure8();
  oldEntryOnMajority(cluster);
  expect(stateOf(cluster, 's1')).toMatchObject({ role: 'leader', term: 4, commitIndex: 0 });
});

test('§5.4.2 Figure 8 (d): and indeed it can still be replaced by a later leader', () => {
  const cluster = figure8();
  cluster.drop(() => true);
  cluster.member('s3').disk.kept = [...cluster.member('s2').disk.kept.slice(0, 2)];
  cluster.crash('s3');
  cluster.restart('s3');
  cluster.crash('s1');
  cluster.heal();
  cluster.tick('s5', 0);
  for (let i = 0; i < 3 && stateOf(cluster, 's5').role !== 'leader'; i++) {
    cluster.node('s5').campaign();
    cluster.settle();
  }
  expect(stateOf(cluster, 's5').role).toBe('leader');
  for (const id of ['s2', 's3', 's4']) expect(termsOf(cluster, id).slice(0, 2)).toEqual([1, 3]);
});

test('§5.4.2 Figure 8 (e): once an entry of its own term is on a majority, so is committed all before it, and s5 cannot win', () => {
  const cluster = figure8();
  cluster.isolate('s4');
  cluster.settle();
  expect(stateOf(cluster, 's1').commitIndex).toBe(3);
  cluster.crash('s1');
  cluster.heal();
  for (let i = 0; i < 3; i++) {
    cluster.node('s5').campaign();
    cluster.settle();
    expect(stateOf(cluster, 's5').role).not.toBe('leader');
  }
  cluster.node('s2').campaign();
  cluster.settle();
  expect(termsOf(cluster, 's5').slice(0, 3)).toEqual([1, 2, 4]);
});

test('§5.4.2 entries keep the term they were made in when a later leader sends them', () => {
  const cluster = startWith({ a: [1, 2, 2], b: [1], c: [1] });
  cluster.elect('a');
  expect([termsOf(cluster, 'b'), termsOf(cluster, 'c')]).toEqual([
    [1, 2, 2, 3],
    [1, 2, 2, 3],
  ]);
});

/** What one input of a schedule is; numbers are taken modulo what there is. */
const input = fc.record({
  what: fc.constantFrom(
    ...[
      'flow',
      'flow',
      'flow',
      'work',
      'deliver',
      'deliver',
      'drop',
      'again',
      'tick',
      'propose',
      'propose',
      'crash',
      'hold',
      'write',
    ],
  ),
  node: fc.constantFrom('a', 'b', 'c'),
  pick: fc.nat(20),
});

/** Election Safety, Log Matching, Leader Completeness and State Machine Safety (Figure 3.2), looked at from outside. */
class Witnessed {
  readonly #leaders = new Map<Term, string>();
  readonly #applied = new Map<number, string>();

  look(cluster: TestCluster): void {
    for (const { id, alive, disk, node } of cluster.members.values()) {
      const { role, term, firstIndex } = node.status();
      if (!alive) continue;
      for (let index = 1; index <= disk.applied; index++) {
        const entry = cluster.log(id)[index - firstIndex];
        if (entry === undefined) throw new Error(`${id} applied ${index} and does not hold it`);
        expect(this.#applied.get(index) ?? entry).toBe(entry);
        this.#applied.set(index, entry);
      }
      if (role !== 'leader') continue;
      if (!this.#leaders.has(term)) this.#completeness(cluster, id);
      expect(this.#leaders.get(term) ?? id).toBe(id);
      this.#leaders.set(term, id);
    }
    this.#matching(cluster);
  }

  /** At its election a leader holds all that was ever committed; the no-op may be on its way to its disk. */
  #completeness(cluster: TestCluster, id: string): void {
    const held = cluster.log(id);
    for (const [index, entry] of this.#applied) expect(held[index - 1]).toBe(entry);
  }

  #matching(cluster: TestCluster): void {
    const logs = [...cluster.members.keys()].map((id) => cluster.log(id));
    for (const one of logs)
      for (const other of logs) {
        let same = Math.min(one.length, other.length);
        while (same > 0 && termIn(one[same - 1]) !== termIn(other[same - 1])) same--;
        expect(other.slice(0, same)).toEqual(one.slice(0, same));
      }
  }
}

function termIn(entry: string | undefined): string {
  return entry?.split('/')[0] ?? '';
}

test.each([
  ['bare', BARE],
  ['with PreVote and check-quorum', {}],
] as const)('§5.4.3 in any schedule of losses, repeats and crashes the properties of Figure 3.2 hold (%s)', (_name, config) => {
  let elected = 0;
  let applied = 0;
  fc.assert(
    fc.property(fc.array(input, { minLength: 80, maxLength: 160 }), (inputs) => {
      const cluster = new TestCluster({ voters: ['a', 'b', 'c'], config: { electionTicks: 3, ...config } });
      const witnessed = new Witnessed();
      cluster.node('a').campaign();
      for (const [i, { what, node, pick }] of inputs.entries()) {
        play(cluster, what, node, pick, i);
        witnessed.look(cluster);
      }
      elected += cluster.leaders.length;
      applied += cluster.commands('a').length + cluster.commands('b').length;
    }),
    { numRuns: 60, seed: 42 },
  );
  // Not for nothing: things happened.
  expect(elected).toBeGreaterThan(10);
  expect(applied).toBeGreaterThan(10);
});

function play(cluster: TestCluster, what: string, id: string, pick: number, i: number): void {
  const member = cluster.member(id);
  const message = cluster.network[pick % Math.max(1, cluster.network.length)];
  if (what === 'flow') {
    // Everything but what goes to one node, which waits.
    for (const one of ['a', 'b', 'c']) while (cluster.work(one));
    cluster.deliver(({ to }) => to !== id || pick % 2 === 0);
    return;
  }
  if (what === 'deliver' || what === 'drop') {
    if (message === undefined) return;
    cluster.drop((one) => one === message);
    if (what === 'deliver') cluster.receive(message);
  } else if (what === 'again') {
    const old = cluster.sent[cluster.sent.length - 1 - pick];
    if (old !== undefined) cluster.receive(old);
  } else if (!member.alive) {
    cluster.restart(id);
  } else if (what === 'work') while (cluster.work(id));
  else if (what === 'tick') cluster.tick(id, 1 + (pick % 3));
  else if (what === 'propose') cluster.propose(id, `${id}${i}`);
  else if (what === 'hold') member.holdsWrites = true;
  else if (what === 'write') {
    cluster.finishWrites(id, 1 + (pick % 3));
    member.holdsWrites = pick % 2 === 0;
  } else if (pick > 14) cluster.crash(id);
}
