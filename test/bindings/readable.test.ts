/** The contract that all bindings stand on: stable values, changes told, and one node for whoever asks. */
import { afterEach, expect, test, vi } from 'vitest';
import { holdNode, KEPT_MS } from '../../src/bindings/opening.ts';
import { leaderOf, pendingOf, presenceOf, readyOf, stateOf, statusOf } from '../../src/bindings/readable.ts';
import { Cluster } from '../runtime/cluster.ts';
import { bench, fakeNodes } from './counter.ts';

afterEach(() => vi.useRealTimers());

test('a value is the same reference as long as it says the same, whatever the selector makes', async () => {
  await using b = await bench();
  const fresh = stateOf(b.node, ({ balance, log }) => ({ balance, last: log.at(-1) }));
  const first = fresh.get();
  expect(fresh.get()).toBe(first);
  // An inline selector is another one each time: what was shown before stands.
  const again = stateOf(b.node, ({ balance, log }) => ({ balance, last: log.at(-1) }), { value: first });
  expect(again.get()).toBe(first);
  let changes = 0;
  const end = fresh.subscribe(() => (changes += 1));
  await b.node.propose({ type: 'book', seat: 'A1', name: 'ann' });
  await b.node.propose({ type: 'note', text: 'hi' });
  await vi.waitFor(() => expect(changes).toBe(1));
  expect(fresh.get()).toEqual({ balance: 0, last: 'hi' });
  end();
  await b.node.propose({ type: 'add', amount: 1 });
  await b.node.barrier();
  expect(changes).toBe(1);
});

test('optimistic writes are in the value, and listed', async () => {
  await using b = await bench();
  const pending = pendingOf(b.node);
  const seen: number[] = [];
  pending.subscribe(() => seen.push(pending.get().length));
  const write = b.node.optimistic({ type: 'add', amount: 3 });
  expect(stateOf(b.node, ({ balance }) => balance).get()).toBe(3);
  expect(pending.get()).toHaveLength(1);
  expect(pending.get()).toBe(pending.get());
  await write.done;
  expect(pending.get()).toEqual([]);
  await vi.waitFor(() => expect(seen.at(-1)).toBe(0));
});

test('status, leader and presence', async () => {
  await using cluster = new Cluster();
  const [a, b] = await cluster.of(2);
  const node = (a as NonNullable<typeof a>).node;
  const terms = statusOf(node, ({ term }) => ({ term }));
  expect(terms.get()).toBe(terms.get());
  const leaders: unknown[] = [];
  const leader = leaderOf(node);
  leader.subscribe(() => leaders.push(leader.get().isLeader));
  const others = presenceOf(node);
  let told = 0;
  others.subscribe(() => (told += 1));
  b?.node.presence.set('here');
  await vi.waitFor(() => expect(others.get().map(({ state }) => state)).toEqual(['here']));
  await vi.waitFor(() => expect(told).toBeGreaterThan(0));
  const wasLeader = node.role === 'leader';
  const target = wasLeader ? b?.node.id : node.id;
  await node.admin.transferLeadership(target);
  await vi.waitFor(() => expect(leader.get()).toEqual({ leaderId: target, isLeader: !wasLeader }));
  expect(leaders.at(-1)).toBe(!wasLeader);
});

test('readiness: what hinders, and then that it is over', async () => {
  const error = Object.assign(new Error('no signaling'), { code: 'signaling-unreachable' });
  let comeAbout = (): void => {};
  const ready = Promise.reject(error);
  const node = { ready, whenReady: () => new Promise<void>((resolve) => (comeAbout = resolve)) };
  const readable = readyOf(node);
  expect(readable.get()).toEqual({ kind: 'waiting' });
  await vi.waitFor(() => expect(readable.get()).toEqual({ kind: 'hindered', error }));
  let told = 0;
  readyOf(node).subscribe(() => (told += 1));
  comeAbout();
  await vi.waitFor(() => expect(readable.get()).toEqual({ kind: 'ready' }));
  expect(told).toBe(1);
});

test('one node under a key, kept over a remount, stopped after the last, and never two at once', async () => {
  vi.useFakeTimers();
  const { log, open } = fakeNodes();
  const first = holdNode('room', open);
  const second = holdNode('room', open);
  await vi.advanceTimersByTimeAsync(0);
  expect([first.state.get().kind, second.state]).toEqual(['open', first.state]);
  first.release();
  first.release();
  second.release();
  await vi.advanceTimersByTimeAsync(KEPT_MS - 1);
  const third = holdNode('room', open);
  await vi.advanceTimersByTimeAsync(KEPT_MS * 2);
  expect(log).toEqual(['open node 1']);
  third.release();
  await vi.advanceTimersByTimeAsync(KEPT_MS);
  const fourth = holdNode('room', open);
  await vi.advanceTimersByTimeAsync(0);
  expect(log).toEqual(['open node 1', 'stop node 1', 'open node 2']);
  fourth.release();
});

test('an opening that fails says why, and whoever asks next tries again', async () => {
  let fails = true;
  const open = async (): Promise<{ stop(): Promise<void> }> => {
    if (fails) throw new Error('no storage');
    return { stop: async () => {} };
  };
  const hold = holdNode('failing', open);
  await vi.waitFor(() => expect(hold.state.get()).toMatchObject({ kind: 'failed', error: new Error('no storage') }));
  fails = false;
  const again = holdNode('failing', open);
  await vi.waitFor(() => expect(again.state.get().kind).toBe('open'));
  hold.release();
  again.release();
  expect(() => holdNode(undefined as never, open)).toThrow(/held under a key/);
});
