/** What goes beyond the thesis: priorities, forgotten leaders, timeouts that change, reasons, and entries not in memory. */
import { expect, test } from 'vitest';
import { describeTrace } from '../../src/core/describe.ts';
import type { RefusalReason } from '../../src/core/outcome.ts';
import type { TraceEvent } from '../../src/core/trace.ts';
import { change, TestCluster } from './cluster.ts';
import { BARE, progressOf, says, startWith, stateOf, termsOf, voteRequest, voteResponse } from './paper.ts';

const abc = { voters: ['a', 'b', 'c'] };

test('the range of election timeouts can be changed: a timeout is drawn from it at once, and from then on', () => {
  const cluster = new TestCluster({ ...abc, config: { ...BARE, electionTicks: 5 } });
  const node = cluster.node('a');
  node.setElectionTimeoutRange({ minTicks: 20, maxTicks: 22 });
  const drawn = new Set<number>();
  for (let i = 0; i < 30; i++) {
    drawn.add(stateOf(cluster, 'a').electionTimeoutTicks);
    node.campaign();
    says(cluster, 'a');
  }
  expect([...drawn].sort()).toEqual([20, 21]);
  const refused = [
    { minTicks: 4, maxTicks: 9 },
    { minTicks: 9, maxTicks: 9 },
    { minTicks: 5.5, maxTicks: 9 },
  ];
  for (const range of refused) expect(() => node.setElectionTimeoutRange(range)).toThrow(/electionTimeoutRange/);
  expect([20, 21]).toContain(stateOf(cluster, 'a').electionTimeoutTicks);
});

test('a candidate of lower priority is refused by a voter with as good a log; of the same or higher it is not', () => {
  const granted = (own: number, theirs: number): boolean => {
    const cluster = startWith({ a: [1], b: [1], c: [1] });
    cluster.node('b').setPriority(own);
    cluster.receive(voteRequest({ priority: theirs, lastIndex: 1, lastTerm: 1 }));
    return says(cluster, 'b').some((message) => message.type === 'vote-response' && !message.reject);
  };
  expect([granted(1, 0), granted(1, 1), granted(1, 2)]).toEqual([false, true, true]);
});

test('whom its leader asked to lead is refused by nobody for its priority', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.node('a').setPriority(10);
  cluster.node('c').setPriority(10);
  cluster.node('a').transferLeader('b');
  cluster.settle();
  expect(cluster.leaders).toEqual(['b']);
});

test('a voter that could not lead itself refuses nobody for priority', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'w'], witnesses: ['w'], config: { ...BARE, priority: 0 } });
  cluster.node('w').setPriority(9);
  cluster.receive(voteRequest({ from: 'a', to: 'w', lastIndex: 0, lastTerm: 0 }));
  expect(says(cluster, 'w')).toMatchObject([{ reject: false }]);
});

test('priority is a wish: a majority without the prior node elects somebody else, two prior voters of three do not', () => {
  const one = new TestCluster({ ...abc, config: BARE });
  one.node('c').setPriority(2);
  one.node('a').campaign();
  one.settle();
  expect(one.leaders).toEqual(['a']);
  const two = new TestCluster({ ...abc, config: BARE });
  for (const id of ['b', 'c']) two.node(id).setPriority(2);
  two.node('a').campaign();
  two.settle();
  expect(two.leaders).toEqual([]);
  two.node('c').campaign();
  two.settle();
  expect(two.leaders).toEqual(['c']);
});

test('who forgets its leader votes at once, keeps its term and timer, and follows again when it hears it', () => {
  const cluster = new TestCluster({ ...abc, config: { preVote: false } });
  cluster.elect('a');
  cluster.tick('b', 3);
  expect(cluster.node('b').forgetLeader()).toBe(true);
  expect(stateOf(cluster, 'b')).toMatchObject({ leader: '', term: 1, electionElapsedTicks: 3 });
  cluster.tick('a');
  cluster.settle();
  expect(stateOf(cluster, 'b').leader).toBe('a');
  cluster.node('b').forgetLeader();
  cluster.receive(voteRequest({}));
  expect(says(cluster, 'b')).toMatchObject([{ reject: false, term: 2 }]);
});

test('under leases no leader is forgotten, and a leader never forgets itself', () => {
  const cluster = new TestCluster({ ...abc, config: { readMode: 'lease' } });
  for (const id of ['a', 'b', 'c']) cluster.tick(id, 10);
  cluster.elect('a');
  expect(cluster.node('b').forgetLeader()).toBe(false);
  expect(stateOf(cluster, 'b').leader).toBe('a');
  const safe = new TestCluster(abc);
  safe.elect('a');
  safe.node('a').forgetLeader();
  expect(safe.leaders).toEqual(['a']);
});

test('told to campaign a node does so at once, without its timeout; a leader goes on leading in its term', () => {
  const cluster = new TestCluster(abc);
  cluster.node('a').campaign();
  expect(stateOf(cluster, 'a').role).toBe('pre-candidate');
  cluster.settle();
  cluster.node('a').campaign();
  cluster.settle();
  expect(stateOf(cluster, 'a')).toMatchObject({ role: 'leader', term: 1 });
});

test('a refusal of an election says why, in the trace', () => {
  const events: TraceEvent[] = [];
  const cluster = new TestCluster({ voters: ['a', 'w'], witnesses: ['w'], config: { trace: (event) => events.push(event) } });
  cluster.node('w').campaign();
  cluster.elect('a');
  cluster.node('a').campaign();
  const refusals = events.filter(({ kind }) => kind === 'campaign-refused').map((event) => describeTrace(event));
  expect(refusals).toEqual(['campaign-refused why=not-promotable', 'campaign-refused why=leader']);
});

/** One situation for every reason a proposal can be refused with. */
const REFUSED: readonly (readonly [RefusalReason, () => { readonly ok: boolean; readonly reason?: RefusalReason }])[] = [
  ['no-leader', () => new TestCluster(abc).propose('b', 'x')],
  [
    'not-leader',
    () => {
      const cluster = new TestCluster({ ...abc, config: { forwardProposals: false } });
      cluster.elect('a');
      return cluster.propose('b', 'x');
    },
  ],
  [
    'busy',
    () => {
      const cluster = new TestCluster({ ...abc, config: { maxUncommittedBytes: 5 } });
      cluster.elect('a');
      cluster.propose('a', 'xxxx');
      return cluster.propose('a', 'yy');
    },
  ],
  ['too-large', () => new TestCluster({ ...abc, config: { maxEntryBytes: 3 } }).propose('a', 'x', 'long')],
  [
    'transfer-in-progress',
    () => {
      const cluster = new TestCluster(abc);
      cluster.elect('a');
      cluster.node('a').transferLeader('b');
      return cluster.propose('a', 'x');
    },
  ],
  [
    'removed',
    () => {
      const cluster = new TestCluster({ ...abc, config: { compat: { stepDownOnRemoval: false } } });
      cluster.elect('a');
      cluster.change('a', change('-a'));
      cluster.settle();
      return cluster.propose('a', 'x');
    },
  ],
];

test.each(REFUSED)('a proposal that is not taken says so: %s', (reason, situation) => {
  expect(situation()).toEqual({ ok: false, reason });
});

test('a refused batch leaves nothing behind: no entry of it is in the log', () => {
  const cluster = new TestCluster({ ...abc, config: { maxEntryBytes: 3 } });
  cluster.elect('a');
  expect(cluster.propose('a', 'x', 'long', 'y')).toEqual({ ok: false, reason: 'too-large' });
  expect(stateOf(cluster, 'a')).toMatchObject({ lastIndex: 1, uncommittedBytes: 0 });
});

test('a vote that is refused says how far its voter has committed, and a request says it of the candidate', () => {
  const cluster = new TestCluster({ ...abc, config: BARE });
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.receive(voteRequest({ from: 'c', lastIndex: 0, lastTerm: 0 }));
  cluster.node('c').campaign();
  cluster.node('c').campaign();
  expect(says(cluster, 'b')).toMatchObject([{ reject: true, commit: 2, commitTerm: 1 }]);
  expect(says(cluster, 'c').find(({ type }) => type === 'vote-request')).toMatchObject({ commit: 2, commitTerm: 1 });
});

test('who is told of a commit index by a vote takes it over if it holds that very entry, and not otherwise', () => {
  const learns = (commitTerm: number): number => {
    const cluster = startWith({ a: [1, 1], b: [1, 1], c: [1, 1] });
    cluster.node('a').campaign();
    says(cluster, 'a');
    cluster.receive(voteResponse({ term: 2, reject: true, commit: 2, commitTerm }));
    return stateOf(cluster, 'a').commitIndex;
  };
  expect([learns(1), learns(2), learns(0)]).toEqual([2, 0, 0]);
});

test('a refusal of an earlier term counts for no election, and what it says is committed is taken over', () => {
  const cluster = startWith({ a: [1, 1], b: [1, 1], c: [1, 1] });
  cluster.node('a').campaign();
  says(cluster, 'a');
  cluster.receive(voteResponse({ term: 1, reject: true, commit: 2, commitTerm: 1 }));
  cluster.receive(voteResponse({ from: 'c', term: 1, reject: true, commit: 2, commitTerm: 2 }));
  expect(stateOf(cluster, 'a')).toMatchObject({ commitIndex: 2, role: 'candidate', term: 2 });
});

test('commit information in votes can be switched off', () => {
  const cluster = new TestCluster({ ...abc, config: { ...BARE, compat: { commitInVotes: false } } });
  cluster.elect('a');
  cluster.receive(voteRequest({ lastIndex: 0, lastTerm: 0 }));
  expect(says(cluster, 'b')).toMatchObject([{ reject: true, commit: 0, commitTerm: 0 }]);
});

test('a witness is sent the terms and the configuration changes, and no command', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'w'], witnesses: ['w'], outside: ['d'] });
  cluster.elect('a');
  cluster.propose('a', 'secret');
  cluster.change('a', change('+d'));
  cluster.settle();
  expect(cluster.log('w')).toEqual(['1/1', '1/2', '1/3 conf +d']);
  expect(stateOf(cluster, 'w').conf).toMatchObject({ voters: ['a', 'b', 'd', 'w'], witnesses: ['w'] });
  expect(cluster.log('d')).toContain('1/2 "secret"');
});

test('a snapshot for a witness comes without the state', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'w'], witnesses: ['w'] });
  cluster.elect('a');
  cluster.isolate('w');
  cluster.propose('a', 'secret');
  cluster.settle();
  cluster.member('a').disk.compact(2);
  cluster.heal();
  cluster.node('a').reportUnreachable('w');
  cluster.tick('a');
  cluster.settle();
  const snapshots = cluster.sent.filter((message) => message.type === 'snapshot-request');
  expect(snapshots).toMatchObject([{ to: 'w', snapshot: { index: 2, data: undefined } }]);
  expect(progressOf(cluster, 'a', 'w')).toMatchObject({ matchIndex: 2, state: 'replicate' });
});

test('committed entries that are not in memory are applied once they are fetched, and asked for once', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x', 'y');
  cluster.settle();
  cluster.crash('a');
  const { disk } = cluster.member('a');
  disk.applied = 0;
  disk.commands.length = 0;
  disk.inMemoryFrom = 99;
  cluster.restart('a');
  cluster.settle();
  expect([cluster.commands('a'), cluster.node('a').hasReady()]).toEqual([[], false]);
  disk.inMemoryFrom = 0;
  expect(cluster.node('a').hasReady()).toBe(false);
  cluster.node('a').onEntriesFetched();
  cluster.settle();
  expect(cluster.commands('a')).toEqual(['x', 'y']);
});

test('while it cannot tell whether a configuration change is to be applied, a node holds no election', () => {
  const cluster = new TestCluster({ ...abc, config: BARE });
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.crash('a');
  cluster.member('a').disk.applied = 0;
  cluster.member('a').disk.inMemoryFrom = 99;
  cluster.restart('a');
  cluster.node('a').campaign();
  expect(stateOf(cluster, 'a').role).toBe('follower');
  cluster.member('a').disk.inMemoryFrom = 0;
  cluster.node('a').onEntriesFetched();
  cluster.settle();
  cluster.node('a').campaign();
  expect(stateOf(cluster, 'a').role).toBe('candidate');
});

test('a follower whose entries are being fetched holds up no other', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.isolate('c');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.heal();
  cluster.member('a').disk.inMemoryFrom = 3;
  cluster.node('a').reportUnreachable('c');
  cluster.propose('a', 'y');
  cluster.settle();
  expect([cluster.commands('b'), termsOf(cluster, 'c')]).toEqual([['x', 'y'], [1]]);
  cluster.member('a').disk.inMemoryFrom = 0;
  cluster.node('a').onEntriesFetched();
  cluster.settle();
  expect(cluster.commands('c')).toEqual(['x', 'y']);
});
