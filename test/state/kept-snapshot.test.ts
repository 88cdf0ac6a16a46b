/** A keeper's snapshot: a state, and the entries since. Whoever restores it has what it would have applied itself. */
import { expect, test } from 'vitest';
import { packCommand } from '../../src/codec/pack.ts';
import type { Entry } from '../../src/core/types.ts';
import { encodeCommand, encodeRegister } from '../../src/state/envelope.ts';
import { type KeptPart, writeKept } from '../../src/state/kept-snapshot.ts';
import { ReplicatedState } from '../../src/state/replicated-state.ts';
import { defineStateMachine, TypedMachine } from '../../src/state/typed-machine.ts';

const counting = defineStateMachine<{ total: number; at: number[] }>()({
  initial: () => ({ total: 0, at: [] }),
  commands: {
    add: (state, { amount }: { amount: number }, context) => {
      state.total += amount;
      state.at.push(context.now);
      return state.total;
    },
  },
});
const WIDE = { sessionsMax: 100, sessionTtlMs: 1_000_000 };
const NARROW = { sessionsMax: 1, sessionTtlMs: 1_000_000 };

const stateOf = (): ReplicatedState => new ReplicatedState(new TypedMachine(counting), WIDE);

function entry(index: number, data: Uint8Array): Entry {
  return { index, term: 1, type: 'normal', time: 1_000_000 + index * 10, data, change: undefined } as Entry;
}
const register = (index: number): Entry => entry(index, encodeRegister(`c${index}`, 'n'));
const add = (index: number, session: number, sequence: number): Entry =>
  entry(
    index,
    encodeCommand({
      session,
      sequence,
      answeredBelow: 1,
      machineVersion: 1,
      expectedTerm: 0,
      notAfter: 0,
      key: '',
      command: packCommand({ type: 'add', amount: index }),
    }),
  );

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
async function* stream<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items;
}
async function restored(parts: readonly KeptPart[]): Promise<ReplicatedState> {
  const state = stateOf();
  await state.restore(writeKept(stream(parts)));
  return state;
}

const FIRST = [register(1), add(2, 1, 1), register(3), add(4, 3, 1)];
/** The second session pushes the first out where only one is allowed: its write is refused from then on. */
const SECOND = [register(5), add(6, 1, 2), add(7, 5, 1), add(8, 5, 1)];

async function applied(limitsBetween: typeof WIDE | undefined): Promise<ReplicatedState> {
  const state = stateOf();
  for (const one of FIRST) state.apply(one);
  if (limitsBetween !== undefined) state.configured(4, limitsBetween);
  for (const one of SECOND) state.apply(one);
  return state;
}

test('entries alone come to what applying them came to, the limits of sessions in their place', async () => {
  const state = await restored([
    { kind: 'entries', entries: FIRST },
    { kind: 'limits', limits: NARROW },
    { kind: 'entries', entries: SECOND },
  ]);
  const expected = await bytesOf((await applied(NARROW)).snapshot());
  expect(await bytesOf(state.snapshot())).toEqual(expected);
  expect(expected).not.toEqual(await bytesOf((await applied(undefined)).snapshot()));
});

test('entries on top of a state, cut anywhere, come to the same', async () => {
  const before = stateOf();
  for (const one of FIRST) before.apply(one);
  const base = await bytesOf(before.snapshot());
  const expected = await bytesOf((await applied(undefined)).snapshot());
  for (const cut of [1, 3, 7, base.length]) {
    const chunks: KeptPart[] = [];
    for (let at = 0; at < base.length; at += cut) chunks.push({ kind: 'base', chunk: base.subarray(at, at + cut) });
    const state = await restored([...chunks, { kind: 'limits', limits: WIDE }, { kind: 'entries', entries: SECOND }]);
    expect(await bytesOf(state.snapshot())).toEqual(expected);
  }
});

test('what is none is refused as corrupt: a base in a base, a base that ends early, a frame of no kind', async () => {
  const base = await bytesOf(stateOf().snapshot());
  const nested = await bytesOf(writeKept(stream<KeptPart>([{ kind: 'base', chunk: base }])));
  await expect(restored([{ kind: 'base', chunk: nested }])).rejects.toMatchObject({ code: 'version-mismatch' });
  await expect(restored([{ kind: 'base', chunk: base.subarray(0, base.length - 1) }])).rejects.toMatchObject({ code: 'corrupt' });
  await expect(restored([{ kind: 'base', chunk: new Uint8Array(0) }])).rejects.toMatchObject({ code: 'corrupt' });
  await expect(restored([{ kind: 'frame', frame: Uint8Array.of(9) }])).rejects.toMatchObject({ code: 'corrupt' });
  await expect(restored([{ kind: 'frame', frame: Uint8Array.of(2, 0xc0) }])).rejects.toMatchObject({ code: 'corrupt' });
});
