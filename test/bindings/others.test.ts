// @vitest-environment jsdom
/** Vue, Svelte, Solid and signals: each binding in the framework itself. */
import { effect as preactEffect, signal } from '@preact/signals-core';
import { createEffect, createRoot } from 'solid-js';
import { derived, get } from 'svelte/store';
import { expect, test, vi } from 'vitest';
import { createApp, defineComponent, effectScope, h } from 'vue';
import { KEPT_MS } from '../../src/bindings/opening.ts';
import { commandOf, feed, stateOf } from '../../src/bindings/signals.ts';
import * as solid from '../../src/bindings/solid.ts';
import * as svelte from '../../src/bindings/svelte.ts';
// Under other names: the linter takes every use… for a hook of React's.
import {
  useCommand as refToCommand,
  useLeader as refToLeader,
  useNode as refToNode,
  usePending as refToPending,
  usePresence as refToPresence,
  useRaft as refToRaft,
  useReadiness as refToReadiness,
  useStatus as refToStatus,
} from '../../src/bindings/vue.ts';
import { bench, fakeNodes } from './counter.ts';

test('Vue: a component shows the state, who leads and who is here, and lets go of it', async () => {
  await using b = await bench();
  const other = await b.cluster.open();
  await other.node.ready;
  let renders = 0;
  const app = createApp(
    defineComponent({
      setup() {
        const balance = refToRaft(b.node, (state) => state.balance);
        const leader = refToLeader(b.node);
        const others = refToPresence<string>(b.node);
        const role = refToStatus(b.node, (status) => status.role);
        const ready = refToReadiness(b.node);
        const pending = refToPending(b.node);
        return () => {
          renders += 1;
          const here = others.value.map(({ state }) => state).join();
          return h(
            'p',
            [balance.value, leader.value.isLeader, here, role.value, ready.value.kind, pending.value.length].join(' '),
          );
        };
      },
    }),
  );
  const place = document.createElement('div');
  app.mount(place);
  other.node.presence.set('here');
  await b.node.propose({ type: 'add', amount: 4 });
  await vi.waitFor(() => expect(place.textContent).toBe('4 true here leader ready 0'));
  app.unmount();
  const before = renders;
  await b.node.propose({ type: 'add', amount: 4 });
  await b.node.barrier();
  expect(renders).toBe(before);
  expect(() => refToRaft(b.node, (state) => state.balance)).toThrow(/Call it in setup/);
});

test('Vue: a node lives as long as its scope', async () => {
  const { log, open } = fakeNodes();
  const scope = effectScope();
  const opening = scope.run(() => refToNode('vue', open));
  await vi.waitFor(() => expect(opening?.value.kind).toBe('open'));
  vi.useFakeTimers();
  try {
    scope.stop();
    await vi.advanceTimersByTimeAsync(KEPT_MS);
    expect(log).toEqual(['open node 1', 'stop node 1']);
  } finally {
    vi.useRealTimers();
  }
});

test('Svelte: stores by its own contract, read by its own functions', async () => {
  await using b = await bench();
  const balance = svelte.raftStore(b.node, (state) => state.balance);
  const doubled = derived(balance, (value) => value * 2);
  expect(get(doubled)).toBe(0);
  const seen: number[] = [];
  const end = doubled.subscribe((value) => seen.push(value));
  await b.node.propose({ type: 'add', amount: 3 });
  await vi.waitFor(() => expect(seen).toEqual([0, 6]));
  end();
  await b.node.propose({ type: 'add', amount: 3 });
  await b.node.barrier();
  expect(seen).toEqual([0, 6]);
  expect(get(svelte.leaderStore(b.node)).isLeader).toBe(true);
  expect(get(svelte.statusStore(b.node, ({ role }) => role))).toBe('leader');
  expect(get(svelte.presenceStore(b.node))).toEqual([]);
  expect(get(svelte.pendingStore(b.node))).toEqual([]);
  await vi.waitFor(() => expect(get(svelte.readyStore(b.node)).kind).toBe('ready'));
  const { log, open } = fakeNodes();
  const kinds: string[] = [];
  const away = svelte.nodeStore('svelte', open).subscribe(({ kind }) => kinds.push(kind));
  await vi.waitFor(() => expect(kinds).toEqual(['opening', 'open']));
  away();
  expect(log).toEqual(['open node 1']);
});

test('Solid: accessors that effects follow, until their owner goes', async () => {
  await using b = await bench();
  const seen: string[] = [];
  const dispose = createRoot((end) => {
    const balance = solid.createRaft(b.node, (state) => state.balance);
    const leader = solid.createLeader(b.node);
    const others = solid.createPresence(b.node);
    const role = solid.createStatus(b.node, (status) => status.role);
    const pending = solid.createPending(b.node);
    const ready = solid.createReadiness(b.node);
    createEffect(() =>
      seen.push([balance(), leader().isLeader, others().length, role(), pending().length, ready().kind].join(' ')),
    );
    return end;
  });
  await b.node.propose({ type: 'add', amount: 5 });
  await vi.waitFor(() => expect(seen.at(-1)).toBe('5 true 0 leader 0 ready'));
  dispose();
  const { length } = seen;
  await b.node.propose({ type: 'add', amount: 5 });
  await b.node.barrier();
  expect(seen).toHaveLength(length);
  expect(() => solid.createRaft(b.node, (state) => state.balance)).toThrow(/Call it in a component/);
});

test('signals: a readable feeds a signal of any library', async () => {
  await using b = await bench();
  const balance = signal(0);
  const end = feed(
    stateOf(b.node, (state) => state.balance),
    (value) => {
      balance.value = value;
    },
  );
  const seen: number[] = [];
  const stop = preactEffect(() => void seen.push(balance.value));
  await b.node.propose({ type: 'add', amount: 7 });
  await vi.waitFor(() => expect(seen).toEqual([0, 7]));
  end();
  await b.node.propose({ type: 'add', amount: 1 });
  await b.node.barrier();
  expect(balance.value).toBe(7);
  stop();
});

/** A call that the test answers. */
function answered() {
  const waiting: { readonly done: (value: string) => void; readonly failed: (error: Error) => void }[] = [];
  const call = (seat: string): Promise<string> =>
    new Promise((resolve, reject) => waiting.push({ done: (by) => resolve(`${seat} ${by}`), failed: reject }));
  return { waiting, call };
}

test('a command with its progress: how many are on their way, the last error until the next, the same in each framework', async () => {
  const scope = effectScope();
  const { waiting, call } = answered();
  const refs = scope.run(() => refToCommand(call));
  const store = svelte.commandStore(call);
  const shown: string[] = [];
  const end = store.subscribe(({ pending, error }) => shown.push(`${pending} ${String(error)}`));
  const [accessors, dispose] = createRoot((away) => [solid.createCommand(call), away] as const);
  const plain = commandOf(call);
  if (refs === undefined) throw new Error('no scope');
  const now = (): unknown[] => [
    [refs.pending.value, refs.error.value],
    [get(store).pending, get(store).error],
    [accessors.pending(), accessors.error()],
    [plain.get().pending, plain.get().error],
  ];
  const all = (state: unknown): unknown[] => [state, state, state, state];
  const runs = [refs.run, store.run, accessors.run, plain.run];
  const first = runs.map((run) => run('A1'));
  const second = runs.map((run) => run('A2'));
  expect(now()).toEqual(all([2, undefined]));
  const no = new Error('no');
  for (const { failed } of waiting.slice(0, 4)) failed(no);
  expect(await Promise.all(first)).toEqual(all(undefined));
  expect(now()).toEqual(all([1, no]));
  for (const { done } of waiting.slice(4)) done('yes');
  expect(await Promise.all(second)).toEqual(all('A2 yes'));
  // It stays until the next is run, whatever the others came to.
  expect(now()).toEqual(all([0, no]));
  for (const run of runs) void run('A3');
  expect(now()).toEqual(all([1, undefined]));
  expect(shown).toEqual(['0 undefined', '1 undefined', '2 undefined', '1 Error: no', '0 Error: no', '1 undefined']);
  scope.stop();
  dispose();
  end();
  for (const { done } of waiting.slice(8)) done('yes');
  await vi.waitFor(() => expect(plain.get().pending).toBe(0));
  expect([refs.pending.value, accessors.pending(), shown.length]).toEqual([1, 1, 6]);
  expect(() => refToCommand(call)).toThrow(/Call it in setup/);
  // A call that throws before it is a promise is a failure like any other.
  const broken = commandOf(() => {
    throw no;
  });
  expect([await broken.run(), broken.get()]).toEqual([undefined, { pending: 0, error: no }]);
});
