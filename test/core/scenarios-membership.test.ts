/** Membership; numbers as in the list of scenarios. */
import { expect, test } from 'vitest';
import { change, TestCluster } from './cluster.ts';

const abc = { voters: ['a', 'b', 'c'] };

test('S56: a second change before the first is applied is refused, and where nobody can be told it is an empty entry', () => {
  const cluster = new TestCluster({ ...abc, outside: ['d', 'e'] });
  cluster.elect('a');
  expect(cluster.change('a', change('+d'))).toMatchObject({ ok: true });
  expect(cluster.change('a', change('+e'))).toEqual({ ok: false, reason: 'config-change-in-progress' });
  cluster.settle();
  expect(cluster.node('a').status().conf.voters).toEqual(['a', 'b', 'c', 'd']);
  const silent = new TestCluster({ ...abc, outside: ['d', 'e'], config: { compat: { explicitRefusals: false } } });
  silent.elect('a');
  silent.change('a', change('+d'));
  expect(silent.change('a', change('+e'))).toMatchObject({ ok: true, firstIndex: 3 });
  silent.settle();
  expect(silent.log('a')).toEqual(['1/1', '1/2 conf +d', '1/3']);
  expect(silent.node('b').status().conf.voters).toEqual(['a', 'b', 'c', 'd']);
});

test('S58: a new leader leaves the joint configuration that the old one entered, once', () => {
  const cluster = new TestCluster({ ...abc, outside: ['d'] });
  cluster.elect('a');
  cluster.change('a', change('+d', '-c', 'implicit'));
  for (let i = 0; i < 20 && cluster.node('a').status().conf.votersOutgoing.length === 0; i++) {
    cluster.work('a');
    for (const id of ['b', 'c']) while (cluster.work(id));
    cluster.deliver();
  }
  // The old leader goes before anybody has its proposal to leave.
  cluster.crash('a');
  cluster.network = [];
  for (const to of ['b', 'c']) {
    cluster.receive({ type: 'heartbeat-request', from: 'a', to, term: 1, commit: 2, round: 0 });
    while (cluster.work(to));
  }
  expect(cluster.node('b').status().conf).toMatchObject({ votersOutgoing: ['a', 'b', 'c'], autoLeave: true });
  expect(cluster.log('b').filter((line) => line.includes('leave'))).toEqual([]);
  for (const id of ['b', 'c', 'd']) cluster.node(id).forgetLeader();
  cluster.elect('b');
  expect(cluster.node('b').status().conf).toMatchObject({ voters: ['a', 'b', 'd'], votersOutgoing: [] });
  expect(cluster.log('b').filter((line) => line.includes('leave'))).toHaveLength(1);
});

test('S61: a change that leaves no voters is refused when proposed and does nothing when applied', () => {
  const cluster = new TestCluster({ voters: ['a'] });
  cluster.elect('a');
  expect(cluster.change('a', change('-a'))).toEqual({ ok: false, reason: 'config-invalid' });
  const old = new TestCluster({ voters: ['a'], config: { validateConfChanges: false } });
  old.elect('a');
  old.change('a', change('-a'));
  old.propose('a', 'x');
  old.settle();
  expect(old.member('a').refusedChanges).toHaveLength(1);
  expect(old.node('a').status()).toMatchObject({ role: 'leader', conf: { voters: ['a'] }, appliedIndex: 3 });
  expect(old.commands('a')).toEqual(['x']);
});

test('S62: a joint configuration needs both halves to commit, to read and to elect', () => {
  const cluster = new TestCluster({ ...abc, outside: ['d', 'e', 'f'] });
  cluster.elect('a');
  cluster.change('a', change('+d', '+e', '-b', '-c', 'explicit'));
  cluster.settle();
  expect(cluster.node('a').status().conf).toMatchObject({ voters: ['a', 'd', 'e'], votersOutgoing: ['a', 'b', 'c'] });
  const only = (...ids: string[]): void => {
    cluster.heal();
    for (const id of ['b', 'c', 'd', 'e']) if (!ids.includes(id)) cluster.isolate(id);
  };
  only('d', 'e');
  const { commitIndex } = cluster.node('a').status();
  cluster.propose('a', 'w');
  cluster.node('a').readIndex('q');
  cluster.settle();
  expect(cluster.node('a').status().commitIndex).toBe(commitIndex);
  expect(cluster.member('a').reads).toEqual([]);
  cluster.heal();
  cluster.tick('a', 5);
  cluster.settle();
  expect(cluster.node('a').status().commitIndex).toBe(commitIndex + 1);
  expect(cluster.member('a').reads.splice(0)).toMatchObject([{ context: 'q', rejected: false }]);
  only('b', 'c');
  const before = cluster.node('a').status().commitIndex;
  cluster.propose('a', 'x');
  cluster.node('a').readIndex('r');
  cluster.settle();
  expect(cluster.node('a').status().commitIndex).toBe(before);
  expect(cluster.member('a').reads).toEqual([]);
  for (const id of cluster.members.keys()) cluster.node(id).forgetLeader();
  cluster.node('b').campaign();
  cluster.settle();
  expect(cluster.node('b').status().role).toBe('pre-candidate');
  for (let i = 0; i < 30; i++) {
    cluster.tick('a');
    cluster.settle();
  }
  expect(cluster.node('a').status().role).toBe('follower');
});
