/** Membership, transfer, snapshots and faults of storage, through the public node. */
import { expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import type { StorageProvider } from '../../src/storage/storage.ts';
import { Cluster, type Opened } from './cluster.ts';

const oneOf = (items: readonly Opened[]): Opened => {
  const [first] = items;
  if (first === undefined) throw new Error('empty');
  return first;
};

test('leadership moves to whom it is given, without losing a write', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const target = oneOf(cluster.followers());
  const writes = Array.from({ length: 50 }, () => cluster.leader().node.propose({ type: 'add', amount: 1 }));
  expect(await cluster.leader().node.admin.transferLeadership(target.node.id)).toBe(target.node.id);
  await Promise.all(writes);
  expect(await target.node.read((state) => state.balance)).toBe(50);
});

test('leadership moves also right after a membership change that the target has not applied yet', async () => {
  await using cluster = new Cluster();
  await cluster.of(4);
  const leader = cluster.leader();
  const [target, gone] = cluster.followers();
  if (target === undefined || gone === undefined) throw new Error('two followers expected');
  await leader.node.membership.remove(gone.node.id);
  expect(await leader.node.admin.transferLeadership(target.node.id, { timeoutMs: 5_000 })).toBe(target.node.id);
});

test('a member can be demoted, promoted, removed and replaced, each told when it is in force', async () => {
  await using cluster = new Cluster();
  await cluster.of(4);
  const leader = cluster.leader();
  const [a, b] = cluster.followers();
  if (a === undefined || b === undefined) throw new Error('two followers expected');
  await leader.node.membership.demote(a.node.id);
  expect(leader.node.config.learners).toEqual([a.node.id]);
  await a.node.membership.promote(a.node.id);
  await leader.node.membership.remove(b.node.id);
  expect(leader.node.config.voters).not.toContain(b.node.id);
  await b.node.until((status) => status.role === 'removed', { timeoutMs: 3_000 }).catch(() => {});
  const version = leader.node.config.version;
  await expect(leader.node.membership.change({ voters: [leader.node.id] }, { ifVersion: version - 1 })).rejects.toMatchObject({
    code: 'membership-mismatch',
  });
  await leader.node.membership.change({ voters: [leader.node.id, a.node.id] }, { ifVersion: version });
  expect(leader.node.config.voters).toEqual([leader.node.id, a.node.id].sort());
  await expect(leader.node.membership.change({ voters: [] })).rejects.toMatchObject({ code: 'config-invalid' });
});

test('many changes at once wait for each other and all succeed', async () => {
  await using cluster = new Cluster();
  await cluster.of(5);
  const { node } = cluster.leader();
  const others = cluster.followers().map((one) => one.node.id);
  await Promise.all(others.map((id, i) => node.membership.setPriority(id, i + 1)));
  expect(
    node.config.members
      .filter((member) => others.includes(member.id))
      .map((member) => member.priority)
      .sort(),
  ).toEqual([1, 2, 3, 4]);
});

test('a leader that leaves hands over first', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const old = cluster.leader();
  await old.node.propose({ type: 'add', amount: 1 });
  await old.node.stop({ leave: true });
  const next = await cluster.newLeader(old.node.id);
  await next.node.until(() => !next.node.config.voters.includes(old.node.id));
  expect(next.node.config.voters).toHaveLength(2);
  expect(await next.node.propose({ type: 'add', amount: 1 })).toBe(2);
});

test('a node that joins after the log was compacted gets the snapshot, in pieces, and then the rest', async () => {
  await using cluster = new Cluster();
  await cluster.of(1, { tune: { snapshotEveryEntries: 50, keepEntries: 5 } });
  const first = cluster.leader();
  const big = 'x'.repeat(20_000);
  for (let i = 0; i < 60; i++) await first.node.propose({ type: 'note', text: `${i} ${big}` });
  await first.node.until((status) => status.firstIndex > 10);
  const late = await cluster.open();
  await late.node.ready;
  await first.node.propose({ type: 'note', text: 'after' });
  const log = await late.node.read((state) => [...state.log]);
  expect(log).toHaveLength(61);
  expect(late.node.status.snapshotIndex).toBeGreaterThan(0);
});

test('a follower that was away while the log was compacted catches up by snapshot, its own writes answered', async () => {
  await using cluster = new Cluster();
  await cluster.of(3, { tune: { snapshotEveryEntries: 20, keepEntries: 2 } });
  const leader = cluster.leader();
  const away = oneOf(cluster.followers());
  await away.node.propose({ type: 'add', amount: 1 });
  cluster.hub.block(leader.node.id, away.node.id);
  const others = cluster.followers().filter((one) => one !== away);
  for (const { node } of others) cluster.hub.block(node.id, away.node.id);
  const answer = away.node.propose({ type: 'add', amount: 1 }, { timeoutMs: 20_000 });
  await leader.node.until((_, state) => state.balance === 2);
  for (let i = 0; i < 60; i++) await leader.node.propose({ type: 'add', amount: 1 });
  cluster.hub.heal();
  expect(await answer).toBe(2);
  expect(await away.node.read((state) => state.balance)).toBe(62);
});

test('a restart reads the snapshot and the rest of the log', async () => {
  await using cluster = new Cluster();
  const [node] = await cluster.of(1, { tune: { snapshotEveryEntries: 10, keepEntries: 0 } });
  if (node === undefined) throw new Error('no node');
  for (let i = 0; i < 35; i++) await node.node.propose({ type: 'add', amount: 1 });
  await node.node.stop();
  const back = await cluster.open({ disk: node.disk });
  await back.node.ready;
  expect(await back.node.read((state) => state.balance)).toBe(35);
  expect(back.node.status.firstIndex).toBeGreaterThan(1);
});

test('a full disk: nothing unsaved is acknowledged, another leads, and the node takes part again when there is room', async () => {
  await using cluster = new Cluster();
  let full = false;
  const quota = (): void => {
    if (full) throw new RaftError('quota', 'no room');
  };
  const first = await cluster.open({ onWrite: quota });
  await first.node.ready;
  await cluster.open();
  await cluster.open();
  await cluster.voters(3);
  await cluster.transferTo(first);
  const faults: string[] = [];
  first.node.on('fault', ({ error }) => faults.push(error.code));
  full = true;
  const answer = first.node.propose({ type: 'add', amount: 1 });
  const others = cluster.opened.filter((one) => one !== first);
  for (const { node } of others) await node.until((status) => status.leaderId !== undefined && status.leaderId !== first.node.id);
  expect(faults).toContain('quota');
  expect(await oneOf(others).node.propose({ type: 'add', amount: 10 })).toBeGreaterThanOrEqual(10);
  full = false;
  await answer;
  await first.node.until((status, state) => status.role === 'follower' && state.balance === 11, { timeoutMs: 15_000 });
});

test('a leader whose disk fails hands its office over before it steps aside: no election timeout goes by', async () => {
  await using cluster = new Cluster();
  let failing = '';
  const tune = { electionTimeoutMs: [60_000, 120_000] as const, heartbeatMs: 50 };
  for (let i = 0; i < 3; i++) {
    const opened: { id?: string } = {};
    const onWrite = (): void => {
      if (opened.id !== undefined && opened.id === failing) throw new RaftError('storage', 'the disk fails');
    };
    opened.id = (await cluster.open({ tune, onWrite })).node.id;
  }
  await cluster.voters(3);
  const old = cluster.leader();
  failing = old.node.id;
  const answer = old.node.propose({ type: 'add', amount: 1 });
  const others = cluster.opened.filter((one) => one !== old);
  for (const { node } of others) await node.until((status) => status.leaderId !== undefined && status.leaderId !== failing);
  // What the others had of the old leader's log they keep: the write is applied once.
  failing = '';
  expect(await answer).toBe(1);
  expect(await oneOf(others).node.propose({ type: 'add', amount: 1 })).toBe(2);
});

test('a machine that is not deterministic is found, the first bad entry named, and the replica set right', async () => {
  await using cluster = new Cluster();
  await cluster.of(3, { tune: { digestEveryEntries: 20 } });
  const bad = oneOf(cluster.followers());
  const told: { index: number; exact: boolean }[] = [];
  bad.node.on('diverged', (event) => told.push(event));
  await bad.node.propose({ type: 'add', amount: 1 });
  (bad.engine.state.machine.state as { balance: number }).balance += 1_000;
  for (let i = 0; i < 45; i++) await cluster.leader().node.propose({ type: 'add', amount: 1 });
  await bad.node.until(() => told.length > 0);
  await bad.node.until((_, state) => state.balance === 46, { timeoutMs: 8_000 });
  expect(await cluster.leader().node.admin.verify()).toMatchObject({ ok: true });
});

test('a member of another cluster in the same room is refused, both ways', async () => {
  await using cluster = new Cluster();
  await using other = new Cluster();
  const [stranger] = await other.of(1);
  await cluster.of(1);
  if (stranger === undefined) throw new Error('no node');
  await stranger.node.stop();
  // Refused while it opens, or a moment later: never taken in.
  const opening = cluster.open({ disk: stranger.disk }).then(
    (opened) => new Promise<unknown>((resolve) => opened.node.on('fatal', ({ error }) => resolve(error))),
    (error: unknown) => error,
  );
  expect(await opening).toMatchObject({ code: 'cluster-mismatch' });
});

test('signaling may die: the formed mesh lives on', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const states: string[] = [];
  cluster.leader().node.on('signaling', ({ state }) => states.push(state));
  cluster.signaling.down({ forget: true });
  await cluster.leader().node.until(({ signaling }) => signaling !== 'open');
  expect(await oneOf(cluster.followers()).node.propose({ type: 'add', amount: 1 })).toBe(1);
  cluster.signaling.restore();
  await cluster.leader().node.until((status) => status.signaling === 'open');
});

test('create refuses a room that has a cluster, join one that has none, open where there is no identity', async () => {
  await using cluster = new Cluster();
  const joiner = await cluster.open({ mode: 'join' });
  expect(joiner.node.clusterId).toBe('');
  await cluster.open({ mode: 'create' });
  await joiner.node.ready;
  const second = await cluster.open({ mode: 'create' }).catch((error: unknown) => error);
  if (!RaftError.is(second)) {
    const created = second as Opened;
    await created.node.until((status) => status.role === 'stopped').catch(() => {});
    await expect(created.node.propose({ type: 'add', amount: 1 })).rejects.toMatchObject({ code: 'stopped' });
  }
  await expect(cluster.open({ mode: 'open' })).rejects.toMatchObject({ code: 'rejected' });
  await expect(new Cluster('no room!').open()).rejects.toMatchObject({ code: 'room-invalid' });
});

test('while a majority of voters is short of space the leader refuses writes with quota, and takes them again when there is room', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const leader = cluster.leader();
  await leader.node.propose({ type: 'add', amount: 1 });
  let quotaBytes = 1_000;
  for (const { engine } of cluster.running()) engine.store.estimate = async () => ({ usageBytes: 0, quotaBytes });
  const look = async (): Promise<void> => {
    for (const { engine } of cluster.running()) engine.duties.freeSpace.askStorage();
    await leader.node.until(() => (leader.engine.duties.freeSpace.refusal() === undefined) === quotaBytes > 1_000);
  };
  await look();
  await expect(oneOf(cluster.followers()).node.propose({ type: 'add', amount: 1 })).rejects.toMatchObject({
    code: 'quota',
    mayHaveApplied: false,
  });
  expect(await leader.node.read((state) => state.balance)).toBe(1);
  quotaBytes = 1e9;
  await look();
  expect(await leader.node.propose({ type: 'add', amount: 1 })).toBe(2);
});

test('a node whose storage cannot be read leaves it alone and comes back as another, which takes its vote', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const gone = oneOf(cluster.followers());
  await gone.node.propose({ type: 'add', amount: 1 });
  cluster.crash(gone);
  const readable = new MemoryStorage({ disk: gone.disk, durable: true });
  const storage: StorageProvider = {
    kind: 'damaged',
    durable: true,
    leftKey: (...given) => readable.leftKey(...given),
    acquire: async (request) => {
      if (request.fresh !== true) throw new RaftError('corrupt', 'segment 3 does not match its checksum');
      return readable.acquire(request);
    },
  };
  await expect(cluster.open({ storage, preferred: gone.node.id, onCorrupt: 'refuse' })).rejects.toMatchObject({
    code: 'corrupt',
  });
  const back = await cluster.open({ storage, preferred: gone.node.id });
  const faults: string[] = [];
  back.node.on('fault', ({ error }) => faults.push(error.code));
  expect(back.node.id).not.toBe(gone.node.id);
  await back.node.until((status) => status.suffrage === 'voter' && back.node.config.votersOutgoing.length === 0);
  expect(back.node.config.voters).toHaveLength(3);
  expect(back.node.config.voters).not.toContain(gone.node.id);
  expect(await back.node.read((state) => state.balance)).toBe(1);
  expect(faults).toContain('corrupt');
  expect(gone.disk.room('test').has(gone.node.id)).toBe(true);
});

test('a removed node says so at once, to calls that wait and to new ones', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const leader = cluster.leader();
  const gone = oneOf(cluster.followers());
  await gone.node.propose({ type: 'add', amount: 1 });
  const removed = new Promise<void>((resolve) => void gone.node.on('removed', () => resolve()));
  await leader.node.membership.remove(gone.node.id);
  await removed;
  await expect(gone.node.propose({ type: 'add', amount: 1 })).rejects.toMatchObject({ code: 'removed', mayHaveApplied: false });
  await expect(gone.node.read((state) => state.balance)).rejects.toMatchObject({ code: 'removed' });
  expect(gone.node.peek((state) => state.balance)).toBe(1);
});

test('a change by hand that leaves no majority that is heard is refused, and nothing is lost', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const leader = cluster.leader();
  const [gone, alive] = cluster.followers();
  if (gone === undefined || alive === undefined) throw new Error('no followers');
  cluster.crash(gone);
  await leader.node.until((status) => status.failureTolerance === 0);
  await expect(leader.node.membership.remove(alive.node.id)).rejects.toMatchObject({ code: 'config-invalid' });
  expect(await leader.node.propose({ type: 'add', amount: 1 })).toBe(1);
  await leader.node.membership.remove(gone.node.id);
  expect(leader.node.config.voters).toHaveLength(2);
});
