/** How a newcomer comes in where members do not answer, or its own storage does not. */
import { expect, test } from 'vitest';
import { RaftError } from '../../../src/core/errors.ts';
import { NO_BYTES } from '../../../src/core/types.ts';
import { nodeClock } from '../../../src/front-door/node-clock.ts';
import { FOUNDING_RETRIED_MS, JOIN_RETRY_MS, Join } from '../../../src/runtime/duties/join.ts';
import { MEMBER_DEFAULTS, SETTINGS_DEFAULTS } from '../../../src/runtime/member/configuration.ts';
import type { Clock } from '../../../src/runtime/ports/clock.ts';
import { MemoryStorage } from '../../../src/storage/memory/memory-storage.ts';
import type { WriteBatch } from '../../../src/storage/storage.ts';
import { Cluster } from '../cluster.ts';

const clusterId = 'the cluster';
const fail = (error: unknown): void => {
  throw error;
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a newcomer asks the members in turn: one that knows no leader does not keep it out', async () => {
  let nowMs = 0;
  const asked: string[] = [];
  const newcomer = { self: 'm', mode: 'enter' as const, member: { ...MEMBER_DEFAULTS }, settings: SETTINGS_DEFAULTS };
  const store = new MemoryStorage().open({ room: 'test' });
  const bootstrap = new Join(
    newcomer,
    store,
    { ...nodeClock(), monotonicMs: () => nowMs },
    {
      candidates: () => ['b', 'z', 'a'].map((id) => ({ id, clusterId })),
      call: (peer, _body, _timeoutMs, done) => {
        asked.push(peer);
        done({ error: new RaftError('no-leader', 'Removed, and told nothing since.'), body: NO_BYTES });
      },
      onIntroduced: fail,
      onMember: fail,
      onNoQuorum: () => {},
      onFault: fail,
      onHopeless: fail,
    },
  );
  for (let i = 0; i < 5; i++) {
    bootstrap.tick();
    await turn();
    nowMs += JOIN_RETRY_MS;
  }
  expect(asked).toEqual(['a', 'b', 'z', 'a', 'b']);
});

/** Storage is looked at again at once, and not after seconds. */
function hastyClock(): Clock {
  const clock = nodeClock();
  return { ...clock, after: (delayMs, run) => clock.after(delayMs === 2_000 ? 1 : delayMs, run) };
}

/** Fails the first write that makes the node a member. */
function failsOnce(): (batch: WriteBatch) => void {
  let failed = false;
  return ({ cluster }) => {
    if (cluster === undefined || failed) return;
    failed = true;
    throw new RaftError('storage', 'The disk is gone for a moment.');
  };
}

test('storage that fails while a node joins keeps it out until it works again, and no longer', async () => {
  await using cluster = new Cluster();
  const [first] = await cluster.of(1);
  const late = await cluster.open({ clock: hastyClock(), onWrite: failsOnce() });
  const faults: string[] = [];
  late.node.on('fault', ({ error }) => faults.push(error.code));
  await cluster.voters(2);
  expect(await late.node.propose({ type: 'add', amount: 1 })).toBe(1);
  expect(first?.node.config.voters).toContain(late.node.id);
  expect(faults).toContain('storage');
});

test('storage that fails while a node founds its cluster does not leave the room without one', async () => {
  await using cluster = new Cluster();
  const { node } = await cluster.open({ clock: hastyClock(), onWrite: failsOnce() });
  await node.ready;
  expect(await node.propose({ type: 'add', amount: 1 })).toBe(1);
});

test('a room that was granted long ago is not founded: by now it is somebody else’s', async () => {
  let nowMs = 0;
  let tries = 0;
  const newcomer = { self: 'm', mode: 'enter' as const, member: { ...MEMBER_DEFAULTS }, settings: SETTINGS_DEFAULTS };
  const onWrite = (): void => {
    tries++;
    throw new RaftError('storage', 'The disk is gone.');
  };
  const store = new MemoryStorage({ onWrite }).open({ room: 'test' });
  const bootstrap = new Join(
    newcomer,
    store,
    { ...nodeClock(), monotonicMs: () => nowMs },
    {
      candidates: () => [],
      call: fail,
      onIntroduced: fail,
      onMember: fail,
      onNoQuorum: () => {},
      onFault: () => {},
      onHopeless: fail,
    },
  );
  bootstrap.onGrant();
  while (nowMs < 2 * FOUNDING_RETRIED_MS) {
    await turn();
    await store.load();
    nowMs += JOIN_RETRY_MS;
    bootstrap.tick();
  }
  expect(tries).toBe(FOUNDING_RETRIED_MS / JOIN_RETRY_MS);
});

test('a founder whose storage failed does not found when the room has got a cluster meanwhile', async () => {
  let nowMs = 0;
  let tries = 0;
  const asked: string[] = [];
  const newcomer = { self: 'm', mode: 'enter' as const, member: { ...MEMBER_DEFAULTS }, settings: SETTINGS_DEFAULTS };
  const onWrite = (): void => {
    tries++;
    if (tries === 1) throw new RaftError('storage', 'The disk is gone for a moment.');
  };
  const store = new MemoryStorage({ onWrite }).open({ room: 'test' });
  const join = new Join(
    newcomer,
    store,
    { ...nodeClock(), monotonicMs: () => nowMs },
    {
      candidates: () => [{ id: 'a', clusterId }],
      call: (peer) => asked.push(peer),
      onIntroduced: fail,
      onMember: fail,
      onNoQuorum: () => {},
      onFault: () => {},
      onHopeless: fail,
    },
  );
  join.onGrant();
  await turn();
  await store.load();
  join.onCluster(clusterId);
  while (nowMs < FOUNDING_RETRIED_MS) {
    nowMs += JOIN_RETRY_MS;
    join.tick();
    await turn();
  }
  expect([tries, asked]).toEqual([1, ['a']]);
});
