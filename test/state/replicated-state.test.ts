import { expect, test } from 'vitest';
import { packValue } from '../../src/codec/pack.ts';
import { type Entry, makeEntry } from '../../src/core/types.ts';
import { type CommandEnvelope, encodeCommand, encodeRegister } from '../../src/state/envelope.ts';
import { ReplicatedState } from '../../src/state/replicated-state.ts';
import { defineStateMachine, TypedMachine } from '../../src/state/typed-machine.ts';

interface Counter {
  total: number;
  seen: { at: number; random: number; proposer: string }[];
}
const counter = defineStateMachine<Counter>()({
  initial: () => ({ total: 0, seen: [] }),
  commands: {
    add: (state, { by }: { by: number }, context) => {
      state.total += by;
      state.seen.push({ at: context.now, random: context.random(), proposer: context.proposer });
      return { total: state.total };
    },
    fail: () => {
      throw new Error('no');
    },
  },
});

const limits = { sessionsMax: 3, sessionTtlMs: 1_000 };
const machine = (version = 1): TypedMachine<Counter, typeof counter.commands, Record<never, never>> =>
  new TypedMachine({ ...counter, version });
const make = (version = 1): ReplicatedState => new ReplicatedState(machine(version), limits);
const total = (state: ReplicatedState): number => (state.machine.state as Counter).total;

const entry = (index: number, data: Uint8Array, time = index * 10, term = 1): Entry =>
  makeEntry(index, term, 'normal', time, data, undefined);
const command = (fields: Partial<CommandEnvelope>, value: unknown = { type: 'add', by: 1 }): Uint8Array =>
  encodeCommand({
    session: 1,
    sequence: 1,
    answeredBelow: 1,
    machineVersion: 1,
    expectedTerm: 0,
    notAfter: 0,
    key: '',
    command: packValue(value),
    ...fields,
  });

function started(): ReplicatedState {
  const state = make();
  state.apply(entry(1, encodeRegister('client', 'nonce')));
  return state;
}

test('a registration opens the session that its index names', () => {
  expect(make().apply(entry(7, encodeRegister('client', 'nonce')))).toEqual({
    kind: 'registered',
    clientId: 'client',
    nonce: 'nonce',
    session: 7,
  });
});

test('the same write twice is applied once, and its second copy gets the first outcome', () => {
  const state = started();
  const first = state.apply(entry(2, command({})));
  const second = state.apply(entry(3, command({}), 30, 2));
  expect(total(state)).toBe(1);
  expect(first).toMatchObject({ replayed: false, index: 2, term: 1 });
  expect(second).toMatchObject({ replayed: true, index: 2, term: 1, outcome: (first as { outcome: unknown }).outcome });
});

test('an outcome is forgotten once its client says it has been answered, and a late copy is not applied', () => {
  const state = started();
  state.apply(entry(2, command({ sequence: 1 })));
  state.apply(entry(3, command({ sequence: 2, answeredBelow: 2 })));
  expect(state.apply(entry(4, command({ sequence: 1 })))).toMatchObject({
    replayed: true,
    outcome: { kind: 'error', code: 'outcome-unknown' },
  });
  expect(total(state)).toBe(2);
});

test('writes that arrive out of order are each applied', () => {
  const state = started();
  state.apply(entry(2, command({ sequence: 2 })));
  state.apply(entry(3, command({ sequence: 1 })));
  expect(total(state)).toBe(2);
});

test('a write without its session is not applied', () => {
  const state = started();
  expect(state.apply(entry(2, command({ session: 99 })))).toMatchObject({ outcome: { code: 'session-expired' } });
  state.apply(entry(3, Uint8Array.of(3, 1)));
  expect(state.apply(entry(4, command({})))).toMatchObject({ outcome: { code: 'session-expired' } });
  expect(total(state)).toBe(0);
});

test('sessions expire by log time, at an entry that is the same on every member', () => {
  const state = started();
  state.apply(entry(2, command({ sequence: 1 }), 20));
  for (let i = 3; i <= 256; i++) state.apply(entry(i, new Uint8Array(), 20 + i * 10));
  expect(state.apply(entry(257, command({ sequence: 2 }), 2_601))).toMatchObject({ outcome: { code: 'session-expired' } });
});

test('C5: one leader whose clock is years ahead ends no session, and no write that comes after it', async () => {
  const state = started();
  const year = 365 * 24 * 60 * 60 * 1000;
  state.apply(entry(2, command({ sequence: 1 }), 20));
  state.apply(entry(256, new Uint8Array(), year));
  expect(state.apply(entry(257, command({ sequence: 1 }), 30))).toMatchObject({ replayed: true });
  expect(state.apply(entry(258, command({ sequence: 2, notAfter: 40 }), 31))).toMatchObject({ outcome: { kind: 'packed' } });
  expect(state.apply(entry(259, command({ sequence: 3, notAfter: 40 }), 41))).toMatchObject({ outcome: { code: 'timeout' } });
});

test('C5: when a right clock leads again sessions end as before, also where a snapshot was taken meanwhile', async () => {
  const state = started();
  const year = 365 * 24 * 60 * 60 * 1000;
  state.apply(entry(2, command({ sequence: 1 }), 20));
  state.apply(entry(3, new Uint8Array(), year));
  state.apply(entry(4, new Uint8Array(), 30));
  const restored = make();
  await restored.restore(state.snapshot());
  for (const member of [state, restored]) {
    for (let i = 5; i <= 256; i++) member.apply(entry(i, new Uint8Array(), 30 + i * 10));
    expect(member.apply(entry(257, command({ sequence: 2 }), 2_601))).toMatchObject({ outcome: { code: 'session-expired' } });
  }
  expect(await bytesOf(restored)).toEqual(await bytesOf(state));
});

/** All that it holds, times included. */
async function bytesOf(state: ReplicatedState): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of state.snapshot()) chunks.push(chunk);
  return chunks;
}

test('A2 A3: what is no envelope is applied as nothing, whatever its bytes', () => {
  const state = started();
  for (const bytes of [[0], [99, 1, 2], [1], [1, 255, 255, 255, 255, 255, 255, 255, 255, 255], [2, 2, 0xc3, 0x28, 0]])
    expect(state.apply(entry(2, Uint8Array.from(bytes)))).toEqual({ kind: 'unreadable' });
  expect(state.apply(entry(3, command({ sequence: 1 })))).toMatchObject({ outcome: { kind: 'packed' } });
});

test('a clock that goes back does not turn log time back', () => {
  const state = started();
  state.apply(entry(2, command({ sequence: 1 }), 5_000));
  state.apply(entry(3, command({ sequence: 2 }), 100));
  expect((state.machine.state as Counter).seen.map((seen) => seen.at)).toEqual([5_000, 5_000]);
});

test('when the table is full the least active session goes', () => {
  const state = make();
  for (const index of [1, 2, 3]) state.apply(entry(index, encodeRegister(`client${index}`, '')));
  state.apply(entry(4, command({ session: 1 })));
  state.apply(entry(5, encodeRegister('client5', '')));
  expect([1, 2, 3, 5].map((id) => state.sessions.has(id))).toEqual([true, false, true, true]);
});

test('an idempotency key is applied once over all sessions', () => {
  const state = started();
  state.apply(entry(2, encodeRegister('other', '')));
  state.apply(entry(3, command({ session: 1, key: 'order-7' })));
  expect(state.apply(entry(4, command({ session: 2, key: 'order-7' })))).toMatchObject({ replayed: true, index: 3 });
  expect(total(state)).toBe(1);
});

test('a fence of another term, and an expiry that has passed, are not applied and say so', () => {
  const state = started();
  expect(state.apply(entry(2, command({ sequence: 1, expectedTerm: 3 })))).toMatchObject({ outcome: { code: 'term-mismatch' } });
  expect(state.apply(entry(3, command({ sequence: 2, notAfter: 29 }), 30))).toMatchObject({ outcome: { code: 'timeout' } });
  expect(state.apply(entry(4, command({ sequence: 3, notAfter: 40 }), 40))).toMatchObject({ outcome: { kind: 'packed' } });
  expect(total(state)).toBe(1);
});

test('a handler that throws, and a command nobody knows, are outcomes, and the log goes on', () => {
  const state = started();
  expect(state.apply(entry(2, command({ sequence: 1 }, { type: 'fail' })))).toMatchObject({
    outcome: { code: 'handler-failed', message: 'no' },
  });
  expect(state.apply(entry(3, command({ sequence: 2 }, { type: 'toString' })))).toMatchObject({
    outcome: { code: 'unknown-command' },
  });
  expect(state.apply(entry(4, command({ sequence: 3 })))).toMatchObject({ outcome: { kind: 'packed' } });
});

test('an entry of a newer machine version stops the node instead of being misunderstood', () => {
  expect(() => started().apply(entry(2, command({ machineVersion: 2 })))).toThrow(
    expect.objectContaining({ code: 'version-mismatch', index: 2 }),
  );
});

test('randomness is the same on every member and differs from entry to entry', () => {
  const [a, b] = [started(), started()];
  for (const state of [a, b]) for (const sequence of [1, 2]) state.apply(entry(1 + sequence, command({ sequence })));
  const draws = (a.machine.state as Counter).seen.map((seen) => seen.random);
  expect(draws).toEqual((b.machine.state as Counter).seen.map((seen) => seen.random));
  expect(draws[0]).not.toBe(draws[1]);
});

test('a snapshot holds machine, sessions, keys and log time: a restored member answers duplicates the same', async () => {
  const state = started();
  state.apply(entry(2, command({ sequence: 1, key: 'k' }), 500));
  const stream = state.snapshot();
  state.apply(entry(3, command({ sequence: 2 })));
  const restored = make();
  await restored.restore(stream);
  expect(total(restored)).toBe(1);
  expect(restored.now).toBe(500);
  expect(restored.apply(entry(3, command({ sequence: 1 })))).toMatchObject({ replayed: true, index: 2 });
  expect(restored.apply(entry(4, command({ sequence: 9, key: 'k' })))).toMatchObject({ replayed: true, index: 2 });
});

test('a snapshot survives being cut into other chunks, and a truncated one is corrupt', async () => {
  const state = started();
  state.apply(entry(2, command({})));
  const bytes: number[] = [];
  for await (const chunk of state.snapshot()) bytes.push(...chunk);
  async function* inPieces(size: number, length = bytes.length): AsyncIterable<Uint8Array> {
    for (let at = 0; at < length; at += size) yield Uint8Array.from(bytes.slice(at, Math.min(length, at + size)));
  }
  for (const size of [1, 3, 1000]) {
    const restored = make();
    await restored.restore(inPieces(size));
    expect(total(restored)).toBe(1);
  }
  await expect(make().restore(inPieces(7, bytes.length - 1))).rejects.toMatchObject({ code: 'corrupt' });
});

test('a snapshot of a newer machine version is refused; an older one is migrated', async () => {
  const newer = make(2);
  await expect(make(1).restore(newer.snapshot())).rejects.toMatchObject({ code: 'version-mismatch' });
  const older = started();
  older.apply(entry(2, command({})));
  const migrating = new ReplicatedState(
    new TypedMachine({
      ...counter,
      version: 2,
      migrate: (old, from) => ({ total: (old as Counter).total * 100 + from, seen: [] }),
    }),
    limits,
  );
  await migrating.restore(older.snapshot());
  expect(total(migrating)).toBe(101);
});

/** Two clients, whose sessions are 1 and 2. */
function withTwo(): ReplicatedState {
  const state = started();
  state.apply(entry(2, encodeRegister('other', 'nonce')));
  return state;
}

test('a write with ifVersion takes effect only if no other member’s command has since; one’s own, and refused ones, do not count', () => {
  const state = withTwo();
  state.apply(entry(3, command({ session: 2, sequence: 1 })));
  expect(state.apply(entry(4, command({ sequence: 1, ifVersion: 2 })))).toMatchObject({ outcome: { code: 'state-changed' } });
  expect(state.apply(entry(5, command({ sequence: 2, ifVersion: 3 })))).toMatchObject({ outcome: { kind: 'packed' } });
  expect(state.apply(entry(6, command({ sequence: 3, ifVersion: 3 })))).toMatchObject({ outcome: { kind: 'packed' } });
  state.apply(entry(7, command({ session: 2, sequence: 2 }, { type: 'fail' })));
  expect(state.apply(entry(8, command({ sequence: 4, ifVersion: 3 })))).toMatchObject({ outcome: { kind: 'packed' } });
  expect(state.apply(entry(9, command({ session: 2, sequence: 3, ifVersion: 7 })))).toMatchObject({
    outcome: { code: 'state-changed' },
  });
  expect(total(state)).toBe(4);
});

test('what has taken effect is in a snapshot: whoever restores it judges ifVersion as the others do', async () => {
  const state = withTwo();
  state.apply(entry(3, command({ session: 2, sequence: 1 })));
  state.apply(entry(4, command({ sequence: 1 })));
  const restored = make();
  await restored.restore(state.snapshot());
  for (const one of [state, restored]) {
    expect(one.apply(entry(5, command({ sequence: 2, ifVersion: 2 })))).toMatchObject({ outcome: { code: 'state-changed' } });
    expect(one.apply(entry(6, command({ sequence: 3, ifVersion: 3 })))).toMatchObject({ outcome: { kind: 'packed' } });
  }
});

test('clients have a share of the sessions, and never push out a member’s; the least active of them goes', () => {
  const state = new ReplicatedState(machine(), { sessionsMax: 8, sessionTtlMs: 1_000_000 });
  for (let i = 1; i <= 4; i++) state.apply(entry(i, encodeRegister(`member-${i}`, 'nonce')));
  for (let i = 5; i <= 40; i++) state.apply(entry(i, encodeRegister(`client/${i}`, 'nonce')));
  expect(state.sessions.size).toBe(6);
  expect([1, 2, 3, 4, 39, 40].every((session) => state.sessions.has(session))).toBe(true);
  expect(state.sessions.has(38)).toBe(false);
});
