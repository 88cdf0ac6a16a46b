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

describe('reads', () => {
  test('wait for the first commit of the term, then for a round; those asked together share it', () => {
    const cluster = new TestCluster(abc);
    cluster.node('a').campaign();
    while (cluster.leaders.length === 0) {
      for (const id of ['a', 'b', 'c']) cluster.work(id);
      if (cluster.leaders.length === 0) cluster.deliver();
    }
    expect(cluster.node('a').readIndex('early').ok).toBe(true);
    expect(cluster.node('a').readIndex('too').ok).toBe(true);
    cluster.settle();
    expect(cluster.member('a').reads).toEqual([
      { context: 'early', index: 1, rejected: false },
      { context: 'too', index: 1, rejected: false },
    ]);
    expect(cluster.sent.filter((message) => message.type === 'heartbeat-request' && message.round > 0)).toHaveLength(2);
  });

  test('of a deposed leader are rejected, not answered and not forgotten', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.isolate('a');
    cluster.node('a').readIndex('r');
    cluster.settle();
    expect(cluster.member('a').reads).toEqual([]);
    cluster.node('a').resumeAfterPause(10);
    cluster.settle();
    expect(cluster.member('a').reads).toEqual([{ context: 'r', index: 0, rejected: true }]);
  });

  test('an answer to an earlier round confirms no later read of the same name', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.node('a').readIndex('same');
    cluster.work('a');
    cluster.deliver();
    cluster.work('b');
    cluster.work('c');
    const late = cluster.network;
    cluster.deliver();
    cluster.settle();
    expect(cluster.member('a').reads).toHaveLength(1);
    cluster.isolate('a');
    cluster.node('a').readIndex('same');
    cluster.settle();
    for (const message of late) cluster.node('a').step(message);
    cluster.settle();
    expect(cluster.member('a').reads).toHaveLength(1);
  });

  test('asked of a follower go through the leader; without one they are refused at once', () => {
    const cluster = new TestCluster(abc);
    expect(cluster.node('b').readIndex('r')).toEqual({ ok: false, reason: 'no-leader' });
    cluster.elect('a');
    cluster.node('b').readIndex('r');
    cluster.settle();
    expect(cluster.member('b').reads).toEqual([{ context: 'r', index: 1, rejected: false }]);
  });

  test('are bounded', () => {
    const cluster = new TestCluster({ ...abc, config: { maxReads: 2 } });
    cluster.elect('a');
    const asked = ['1', '2', '3'].map((context) => cluster.node('a').readIndex(context));
    expect(asked).toEqual([{ ok: true }, { ok: true }, { ok: false, reason: 'busy' }]);
  });

  test('under a lease are answered at once, but not after a pause', () => {
    const cluster = new TestCluster({ ...abc, config: { readMode: 'lease' } });
    for (const id of ['a', 'b', 'c']) cluster.tick(id, 10);
    cluster.elect('a');
    const leader = 'a';
    cluster.tick(leader);
    cluster.settle();
    cluster.node(leader).readIndex('now');
    cluster.work(leader);
    expect(cluster.member(leader).reads.map(({ context }) => context)).toEqual(['now']);
    cluster.node(leader).resumeAfterPause(1);
    cluster.node(leader).readIndex('later');
    cluster.work(leader);
    expect(cluster.member(leader).reads.map(({ context }) => context)).toEqual(['now']);
    cluster.settle();
    expect(cluster.member(leader).reads.map(({ context }) => context)).toEqual(['now', 'later']);
  });
});

describe('membership and transfer', () => {
  test('a change that cannot be made is refused when proposed, and changes nothing when applied', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    expect(cluster.change('a', change('-a', '-b', '-c'))).toEqual({ ok: false, reason: 'config-invalid' });
    expect(cluster.change('a', change('+d')).ok).toBe(true);
    expect(cluster.change('a', change('+e'))).toEqual({ ok: false, reason: 'config-change-in-progress' });
    const outcome = cluster.node('b').applyConfChange(change('-a', '-b', '-c'));
    expect(outcome.error).toMatchObject({ code: 'config-invalid' });
    expect(outcome.conf.voters).toEqual(['a', 'b', 'c']);
  });

  test('a joint configuration is entered, decided by both halves, and left by itself', () => {
    const cluster = new TestCluster({ ...abc, outside: ['d', 'e'] });
    cluster.elect('a');
    cluster.change('a', change('+d', '+e', '-b'));
    cluster.settle();
    for (const id of ['a', 'c', 'd', 'e']) {
      expect(cluster.node(id).status().conf).toMatchObject({ voters: ['a', 'c', 'd', 'e'], votersOutgoing: [] });
    }
  });

  test('leaving a joint configuration is tried again after a transfer that came to nothing', () => {
    const cluster = new TestCluster({ ...abc, outside: ['d'] });
    cluster.elect('a');
    cluster.change('a', change('+d', '-b'));
    cluster.isolate('c');
    cluster.node('a').transferLeader('c');
    cluster.settle();
    expect(cluster.node('a').status().transferee).toBe('c');
    for (let i = 0; i < 12; i++) {
      cluster.tick('a');
      cluster.settle();
    }
    cluster.heal();
    cluster.propose('a', 'x');
    cluster.settle();
    expect(cluster.node('a').status().conf).toMatchObject({ voters: ['a', 'c', 'd'], votersOutgoing: [] });
  });

  test('a removed leader steps down when it applies that', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.change('a', change('-a'));
    cluster.settle();
    expect(cluster.node('a').status()).toMatchObject({ role: 'follower', promotable: false });
  });

  test('a target that cannot campaign says so, and proposals go on at once', () => {
    const cluster = new TestCluster({ voters: ['a', 'b'], outside: ['d'] });
    cluster.elect('a');
    cluster.change('a', change('+d'));
    cluster.settle();
    // d, behind, does not know yet that it is a voter.
    cluster.crash('d');
    cluster.member('d').disk.conf = { ...cluster.member('d').disk.conf, voters: ['a', 'b'], learners: ['d'] };
    cluster.restart('d');
    cluster.node('a').transferLeader('d');
    expect(cluster.propose('a', 'x')).toEqual({ ok: false, reason: 'transfer-in-progress' });
    cluster.settle();
    expect(cluster.propose('a', 'x').ok).toBe(true);
  });

  test('a member removed and added again is one whose log is not known', () => {
    const cluster = new TestCluster({ ...abc, outside: ['d'] });
    cluster.elect('a');
    cluster.propose('a', 'x');
    cluster.settle();
    expect(progressOf(cluster, 'a', 'c').matchIndex).toBe(2);
    cluster.change('a', change('-c'));
    cluster.settle();
    cluster.change('a', change('+c'));
    cluster.work('a');
    cluster.deliver(({ to }) => to === 'b');
    cluster.work('b');
    cluster.deliver(({ from }) => from === 'b');
    cluster.work('a');
    expect(progressOf(cluster, 'a', 'c').matchIndex).toBe(0);
  });
});

describe('options', () => {
  test('are refused outside their ranges, with a message that says which and why', () => {
    const base = { id: 'a', random: (): number => 0 };
    const refused = (options: object): unknown => {
      try {
        return makeConfig({ ...base, ...options });
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refused({ electionTicks: 1 })).toMatch(/^electionTicks: 1 is not a whole number from 2/);
    expect(refused({ heartbeatTicks: 10 })).toMatch(/^heartbeatTicks: must be below electionTicks/);
    expect(refused({ readMode: 'lease', checkQuorum: false })).toMatch(/^readMode:/);
    expect(refused({ electionTimeoutRange: { minTicks: 5, maxTicks: 20 } })).toMatch(/^electionTimeoutRange:/);
    expect(refused({ id: '' })).toMatch(/^id:/);
  });
});
