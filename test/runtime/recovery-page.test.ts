/** Going on without a majority, from the page: in two deliberate steps; and devices that come back with less than they had. */
import { expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { Rollback } from '../../src/runtime/standing/rollback.ts';
import { Cluster, type Opened } from './cluster.ts';
import { SIDES_APART } from './crossing/apart.ts';

const add = (opened: Opened, amount = 1): Promise<number> => opened.node.propose({ type: 'add', amount });
const silences = { settleMs: 0, intervalMs: 0, silentMs: 3_600_000, silentMsMax: 3_600_000 };

async function deadRoom(cluster: Cluster): Promise<{ readonly stays: Opened; readonly gone: readonly Opened[] }> {
  const { resolveAutopilot } = await import('../../src/runtime/api/options.ts');
  await cluster.of(3, { autopilot: resolveAutopilot(silences) });
  const [stays, ...gone] = cluster.running();
  if (stays === undefined) throw new Error('nobody');
  await add(stays, 7);
  await stays.node.barrier();
  for (const opened of gone) cluster.crash(opened);
  await stays.node.until((status) => !status.quorumAlive);
  return { stays, gone };
}

test('a plan names what may be lost and changes nothing; confirmed, the node goes on in a new epoch, with its own unanswered write', async () => {
  await using cluster = new Cluster();
  const { stays, gone } = await deadRoom(cluster);
  const { node } = stays;
  const waiting = add(stays);
  const ids = gone.map((opened) => opened.node.id).sort();
  const plan = await node.admin.planRecovery();
  expect(plan).toMatchObject({ epoch: 2, removed: ids, furtherAhead: undefined });
  expect(plan.missing.map(({ id }) => id).sort()).toEqual(ids);
  expect(plan.mayBeLost.join(' ')).toContain('acknowledged by node');
  expect(node.status.epoch).toBe(1);

  expect(await node.admin.recover(plan.token)).toEqual({ epoch: 2, removed: ids });
  expect(await waiting).toBe(8);
  expect(node.status).toMatchObject({ epoch: 2, quorumAlive: true, role: 'leader' });
  expect(node.config.voters).toEqual([node.id]);
});

test('members of the old epoch are told, keep what they hold, and join anew', async () => {
  await using cluster = new Cluster();
  const { stays, gone } = await deadRoom(cluster);
  const { token } = await stays.node.admin.planRecovery();
  await stays.node.admin.recover(token);
  const [old] = gone;
  if (old === undefined) throw new Error('nobody');
  const ended = await cluster.open({ disk: old.disk, preferred: old.node.id });
  await ended.node.until(() => false, { timeoutMs: 20_000 }).catch(() => {});
  expect(ended.engine.ended?.code).toBe('epoch-mismatch');
  await ended.node.stop();
  const anew = await cluster.open({ disk: old.disk, preferred: old.node.id });
  expect(anew.node.id).not.toBe(old.node.id);
  expect(await anew.node.read((state) => state.balance)).toBe(7);
  // Another tab of that device does not take the old identity either.
  const second = await cluster.open({ disk: old.disk });
  expect([old.node.id, anew.node.id]).not.toContain(second.node.id);
  await second.node.ready;
});

test('only where no majority can be reached, with the token of the last plan, while nothing has changed', async () => {
  await using cluster = new Cluster();
  const opened = await cluster.of(3);
  const [first] = opened;
  if (first === undefined) throw new Error('nobody');
  await expect(first.node.admin.planRecovery()).rejects.toMatchObject({ code: 'rejected' });
  await expect(first.node.admin.recover('no token')).rejects.toMatchObject({ code: 'rejected' });
  await using dead = new Cluster();
  const { stays } = await deadRoom(dead);
  const { admin } = stays.node;
  const before = await admin.planRecovery();
  const { token } = await admin.planRecovery();
  await expect(admin.recover(before.token)).rejects.toMatchObject({ code: 'rejected' });
  const [one, two] = await Promise.allSettled([admin.recover(token), admin.recover(token)]);
  expect([one.status, two.status]).toEqual(['fulfilled', 'rejected']);
  await expect(admin.recover(token)).rejects.toMatchObject({ code: 'rejected' });
  await using fresh = new Cluster();
  fresh.signaling.down();
  const newcomer = await fresh.open();
  await expect(newcomer.node.admin.planRecovery()).rejects.toMatchObject({ code: 'not-a-member' });
});

// Over a line a node that starts again knows its configuration only bit by bit.
test.skipIf(SIDES_APART)('storage that fails in the middle: nothing has changed, and it can be tried again', async () => {
  await using cluster = new Cluster();
  const { stays } = await deadRoom(cluster);
  const { admin } = stays.node;
  const { store } = stays.engine;
  const write = store.write.bind(store);
  store.write = () => Promise.reject(new RaftError('storage', 'the disk is gone'));
  const { token } = await admin.planRecovery();
  await expect(admin.recover(token)).rejects.toMatchObject({ code: 'storage' });
  store.write = write;
  await stays.node.until((status) => status.role !== 'stopped' && status.peers.length === 2 && !status.quorumAlive);
  expect(stays.node.status.epoch).toBe(1);
  const again = await admin.planRecovery();
  expect(await admin.recover(again.token)).toMatchObject({ epoch: 2 });
  expect(await add(stays)).toBe(8);
});

test('T3: who knows less than its leader has seen it acknowledge is told, ends, and comes back as another', async () => {
  await using cluster = new Cluster();
  const opened = await cluster.of(3);
  const leader = cluster.leader();
  const [victim] = cluster.followers();
  if (victim === undefined || opened.length === 0) throw new Error('nobody');
  await add(leader);
  await leader.node.until(() => (leader.node.status.peers.find(({ id }) => id === victim.node.id)?.lagEntries ?? 1) === 0);
  const { standing } = leader.engine;
  const verdict = (given: object, asked = new Rollback(standing).acknowledged().get(victim.node.id)): string | undefined => {
    const rollback = new Rollback(standing);
    rollback.onAnswer(victim.node.id, asked, { role: 'follower', term: leader.node.term, last: 1, ...given } as never);
    return rollback.toldTo(victim.node.id)?.code;
  };
  expect(verdict({})).toBe('corrupt');
  // Nothing to be told: an answer of another term, of a node that takes no part, one that holds enough; and of nobody else's term.
  for (const given of [{ term: 0 }, { role: 'stopped' }, { last: leader.node.status.lastIndex }])
    expect(verdict(given)).toBeUndefined();
  expect(verdict({}, { term: 0, index: 99 })).toBeUndefined();
  expect([...new Rollback(victim.engine.standing).acknowledged()]).toEqual([]);

  // Its view of its own log goes back in time, as that of an older copy would.
  const { view } = victim.engine.member ?? {};
  if (view === undefined) throw new Error('no member');
  view.lastIndex = () => 1;
  const ended = new Promise<string>((resolve) => victim.node.on('fatal', ({ error }) => resolve(error.code)));
  expect(await ended).toBe('corrupt');
  await victim.node.stop();
  const back = await cluster.open({ disk: victim.disk, preferred: victim.node.id });
  expect(back.node.id).not.toBe(victim.node.id);
  await back.node.until((status) => status.suffrage === 'voter');
  expect(await back.node.read((state) => state.balance)).toBe(1);
});
