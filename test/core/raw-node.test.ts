import { describe, expect, test } from 'vitest';
import { makeConfig } from '../../src/core/config.ts';
import { RawNode } from '../../src/core/raw-node.ts';
import { type Message, makeEntry, NO_BYTES } from '../../src/core/types.ts';
import { change, TestCluster } from './cluster.ts';
import { Disk } from './disk.ts';

const abc = { voters: ['a', 'b', 'c'] };

function progressOf(cluster: TestCluster, leader: string, id: string): ReturnType<RawNode['status']>['progress'][number] {
  const found = cluster
    .node(leader)
    .status()
    .progress.find((progress) => progress.id === id);
  if (found === undefined) throw new Error(`no progress of ${id}`);
  return found;
}

describe('durability', () => {
  test('a vote leaves only when it is durable', () => {
    const cluster = new TestCluster({ ...abc, config: { preVote: false } });
    cluster.member('b').holdsWrites = true;
    cluster.node('a').campaign();
    cluster.work('a');
    cluster.deliver();
    cluster.work('b');
    expect(cluster.network.filter(({ from }) => from === 'b')).toEqual([]);
    cluster.finishWrites('b');
    expect(cluster.member('b').disk.hardState).toMatchObject({ term: 1, vote: 'a' });
    expect(cluster.network).toMatchObject([{ type: 'vote-response', from: 'b', reject: false }]);
  });

  test('no message speaks of a term that its sender has not written', () => {
    const cluster = new TestCluster({ ...abc, config: { preVote: false } });
    cluster.member('a').holdsWrites = true;
    cluster.node('a').campaign();
    cluster.work('a');
    expect(cluster.network).toEqual([]);
    cluster.finishWrites('a');
    expect(cluster.network.map(({ type }) => type)).toEqual(['vote-request', 'vote-request']);
  });

  test('a single voter commits nothing before its own write', () => {
    const cluster = new TestCluster({ voters: ['a'] });
    cluster.elect('a');
    cluster.member('a').holdsWrites = true;
    cluster.propose('a', 'x');
    cluster.settle();
    expect(cluster.commands('a')).toEqual([]);
    cluster.finishWrites('a');
    cluster.settle();
    expect(cluster.commands('a')).toEqual(['x']);
  });

  test('a write of an earlier term that is reported late proves nothing about what stands there now', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.member('b').holdsWrites = true;
    cluster.propose('a', 'lost');
    cluster.work('a');
    cluster.drop(({ to }) => to === 'c');
    cluster.deliver();
    cluster.work('b');
    const late = cluster.member('b').writing[0]?.mark;
    cluster.isolate('a');
    const append: Message = {
      type: 'append-request',
      from: 'c',
      to: 'b',
      term: 2,
      prevIndex: 1,
      prevTerm: 1,
      commit: 1,
      entries: [makeEntry(2, 2, 'normal', 0, NO_BYTES, undefined)],
    };
    cluster.receive(append);
    if (late !== undefined) cluster.node('b').persisted(late);
    expect(cluster.node('b').status()).toMatchObject({ lastIndex: 2, lastTerm: 2, stableIndex: 1 });
  });

  test('a stored commit index past the stored log is bounded, an applied index past it is refused', () => {
    const disk = new Disk({ ...new Disk().conf, voters: ['a'] });
    disk.hardState = { term: 1, vote: '', commit: 9 };
    disk.kept = [makeEntry(1, 1, 'normal', 0, NO_BYTES, undefined)];
    const config = makeConfig({ id: 'a', random: () => 0 });
    const start = (applied: number): RawNode =>
      new RawNode(config, disk, { hardState: disk.hardState, conf: disk.conf, applied });
    expect(start(0).status().commitIndex).toBe(1);
    expect(() => start(2)).toThrow(expect.objectContaining({ code: 'corrupt' }));
  });
});

describe('elections', () => {
  test('a voter refuses a candidate of lower priority, unless its log is longer', () => {
    const cluster = new TestCluster({ voters: ['a', 'b'], config: { preVote: false } });
    cluster.node('b').setPriority(5);
    cluster.node('a').campaign();
    cluster.settle();
    expect(cluster.leaders).toEqual([]);
    cluster.elect('b');
    cluster.propose('b', 'x');
    cluster.settle();
    cluster.node('b').resumeAfterPause(100);
    cluster.node('a').forgetLeader();
    cluster.node('a').campaign();
    cluster.settle();
    expect(cluster.leaders).toEqual([]);
  });

  test('a candidate of lower priority with the better log is not refused, though the log is shorter', () => {
    const cluster = new TestCluster({ voters: ['a', 'b'], config: { preVote: false } });
    cluster.node('b').setPriority(5);
    const request: Message = {
      type: 'vote-request',
      from: 'a',
      to: 'b',
      term: 9,
      pre: false,
      lastIndex: 2,
      lastTerm: 8,
      transfer: false,
      priority: 0,
      commit: 0,
      commitTerm: 0,
    };
    const entries = [1, 2, 3, 4].map((index) => makeEntry(index, 7, 'normal', 0, NO_BYTES, undefined));
    cluster.receive({ type: 'append-request', from: 'a', to: 'b', term: 7, prevIndex: 0, prevTerm: 0, commit: 0, entries });
    cluster.node('b').forgetLeader();
    cluster.settle();
    cluster.receive(request);
    cluster.work('b');
    expect(cluster.network).toMatchObject([{ type: 'vote-response', reject: false, term: 9 }]);
    cluster.receive({ ...request, term: 10, lastTerm: 7, lastIndex: 4 });
    cluster.network = [];
    cluster.work('b');
    expect(cluster.network).toMatchObject([{ type: 'vote-response', reject: true }]);
  });

  test('an isolated node does not raise its term, and comes back without an election', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.isolate('c');
    cluster.tick('c', 100);
    cluster.settle();
    expect(cluster.node('c').status().term).toBe(1);
    cluster.heal();
    cluster.tick('a');
    cluster.settle();
    expect(cluster.leaders).toEqual(['a']);
    expect(cluster.node('c').status()).toMatchObject({ role: 'follower', leader: 'a', term: 1 });
  });

  test('a leader that hears no majority steps down', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.isolate('a');
    for (let i = 0; i < 25; i++) {
      cluster.tick('a');
      cluster.settle();
    }
    expect(cluster.node('a').status()).toMatchObject({ role: 'follower', leader: '' });
  });

  test('a leader that slept for an election timeout steps down before it answers anything', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.node('a').resumeAfterPause(9);
    expect(cluster.leaders).toEqual(['a']);
    cluster.node('a').resumeAfterPause(10);
    expect(cluster.leaders).toEqual([]);
  });

  test('a candidate learns from a refusal that its configuration is old, and applies what it had not', () => {
    const cluster = new TestCluster({ ...abc, outside: ['d'], config: { preVote: false } });
    cluster.elect('a');
    cluster.change('a', change('+d'));
    cluster.work('a');
    cluster.deliver();
    cluster.work('b');
    cluster.work('c');
    cluster.deliver(({ from }) => from === 'b');
    cluster.work('a');
    cluster.drop(({ to }) => to === 'c');
    expect(cluster.node('a').status().commitIndex).toBe(2);
    expect(cluster.node('c').status()).toMatchObject({ commitIndex: 1, lastIndex: 2 });
    cluster.propose('a', 'x');
    cluster.work('a');
    cluster.drop(({ to }) => to === 'c');
    cluster.settle();
    cluster.node('c').forgetLeader();
    cluster.node('a').forgetLeader();
    for (const id of ['a', 'b', 'd']) cluster.node(id).setCheckQuorum(false);
    cluster.node('c').campaign();
    cluster.settle();
    expect(cluster.node('c').status().commitIndex).toBeGreaterThanOrEqual(2);
    expect(cluster.node('c').status().conf.voters).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('replication', () => {
  test('what is proposed before a Ready goes to each follower in one append, the same array for all and for the disk', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.propose('a', 'x');
    cluster.propose('a', 'y', 'z');
    const ready = cluster.node('a').ready();
    const runs = ready.messages.flatMap((message) => (message.type === 'append-request' ? [message.entries] : []));
    expect(runs.map((run) => run.length)).toEqual([3, 3]);
    expect(runs[0]).toBe(runs[1]);
    expect(ready.entries.length).toBe(3);
  });

  test('too much uncommitted is refused as busy; what is applied makes room', () => {
    const cluster = new TestCluster({ ...abc, config: { maxUncommittedBytes: 10, maxEntryBytes: 50 } });
    cluster.elect('a');
    expect(cluster.propose('a', 'x'.repeat(51))).toEqual({ ok: false, reason: 'too-large' });
    expect(cluster.propose('a', 'x'.repeat(20)).ok).toBe(true);
    expect(cluster.propose('a', 'y')).toEqual({ ok: false, reason: 'busy' });
    cluster.settle();
    expect(cluster.node('a').status().uncommittedBytes).toBe(0);
    expect(cluster.propose('a', 'y').ok).toBe(true);
  });

  test('entries that are not in memory are sent once they are fetched', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.isolate('c');
    cluster.propose('a', 'x');
    cluster.settle();
    cluster.propose('a', 'y');
    cluster.settle();
    cluster.heal();
    cluster.node('a').reportUnreachable('c');
    cluster.member('a').disk.inMemoryFrom = 99;
    cluster.tick('a');
    cluster.settle();
    expect(cluster.commands('c')).toEqual([]);
    cluster.member('a').disk.inMemoryFrom = 0;
    cluster.node('a').onEntriesFetched();
    cluster.settle();
    expect(cluster.commands('c')).toEqual(['x', 'y']);
  });

  test('an acknowledgement of what was never sent is not counted', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    const ack: Message = {
      type: 'append-response',
      from: 'b',
      to: 'a',
      term: 1,
      index: 50,
      reject: false,
      hintIndex: 0,
      hintTerm: 0,
      commit: 0,
    };
    cluster.receive(ack);
    expect(progressOf(cluster, 'a', 'b').matchIndex).toBe(1);
  });

  test('a heartbeat never commits what the log does not hold', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.receive({ type: 'heartbeat-request', from: 'a', to: 'b', term: 1, commit: 70, round: 0 });
    expect(cluster.node('b').status().commitIndex).toBe(1);
  });

  test('a witness votes and acknowledges, and is sent no commands', () => {
    const cluster = new TestCluster({ voters: ['a', 'b', 'w'], witnesses: ['w'] });
    cluster.elect('a');
    cluster.isolate('b');
    cluster.propose('a', 'secret');
    cluster.settle();
    expect(cluster.commands('a')).toEqual(['secret']);
    expect(cluster.log('w')).toEqual(['1/1', '1/2']);
    cluster.node('w').campaign();
    expect(cluster.node('w').status()).toMatchObject({ role: 'follower', promotable: false });
    expect(cluster.node('a').transferLeader('w')).toEqual({ ok: false, reason: 'not-a-voter' });
  });

  test('an answer of somebody who is no member is an error, not a fact', () => {
    const cluster = new TestCluster(abc);
    const message: Message = { type: 'heartbeat-response', from: 'z', to: 'a', term: 1, round: 0 };
    expect(() => cluster.node('a').step(message)).toThrow(expect.objectContaining({ code: 'peer-not-found' }));
  });
});
