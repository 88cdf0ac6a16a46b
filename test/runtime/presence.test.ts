/** Presence: who is here and what they show, over the links of real nodes in one process. */
import { expect, test, vi } from 'vitest';
import { packValue } from '../../src/codec/pack.ts';
import type { Present } from '../../src/runtime/api/api.ts';
import { GRACE_MS, PresenceBoard, SHOWN_MS } from '../../src/runtime/watch/presence.ts';
import { Cluster, type Opened } from './cluster.ts';

const states = (one: Opened | undefined): unknown[] => one?.node.presence.others.map(({ state }) => state) ?? [];

async function three(cluster: Cluster): Promise<readonly [Opened, Opened, Opened]> {
  const nodes = (await cluster.of(3)) as [Opened, Opened, Opened];
  for (const { node } of nodes) await vi.waitFor(() => expect(node.presence.others).toHaveLength(2));
  return nodes;
}

test('who is here is known without a word; what one shows reaches all, and whoever comes later', async () => {
  await using cluster = new Cluster();
  const [a, b, c] = await three(cluster);
  expect(a.node.presence.others.map(({ name }) => name).sort()).toEqual(['node 2', 'node 3']);
  a.node.presence.set({ cursor: [1, 2], typing: true });
  for (const other of [b, c]) await vi.waitFor(() => expect(states(other)).toContainEqual({ cursor: [1, 2], typing: true }));
  const late = await cluster.open();
  await vi.waitFor(() => expect(states(late)).toContainEqual({ cursor: [1, 2], typing: true }));
  a.node.presence.set(undefined);
  for (const other of [b, late]) await vi.waitFor(() => expect(states(other).every((state) => state === undefined)).toBe(true));
});

test('the last of many counts, listeners hear of it once, and the same list is the same reference', async () => {
  await using cluster = new Cluster();
  const [a, b] = await three(cluster);
  const heard: (readonly Present[])[] = [];
  b.node.presence.subscribe((others) => heard.push(others));
  const sent = vi.spyOn(a.engine.peers, 'send');
  for (let i = 1; i <= 200; i++) a.node.presence.set(i);
  await vi.waitFor(() => expect(states(b)).toContain(200));
  expect(sent.mock.calls.filter(([id, message]) => id === b.node.id && message.kind === 'presence').length).toBeLessThan(20);
  await vi.waitFor(() => expect(heard.at(-1)).toBe(b.node.presence.others));
  const before = b.node.presence.others;
  a.node.presence.set(200);
  await b.node.propose({ type: 'add', amount: 1 });
  expect(b.node.presence.others).toBe(before);
  expect(a.node.presence.own).toBe(200);
});

test('who says goodbye is gone at once, and a listener that throws harms nobody', async () => {
  await using cluster = new Cluster();
  const [a, b, c] = await three(cluster);
  const faults: string[] = [];
  const counts: number[] = [];
  b.node.on('fault', ({ error }) => faults.push(error.code));
  b.node.presence.subscribe(() => {
    throw new Error('mine');
  });
  b.node.presence.subscribe((others) => counts.push(others.length));
  await a.node.stop();
  await vi.waitFor(() => expect(counts.at(-1)).toBe(1));
  expect(faults).toContain('handler-failed');
  expect(b.node.presence.others.map(({ id }) => id)).toEqual([c.node.id]);
  expect(a.node.presence.others).toEqual([]);
});

test('what cannot be shown is refused, and what a peer sends that is nothing shows nothing', async () => {
  await using cluster = new Cluster();
  const [a, b] = await three(cluster);
  const set = (state: unknown, options?: object): unknown => {
    try {
      return a.node.presence.set(state, options);
    } catch (error) {
      return error;
    }
  };
  expect(set('x'.repeat(3_000))).toMatchObject({ code: 'too-large' });
  expect(set({ run: () => 1 })).toMatchObject({ code: 'invalid-argument' });
  expect(set(1, { ttl: 5 })).toMatchObject({ code: 'invalid-argument', message: expect.stringMatching(/Did you mean ttlMs/) });
  expect(set(1, { ttlMs: 5 })).toMatchObject({ code: 'invalid-argument' });
  expect(a.node.presence.own).toBeUndefined();
  b.engine.duties.presence.onPresence(a.node.id, { kind: 'presence', ttlMs: 1_000, data: Uint8Array.of(0xc1) });
  expect(states(b)).toEqual([undefined, undefined]);
});

/** A board alone, with a clock that is set by hand. */
function board() {
  let nowMs = 0;
  const timers: { atMs: number; run: () => void }[] = [];
  const sent: (readonly [string, number, boolean])[] = [];
  const peer = (id: string) => ({ id, trusted: true, link: 'open', version: 2, hello: { name: id } });
  const peers = new Map(['b', 'c'].map((id) => [id, peer(id)]));
  let takes = true;
  const standing = {
    clock: {
      monotonicMs: () => nowMs,
      after: (delayMs: number, run: () => void) => {
        timers.push({ atMs: nowMs + delayMs, run });
        return { stop: () => {} };
      },
    },
    member: undefined,
    peers: {
      all: () => peers.values(),
      get: (id: string) => peers.get(id),
      send: (id: string, { ttlMs, data }: { ttlMs: number; data: unknown }) => {
        sent.push([id, ttlMs, data !== null]);
        return takes;
      },
    },
  };
  const members = new Set(['b', 'c']);
  const speakers = { speaker: (id: string) => (members.has(id) ? 'member' : 'newcomer') };
  const made = new PresenceBoard(standing as never, speakers as never, () => {});
  const pass = (ms: number): void => {
    nowMs += ms;
    for (const timer of timers.splice(0))
      if (timer.atMs <= nowMs) timer.run();
      else timers.push(timer);
    made.tick();
  };
  const take = (able: boolean): void => {
    takes = able;
  };
  return { made, peers, members, sent, pass, take };
}

const data = packValue('here');
const shownBy = (made: PresenceBoard): unknown => made.others.map(({ id, state }) => [id, state]);

test('what is shown is forgotten in its time, also when its sender froze, and a broken link has some grace', () => {
  const { made, peers, pass } = board();
  pass(0);
  made.onPresence('b', { kind: 'presence', ttlMs: 500, data });
  expect(shownBy(made)).toEqual([
    ['b', 'here'],
    ['c', undefined],
  ]);
  pass(499);
  expect(shownBy(made)).toEqual([
    ['b', 'here'],
    ['c', undefined],
  ]);
  pass(1);
  expect(shownBy(made)).toEqual([
    ['b', undefined],
    ['c', undefined],
  ]);
  Object.assign(peers.get('b') ?? {}, { link: 'closed', trusted: false });
  pass(10);
  pass(GRACE_MS - 1);
  expect(made.others.map(({ id }) => id)).toEqual(['b', 'c']);
  pass(1);
  expect(made.others.map(({ id }) => id)).toEqual(['c']);
});

test('it is said again before it is forgotten, and what a link does not take is tried again', () => {
  const { made, sent, pass, take } = board();
  pass(0);
  take(false);
  made.set('mine');
  expect(sent).toEqual([
    ['b', SHOWN_MS, true],
    ['c', SHOWN_MS, true],
  ]);
  take(true);
  pass(100);
  expect(sent).toHaveLength(4);
  pass(100);
  expect(sent).toHaveLength(4);
  pass(SHOWN_MS / 3);
  expect(sent).toHaveLength(6);
});

test('a time to live ends it here and there, and it is not said again after that', () => {
  const { made, sent, pass } = board();
  made.set('typing', { ttlMs: 1_000 });
  expect(sent[0]).toEqual(['b', 1_000, true]);
  pass(999);
  expect(made.own).toBe('typing');
  pass(1);
  expect(made.own).toBeUndefined();
  const { length } = sent;
  pass(SHOWN_MS);
  expect(sent).toHaveLength(length);
});

test('only members are here, and are told: whoever was removed is gone', () => {
  const { made, members, sent, pass } = board();
  made.set('secret');
  members.delete('b');
  pass(100);
  expect(made.others.map(({ id }) => id)).toEqual(['c']);
  sent.length = 0;
  made.set('more');
  expect(sent.map(([id]) => id)).toEqual(['c']);
});
