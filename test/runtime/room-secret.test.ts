/** Changing a room's secret: who stays, who is kept out, who is told, and what a crash in the middle leaves. */
import { expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import type { WriteBatch } from '../../src/storage/storage.ts';
import { type Access, accessBy } from '../../src/trust/access.ts';
import { parseRoomLink } from '../../src/trust/room-link.ts';
import { createSecret } from '../../src/trust/secret.ts';
import { encodeJoin } from '../../src/wire/bodies.ts';
import { Cluster, type ClusterNodeOptions, type Opened } from './cluster.ts';
import { SIDES_APART } from './crossing/apart.ts';

/** A cluster of a room with a secret. Nodes come in by the first link unless they say otherwise. */
class SecretCluster extends Cluster {
  override readonly access: Promise<Access> = accessBy({ kind: 'secret', secret: createSecret('test'), at: undefined });

  async byLink(link: string | undefined, options: ClusterNodeOptions = {}): Promise<Opened> {
    if (link === undefined) throw new Error('there is no link');
    return this.open({ ...options, access: await accessBy(parseRoomLink(link)) });
  }
}

const fatalOf = (opened: Opened): Promise<string> =>
  new Promise((resolve) => opened.node.on('fatal', ({ error }) => resolve(error.code)));

const linkIs = (opened: Opened, link: string): Promise<void> => opened.node.until(() => opened.node.roomLink === link);

function askFor(asker: Opened, whom: Opened): Promise<RaftError | Uint8Array> {
  return new Promise((resolve) => {
    asker.engine.peers.call(whom.node.id, 'secret', new Uint8Array(0), 3_000, ({ body, error }) => resolve(error ?? body));
  });
}

test('members stay and know the new link; the old one lets nobody in, the new one does, and the room is found where it was', async () => {
  await using cluster = new SecretCluster();
  const [first, second, third] = await cluster.of(3);
  if (first === undefined || second === undefined || third === undefined) throw new Error('three nodes expected');
  const old = second.node.roomLink;
  const links: (string | undefined)[] = [];
  third.node.on('room-link', ({ link }) => links.push(link));
  const link = await second.node.membership.rotateSecret();
  expect(link).not.toBe(old);
  const { room, at } = parseRoomLink(link).kind === 'secret' ? { room: 'test', at: /at=(\w+)/.exec(link)?.[1] } : {};
  expect([room, at]).toEqual(['test', (await cluster.access).rendezvous]);
  for (const opened of [first, second, third]) await linkIs(opened, link);
  expect(links).toEqual([undefined, link]);

  const outsider = await cluster.byLink(old);
  expect(await fatalOf(outsider)).toBe('wrong-secret');
  expect(outsider.node.clusterId).toBe('');
  const newcomer = await cluster.byLink(link);
  await newcomer.node.ready;
  expect(await newcomer.node.propose({ type: 'add', amount: 3 })).toBe(3);
  await linkIs(newcomer, link);
  // Members link by their keys: one that dials anew with the old secret in hand is among them as before.
  expect(first.node.status.peers.filter(({ link: state }) => state === 'open')).toHaveLength(3);
});

test('who slept through it is let in by its key, is told, and keeps what it was told over its next sleep', async () => {
  await using cluster = new SecretCluster();
  const [host, , sleeper] = await cluster.of(3);
  if (host === undefined || sleeper === undefined) throw new Error('three nodes expected');
  await sleeper.node.stop();
  await host.node.membership.rotateSecret();
  const link = await host.node.membership.rotateSecret();
  const back = await cluster.open({ disk: sleeper.disk });
  expect(back.node.id).toBe(sleeper.node.id);
  await linkIs(back, link);
  await back.node.stop();
  // Alone with its disk and its first link it knows which secret counts, before anybody has told it.
  const again = await cluster.open({ disk: sleeper.disk, transport: cluster.hub.transport() });
  expect(again.node.roomLink).toBe(link);
  await again.node.until((status) => status.leaderId !== undefined);
  // The next change, while it is away, and the link of that in its page: newer than what it has kept.
  await again.node.stop();
  const next = await host.node.membership.rotateSecret();
  const last = await cluster.byLink(next, { disk: sleeper.disk });
  expect(last.node.id).toBe(sleeper.node.id);
  expect(last.node.roomLink).toBe(next);
});

test('whoever may not let in voters is not told the secret, and does not change it', async () => {
  await using cluster = new SecretCluster();
  const [host] = await cluster.of(2);
  if (host === undefined) throw new Error('a host expected');
  const byInvite = async (role: 'learner' | 'reader'): Promise<Opened> => {
    const opened = await cluster.byLink((await host.node.membership.invite({ role })).link);
    await opened.node.ready;
    return opened;
  };
  const [learner, reader] = [await byInvite('learner'), await byInvite('reader')];
  const link = await host.node.membership.rotateSecret();
  for (const opened of [learner, reader]) {
    await opened.node.until(() => opened.engine.trust.secret.epoch === 1);
    expect(await askFor(opened, host)).toMatchObject({ code: 'not-authorized' });
    expect(opened.node.roomLink).toBeUndefined();
    await expect(opened.node.membership.rotateSecret()).rejects.toMatchObject({ code: 'not-authorized' });
  }
  // A voter that came by an invite, and never had the first secret, knows the second.
  const voter = await cluster.byLink((await host.node.membership.invite({ role: 'voter' })).link);
  await linkIs(voter, link);
});

test('one that changed it and crashed before anybody knew it gives it out when it is back; meanwhile the room goes on', async () => {
  await using cluster = new SecretCluster();
  const isItsSecret = ({ putRecords }: WriteBatch): boolean => putRecords?.some(([key]) => key === 'room-secret') === true;
  let crashed = (): void => undefined;
  const crash = new Promise<void>((resolve) => {
    crashed = resolve;
  });
  let armed = true;
  const onWrite = (batch: WriteBatch): void => {
    if (!armed || !isItsSecret(batch)) return;
    // It has just read in its log that its secret is in force, and has told nobody.
    armed = false;
    cluster.crash(maker);
    crashed();
    throw new RaftError('storage-closed', 'The process was killed.');
  };
  await cluster.of(3, { onWrite });
  const maker = cluster.leader();
  const others = cluster.followers();
  const changing = maker.node.membership.rotateSecret().catch((error: unknown) => error);
  await crash;
  await changing;
  const [one, two] = others;
  if (one === undefined || two === undefined) throw new Error('two followers expected');
  await cluster.newLeader(maker.node.id);
  for (const { node, engine } of others) await node.until(() => engine.trust.secret.epoch === 1);
  expect(await one.node.propose({ type: 'add', amount: 1 })).toBe(1);
  expect([one.node.roomLink, two.node.roomLink]).toEqual([undefined, undefined]);
  // Neither secret lets anybody in now, the old one least of all; an invite does.
  const outsider = await cluster.open();
  await outsider.node.until(({ peers }) => peers.some(({ link }) => link !== 'open'));
  const guest = await cluster.byLink((await one.node.membership.invite()).link);
  await guest.node.ready;
  expect(outsider.node.clusterId).toBe('');

  const back = await cluster.open({ disk: maker.disk });
  await back.node.until(() => back.node.roomLink !== undefined && back.engine.trust.secret.epoch === 1);
  for (const opened of [...others, guest]) await linkIs(opened, back.node.roomLink ?? '');
  expect(await fatalOf(outsider)).toBe('wrong-secret');
});

test('one that changed it and never returns: another member changes it again', async () => {
  await using cluster = new SecretCluster();
  await cluster.of(3);
  const maker = cluster.leader();
  const others = cluster.followers();
  // Nobody is told, ever.
  maker.engine.duties.secret.onCall = (_peer, _body, reply) => reply(new Uint8Array(18).fill(7));
  await maker.node.membership.rotateSecret();
  for (const { node, engine } of others) await node.until(() => engine.trust.secret.epoch === 1);
  cluster.crash(maker);
  await cluster.newLeader(maker.node.id);
  const [one, two] = others;
  if (one === undefined || two === undefined) throw new Error('two followers expected');
  // What was answered is not what the log says: it is not taken for the secret.
  expect(one.node.roomLink).toBeUndefined();
  const link = await one.node.membership.rotateSecret();
  await linkIs(two, link);
  const newcomer = await cluster.byLink(link);
  await newcomer.node.ready;
});

// Apart from the log a refusal comes when the write is in the journal: then it may have been made, for all that is known.
test.skipIf(SIDES_APART)(
  'a secret that could not be kept is not told to the log; one that the log has refused is forgotten',
  async () => {
    await using cluster = new SecretCluster();
    let full = false;
    let kept = 0;
    const host = await cluster.open({
      onWrite: (batch) => {
        if (batch.putRecords?.some(([key]) => key === 'room-secrets-made') !== true) return;
        kept++;
        if (full) throw new RaftError('quota', 'The disk is full.');
      },
      authorize: (_member, request) => request.kind !== 'trust' || request.command.kind !== 'secret' || kept > 10,
    });
    await host.node.ready;
    const before = host.node.roomLink;
    for (let i = 0; i < 9; i++)
      await expect(host.node.membership.rotateSecret()).rejects.toMatchObject({ code: 'not-authorized' });
    expect(host.node.roomLink).toBe(before);
    full = true;
    await expect(host.node.membership.rotateSecret()).rejects.toMatchObject({ code: 'quota' });
    expect([host.engine.trust.secret.epoch, host.node.roomLink]).toEqual([0, before]);
  },
);

test('of two members that change it at the same moment one is told to look again, and all know one link', async () => {
  await using cluster = new SecretCluster();
  const [one, two] = await cluster.of(2);
  if (one === undefined || two === undefined) throw new Error('two nodes expected');
  const both = await Promise.allSettled([one.node.membership.rotateSecret(), two.node.membership.rotateSecret()]);
  const made = both.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  for (const result of both)
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'membership-mismatch' });
  expect(made.length).toBeGreaterThan(0);
  const epoch = one.engine.trust.secret.epoch;
  expect(epoch).toBe(made.length);
  await one.node.until(() => one.node.roomLink !== undefined && one.node.roomLink === two.node.roomLink);
  expect(made).toContain(one.node.roomLink);
});

test('a member that has not read of the change brings nobody in by the old secret', async () => {
  await using cluster = new SecretCluster();
  await cluster.of(2);
  const leader = cluster.leader();
  const [other] = cluster.followers();
  if (other === undefined) throw new Error('a follower expected');
  await leader.node.membership.rotateSecret();
  const bring = (secretEpoch: number): Promise<RaftError | undefined> =>
    new Promise((resolve) => {
      const body = encodeJoin({ nodeId: `node-${secretEpoch}`, context: new Uint8Array(0), secretEpoch });
      other.engine.peers.call(leader.node.id, 'join', body, 5_000, ({ error }) => resolve(error));
    });
  expect(await bring(0)).toMatchObject({ code: 'not-admitted' });
  expect(await bring(1)).toBeUndefined();
  await leader.node.until(() => leader.node.config.learners.length > 0);
  expect(leader.node.config.learners).toEqual(['node-1']);
});

test('an open room has no secret to change', async () => {
  await using cluster = new Cluster();
  const { node } = await cluster.open({ storage: new MemoryStorage({ durable: true }) });
  await node.ready;
  await expect(node.membership.rotateSecret()).rejects.toMatchObject({ code: 'invalid-argument' });
});
