/** Nodes whose consensus and application meet over a message channel alone: what an application sees is what it sees in one thread. */
import { expect, test } from 'vitest';
import { RaftError } from '../../../src/core/errors.ts';
import type { RaftEvents } from '../../../src/runtime/api/api.ts';
import { UNSEEN_MAX } from '../../../src/runtime/crossing/engine-host.ts';
import { Cluster, type Opened } from '../cluster.ts';
import { apart, heldUp } from './apart.ts';

const add = (opened: Opened, amount = 1): Promise<number> => opened.node.propose({ type: 'add', amount });
const balance = (state: { readonly balance: number }): number => state.balance;

function one(opened: readonly Opened[]): Opened {
  const [found] = opened;
  if (found === undefined) throw new Error('nobody');
  return found;
}

test('writes, reads, events, snapshots and a change of leaders; beside nodes of one thread', async () => {
  await using cluster = new Cluster();
  const tune = { snapshotEveryEntries: 20, keepEntries: 0 };
  const first = await cluster.open({ build: apart, tune });
  await first.node.ready;
  const told: (keyof RaftEvents)[] = [];
  for (const type of ['commit', 'apply', 'config', 'snapshot', 'leader', 'write'] as const)
    first.node.on(type, () => told.push(type));
  await cluster.open({ tune });
  await cluster.open({ build: apart, tune });
  await cluster.voters(3);
  const leader = cluster.leader();
  const follower = one(cluster.followers());
  for (let i = 1; i <= 20; i++) expect(await add(follower)).toBe(i);
  expect(await add(leader)).toBe(21);
  await expect(follower.node.propose({ type: 'refuse' })).rejects.toMatchObject({ code: 'handler-failed' });
  await expect(leader.node.propose({ type: 'add', amount: 1 }, { expectedTerm: 999 })).rejects.toMatchObject({
    code: 'term-mismatch',
  });
  expect(await follower.node.read(balance)).toBe(21);
  expect(await leader.node.read(balance, { consistency: { maxStaleMs: 60_000 } })).toBe(21);
  expect(await follower.node.read(balance, { consistency: 'lease' })).toBe(21);
  expect(leader.node.peek(balance)).toBe(21);
  const { index } = await leader.node.proposeDetailed({ type: 'add', amount: 1 });
  expect(leader.node.status.appliedIndex).toBeGreaterThanOrEqual(index);
  expect(leader.node.status.commitIndex).toBeGreaterThanOrEqual(index);
  await first.node.until(() => new Set(told).size === 6 || told.includes('snapshot'));
  const late = await cluster.open({ build: apart, tune });
  await late.node.ready;
  expect(await late.node.read(balance)).toBe(22);
  expect(new Set(told)).toEqual(new Set(['commit', 'apply', 'config', 'snapshot', ...told]));
  cluster.crash(leader);
  await expect(leader.node.propose({ type: 'add', amount: 1 })).rejects.toMatchObject({ code: 'stopped' });
  await cluster.newLeader(leader.node.id);
  expect(await add(follower)).toBe(23);
});

test('operators, presence, optimistic and kept writes; what cannot cross is refused, what is aborted ends', async () => {
  await using cluster = new Cluster();
  await cluster.of(2, { build: apart });
  const leader = cluster.leader();
  const follower = one(cluster.followers());
  const { node } = leader;
  expect(await add(leader)).toBe(1);
  const index = await node.membership.add({ id: 'guest', suffrage: 'learner', meta: { desk: 4 } });
  expect(node.config.learners).toEqual(['guest']);
  expect(node.status.appliedIndex).toBeGreaterThanOrEqual(index);
  await expect(node.membership.add({ id: 'other', meta: () => 1 })).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(node.membership.remove('nobody')).rejects.toMatchObject({ code: 'config-invalid' });
  await expect(node.membership.remove('guest', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
  const log = await node.admin.describeLog({ last: 100 });
  expect(log.some(({ type, text }) => type === 'command' && text.includes('add'))).toBe(true);
  expect(await node.admin.snapshot()).toMatchObject({ index: (await node.admin.describeMetadata()).snapshot?.index });
  let bytes = 0;
  for await (const chunk of node.admin.export()) bytes += chunk.length;
  expect(bytes).toBeGreaterThan(100);
  expect(node.admin.autopilot()?.members.length).toBe(3);
  expect(node.admin.explain().healthy).toBe(true);
  follower.node.presence.set({ cursor: 3 });
  const shown = new Promise<void>((resolve) => {
    node.presence.subscribe((others) => others.some(({ state }) => state !== undefined) && resolve());
  });
  await shown;
  expect(node.presence.others).toMatchObject([{ id: follower.node.id, state: { cursor: 3 } }]);
  const guess = node.optimistic({ type: 'add', amount: 1 });
  expect([guess.expected, node.expected.peek(balance), await guess.done]).toEqual([2, 2, 2]);
  const kept = follower.node.outbox.add({ type: 'add', amount: 1 });
  await kept.stored;
  expect(await kept.done).toBe(3);
  expect(await node.admin.transferLeadership(follower.node.id)).toBe(follower.node.id);
  expect(node.leaderId).toBe(follower.node.id);
});

test('an application that stands still for a while: its node goes on leading, and others’ writes commit; its own applies follow', async () => {
  await using cluster = new Cluster();
  const { build, hold, goOn } = heldUp();
  const busy = await cluster.open({ build });
  await busy.node.ready;
  const [one, other] = [await cluster.open(), await cluster.open()];
  await cluster.voters(3);
  await cluster.transferTo(busy);
  expect([await add(busy), await add(other)]).toEqual([1, 2]);
  const { term } = one.node;
  const { member } = busy.engine;
  await one.node.until(() => member?.appliedIndex === member?.view.lastIndex());
  hold();
  // The first that it is handed and does not hear of opens a session.
  for (let i = 3; i <= 5; i++) expect(await add(one)).toBe(i);
  for (let i = 6; i <= 42; i++) expect(await add(i % 2 === 0 ? one : other)).toBe(i);
  // Longer than anybody would wait for a leader that is silent.
  const since = one.node.status.commitIndex;
  let ticks = 0;
  await one.node.until(() => ++ticks > 60);
  expect([one.node.term, one.node.leaderId, since > 0]).toEqual([term, busy.node.id, true]);
  expect(busy.node.peek(balance)).toBe(2);
  const own = add(busy);
  goOn();
  expect(await own).toBe(43);
  expect(busy.node.peek(balance)).toBe(43);
  expect(busy.node.term).toBe(term);
});

test('what an application does not see while it stands still is bounded, and it is told how it stands when it goes on', async () => {
  await using cluster = new Cluster();
  const { build, hold, goOn, waiting } = heldUp();
  const still = await cluster.open({ build });
  await still.node.ready;
  hold();
  const { emitter } = still.engine.consensus;
  for (let i = 0; i < 3 * UNSEEN_MAX; i++) emitter.emit('autopilot', { kind: 'none', reason: 'test', members: [] } as never);
  const other = await cluster.open();
  await other.node.until(({ suffrage }) => suffrage === 'learner' || suffrage === 'voter', { timeoutMs: 300 }).catch(() => {});
  expect(waiting()).toBeLessThan(2 * UNSEEN_MAX);
  goOn();
  await cluster.voters(2);
  await still.node.until(() => still.node.config.voters.length === 2);
  expect(await add(still)).toBe(1);
});

test('when consensus is gone for good every call is told, and the node has ended with a code', async () => {
  await using cluster = new Cluster();
  await cluster.of(2, { build: apart });
  const gone = one(cluster.followers());
  const fatal = new Promise<RaftError>((resolve) => gone.node.on('fatal', ({ error }) => resolve(error)));
  const read = gone.node.read(balance);
  const waiting = gone.node.until(() => false);
  const changing = gone.node.membership.setPriority(gone.node.id, 3);
  const settled = Promise.allSettled([read, waiting, changing]);
  gone.engine.lost(new RaftError('storage-closed', 'The worker of this node died.'));
  const codes = (await settled).map((result) => (result.status === 'rejected' ? result.reason.code : 'fulfilled'));
  expect(codes).toEqual(['storage-closed', 'stopped', 'storage-closed']);
  expect((await fatal).code).toBe('storage-closed');
  expect(gone.node.role).toBe('stopped');
  await expect(add(gone)).rejects.toMatchObject({ code: 'stopped', mayHaveApplied: false });
  gone.engine.consensus.ending.kill();
});
