/** Parts in one machine, alone and in a cluster of three whose leader is lost. */
import { expect, test } from 'vitest';
import { nodeClock } from '../../src/front-door/node-clock.ts';
import { openNode } from '../../src/front-door/open-node.ts';
import { resolveAutopilot, resolveTuning } from '../../src/runtime/api/options.ts';
import { MemorySignalingHub } from '../../src/signaling/memory.ts';
import { defineStateMachine } from '../../src/state/typed-machine.ts';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { compose, ledger, locks, map, uniqueNames } from '../../src/structures/index.ts';
import { MemoryHub } from '../../src/transport/memory.ts';
import { Stand } from './stand.ts';

const app = defineStateMachine<{ notes: string[] }>()({
  initial: () => ({ notes: [] }),
  commands: {
    note: (state, { text }: { text: string }) => {
      state.notes.push(text);
      if (text === 'bad') throw new Error('refused');
      return state.notes.length;
    },
  },
  queries: { count: (state) => state.notes.length },
});
const whole = compose({ seats: uniqueNames(), money: ledger(), locks: locks(), app });

test('parts do not see each other, and a part that fails leaves nothing behind', async () => {
  const stand = new Stand(whole);
  expect(stand.run({ type: 'seats.claim', name: 'A1', owner: 'ann' })).toBe(true);
  expect(stand.run({ type: 'money.deposit', account: 'A1', amount: 3 })).toBe(3);
  expect(() => stand.run({ type: 'app.note', text: 'bad' })).toThrow('refused');
  expect(stand.run({ type: 'app.note', text: 'good' })).toBe(1);
  await stand.overSnapshot();
  expect([stand.ask('app.count'), stand.ask('seats.owner', 'A1'), stand.ask('money.balance', 'A1')]).toEqual([1, 'ann', 3]);
  expect(() => stand.run({ type: 'claim', name: 'A2', owner: 'bob' })).toThrow('no command');
  expect(() => stand.run({ type: 'seats.constructor' })).toThrow('no command');
  expect([stand.machine.queryTakesInput('app.count'), stand.machine.queryTakesInput('seats.owner')]).toEqual([false, true]);
});

test('a part that is new begins as it begins alone, beside what was saved', async () => {
  const before = new Stand(compose({ money: ledger() }));
  before.run({ type: 'money.deposit', account: 'a', amount: 2 });
  const saved: Uint8Array[] = [];
  for await (const chunk of before.machine.snapshot()) saved.push(chunk.slice());
  const after = new Stand(compose({ money: ledger(), extra: map<string>() }, { version: 2 }));
  await after.machine.restore(
    (async function* () {
      yield* saved;
    })(),
    1,
  );
  expect([after.ask('money.total'), after.ask('extra.size')]).toEqual([2, 0]);
});

test('what a part may not be is told at once', () => {
  for (const name of ['', 'a.b', '__proto__x', 'A', 'x'.repeat(33)])
    expect(() => compose({ [name]: ledger() })).toThrow('A part must be named');
  for (const own of [{ version: 2 }, { snapshot: () => 1 }, { migrate: () => ({ notes: [] }) }])
    expect(() => compose({ app: { ...app, ...own } })).toThrow('has its own');
});

test('a panel can show every command', () => {
  expect(whole.describe?.({ type: 'x.y', big: 1n, bytes: new Uint8Array(2) } as { type: string })).toContain('1n');
});

test('names and fencing tokens stay what they are when the leader is lost', async () => {
  const hub = new MemoryHub();
  const signaling = new MemorySignalingHub();
  const open = () =>
    openNode(whole, {
      room: 'structures',
      mode: 'enter',
      votersTarget: 3,
      autopilot: resolveAutopilot({ settleMs: 0, intervalMs: 0 }),
      storage: new MemoryStorage({ disk: new MemoryDisk(), durable: true }),
      transport: hub.transport(),
      signaling: signaling.signaling(),
      clock: nodeClock(),
      name: 'one',
      suffrage: 'voter',
      priority: 0,
      preferred: undefined,
      tuning: resolveTuning({ electionTimeoutMs: [150, 300], heartbeatMs: 30, callTimeoutMs: 8_000 }),
    });
  const opened = [await open(), await open(), await open()];
  try {
    for (const { node } of opened)
      await node.until(
        (status) => status.leaderId !== undefined && status.suffrage === 'voter' && node.config.voters.length === 3,
      );
    const [first] = opened;
    const claims = await Promise.all(opened.map(({ node }) => node.propose({ type: 'seats.claim', name: 'A1', owner: node.id })));
    expect(claims.filter(Boolean)).toHaveLength(1);
    const lease = await first?.node.propose({ type: 'locks.acquire', name: 'l', owner: 'x', ttlMs: 60_000 });
    expect(lease?.token).toBe(1);
    const old = opened.find(({ node }) => node.role === 'leader');
    if (old === undefined) throw new Error('nobody leads');
    const owner = await old.node.query('seats.owner', 'A1');
    old.engine.kill();
    hub.crash(old.node.id);
    const rest = opened.filter((one) => one !== old);
    for (const { node } of rest) await node.until((status) => status.leaderId !== undefined && status.leaderId !== old.node.id);
    for (const { node } of rest) {
      expect(await node.query('seats.owner', 'A1')).toBe(owner);
      expect(await node.propose({ type: 'locks.acquire', name: 'l', owner: 'y', ttlMs: 60_000 })).toBeUndefined();
    }
    expect(await rest[0]?.node.propose({ type: 'locks.release', name: 'l', token: 1 })).toBe(true);
    expect(await rest[1]?.node.propose({ type: 'locks.acquire', name: 'l', owner: 'y', ttlMs: 60_000 })).toMatchObject({
      token: 2,
    });
  } finally {
    await Promise.all(opened.map(({ node }) => node.stop({ transfer: false }).catch(() => {})));
  }
}, 30_000);
