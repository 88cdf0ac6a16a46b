/** Leases, sleep and lost storage; numbers as in the list of scenarios. */
import { describe, expect, test } from 'vitest';
import { makeConfig } from '../../src/core/config.ts';
import type { Message } from '../../src/core/types.ts';
import { TestCluster } from './cluster.ts';
import { Disk } from './disk.ts';
import { append, appendAnswer, entriesOf, heartbeat } from './messages.ts';

const abc = { voters: ['a', 'b', 'c'] };

describe('S73: a lease', () => {
  /** Leader a with a lease just confirmed. */
  function leased(): TestCluster {
    const cluster = new TestCluster({ ...abc, config: { readMode: 'lease' } });
    for (const id of ['a', 'b', 'c']) cluster.tick(id, 10);
    cluster.elect('a');
    cluster.tick('a');
    cluster.settle();
    expect(cluster.node('a').inLease()).toBe(true);
    return cluster;
  }

  test('S73: is not kept unless it is asked for', () => {
    expect(makeConfig({ id: 'a', random: () => 0 }).readMode).toBe('safe');
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.tick('a');
    cluster.settle();
    expect(cluster.node('a').inLease()).toBe(false);
  });

  test('S73: is counted from when the heartbeat left, not from when its answer came', () => {
    const cluster = leased();
    cluster.tick('a');
    cluster.work('a');
    cluster.deliver();
    for (const id of ['b', 'c']) cluster.work(id);
    const answers = cluster.drop(({ type }) => type === 'heartbeat-response');
    expect(answers).toHaveLength(2);
    for (let i = 0; i < 3; i++) {
      cluster.tick('a');
      cluster.work('a');
      cluster.network = [];
    }
    expect(cluster.node('a').inLease()).toBe(true);
    for (const message of answers) cluster.receive(message);
    cluster.tick('a');
    expect(cluster.node('a').inLease()).toBe(true);
    cluster.tick('a');
    expect(cluster.node('a').inLease()).toBe(false);
  });

  test('S73: ends with a pause, however short, and answers from before it do not bring it back', () => {
    const cluster = leased();
    cluster.tick('a');
    cluster.work('a');
    cluster.deliver();
    for (const id of ['b', 'c']) cluster.work(id);
    cluster.node('a').resumeAfterPause(0);
    expect(cluster.node('a').inLease()).toBe(false);
    cluster.deliver();
    expect(cluster.node('a').inLease()).toBe(false);
    cluster.tick('a');
    cluster.settle();
    expect(cluster.node('a').inLease()).toBe(true);
  });

  test('S73: is given away with a transfer, and not before that is over', () => {
    const cluster = leased();
    cluster.isolate('b');
    cluster.node('a').transferLeader('b');
    expect(cluster.node('a').inLease()).toBe(false);
    for (let i = 0; i < 5; i++) {
      cluster.tick('a');
      cluster.settle();
      expect(cluster.node('a').inLease()).toBe(false);
    }
  });
});

test('S74: who wakes up hears its messages before it thinks of an election', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  const { node } = cluster.member('b');
  node.setElectionTimeout(12);
  cluster.tick('b', 11);
  node.resumeAfterPause(1000);
  cluster.tick('b');
  expect(node.status()).toMatchObject({ role: 'follower', leader: 'a', electionElapsedTicks: 1 });
  cluster.receive(heartbeat({}));
  cluster.tick('b', 11);
  expect(node.status().role).toBe('follower');
  cluster.tick('b');
  expect(node.status().role).toBe('pre-candidate');
});

test('S76: what a leader says is committed harms nobody whose log has become empty', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.propose('a', 'x', 'y');
  cluster.settle();
  cluster.crash('b');
  const lost = new Disk(cluster.member('b').disk.conf);
  lost.hardState = { term: 1, vote: 'a', commit: 3 };
  cluster.add('b', lost);
  expect(cluster.node('b').status()).toMatchObject({ lastIndex: 0, commitIndex: 0 });
  cluster.tick('a');
  cluster.settle();
  cluster.propose('a', 'z');
  cluster.settle();
  expect(cluster.node('b').status()).toMatchObject({ role: 'follower', commitIndex: 0, appliedIndex: 0 });
  expect(cluster.node('a').status()).toMatchObject({ role: 'leader', commitIndex: 4 });
});

test('S2: what is not written does not survive, and what was acknowledged does, wherever the crash falls', () => {
  for (let writes = 0; writes <= 3; writes++) {
    const cluster = new TestCluster(abc);
    cluster.member('b').holdsWrites = true;
    const acknowledged = (): readonly number[] =>
      cluster.sent.flatMap((message: Message) =>
        message.type === 'append-response' && message.from === 'b' ? [message.index] : [],
      );
    for (let index = 1; index <= 3; index++) {
      cluster.receive(append({ prevIndex: index - 1, prevTerm: index === 1 ? 0 : 1, entries: entriesOf(1, index, index) }));
      cluster.work('b');
    }
    cluster.finishWrites('b', writes);
    cluster.crash('b');
    cluster.restart('b');
    expect(Math.max(0, ...acknowledged())).toBe(writes);
    expect(cluster.node('b').status().lastIndex).toBe(writes);
  }
});

test('S37: an acknowledgement of what the leader’s log does not hold commits nothing', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  for (const from of ['b', 'c']) cluster.receive(appendAnswer({ from, index: 40 }));
  expect(cluster.node('a').status()).toMatchObject({ commitIndex: 1, lastIndex: 1 });
});
