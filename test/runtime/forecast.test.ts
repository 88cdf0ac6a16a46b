/** A majority that is lost is told of: on every tab that stays, on a newcomer's, who is missing, since when, and what would help. */
import { expect, test } from 'vitest';
import type { RaftEvents } from '../../src/runtime/api/api.ts';
import { Cluster, type Opened } from './cluster.ts';

type Lost = RaftEvents['quorum-lost'];

const losing = (opened: Opened): Promise<Lost> => new Promise((resolve) => opened.node.on('quorum-lost', resolve));

/** Three voters by hand: nobody is exchanged, and none is given up. */
const fixed = {
  autopilot: {
    ...(await import('../../src/runtime/api/options.ts')).AUTOPILOT_DEFAULTS,
    settleMs: 0,
    intervalMs: 0,
    silentMs: 3_600_000,
    silentMsMax: 3_600_000,
  },
};

test('T2: of three voters two crash: who stays says so, and so does a newcomer, which is told by it', async () => {
  await using cluster = new Cluster();
  await cluster.of(3, fixed);
  const [stays, ...others] = cluster.running();
  if (stays === undefined) throw new Error('nobody');
  expect(stays.node.forecast()).toMatchObject({ quorumAlive: true, failureTolerance: 1, copies: 2, missing: [] });
  const lost = losing(stays);
  const ids = others.map(({ node }) => node.id).sort();
  for (const other of others) cluster.crash(other);
  const { alive, need, missing, text } = await lost;
  expect([alive, need, missing.map(({ id }) => id).sort()]).toEqual([1, 2, ids]);
  for (const { name } of missing) expect(text).toContain(name);
  expect(text).toContain('planRecovery');
  expect(stays.node.status).toMatchObject({ quorumAlive: false, failureTolerance: 0 });

  const newcomer = await cluster.open();
  const told = await losing(newcomer);
  expect(told.missing.map(({ id }) => id).sort()).toEqual(ids);
  expect(newcomer.node.forecast()).toMatchObject({ quorumAlive: false, toldBy: stays.node.id });
  expect(newcomer.node.admin.explain()).toMatchObject({ healthy: false });
  expect(newcomer.node.admin.explain().text).toContain('waits to be taken in');

  const restored = new Promise((resolve) => newcomer.node.on('quorum-restored', resolve));
  const [first] = others;
  if (first === undefined) throw new Error('nobody');
  await cluster.open({ disk: first.disk });
  await restored;
  await newcomer.node.ready;
  expect(newcomer.node.forecast().toldBy).toBeUndefined();
});

test('a tab that opens in a room without a majority says so too', async () => {
  await using cluster = new Cluster();
  await cluster.of(3, fixed);
  const [one, ...others] = cluster.running();
  if (one === undefined) throw new Error('nobody');
  for (const opened of [one, ...others]) cluster.crash(opened);
  const back = await cluster.open({ disk: one.disk });
  const { missing } = await losing(back);
  // What it knows of the configuration may be older than what was in force.
  expect(missing.length).toBeGreaterThan(0);
  for (const { how } of missing) expect(how).toBe('silent');
});

test('failureTolerance is true everywhere: also where few are linked, for those that said goodbye, and for a voter whose disk fails', async () => {
  await using cluster = new Cluster();
  // A learner that reaches the leader only must not lose it to a busy machine.
  const steady = { ...fixed, tune: { electionTimeoutMs: [1_000, 2_000] as const, heartbeatMs: 100 } };
  await cluster.of(3, steady);
  const leader = cluster.leader();
  const [failing, leaving] = cluster.followers();
  if (failing === undefined || leaving === undefined) throw new Error('nobody');
  const learner = await cluster.open({ ...steady, suffrage: 'learner' });
  await learner.node.until((status) => status.failureTolerance === 1);
  // The learner reaches the leader only: it knows by its word.
  for (const { node } of [failing, leaving]) cluster.hub.cut(learner.node.id, node.id, { refuse: true });
  await learner.node.until((status) => status.peers.filter(({ link }) => link === 'open').length === 1);
  await learner.node.until((status) => status.failureTolerance === 1 && status.quorumAlive);
  failing.engine.pause();
  for (const { node } of [leader, leaving, learner]) await node.until((status) => status.failureTolerance === 0);
  failing.engine.resume();
  for (const { node } of [leader, leaving, learner]) await node.until((status) => status.failureTolerance === 1);
  await leaving.node.stop({ transfer: false });
  for (const { node } of [leader, failing, learner]) await node.until((status) => status.failureTolerance === 0);
});

test('of two one goes: that changes are on one device only is told, and told again when there are two', async () => {
  await using cluster = new Cluster();
  await cluster.of(2);
  const leader = cluster.leader();
  const told: (readonly [now: number, before: number, text: string])[] = [];
  leader.node.on('copies', ({ now, before, text }) => told.push([now, before, text]));
  for (const { node } of cluster.followers()) await node.stop({ transfer: false });
  await leader.node.until(() => leader.node.forecast().missing.length === 1);
  expect(leader.node.forecast().missing).toMatchObject([{ how: 'left' }]);
  await leader.node.until((status) => status.copies === 1 && told.some(([now]) => now === 1));
  const alone = told.findIndex(([now]) => now === 1);
  expect(told[alone]).toEqual([
    1,
    2,
    'Changes are now kept on this device only. They are safe again when another tab or device joins.',
  ]);
  expect(leader.node.forecast().text).toBe(told[alone]?.[2]);
  await cluster.open();
  await leader.node.until((status) => status.copies === 2 && told.length > alone + 1);
  expect(told[alone + 1]).toEqual([2, 1, 'Changes are on 2 devices again.']);
});

test('a crashed leader of two leaves the other waiting, and it says for whom', async () => {
  await using cluster = new Cluster();
  await cluster.of(2);
  const leader = cluster.leader();
  const [other] = cluster.followers();
  if (other === undefined) throw new Error('nobody');
  const lost = losing(other);
  cluster.crash(leader);
  const { missing, text } = await lost;
  expect(missing).toMatchObject([{ id: leader.node.id, how: 'silent' }]);
  expect(text).toContain('1 of them is back');
});
