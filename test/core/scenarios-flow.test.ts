/** What a leader sends to a follower, and when it stops and goes on; numbers as in the list of scenarios. */
import { expect, test } from 'vitest';
import type { ProgressStatus } from '../../src/core/status.ts';
import type { Message } from '../../src/core/types.ts';
import { change, TestCluster } from './cluster.ts';
import { append, appendAnswer, entriesOf, entry, voteAnswer } from './messages.ts';

const abc = { voters: ['a', 'b', 'c'] };

function progressOf(cluster: TestCluster, id: string, leader = 'a'): ProgressStatus {
  const found = cluster
    .node(leader)
    .status()
    .progress.find((progress) => progress.id === id);
  if (found === undefined) throw new Error(`no progress of ${id}`);
  return found;
}

/** Time for the leader, with everybody's answers, but for what is lost. */
function run(cluster: TestCluster, ticks: number, lost: (message: Message) => boolean = () => false): void {
  for (let i = 0; i < ticks; i++) {
    cluster.tick('a');
    for (let busy = true; busy; ) {
      busy = false;
      for (const id of cluster.members.keys()) while (cluster.work(id)) busy = true;
      cluster.drop(lost);
      if (cluster.deliver() > 0) busy = true;
    }
  }
}

test('S34: a new leader appends its empty entry however much is uncommitted', () => {
  const cluster = new TestCluster({ ...abc, config: { maxUncommittedBytes: 1, maxEntryBytes: 100 } });
  cluster.elect('a');
  cluster.receive(append({ from: 'a', to: 'b', prevIndex: 1, prevTerm: 1, entries: [entry(2, 1, 'x'.repeat(90))] }));
  cluster.isolate('a');
  for (const id of ['b', 'c']) cluster.node(id).forgetLeader();
  cluster.elect('b');
  expect(cluster.log('b').at(-1)).toBe('2/3');
  expect(cluster.node('b').status()).toMatchObject({ commitIndex: 3, uncommittedBytes: 0 });
});

test('S38: a search for a common entry that runs into what is compacted ends there, on both sides', () => {
  const cluster = new TestCluster(abc);
  // The follower: its log begins after 5, all of it of term 3, and the leader asks about term 1.
  const { disk } = cluster.member('b');
  disk.kept = entriesOf(3, 1, 8);
  disk.hardState = { term: 3, vote: '', commit: 6 };
  disk.applied = 6;
  disk.compact(5);
  cluster.restart('b');
  cluster.receive(append({ term: 4, prevIndex: 7, prevTerm: 1 }));
  cluster.work('b');
  expect(cluster.network).toMatchObject([{ type: 'append-response', reject: true, hintIndex: 4, hintTerm: 0 }]);
  // The leader: the follower's hint lies before what it still holds, and all that is left is a snapshot.
  const other = new TestCluster(abc);
  other.elect('a');
  other.isolate('b');
  other.propose('a', 'x', 'y', 'z');
  other.settle();
  other.member('a').disk.compact(3);
  other.node('a').resumeAfterPause(10);
  other.node('c').forgetLeader();
  other.elect('a');
  expect(progressOf(other, 'b')).toMatchObject({ state: 'probe', nextIndex: 5, matchIndex: 0 });
  other.heal();
  other.sent.length = 0;
  other.receive(appendAnswer({ term: 2, reject: true, index: 4, hintIndex: 2, hintTerm: 1 }));
  other.work('a');
  expect(other.sent).toMatchObject([{ type: 'snapshot-request', to: 'b', snapshot: { index: 4 } }]);
});

test('S42: a follower that has everything returns from probing by a heartbeat', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.node('a').reportUnreachable('b');
  expect(progressOf(cluster, 'b')).toMatchObject({ state: 'probe', matchIndex: 2 });
  cluster.tick('a');
  cluster.settle();
  expect(progressOf(cluster, 'b')).toMatchObject({ state: 'replicate', matchIndex: 2, nextIndex: 3 });
});

test('S43: when everything in a full window is lost, an empty append finds that out', () => {
  const cluster = new TestCluster({ ...abc, config: { maxInflightMessages: 2, maxAppendEntries: 1 } });
  cluster.elect('a');
  cluster.propose('a', 'u', 'v', 'w', 'x');
  cluster.work('a');
  cluster.drop(({ to }) => to === 'b');
  cluster.settle();
  expect(progressOf(cluster, 'b')).toMatchObject({ inflightFull: true, paused: true, matchIndex: 1, nextIndex: 4 });
  cluster.tick('a');
  cluster.settle();
  expect(progressOf(cluster, 'b')).toMatchObject({ state: 'replicate', matchIndex: 5, inflightMessages: 0 });
  expect(cluster.commands('b')).toEqual(['u', 'v', 'w', 'x']);
});

test('S44: bytes in flight are forgotten with the messages they were in', () => {
  const cluster = new TestCluster({ ...abc, config: { maxInflightBytes: 200 } });
  cluster.elect('a');
  const long = 'x'.repeat(150);
  for (let i = 0; i < 5; i++) {
    cluster.propose('a', long);
    cluster.work('a');
    cluster.drop(({ to }) => to === 'b');
    expect(progressOf(cluster, 'b').inflightBytes).toBe(166);
    cluster.node('a').reportUnreachable('b');
    expect(progressOf(cluster, 'b')).toMatchObject({ state: 'probe', inflightBytes: 0, inflightFull: false });
    run(cluster, 2);
    expect(progressOf(cluster, 'b')).toMatchObject({ state: 'replicate', inflightBytes: 0 });
  }
  expect(cluster.commands('b')).toHaveLength(5);
});

test('S45: what is uncommitted is counted in bytes of commands; what is empty is never refused', () => {
  const quiet = { maxUncommittedBytes: 10, compat: { explicitRefusals: false } };
  const cluster = new TestCluster({ ...abc, outside: ['d', 'e'], config: quiet });
  cluster.elect('a');
  const { node } = cluster.member('a');
  expect(node.status().uncommittedBytes).toBe(0);
  // The first is taken whatever its size.
  expect(cluster.propose('a', 'x'.repeat(12))).toMatchObject({ ok: true });
  expect(node.status().uncommittedBytes).toBe(12);
  expect(cluster.propose('a', 'y')).toEqual({ ok: false, reason: 'busy' });
  expect(cluster.propose('a', '', '')).toMatchObject({ ok: true });
  expect(cluster.change('a', change('+d'))).toMatchObject({ ok: true });
  // Comes too early: an empty entry takes its place.
  expect(cluster.change('a', change('+e'))).toMatchObject({ ok: true });
  expect(node.status()).toMatchObject({ uncommittedBytes: 12, lastIndex: 6 });
  cluster.receive(append({ from: 'b', to: 'a', term: 2, prevIndex: 1, prevTerm: 1 }));
  node.forgetLeader();
  node.campaign();
  cluster.work('a');
  for (const pre of [true, false]) {
    cluster.receive(voteAnswer({ term: 3, pre }));
    while (cluster.work('a'));
  }
  expect(node.status()).toMatchObject({ role: 'leader', term: 3, uncommittedBytes: 0 });
});

test('S46: entries of an earlier leadership that are applied free nothing: they were never counted', () => {
  const cluster = new TestCluster({ ...abc, config: { preVote: false } });
  cluster.elect('a');
  cluster.receive(append({ prevIndex: 1, prevTerm: 1, entries: [entry(2, 1, 'a long one of the leader before')] }));
  cluster.isolate('a');
  for (const id of ['b', 'c']) cluster.node(id).forgetLeader();
  cluster.node('b').campaign();
  cluster.work('b');
  cluster.receive(voteAnswer({ from: 'c', to: 'b', term: 2 }));
  while (cluster.work('b'));
  expect(cluster.propose('b', 'mine')).toMatchObject({ ok: true, firstIndex: 4 });
  while (cluster.work('b'));
  cluster.receive(appendAnswer({ from: 'c', to: 'b', term: 2, index: 3 }));
  while (cluster.work('b'));
  expect(cluster.node('b').status()).toMatchObject({ appliedIndex: 3, uncommittedBytes: 4 });
  cluster.receive(appendAnswer({ from: 'c', to: 'b', term: 2, index: 4 }));
  while (cluster.work('b'));
  expect(cluster.node('b').status()).toMatchObject({ appliedIndex: 4, uncommittedBytes: 0 });
});

/** Leader a, whose log begins after 3 and whose snapshot is of 5; c was away all the time and is heard again. */
function behind(config: { readonly snapshotTimeoutTicks?: number } = {}): TestCluster {
  const cluster = new TestCluster({ ...abc, config });
  cluster.elect('a');
  cluster.isolate('c');
  for (const text of ['s', 't', 'u', 'v']) {
    cluster.propose('a', text);
    cluster.settle();
  }
  cluster.member('a').disk.compact(3);
  cluster.node('a').reportUnreachable('c');
  cluster.heal();
  return cluster;
}

const toC = ({ to, type }: Message): boolean => to === 'c' && type === 'snapshot-request';

test('S48: a snapshot that nobody reports on is taken for lost after a while, and sent again', () => {
  const cluster = behind({ snapshotTimeoutTicks: 6 });
  run(cluster, 1, toC);
  expect(cluster.sent.filter(toC)).toHaveLength(1);
  expect(progressOf(cluster, 'c')).toMatchObject({ state: 'snapshot', pendingSnapshot: 5 });
  run(cluster, 5, toC);
  expect(progressOf(cluster, 'c').state).toBe('snapshot');
  expect(cluster.sent.filter(toC)).toHaveLength(1);
  run(cluster, 2);
  expect(cluster.sent.filter(toC)).toHaveLength(2);
  expect(progressOf(cluster, 'c')).toMatchObject({ state: 'replicate', matchIndex: 5 });
  expect(cluster.commands('c')).toEqual(['s', 't', 'u', 'v']);
});

test('S49: a follower that got an older snapshot elsewhere goes on from there, if the log connects', () => {
  const cluster = behind();
  run(cluster, 1, toC);
  cluster.cut('a', 'c');
  cluster.receive(appendAnswer({ from: 'c', index: 2 }));
  // The log begins after 3: 3 is not there any more.
  expect(progressOf(cluster, 'c')).toMatchObject({ state: 'snapshot', matchIndex: 2 });
  cluster.sent.length = 0;
  cluster.receive(appendAnswer({ from: 'c', index: 4 }));
  expect(progressOf(cluster, 'c')).toMatchObject({ state: 'replicate', matchIndex: 4, pendingSnapshot: 0 });
  cluster.work('a');
  expect(cluster.sent).toMatchObject([{ type: 'append-request', to: 'c', prevIndex: 4, entries: [{ index: 5 }] }]);
});

test('S50: a snapshot of what the log holds already commits it, and replaces nothing', () => {
  const cluster = new TestCluster(abc);
  cluster.receive(append({ entries: [...entriesOf(1, 1, 4), entry(5, 1, 'x'), entry(6, 1, 'y')] }));
  cluster.settle();
  cluster.network = [];
  const { conf } = cluster.member('b').disk;
  const snapshot = { index: 5, term: 1, conf: { ...conf, learners: ['z'] }, data: undefined };
  cluster.receive({ type: 'snapshot-request', from: 'a', to: 'b', term: 1, snapshot });
  const ready = cluster.node('b').ready();
  expect(ready).toMatchObject({ snapshot: undefined, hardState: { commit: 5 } });
  expect(ready.committedEntries).toHaveLength(5);
  expect(ready.messagesAfterPersist).toMatchObject([{ type: 'append-response', index: 5, reject: false }]);
  expect(cluster.node('b').status()).toMatchObject({ lastIndex: 6, commitIndex: 5, conf: { learners: [] } });
});

test('S51: a snapshot of what is committed already is answered with the commit index', () => {
  const cluster = new TestCluster(abc);
  cluster.receive(append({ entries: entriesOf(1, 1, 5), commit: 5 }));
  cluster.settle();
  cluster.network = [];
  cluster.member('b').disk.compact(4);
  const { conf } = cluster.member('b').disk;
  const snapshot = { index: 3, term: 1, conf, data: undefined };
  cluster.receive({ type: 'snapshot-request', from: 'a', to: 'b', term: 1, snapshot });
  cluster.work('b');
  expect(cluster.network).toMatchObject([{ type: 'append-response', index: 5, reject: false }]);
  expect(cluster.node('b').status()).toMatchObject({ lastIndex: 5, commitIndex: 5 });
});

test('S53: a snapshot from before the joiner was added is of no use to it; one from after is', () => {
  const cluster = new TestCluster({ ...abc, outside: ['d'] });
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.member('a').disk.compact(2);
  const early = cluster.member('a').disk.latest;
  cluster.isolate('d');
  cluster.change('a', change('~d'));
  cluster.settle();
  const ask = (snapshot: typeof early): void =>
    cluster.receive({ type: 'snapshot-request', from: 'a', to: 'd', term: 1, snapshot });
  cluster.heal();
  ask(early);
  cluster.work('d');
  expect(cluster.node('d').status()).toMatchObject({ lastIndex: 0, commitIndex: 0 });
  cluster.member('a').disk.compact(3);
  ask(cluster.member('a').disk.latest);
  cluster.work('d');
  expect(cluster.node('d').status()).toMatchObject({ lastIndex: 3, conf: { learners: ['d'] } });
});

test('S54: a log that is compacted while it is read makes the leader send a snapshot', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.isolate('c');
  for (const text of ['x', 'y']) {
    cluster.propose('a', text);
    cluster.settle();
  }
  const { disk } = cluster.member('a');
  disk.latest = { index: 3, term: 1, conf: disk.conf, data: new TextEncoder().encode('x y') };
  const { entries } = disk;
  // The index still says that it is there; by the time it is read it is gone.
  disk.entries = (from, to, maxBytes) => (from <= 3 ? 'compacted' : entries.call(disk, from, to, maxBytes));
  cluster.heal();
  cluster.node('a').reportUnreachable('c');
  run(cluster, 2);
  expect(cluster.sent.filter(toC)).toHaveLength(1);
  expect(cluster.commands('c')).toEqual(['x', 'y']);
});
