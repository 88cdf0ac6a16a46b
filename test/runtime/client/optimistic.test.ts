/** What is expected is shown at once, gives way to the truth, and leaves no trace when it was wrong. */
import { expect, test, vi } from 'vitest';
import { packValue } from '../../../src/codec/pack.ts';
import { makeEntry } from '../../../src/core/types.ts';
import { OPTIMISTIC_MAX } from '../../../src/runtime/client/expected.ts';
import { EntryContext } from '../../../src/state/entry-context.ts';
import { defineStateMachine, TypedMachine } from '../../../src/state/typed-machine.ts';
import { compose, ledger, map, uniqueNames, workQueue } from '../../../src/structures/index.ts';
import { Cluster } from '../cluster.ts';

const log = (state: { readonly log: readonly string[] }): readonly string[] => state.log;

test('it is there before the call returns, and not in what is applied; then it is the truth', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const { node } = cluster.followers()[0] as NonNullable<ReturnType<typeof cluster.leader>>;
  const seen: number[] = [];
  node.expected.subscribe(
    ({ balance }) => balance,
    (balance) => seen.push(balance),
  );
  const write = node.optimistic({ type: 'add', amount: 5 });
  expect(write.expected).toBe(5);
  expect([node.expected.peek(({ balance }) => balance), node.peek(({ balance }) => balance)]).toEqual([5, 0]);
  expect(node.expected.pending()).toMatchObject([{ id: write.id, command: { type: 'add', amount: 5 } }]);
  expect(await write.done).toBe(5);
  expect([node.expected.peek(({ balance }) => balance), node.peek(({ balance }) => balance)]).toEqual([5, 5]);
  expect(node.expected.pending()).toEqual([]);
  await node.propose({ type: 'add', amount: 1 });
  await vi.waitFor(() => expect(seen.at(-1)).toBe(6));
  // It never went back in between.
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

test('of two who expect the same seat, one learns the truth without an error', async () => {
  await using cluster = new Cluster();
  const [a, b] = await cluster.of(2);
  const writes = [a, b].map((one, i) => one?.node.optimistic({ type: 'book', seat: 'A1', name: `guest ${i}` }));
  expect(writes.map((write) => write?.expected)).toEqual([true, true]);
  const results = await Promise.all(writes.map((write) => write?.done));
  expect(results.toSorted()).toEqual([false, true]);
  for (const one of [a, b]) await one?.node.barrier();
  const owners = [a, b].map((one) => one?.node.expected.peek((state) => state.owners['A1']));
  expect(owners[0]).toBe(owners[1]);
  expect(owners[0]).toBe(`guest ${results.indexOf(true)}`);
});

test('what fails is rolled back, and the event says why; the others stand', async () => {
  await using cluster = new Cluster();
  const [first, second] = await cluster.of(2);
  const { node } = first as NonNullable<typeof first>;
  await node.propose({ type: 'note', text: 'kept' });
  cluster.crash(second as NonNullable<typeof second>);
  const rollbacks: unknown[] = [];
  node.on('rollback', ({ id, command, error }) => rollbacks.push([id, command.type, error.code]));
  const gone = node.optimistic({ type: 'note', text: 'gone' }, { id: 'gone' });
  const stays = node.optimistic({ type: 'note', text: 'stays' });
  const throws = node.optimistic({ type: 'refuse' });
  expect(throws.expected).toBeUndefined();
  expect(node.expected.peek(log)).toEqual(['kept', 'gone', 'stays']);
  gone.cancel();
  await expect(gone.done).rejects.toMatchObject({ code: 'aborted', id: 'gone' });
  expect(rollbacks).toEqual([['gone', 'note', 'aborted']]);
  expect(node.expected.peek(log)).toEqual(['kept', 'stays']);
  expect(node.expected.pending().map(({ id }) => id)).toEqual([stays.id, throws.id]);
  await node.stop({ transfer: false });
  await expect(stays.done).rejects.toMatchObject({ code: 'stopped' });
  expect(node.expected.peek(log)).toEqual(['kept']);
});

test('wrong options roll it back at once, too many are refused, a signal cancels', async () => {
  await using cluster = new Cluster();
  const { node } = await cluster.open();
  await node.ready;
  const wrong = node.optimistic({ type: 'add', amount: 1 }, { timeout: 5 } as never);
  expect(node.expected.pending()).toEqual([]);
  await expect(wrong.done).rejects.toMatchObject({ code: 'invalid-argument' });
  const leaving = new AbortController();
  const all = Array.from({ length: OPTIMISTIC_MAX }, () =>
    node.optimistic({ type: 'add', amount: 1 }, { signal: leaving.signal }),
  );
  expect(() => node.optimistic({ type: 'add', amount: 1 })).toThrow(/256 optimistic writes wait/);
  leaving.abort();
  expect(node.expected.pending()).toEqual([]);
  const results = await Promise.allSettled(all.map(({ done }) => done));
  expect(results.every(({ status }) => status === 'rejected')).toBe(true);
  expect(() => node.optimistic({ type: 'nope' } as never)).toThrow(/no command named nope/);
});

/** A machine by itself, and commands on it. */
function machineWith<M extends ConstructorParameters<typeof TypedMachine>[0]>(definition: M) {
  const machine = new TypedMachine(definition);
  let index = 0;
  const step = (command: object) => {
    const bytes = packValue(command);
    index += 1;
    return { command: bytes, context: new EntryContext(makeEntry(index, 1, 'normal', 1_000, bytes, undefined), 1_000, 'me') };
  };
  const run = (command: object): unknown => {
    const { command: bytes, context } = step(command);
    return machine.answer(machine.apply(bytes, context));
  };
  return { machine, step, run };
}

async function bytesOf(machine: TypedMachine<never, never, never>): Promise<string> {
  const pieces: number[] = [];
  for await (const chunk of machine.snapshot()) pieces.push(...chunk);
  return pieces.join();
}

test('each step stands on the one before, one that throws changes nothing, and nothing is left behind', async () => {
  const big = defineStateMachine<{
    readonly keys: Map<string, number>;
    readonly set: Set<string>;
    readonly plain: Record<string, number>;
  }>()({
    initial: () => ({ keys: new Map(), set: new Set(), plain: {} }),
    commands: {
      fill: (state) => {
        for (let i = 0; i < 5_000; i++) {
          state.keys.set(`k${i}`, i);
          state.set.add(`k${i}`);
          state.plain[`k${i}`] = i;
        }
      },
      drop: (state, { key }: { key: string }) => {
        state.keys.delete(key);
        state.set.delete(key);
        delete state.plain[key];
        return state.keys.size;
      },
      clear: (state) => state.keys.clear(),
      half: (state): void => {
        state.keys.set('half', 1);
        throw new Error('half way');
      },
    },
  });
  const { machine, step, run } = machineWith(big as never);
  run({ type: 'fill' });
  const before = await bytesOf(machine as never);
  const shown = machine.publish(machine.view);
  const seen = machine.preview([step({ type: 'drop', key: 'k7' }), step({ type: 'half' }), step({ type: 'drop', key: 'k8' })]);
  expect(seen?.outcomes).toMatchObject([{ value: 4_999 }, { code: 'handler-failed', message: 'half way' }, { value: 4_998 }]);
  const state = seen?.state as unknown as { readonly keys: ReadonlyMap<string, number> };
  expect([state.keys.has('k7'), state.keys.has('half'), state.keys.size]).toEqual([false, false, 4_998]);
  machine.preview([step({ type: 'clear' })]);
  // The order of the keys too, which is part of every snapshot and digest.
  expect(await bytesOf(machine as never)).toBe(before);
  expect(machine.publish(machine.view)).toBe(shown);
});

test('every structure can be expected', async () => {
  const parts = compose({
    seats: uniqueNames(),
    money: ledger(),
    notes: map<string>(),
    jobs: workQueue<string>({ attempts: 2 }),
  });
  const { machine, step, run } = machineWith(parts as never);
  run({ type: 'money.deposit', account: 'ann', amount: 10 });
  const before = await bytesOf(machine as never);
  const seen = machine.preview([
    step({ type: 'seats.claim', name: 'A1', owner: 'ann' }),
    step({ type: 'money.transfer', from: 'ann', to: 'bob', amount: 4 }),
    step({ type: 'notes.set', key: 'k', value: 'v' }),
    step({ type: 'jobs.add', payload: 'job' }),
    step({ type: 'jobs.claim', worker: 'w', ttlMs: 1_000 }),
    step({ type: 'money.transfer', from: 'ann', to: 'bob', amount: 40 }),
  ]);
  expect(seen?.outcomes.map((outcome) => machine.answer(outcome))).toEqual([
    true,
    true,
    true,
    1,
    { id: 1, payload: 'job', attempt: 1, token: 1, until: 2_000 },
    false,
  ]);
  expect(await bytesOf(machine as never)).toBe(before);
});

test('a state that cannot be tried upon is said to be one, and a handler must not look', async () => {
  class Own {
    n = 0;
  }
  const { machine, step } = machineWith({
    initial: () => ({ own: new Own() }),
    commands: { up: (state: { own: Own }) => ++state.own.n },
  } as never);
  expect(machine.preview([step({ type: 'up' })])).toBeUndefined();
  expect((machine.state as unknown as { own: Own }).own.n).toBe(0);
});
