/** Sessions that end, callers that move, and builds that differ: through the public node. */
import { expect, test } from 'vitest';
import { nodeClock } from '../../src/front-door/node-clock.ts';
import { openNode } from '../../src/front-door/open-node.ts';
import { resolveTuning } from '../../src/runtime/api/options.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { bank, Cluster, type Opened } from './cluster.ts';

const oneOf = (items: readonly Opened[]): Opened => {
  const [first] = items;
  if (first === undefined) throw new Error('empty');
  return first;
};

test('a caller that moves to another member takes what it has seen with it', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const [here, there] = cluster.followers();
  if (here === undefined || there === undefined) throw new Error('two followers expected');
  for (let i = 1; i <= 20; i++) {
    const { index, result } = await here.node.proposeDetailed({ type: 'add', amount: 1 });
    expect(await there.node.read((state) => state.balance, { consistency: { atLeast: index } })).toBeGreaterThanOrEqual(result);
  }
});

test('a writer whose session has expired by log time gets a new one, and its write is applied once', async () => {
  await using cluster = new Cluster();
  await cluster.of(3, { tune: { sessionTtlMs: 1_000 } });
  const leader = cluster.leader();
  const sleeper = oneOf(cluster.followers());
  await sleeper.node.propose({ type: 'add', amount: 1 });
  await leader.node.propose({ type: 'note', text: 'awake' });
  const { sessions } = leader.engine.state;
  const before = sessions.size;
  const since = leader.engine.state.now;
  // Entries of others, until log time has gone on and the table has been looked through.
  for (let i = 0; i < 10_000 && (leader.engine.state.now <= since + 1_000 || sessions.size >= before); i++) {
    await leader.node.batch(Array.from({ length: 20 }, () => ({ type: 'note', text: 'x' }) as const));
  }
  expect(sessions.size).toBeLessThan(before);
  expect(await sleeper.node.propose({ type: 'add', amount: 1 })).toBe(2);
  expect(await leader.node.read((state) => state.balance)).toBe(2);
});

test('a node with an older state machine than the log’s stops instead of misunderstanding it', async () => {
  await using cluster = new Cluster();
  const open = async (version: number): Promise<Opened> => {
    const storage = new MemoryStorage({ durable: true });
    const opened = await openNode(
      { ...bank, version },
      {
        room: 'test',
        mode: 'enter',
        storage,
        transport: cluster.hub.transport(),
        signaling: cluster.signaling.signaling(),
        clock: nodeClock(),
        name: `v${version}`,
        suffrage: 'voter',
        priority: 0,
        preferred: undefined,
        tuning: resolveTuning({ electionTimeoutMs: [150, 300], heartbeatMs: 30 }),
      },
    );
    const whole = { ...opened, storage, disk: storage.disk };
    cluster.opened.push(whole);
    return whole;
  };
  const newer = await open(2);
  await newer.node.ready;
  await newer.node.propose({ type: 'add', amount: 1 });
  const older = await open(1);
  await expect(older.node.ready).rejects.toMatchObject({
    code: 'stopped',
    cause: expect.objectContaining({ code: 'version-mismatch' }),
  });
  expect(older.node.role).toBe('stopped');
});

test('a member that comes back from its snapshot keeps sessions for as long as the cluster says, not as its own options do', async () => {
  await using cluster = new Cluster();
  await cluster.of(1, { tune: { sessionTtlMs: 5_000 } });
  const first = oneOf(cluster.opened);
  await first.node.propose({ type: 'add', amount: 1 });
  await first.node.admin.snapshot();
  expect(first.engine.state.sessions.lifeMs).toBe(5_000);
  await first.node.stop({ transfer: false });
  const back = await cluster.open({ disk: first.disk, tune: { sessionTtlMs: 9_000 } });
  expect(back.node.id).toBe(first.node.id);
  expect(back.engine.member?.replica.appliedIndex).toBeGreaterThan(0);
  expect(back.engine.state.sessions.lifeMs).toBe(5_000);
});

test('options out of range are refused with the range allowed', () => {
  expect(() => resolveTuning({ heartbeatMs: 1 })).toThrow(/heartbeatMs must be a whole number from 5 to 60000/);
  expect(() => resolveTuning({ heartbeatMs: 500, electionTimeoutMs: [600, 900] })).toThrow(/at most half of electionTimeoutMs/);
  expect(() => resolveTuning({ nonsense: 1 } as never)).toThrow(/no tuning option named nonsense/);
});
