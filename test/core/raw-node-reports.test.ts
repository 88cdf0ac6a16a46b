/** What the environment reports, asks and switches while a node runs. */
import { describe, expect, test } from 'vitest';
import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import { makeConfig } from '../../src/core/config.ts';
import { RawNode } from '../../src/core/raw-node.ts';
import type { ConfState } from '../../src/core/types.ts';
import { TestCluster } from './cluster.ts';
import { Disk } from './disk.ts';
import { entriesOf } from './messages.ts';

const abc = { voters: ['a', 'b', 'c'] };

function stateOf(cluster: TestCluster, id: string): unknown {
  const found = cluster
    .node('a')
    .status()
    .progress.find((progress) => progress.id === id);
  return found === undefined ? undefined : [found.state, found.nextIndex, found.paused];
}

/** b lacks entry 2, and a, who leads, has only a snapshot of it, which is on its way. */
function withSnapshotUnderWay(snapshotTimeoutTicks = 0): TestCluster {
  const cluster = new TestCluster({ ...abc, config: { snapshotTimeoutTicks, checkQuorum: false } });
  cluster.elect('a');
  cluster.isolate('b');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.member('a').disk.compact(2);
  cluster.heal();
  cluster.node('a').reportUnreachable('b');
  cluster.tick('a');
  cluster.work('a');
  cluster.deliver();
  cluster.work('b');
  cluster.deliver();
  cluster.work('a');
  cluster.drop(({ type }) => type === 'snapshot-request');
  expect(stateOf(cluster, 'b')).toEqual(['snapshot', 3, true]);
  return cluster;
}

describe('a report', () => {
  test('that a snapshot arrived goes on after it, that it was lost goes on before it; each after the next answer', () => {
    const arrived = withSnapshotUnderWay();
    arrived.node('a').reportSnapshot('b', true);
    expect(stateOf(arrived, 'b')).toEqual(['probe', 3, true]);
    const lost = withSnapshotUnderWay();
    lost.node('a').reportSnapshot('b', false);
    expect(stateOf(lost, 'b')).toEqual(['probe', 2, true]);
    lost.node('a').reportSnapshot('b', true);
    expect(stateOf(lost, 'b')).toEqual(['probe', 2, true]);
    lost.tick('a');
    lost.settle();
    expect(lost.commands('b')).toEqual(['x']);
  });

  test('of a snapshot that is not under way, of a stranger, or to a node that does not lead, changes nothing', () => {
    const cluster = withSnapshotUnderWay();
    const before = cluster.node('a').status();
    cluster.node('a').reportSnapshot('c', false);
    cluster.node('a').reportSnapshot('x', false);
    cluster.node('a').reportSnapshotProgress('x');
    cluster.node('a').reportUnreachable('x');
    cluster.node('a').reportUnreachable('b');
    expect(cluster.node('a').status()).toEqual(before);
    const follower = cluster.node('c').status();
    cluster.node('c').reportSnapshot('b', true);
    cluster.node('c').reportSnapshotProgress('b');
    cluster.node('c').reportUnreachable('b');
    expect(cluster.node('c').status()).toEqual(follower);
  });

  test('that a snapshot gets on gives it its time anew', () => {
    const cluster = withSnapshotUnderWay(4);
    cluster.tick('a', 3);
    cluster.node('a').reportSnapshotProgress('b');
    cluster.tick('a', 3);
    expect(stateOf(cluster, 'b')).toEqual(['snapshot', 3, true]);
    cluster.tick('a');
    expect(stateOf(cluster, 'b')).toEqual(['probe', 2, true]);
  });
});

describe('a lease asked for', () => {
  test('is held once a quorum has answered, by the leader alone, and until a pause', () => {
    const cluster = new TestCluster({ ...abc, config: { readMode: 'lease-on-request' } });
    // Who just started may be bound by a lease it does not remember: it hears no candidate for a while.
    for (const id of abc.voters) {
      cluster.node(id).setElectionTimeout(100);
      cluster.tick(id, 10);
    }
    cluster.elect('a');
    expect(cluster.node('a').inLease()).toBe(false);
    cluster.tick('a');
    cluster.settle();
    expect([cluster.node('a').inLease(), cluster.node('b').inLease()]).toEqual([true, false]);
    cluster.node('a').resumeAfterPause(1);
    expect(cluster.node('a').inLease()).toBe(false);
  });

  test('does not go without check-quorum', () => {
    const leased = new TestCluster({ ...abc, config: { readMode: 'lease-on-request' } });
    expect(() => leased.node('a').setCheckQuorum(false)).toThrow(/lease reads need checkQuorum/);
    leased.node('a').setCheckQuorum(true);
  });
});

describe('check-quorum', () => {
  test('is switched while a leader hears nobody: off it leads on, on it steps down', () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.node('a').setCheckQuorum(false);
    cluster.tick('a', 40);
    expect(cluster.node('a').status().role).toBe('leader');
    cluster.node('a').setCheckQuorum(true);
    cluster.tick('a', 20);
    expect(cluster.node('a').status().role).toBe('follower');
  });
});

describe('a node starts', () => {
  const start = (conf: ConfState, applied: number, range?: { minTicks: number; maxTicks: number }): RawNode => {
    const disk = new Disk(conf);
    disk.kept = entriesOf(1, 1, 3);
    const config = makeConfig({ id: 'a', random: (below) => below - 1, electionTicks: 10, electionTimeoutRange: range });
    return new RawNode(config, disk, { hardState: { term: 1, vote: '', commit: 2 }, conf, applied });
  };
  const conf: ConfState = { ...EMPTY_CONF, voters: ['a', 'b'] };

  test('with its name, and a timeout from the range it was given or from one to two election timeouts', () => {
    expect(start(conf, 1).id).toBe('a');
    expect(start(conf, 1).status().electionTimeoutTicks).toBe(19);
    expect(start(conf, 1, { minTicks: 30, maxTicks: 50 }).status().electionTimeoutTicks).toBe(49);
  });

  test('not from what does not fit together', () => {
    expect(() => start({ ...conf, voters: ['b', 'a'] }, 1)).toThrow(/stored configuration: a part is not sorted/);
    expect(() => start(conf, 4)).toThrow(/applied 4 past the end of the stored log \(3\)/);
    expect(() => start(conf, 2).applied(3)).toThrow(/applied 3 past commit 2/);
    expect(start(conf, 3).status()).toMatchObject({ commitIndex: 3, appliedIndex: 3 });
  });
});
