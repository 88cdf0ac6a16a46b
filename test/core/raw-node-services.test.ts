import { describe, expect, test } from 'vitest';
import { makeConfig } from '../../src/core/config.ts';
import type { RawNode } from '../../src/core/raw-node.ts';
import { change, TestCluster } from './cluster.ts';

const abc = { voters: ['a', 'b', 'c'] };

function progressOf(cluster: TestCluster, leader: string, id: string): ReturnType<RawNode['status']>['progress'][number] {
  const found = cluster
    .node(leader)
    .status()
    .progress.find((progress) => progress.id === id);
  if (found === undefined) throw new Error(`no progress of ${id}`);
  return found;
}

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
