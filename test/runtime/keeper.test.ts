/** A keeper: a member without the machine keeps a room alive that everybody else has left. */
import { expect, test } from 'vitest';
import { nodeClock } from '../../src/front-door/node-clock.ts';
import { type OpenedNode, openNode } from '../../src/front-door/open-node.ts';
import type { ByteNode, NodeStatus } from '../../src/runtime/api/api.ts';
import { resolveAutopilot, resolveTuning } from '../../src/runtime/api/options.ts';
import { keeper } from '../../src/state/keeper.ts';
import type { ByteMachine } from '../../src/state/state-machine.ts';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { type Access, accessBy } from '../../src/trust/access.ts';
import { parseRoomLink } from '../../src/trust/room-link.ts';
import { createSecret } from '../../src/trust/secret.ts';
import { Cluster, type Opened } from './cluster.ts';

class SecretCluster extends Cluster {
  override readonly access: Promise<Access> = accessBy({ kind: 'secret', secret: createSecret('test'), at: undefined });
}

type Kept = OpenedNode<ByteNode<ByteMachine>>;

async function openKeeper(cluster: Cluster, disk = new MemoryDisk(), snapshotEveryEntries = 10_000): Promise<Kept> {
  return openNode(keeper, {
    room: cluster.room,
    access: await cluster.access,
    mode: 'enter',
    votersTarget: 7,
    autopilot: resolveAutopilot({ settleMs: 0, intervalMs: 0 }),
    storage: new MemoryStorage({ disk, durable: true }),
    transport: cluster.hub.transport(),
    signaling: cluster.signaling.signaling(),
    clock: nodeClock(),
    name: 'keeper',
    suffrage: 'voter',
    priority: 10,
    preferred: undefined,
    tuning: resolveTuning({
      electionTimeoutMs: [150, 300],
      heartbeatMs: 30,
      snapshotEveryEntries,
      keepEntries: 0,
      callTimeoutMs: 30_000,
    }),
  });
}

const votes = (node: { until(holds: (status: NodeStatus) => boolean): Promise<void> }): Promise<void> =>
  node.until(({ suffrage }) => suffrage === 'voter');

async function write(opened: Opened, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await opened.node.propose({ type: 'note', text: `note ${i}` }, { id: `note-${i}` });
}

/** Everybody but the keeper goes, and the keeper is the only voter. */
async function allLeave(cluster: Cluster, kept: Kept): Promise<void> {
  for (const { node } of cluster.running()) await node.stop({ transfer: false });
  await kept.node.until(({ role }) => role === 'leader' && kept.node.config.voters.length === 1);
}

test('all others leave a keeper; whoever comes with an empty disk finds the state, and what was written once stays once', async () => {
  await using cluster = new Cluster();
  const first = await cluster.open();
  const kept = await openKeeper(cluster);
  await votes(kept.node);
  await write(first, 20);
  await allLeave(cluster, kept);
  const back = await cluster.open();
  expect(await back.node.read(({ log }) => log.length)).toBe(20);
  const again = await back.node.proposeDetailed({ type: 'note', text: 'note 3' }, { id: 'note-3' });
  expect(again).toMatchObject({ replayed: true, result: { position: 4 } });
  await kept.node.stop();
});

test('a keeper founds a room, and others join it', async () => {
  await using cluster = new Cluster();
  const kept = await openKeeper(cluster);
  await kept.node.until(({ role }) => role === 'leader');
  const joined = await cluster.open();
  await write(joined, 3);
  expect(await joined.node.read(({ log }) => log.length)).toBe(3);
  await kept.node.stop();
});

test('its log is cut by a snapshot that it asks of a leader with the machine; it hands leadership over for that', async () => {
  await using cluster = new Cluster();
  const first = await cluster.open();
  const disk = new MemoryDisk();
  let kept = await openKeeper(cluster, disk, 30);
  await votes(kept.node);
  if (first.node.role === 'leader') await first.node.admin.transferLeadership(kept.node.id);
  await write(first, 40);
  await kept.node.until(({ snapshotIndex, firstIndex }) => snapshotIndex >= 30 && firstIndex > 30);
  await write(first, 45); // the first forty were written before: each of them once
  await allLeave(cluster, kept);

  // Nobody who comes now is a member in that snapshot: the keeper makes one out of it and of its log.
  const second = await cluster.open();
  expect(await second.node.read(({ log }) => log)).toEqual(Array.from({ length: 45 }, (_, i) => `note ${i}`));
  await second.node.propose({ type: 'add', amount: 7 });
  await allLeave(cluster, kept);

  // The keeper comes back from its disk, and makes a snapshot out of its own.
  const id = kept.node.id;
  await kept.node.stop();
  kept = await openKeeper(cluster, disk, 10_000);
  expect(kept.node.id).toBe(id);
  await kept.node.until(({ role }) => role === 'leader');
  await kept.node.admin.snapshot();
  const third = await cluster.open();
  expect(await third.node.read(({ balance, log }) => [balance, log.length])).toEqual([7, 45]);
  await votes(third.node);
  await third.node.admin.transferLeadership(third.node.id);
  const { diverged, notCompared } = await third.node.admin.verify({ timeoutMs: 300 });
  expect(diverged).toEqual([]);
  expect(notCompared).not.toContain(kept.node.id); // it has no state to compare
  await kept.node.stop();
});

test('a keeper that leads, alone, knows who was put out, which secret counts, and who is invited; so does its next life', async () => {
  await using cluster = new SecretCluster();
  const host = await cluster.open();
  const disk = new MemoryDisk();
  let kept = await openKeeper(cluster, disk, 20);
  await votes(kept.node);
  const gone = await cluster.open();
  await votes(gone.node);
  const { link: invite } = await host.node.membership.invite({ role: 'learner', uses: 2 });
  await host.node.membership.expel(gone.node.id);
  const link = await host.node.membership.rotateSecret();
  await kept.node.until(() => kept.node.roomLink === link);
  await write(host, 30); // its log is cut: what was decided is in the state that it was given
  await kept.node.until(({ snapshotIndex }) => snapshotIndex >= 20);
  await allLeave(cluster, kept);
  const refused = async (opened: Opened): Promise<string> =>
    new Promise((resolve) => opened.node.on('fatal', ({ error }) => resolve(error.code)));
  for (let life = 1; life <= 2; life++) {
    expect(await refused(await cluster.open({ disk: gone.disk }))).toBe('member-revoked');
    expect(await refused(await cluster.open())).toBe('wrong-secret');
    const guest = await cluster.open({ access: await accessBy(parseRoomLink(invite)) });
    await guest.node.ready;
    expect(await guest.node.read(({ log }) => log.length)).toBe(30);
    await guest.node.stop();
    const { id } = kept.node;
    await kept.node.stop();
    kept = await openKeeper(cluster, disk, 10_000);
    expect(kept.node.id).toBe(id);
    await kept.node.until(({ role }) => role === 'leader');
  }
  // The invite was good for two, and both were counted by the keeper.
  expect(await refused(await cluster.open({ access: await accessBy(parseRoomLink(invite)) }))).toBe('invite-used');
  const newcomer = await cluster.open({ access: await accessBy(parseRoomLink(link)) });
  await votes(newcomer.node);
  await kept.node.stop();
});

test('it takes no commands, and says so', async () => {
  await using cluster = new Cluster();
  const kept = await openKeeper(cluster);
  await expect(kept.node.propose(Uint8Array.of(1))).rejects.toMatchObject({ code: 'unknown-command' });
  expect(await kept.node.barrier()).toBeGreaterThan(0);
  await kept.node.stop();
});
