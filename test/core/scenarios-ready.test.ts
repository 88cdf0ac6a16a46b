/** What is handed out to be written and applied, and what a restart makes of it; numbers as in the list of scenarios. */
import { describe, expect, test } from 'vitest';
import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import { makeConfig } from '../../src/core/config.ts';
import { RawNode } from '../../src/core/raw-node.ts';
import type { Entry, Ready, SnapshotRequest } from '../../src/core/types.ts';
import { change, TestCluster } from './cluster.ts';
import { Disk } from './disk.ts';
import { append, entriesOf, entry, heartbeat, voteAsk } from './messages.ts';

const abc = { voters: ['a', 'b', 'c'] };
const conf = { ...EMPTY_CONF, voters: ['a', 'b', 'c'] };

function snapshot(index: number): SnapshotRequest {
  const meta = { index, term: 1, conf, data: undefined };
  return { type: 'snapshot-request', from: 'a', to: 'b', term: 1, snapshot: meta };
}

function restart(disk: Disk, applied: number): RawNode {
  const config = makeConfig({ id: 'a', random: () => 0, checkInvariants: true });
  return new RawNode(config, disk, { hardState: disk.hardState, conf: disk.conf, applied });
}

test('S3: a refused vote and a refused append wait for the write as well: they speak of a log that is not durable', () => {
  const cluster = new TestCluster(abc);
  cluster.receive(heartbeat({}));
  cluster.settle();
  cluster.member('b').holdsWrites = true;
  cluster.sent.length = 0;
  cluster.receive(append({ entries: entriesOf(1, 1, 3) }));
  cluster.receive(append({ prevIndex: 9, prevTerm: 1 }));
  cluster.receive(voteAsk({ term: 1, lastIndex: 0, lastTerm: 0 }));
  while (cluster.work('b'));
  expect(cluster.sent).toEqual([]);
  cluster.finishWrites('b');
  expect(cluster.sent).toMatchObject([
    { type: 'append-response', reject: false, index: 3 },
    { type: 'append-response', reject: true, hintIndex: 3, hintTerm: 1 },
    { type: 'vote-response', reject: true },
  ]);
});

test('S4: entries and the commit index that needs them go in one write, and one that outlives them is bounded', () => {
  const cluster = new TestCluster(abc);
  cluster.receive(append({ entries: entriesOf(1, 1, 3), commit: 3 }));
  const ready = cluster.node('b').ready();
  expect(ready.hardState).toEqual({ term: 1, vote: '', commit: 3 });
  expect(ready.entries.map(({ index }) => index)).toEqual([1, 2, 3]);
  // A store that tears the write apart.
  const disk = new Disk(conf);
  disk.write({ ...ready, entries: ready.entries.slice(0, 1) });
  const node = restart(disk, 0);
  expect(node.status()).toMatchObject({ commitIndex: 1, lastIndex: 1 });
  expect(node.ready().committedEntries).toHaveLength(1);
});

test('S6: without asynchronous writes a second Ready before advance is an error', () => {
  const cluster = new TestCluster({ voters: ['a'], config: { asyncStorageWrites: false } });
  const node = cluster.node('a');
  node.campaign();
  cluster.member('a').disk.write(node.ready());
  expect(() => node.ready()).toThrow(expect.objectContaining({ code: 'invariant' }));
  node.advance();
  expect(node.hasReady()).toBe(true);
  node.ready();
});

test('S7: a new commit index alone need not be synced, and a hard state that is the same is not repeated', () => {
  const cluster = new TestCluster(abc);
  cluster.receive(append({ entries: entriesOf(1, 1, 1) }));
  expect(cluster.node('b').ready()).toMatchObject({ mustSync: true, hardState: { term: 1, commit: 0 } });
  cluster.receive(heartbeat({ commit: 1 }));
  expect(cluster.node('b').ready()).toMatchObject({ mustSync: false, hardState: { term: 1, commit: 1 }, entries: [] });
  cluster.receive(heartbeat({ commit: 1, round: 1 }));
  expect(cluster.node('b').ready()).toMatchObject({ mustSync: false, hardState: undefined });
  expect(cluster.node('b').hasReady()).toBe(false);
});

test('S9: a write of nothing but the term names the end of the log too, so that what an old mark left is released', () => {
  const cluster = new TestCluster(abc);
  const { node } = cluster.member('b');
  cluster.receive(append({ entries: entriesOf(1, 1, 2) }));
  const first = node.ready();
  cluster.receive(heartbeat({ from: 'c', term: 2 }));
  const second = node.ready();
  expect(second).toMatchObject({ entries: [], hardState: { term: 2 } });
  expect(second.mark).toMatchObject({ term: 2, index: 2, logTerm: 1 });
  cluster.member('b').disk.write(first);
  if (first.mark !== undefined) node.persisted(first.mark);
  expect(node.status().stableIndex).toBe(0);
  if (second.mark !== undefined) node.persisted(second.mark);
  expect(node.status().stableIndex).toBe(2);
});

test('S9: with nothing left to become durable a mark names its term only, and keeps doing so after the next', () => {
  const cluster = new TestCluster(abc);
  const { node, disk } = cluster.member('b');
  cluster.receive(append({ entries: entriesOf(1, 1, 2) }));
  const written = node.ready();
  disk.write(written);
  if (written.mark !== undefined) node.persisted(written.mark);
  const marks = [heartbeat({ commit: 1 }), heartbeat({ commit: 2 }), heartbeat({ from: 'c', term: 2 })].map((message) => {
    cluster.receive(message);
    return node.ready().mark;
  });
  const idle = { index: 0, logTerm: 0, snapshotIndex: 0, commitWith: 0 };
  expect(marks).toEqual([
    { ...idle, term: 1 },
    { ...idle, term: 1 },
    { ...idle, term: 2 },
  ]);
});

test('S12: what was handed out to be applied before a snapshot came, and is reported after it, sets nothing back', () => {
  const cluster = new TestCluster(abc);
  const { node, disk } = cluster.member('b');
  const written = (): Ready => {
    const ready = node.ready();
    disk.write(ready);
    if (ready.mark !== undefined) node.persisted(ready.mark);
    return ready;
  };
  cluster.receive(append({ entries: entriesOf(1, 1, 3), commit: 3 }));
  written();
  expect(written().committedEntries).toHaveLength(3);
  cluster.receive(snapshot(9));
  expect(written()).toMatchObject({ snapshot: { index: 9 } });
  expect(node.status()).toMatchObject({ appliedIndex: 9, commitIndex: 9 });
  node.applied(2);
  node.applied(3);
  expect(node.status()).toMatchObject({ appliedIndex: 9, commitIndex: 9, conf: { voters: ['a', 'b', 'c'] } });
  cluster.receive(append({ prevIndex: 9, prevTerm: 1, entries: entriesOf(1, 10, 10), commit: 10 }));
  written();
  expect(written().committedEntries).toMatchObject([{ index: 10 }]);
});

test('S13: of two snapshots the first one’s late mark does not stand for the second', () => {
  const cluster = new TestCluster(abc);
  const { node } = cluster.member('b');
  cluster.member('b').holdsWrites = true;
  cluster.receive(snapshot(5));
  cluster.work('b');
  cluster.receive(snapshot(8));
  cluster.work('b');
  cluster.finishWrites('b', 1);
  expect(node.status()).toMatchObject({ appliedIndex: 5, commitIndex: 8, promotable: false });
  cluster.finishWrites('b');
  expect(node.status()).toMatchObject({ appliedIndex: 8, commitIndex: 8, promotable: true });
});

/** Answers with other amounts than it was asked for. */
class OtherDisk extends Disk {
  readonly #count: number;
  constructor(count: number) {
    super(conf);
    this.#count = count;
  }
  override entries(from: number, to: number): readonly Entry[] | 'compacted' | 'unavailable' {
    return super.entries(from, Math.min(to, from + this.#count), Number.MAX_SAFE_INTEGER);
  }
}

describe('S15: committed entries handed out in parts', () => {
  const readers: Readonly<Record<string, () => Disk>> = {
    'as many as fit': () => new Disk(conf),
    'fewer than asked for': () => new OtherDisk(1),
    'more than asked for': () => new OtherDisk(4),
  };
  for (const [what, make] of Object.entries(readers)) {
    test(`S15: none is left out, none comes twice, and the commit index stays: ${what}`, () => {
      const disk = make();
      disk.kept = entriesOf(1, 1, 9);
      disk.hardState = { term: 1, vote: '', commit: 9 };
      const config = makeConfig({ id: 'a', random: () => 0, maxCommittedBytes: 3, checkInvariants: true });
      const node = new RawNode(config, disk, { hardState: disk.hardState, conf, applied: 0 });
      const applied: number[] = [];
      for (let i = 0; i < 20 && node.hasReady(); i++) {
        const ready = node.ready();
        expect(ready.hardState).toBeUndefined();
        expect(ready.committedEntries.length).toBeLessThan(9);
        applied.push(...ready.committedEntries.map(({ index }) => index));
        node.applied(applied.at(-1) ?? 0);
        expect(node.status().commitIndex).toBe(9);
      }
      expect(applied).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });
  }

  test('S15: with a limit on what is applied at once the whole commit index is written', () => {
    const cluster = new TestCluster({ ...abc, config: { maxCommittedBytes: 1 } });
    cluster.receive(append({ entries: entriesOf(1, 1, 5) }));
    cluster.settle();
    cluster.receive(heartbeat({ commit: 5 }));
    expect(cluster.node('b').ready()).toMatchObject({ hardState: { commit: 5 }, committedEntries: [{ index: 1 }] });
  });
});

test('S16: what is applied is committed, whatever the stored commit index says', () => {
  const disk = new Disk(conf);
  disk.kept = entriesOf(1, 1, 5);
  disk.hardState = { term: 1, vote: '', commit: 1 };
  const node = restart(disk, 4);
  expect(node.status()).toMatchObject({ commitIndex: 4, appliedIndex: 4 });
  expect(node.hasReady()).toBe(false);
  node.step(append({ from: 'b', to: 'a', prevIndex: 5, prevTerm: 1, commit: 5 }));
  expect(node.ready().committedEntries).toMatchObject([{ index: 5 }]);
});

test('S17: a configuration stored with the state is brought up to date by the changes after it', () => {
  const cluster = new TestCluster({ ...abc, outside: ['d'] });
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.settle();
  const { disk } = cluster.member('a');
  disk.compact(1);
  const { latest } = disk;
  cluster.change('a', change('+d'));
  cluster.settle();
  cluster.crash('a');
  // Everything since the snapshot is lost but the log: the state, and the configuration with it.
  disk.conf = latest.conf;
  disk.applied = latest.index;
  cluster.restart('a');
  expect(cluster.node('a').status().conf.voters).toEqual(['a', 'b', 'c']);
  cluster.settle();
  expect(cluster.node('a').status()).toMatchObject({ appliedIndex: 3, conf: { voters: ['a', 'b', 'c', 'd'] } });
});

test('S55: a run that was handed out, to the disk or to the network, stays what it was', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x', 'y');
  const ready = cluster.node('a').ready();
  const sent = ready.messages.flatMap((message) => (message.type === 'append-request' ? [message.entries] : []));
  const runs = [ready.entries, ...sent];
  expect(runs.map((run) => run.map(({ index, term }) => [index, term]))).toEqual(
    Array(3).fill([
      [2, 1],
      [3, 1],
    ]),
  );
  cluster.propose('a', 'z');
  cluster.node('a').ready();
  // Another leader replaces them.
  cluster.receive(append({ from: 'b', to: 'a', term: 2, prevIndex: 1, prevTerm: 1, entries: [entry(2, 2), entry(3, 2)] }));
  cluster.node('a').ready();
  expect(cluster.node('a').status().lastTerm).toBe(2);
  expect(runs.map((run) => run.map(({ index, term }) => [index, term]))).toEqual(
    Array(3).fill([
      [2, 1],
      [3, 1],
    ]),
  );
});

test('S55: the same where two appends of a follower are written at once', () => {
  const cluster = new TestCluster(abc);
  cluster.receive(append({ entries: entriesOf(1, 1, 1) }));
  cluster.receive(append({ prevIndex: 1, prevTerm: 1, entries: entriesOf(1, 2, 3) }));
  const { entries } = cluster.node('b').ready();
  cluster.receive(append({ prevIndex: 3, prevTerm: 1, entries: entriesOf(1, 4, 4) }));
  expect(entries.map(({ index, term }) => [index, term])).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
  cluster.receive(append({ from: 'c', term: 2, prevIndex: 1, prevTerm: 1, entries: entriesOf(2, 2, 2) }));
  cluster.node('b').ready();
  expect(entries.map(({ index, term }) => [index, term])).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
});
