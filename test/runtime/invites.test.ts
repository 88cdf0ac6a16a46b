/** Invites, roles and putting somebody out, with real proofs over links of one process. */
import { expect, test } from 'vitest';
import { accessBy } from '../../src/trust/access.ts';
import type { Authorize } from '../../src/trust/authorize.ts';
import { parseRoomLink } from '../../src/trust/room-link.ts';
import { createSecret } from '../../src/trust/secret.ts';
import { Cluster, type Opened } from './cluster.ts';

/** A room with a secret, and its founder. */
async function founded(authorize?: Authorize): Promise<{ cluster: Cluster; host: Opened; bySecret: () => Promise<Opened> }> {
  const cluster = new Cluster();
  const access = await accessBy({ kind: 'secret', secret: createSecret('test'), at: undefined });
  const bySecret = (): Promise<Opened> => cluster.open({ access, authorize });
  const host = await bySecret();
  await host.node.ready;
  return { cluster, host, bySecret };
}

async function byLink(cluster: Cluster, link: string): Promise<Opened> {
  return cluster.open({ access: await accessBy(parseRoomLink(link)) });
}

const refusedWith = (opened: Opened): Promise<string> =>
  new Promise((resolve) => opened.node.on('fatal', ({ error }) => resolve(error.code)));

test('who is invited comes in, in the role of the invite, without the secret; a reader may not write', async () => {
  const { cluster, host } = await founded();
  await using _ = cluster;
  const { link } = await host.node.membership.invite({ role: 'reader' });
  const reader = await byLink(cluster, link);
  await reader.node.ready;
  await host.node.propose({ type: 'add', amount: 5 });
  await reader.node.until((_status, state) => state.balance === 5);
  expect(reader.node.roomLink).toBeUndefined();
  expect(host.engine.trust.roleOf(reader.node.id)).toBe('reader');
  await expect(reader.node.propose({ type: 'add', amount: 1 })).rejects.toMatchObject({ code: 'not-authorized' });
  await expect(reader.node.membership.invite({ role: 'reader' })).rejects.toMatchObject({ code: 'not-authorized' });
  await expect(reader.node.membership.promote(reader.node.id)).rejects.toMatchObject({ code: 'not-authorized' });
  expect(await host.node.read((state) => state.balance)).toBe(5);
});

test('an invited learner writes, and changes no membership, not its own either', async () => {
  const { cluster, host } = await founded();
  await using _ = cluster;
  const { link } = await host.node.membership.invite({ role: 'learner' });
  const { node } = await byLink(cluster, link);
  await node.ready;
  expect(await node.propose({ type: 'add', amount: 2 })).toBe(2);
  await expect(node.membership.promote(node.id)).rejects.toMatchObject({ code: 'not-authorized' });
  await expect(node.membership.invite({ role: 'voter' })).rejects.toMatchObject({ code: 'not-authorized' });
  expect(host.node.config.learners).toEqual([node.id]);
});

test('an invite is counted in the log: who comes when it is used up is told so, and one taken back lets nobody in', async () => {
  const { cluster, host, bySecret } = await founded();
  await using _ = cluster;
  const other = await bySecret();
  await cluster.voters(2);
  const { link } = await other.node.membership.invite({ role: 'voter' });
  const first = await byLink(cluster, link);
  await first.node.ready;
  await cluster.voters(3);
  expect(await refusedWith(await byLink(cluster, link))).toBe('invite-used');
  const taken = await host.node.membership.invite();
  await other.node.membership.revokeInvite(taken.id);
  await host.node.until(() => host.engine.trust.invite(taken.id)?.state === 'invite-revoked');
  expect(await refusedWith(await byLink(cluster, taken.link))).toBe('invite-revoked');
  expect(host.node.config.members).toHaveLength(3);
});

test('whoever is put out is cut off and not let in again, although it knows the secret', async () => {
  const { cluster, host, bySecret } = await founded();
  await using _ = cluster;
  await bySecret();
  const third = await bySecret();
  await cluster.voters(3);
  const ended = refusedWith(third);
  await host.node.membership.expel(third.node.id);
  expect(await ended).toBe('member-revoked');
  expect(host.node.config.members.map(({ id }) => id)).not.toContain(third.node.id);
  const again = await cluster.open({ access: third.engine.options.access, disk: third.disk });
  expect(again.node.id).toBe(third.node.id);
  expect(await refusedWith(again)).toBe('member-revoked');
  await expect(host.node.membership.add({ id: third.node.id })).rejects.toMatchObject({ code: 'member-revoked' });
});

test("the application's hook is asked by the leader and at apply, and refuses with a code", async () => {
  const authorize: Authorize = (_member, request) =>
    request.kind !== 'command' || (request.command as { type: string }).type !== 'note';
  const { cluster, host, bySecret } = await founded(authorize);
  await using _ = cluster;
  const other = await bySecret();
  await cluster.voters(2);
  for (const { node } of [host, other]) {
    expect(await node.propose({ type: 'add', amount: 1 })).toBeGreaterThan(0);
    await expect(node.propose({ type: 'note', text: 'no' })).rejects.toMatchObject({ code: 'not-authorized' });
  }
  expect(await other.node.read((state) => state.log)).toEqual([]);
});
