/** Membership changes on their way, and what they do to the rest; numbers as in the list of scenarios. */
import { expect, test } from 'vitest';
import type { ProgressStatus } from '../../src/core/status.ts';
import type { Message } from '../../src/core/types.ts';
import { change, TestCluster } from './cluster.ts';
import { append, appendAnswer, entry, voteAnswer } from './messages.ts';

const abc = { voters: ['a', 'b', 'c'] };

function progressOf(cluster: TestCluster, id: string, leader = 'a'): ProgressStatus | undefined {
  return cluster
    .node(leader)
    .status()
    .progress.find((progress) => progress.id === id);
}

/** Only these can be heard; whoever leads is never cut off from them. */
function reachable(cluster: TestCluster, ...ids: readonly string[]): void {
  cluster.heal();
  for (const id of cluster.members.keys()) if (!ids.includes(id)) cluster.isolate(id);
}

const isResponse = ({ type }: Message): boolean => type === 'heartbeat-response';

test('S57: a new leader takes no change before everything it found in its log is applied', () => {
  const cluster = new TestCluster({ ...abc, outside: ['d'], config: { preVote: false } });
  cluster.elect('a');
  cluster.receive(append({ prevIndex: 1, prevTerm: 1, entries: [entry(2, 1, 'x'), entry(3, 1, 'y')] }));
  cluster.work('b');
  cluster.isolate('a');
  for (const id of ['b', 'c']) cluster.node(id).forgetLeader();
  cluster.node('b').campaign();
  cluster.work('b');
  cluster.receive(voteAnswer({ from: 'c', to: 'b', term: 2 }));
  while (cluster.work('b'));
  expect(cluster.node('b').status()).toMatchObject({ role: 'leader', pendingConfIndex: 3, lastIndex: 4, appliedIndex: 1 });
  expect(cluster.change('b', change('+d'))).toEqual({ ok: false, reason: 'config-change-in-progress' });
  cluster.settle();
  expect(cluster.node('b').status().appliedIndex).toBe(4);
  expect(cluster.change('b', change('+d'))).toMatchObject({ ok: true });
});

for (const config of [{}, { compat: { explicitRefusals: false } }, { compat: { batchAppends: false } }])
  test(`S58: the change that leaves goes to all followers with the very next Ready, and once: ${JSON.stringify(config)}`, () => {
    const cluster = new TestCluster({ ...abc, outside: ['d'], config });
    cluster.elect('a');
    cluster.change('a', change('+d', '-c', 'implicit'));
    cluster.propose('a', 'x', 'y');
    for (let i = 0; i < 20 && cluster.node('a').status().conf.votersOutgoing.length === 0; i++) {
      cluster.work('a');
      for (const id of ['b', 'c']) while (cluster.work(id));
      cluster.deliver();
    }
    cluster.network = [];
    cluster.work('a');
    const leaving = cluster.network.filter(
      (message) => message.type === 'append-request' && message.entries.some(({ change: made }) => made?.steps.length === 0),
    );
    expect(leaving.map(({ to }) => to)).toEqual(expect.arrayContaining(['b', 'c']));
    for (let i = 0; i < 30; i++) {
      cluster.tick('a');
      cluster.settle();
    }
    expect(cluster.log('a')).toEqual(['1/1', '1/2 conf +d -c implicit', '1/3 "x"', '1/4 "y"', '1/5 conf leave']);
    expect(cluster.node('a').status().conf).toMatchObject({ voters: ['a', 'b', 'd'], votersOutgoing: [] });
  });

test('S59: leaving that a transfer stood in the way of is tried again when that is over, with nothing else going on', () => {
  const cluster = new TestCluster({ ...abc, outside: ['d'] });
  cluster.elect('a');
  cluster.change('a', change('+d', '-b'));
  cluster.isolate('c');
  cluster.node('a').transferLeader('c');
  cluster.settle();
  expect(cluster.node('a').status()).toMatchObject({ transferee: 'c', conf: { autoLeave: true } });
  for (let i = 0; i < 10; i++) {
    cluster.tick('a');
    cluster.settle();
  }
  cluster.heal();
  for (let i = 0; i < 3; i++) {
    cluster.tick('a');
    cluster.settle();
  }
  expect(cluster.node('a').status()).toMatchObject({ role: 'leader', transferee: '' });
  expect(cluster.node('a').status().conf).toMatchObject({ voters: ['a', 'c', 'd'], votersOutgoing: [] });
});

for (const transition of ['auto', 'implicit', 'explicit']) {
  test(`S60: a change without steps leaves, whatever transition it names, on every node: ${transition}`, () => {
    const cluster = new TestCluster({ ...abc, outside: ['d'] });
    cluster.elect('a');
    cluster.change('a', change('+d', '-c', 'explicit'));
    cluster.settle();
    expect(cluster.node('a').status().conf.votersOutgoing).toEqual(['a', 'b', 'c']);
    expect(cluster.change('a', change(transition))).toMatchObject({ ok: true });
    cluster.settle();
    for (const id of ['a', 'b', 'd']) {
      expect(cluster.node(id).status().conf).toMatchObject({ voters: ['a', 'b', 'd'], votersOutgoing: [] });
      expect(cluster.member(id).refusedChanges).toEqual([]);
    }
    expect(cluster.change('a', change(transition))).toEqual({ ok: false, reason: 'config-invalid' });
  });
}

for (const [half, ids] of Object.entries({ old: ['a', 'b', 'c'], new: ['a', 'd', 'e'] })) {
  const enter = (): TestCluster => {
    const cluster = new TestCluster({ ...abc, outside: ['d', 'e'] });
    cluster.elect('a');
    cluster.change('a', change('+d', '+e', '-b', '-c', 'explicit'));
    cluster.settle();
    expect(cluster.node('b').status().conf).toMatchObject({ voters: ['a', 'd', 'e'], votersOutgoing: ['a', 'b', 'c'] });
    return cluster;
  };

  test(`S62: the ${half} half of a joint configuration alone elects nobody`, () => {
    const cluster = enter();
    const candidate = ids[1] ?? '';
    cluster.crash('a');
    for (const id of ids.slice(1)) cluster.node(id).forgetLeader();
    reachable(cluster, ...ids);
    cluster.node(candidate).campaign();
    cluster.settle();
    expect(cluster.node(candidate).status().role).toBe('pre-candidate');
    cluster.restart('a');
    cluster.node(candidate).campaign();
    cluster.settle();
    expect(cluster.node(candidate).status().role).toBe('pre-candidate');
    cluster.heal();
    for (const id of cluster.members.keys()) cluster.node(id).forgetLeader();
    cluster.elect(candidate);
  });

  test(`S62: the ${half} half of a joint configuration alone keeps no leader`, () => {
    const cluster = enter();
    reachable(cluster, ...ids);
    for (let i = 0; i < 25; i++) {
      cluster.tick('a');
      cluster.settle();
    }
    expect(cluster.node('a').status().role).toBe('follower');
  });
}

test('S63: a voter demoted in a joint configuration votes in the old half, and keeps its place, until that is left', () => {
  const cluster = new TestCluster({ ...abc, outside: ['d'] });
  cluster.elect('a');
  cluster.propose('a', 'x');
  cluster.settle();
  cluster.change('a', change('~c', '+d', 'explicit'));
  cluster.settle();
  const { conf } = cluster.node('a').status();
  expect(conf).toMatchObject({ votersOutgoing: ['a', 'b', 'c'], learners: [], learnersNext: ['c'] });
  expect(progressOf(cluster, 'c')).toMatchObject({ learner: false, matchIndex: 3, state: 'replicate' });
  // a and c are the old half's majority, a and d the new one's.
  reachable(cluster, 'a', 'c', 'd');
  cluster.propose('a', 'y');
  cluster.settle();
  expect(cluster.commands('a')).toEqual(['x', 'y']);
  cluster.heal();
  cluster.change('a', change('leave'));
  cluster.settle();
  expect(cluster.node('c').status().conf).toMatchObject({ voters: ['a', 'b', 'd'], learners: ['c'], learnersNext: [] });
  expect(progressOf(cluster, 'c')).toMatchObject({ learner: true, matchIndex: 5 });
});

test('S64: a second voter that was never heard does not depose the only one at its next check', () => {
  const cluster = new TestCluster({ voters: ['a'], outside: ['b'] });
  cluster.elect('a');
  cluster.isolate('b');
  cluster.tick('a', 9);
  cluster.change('a', change('+b'));
  cluster.settle();
  expect(cluster.node('a').status().conf.voters).toEqual(['a', 'b']);
  cluster.tick('a');
  expect(cluster.node('a').status().role).toBe('leader');
  cluster.heal();
  cluster.tick('a');
  cluster.settle();
  cluster.tick('a', 9);
  expect(cluster.node('a').status().role).toBe('leader');
});

for (const batchAppends of [true, false])
  test(`S65: what leaving a joint configuration commits is committed and told at once: ${batchAppends ? 'in batches' : 'one by one'}`, () => {
    const cluster = new TestCluster({ ...abc, config: { compat: { batchAppends } } });
    cluster.elect('a');
    cluster.change('a', change('~b', '-c', 'explicit'));
    cluster.settle();
    cluster.change('a', change('leave'));
    cluster.work('a');
    cluster.propose('a', 'x');
    cluster.work('a');
    cluster.network = [];
    // b holds the change, and not what came after it.
    cluster.receive(appendAnswer({ index: 3 }));
    expect(cluster.node('a').status().commitIndex).toBe(3);
    cluster.work('a');
    expect(cluster.node('a').status()).toMatchObject({ commitIndex: 4, conf: { voters: ['a'], learners: ['b'] } });
    while (cluster.work('a'));
    expect(cluster.network).toContainEqual(expect.objectContaining({ type: 'append-request', to: 'b', commit: 4 }));
  });

test('S66: of a member that was removed and is added again nothing is known', () => {
  for (const again of [
    ['-c', '+c'],
    ['-c', '~c'],
  ]) {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.propose('a', 'x', 'y');
    cluster.settle();
    expect(progressOf(cluster, 'c')?.matchIndex).toBe(3);
    cluster.isolate('c');
    for (const step of again) {
      cluster.change('a', change(step));
      cluster.settle();
    }
    expect(progressOf(cluster, 'c')).toMatchObject({ matchIndex: 0, state: 'probe' });
  }
  // In one change, it never left.
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.isolate('c');
  cluster.change('a', change('-c', '+c', 'implicit'));
  cluster.settle();
  expect(cluster.node('a').status().conf).toMatchObject({ voters: ['a', 'b', 'c'], votersOutgoing: [] });
});

for (const [how, step] of [
  ['removed', '-c'],
  ['demoted', '~c'],
] as const) {
  test(`S68: a transfer to one that is ${how} ends, and proposals go on`, () => {
    const cluster = new TestCluster(abc);
    cluster.elect('a');
    cluster.isolate('c');
    cluster.change('a', change(step));
    expect(cluster.node('a').transferLeader('c')).toEqual({ ok: true });
    expect(cluster.propose('a', 'x')).toEqual({ ok: false, reason: 'transfer-in-progress' });
    cluster.settle();
    expect(cluster.node('a').status()).toMatchObject({ role: 'leader', transferee: '' });
    expect(cluster.propose('a', 'x')).toMatchObject({ ok: true });
  });
}

test('S71: reads that a smaller quorum has confirmed already are answered when it takes effect', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c', 'd'] });
  cluster.elect('a');
  cluster.change('a', change('-d'));
  cluster.work('a');
  cluster.node('a').readIndex('r');
  cluster.work('a');
  cluster.deliver();
  for (const id of ['b', 'c', 'd']) cluster.work(id);
  // Of the answers to the read only b's arrives: two of four, and two of three.
  const answers = cluster.drop(isResponse);
  for (const message of answers) if (message.from === 'b') cluster.receive(message);
  expect(answers).toHaveLength(3);
  cluster.work('a');
  expect(cluster.member('a').reads).toEqual([]);
  cluster.deliver(({ type }) => type === 'append-response');
  cluster.work('a');
  expect(cluster.node('a').status().conf.voters).toEqual(['a', 'b', 'c']);
  cluster.work('a');
  expect(cluster.member('a').reads).toMatchObject([{ context: 'r', rejected: false }]);
});

test('S71: reads that wait while their leader is removed are refused, here and at the follower that asked', () => {
  const cluster = new TestCluster(abc);
  cluster.elect('a');
  cluster.change('a', change('-a'));
  cluster.node('a').readIndex('own');
  cluster.node('b').readIndex('forwarded');
  cluster.work('b');
  cluster.deliver(({ type }) => type === 'read-index-request');
  cluster.work('a');
  cluster.drop(({ type }) => type === 'heartbeat-request');
  cluster.settle();
  expect(cluster.node('a').status()).toMatchObject({ role: 'follower', pendingReads: 0 });
  expect(cluster.member('a').reads).toMatchObject([{ context: 'own', rejected: true }]);
  expect(cluster.member('b').reads).toMatchObject([{ context: 'forwarded', rejected: true }]);
});
