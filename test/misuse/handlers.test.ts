/** Handlers that go wrong later: a development build says so at their first command, and nothing else is different. */
import { afterEach, beforeEach, expect, type Mock, test, vi } from 'vitest';
import type { openNode } from '../../src/front-door/open-node.ts';
import { defineStateMachine } from '../../src/state/typed-machine.ts';
import { Cluster } from '../runtime/cluster.ts';

interface Shop {
  count: number;
  readonly seen: Record<string, unknown>;
  readonly items: string[];
}

let outside = 0;
const shop = defineStateMachine<Shop>()({
  initial: () => ({ count: 0, seen: {}, items: ['first'] }),
  commands: {
    add: (state, { amount }: { amount: number }) => {
      state.count += amount;
      return state.count;
    },
    draw: (state) => {
      state.count = Math.random();
    },
    stamp: (state) => {
      state.seen['at'] = Date.now();
    },
    dated: (state) => {
      state.seen['date'] = new Date();
    },
    ticket: () => ++outside,
    reduce: (state, { amount }: { amount: number }) => ({ ...state, count: state.count + amount }),
    fair: (state, _input, { now, random }) => {
      state.seen['fair'] = [now, random(), random()];
      state.items.push(String(state.seen['fair']));
      return [...state.items];
    },
    late: async (state) => {
      await Promise.resolve();
      state.count = 1_000;
    },
    fails: (state) => {
      state.count = 77;
      throw new Error('no');
    },
  },
});

let warned: Mock;
beforeEach(() => {
  outside = 0;
  warned = vi.spyOn(console, 'warn').mockImplementation(() => {}) as unknown as Mock;
});
afterEach(() => vi.restoreAllMocks());

const said = (): readonly string[] => warned.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('misuse'));

async function withShop(run: (node: Awaited<ReturnType<typeof openShop>>) => Promise<void>): Promise<void> {
  await using cluster = new Cluster();
  await run(await openShop(cluster));
}

async function openShop(cluster: Cluster) {
  const opened = await cluster.open({ machine: shop as never });
  const node = opened.node as unknown as Awaited<ReturnType<typeof openNode<Shop, typeof shop.commands, never>>>['node'];
  await node.ready;
  return node;
}

test.each([
  ['draw', /'draw' made another state/],
  ['stamp', /'stamp' made another state/],
  ['dated', /'dated' made another state/],
  ['ticket', /'ticket' answered differently/],
] as const)('%s: what a second run does otherwise is told', async (type, sentence) => {
  await withShop(async (node) => {
    const faults: string[] = [];
    await node.propose({ type });
    expect(said()).toHaveLength(1);
    expect(said()[0]).toMatch(sentence);
    expect(said()[0]).toMatch(/context\.now/);
    // Once is enough, and whoever listens is told instead of the console.
    node.on('fault', ({ error }) => faults.push(error.code));
    await node.propose({ type });
    expect([said().length, faults]).toEqual([1, []]);
  });
});

test('a handler that returns a new state is told that it changed nothing', async () => {
  await withShop(async (node) => {
    await node.propose({ type: 'reduce', amount: 2 });
    expect(said()[0]).toMatch(/'reduce' returned what looks like a new state, and changed nothing/);
  });
});

test('a rehearsal leaves nothing behind: sums, context, failures and what a late handler does', async () => {
  await withShop(async (node) => {
    for (const amount of [1, 2, 3]) await node.propose({ type: 'add', amount });
    expect(node.peek(({ count }) => count)).toBe(6);
    const items = await node.propose({ type: 'fair' });
    expect(items).toHaveLength(2);
    expect(node.peek((state) => state.items)).toHaveLength(2);
    await expect(node.propose({ type: 'fails' })).rejects.toMatchObject({ code: 'handler-failed', message: 'no' });
    await expect(node.propose({ type: 'late' })).rejects.toMatchObject({
      code: 'handler-failed',
      message: expect.stringMatching(/'late' returned a promise/),
    });
    await node.barrier();
    expect(node.peek(({ count }) => count)).toBe(6);
    expect(said()).toEqual([]);
  });
});

test('what has not been touched keeps its reference', async () => {
  await withShop(async (node) => {
    const items = node.peek((state) => state.items);
    await node.propose({ type: 'add', amount: 1 });
    expect(node.peek((state) => state.items)).toBe(items);
  });
});

test('instances of classes in the state are never rehearsed upon', async () => {
  class Tally {
    n = 0;
    up(): number {
      return ++this.n;
    }
  }
  const machine = defineStateMachine<{ tally: Tally }>()({
    initial: () => ({ tally: new Tally() }),
    commands: { up: (state) => state.tally.up() },
    snapshot: (state) => state.tally.n,
    restore: (n: number) => Object.assign({ tally: new Tally() }, { n }) as never,
  });
  await using cluster = new Cluster();
  const { node } = await cluster.open({ machine: machine as never });
  await node.ready;
  expect(await node.propose({ type: 'up' } as never)).toBe(1);
  expect(await node.propose({ type: 'up' } as never)).toBe(2);
  expect(said()).toEqual([]);
});

test('a handler must not propose', async () => {
  await using cluster = new Cluster();
  let propose = (): unknown => undefined;
  const machine = defineStateMachine<{ n: number }>()({
    initial: () => ({ n: 0 }),
    commands: {
      up: (state) => {
        propose();
        return ++state.n;
      },
    },
  });
  const { node } = await cluster.open({ machine: machine as never });
  await node.ready;
  let refused: unknown;
  propose = () => node.propose({ type: 'up' } as never).catch((error: unknown) => (refused = error));
  expect(await node.propose({ type: 'up' } as never)).toBe(1);
  expect(refused).toMatchObject({ code: 'invalid-argument', message: expect.stringMatching(/runs on every member/) });
  expect(await node.read((state) => (state as never as { n: number }).n)).toBe(1);
});

test('what a listener throws reaches the console when nobody listens for faults', async () => {
  await withShop(async (node) => {
    const thrown = new Error('in the listener');
    node.subscribe(
      ({ count }) => count,
      () => {
        throw thrown;
      },
    );
    await node.propose({ type: 'add', amount: 1 });
    await vi.waitFor(() => expect(warned.mock.calls.flat()).toContain(thrown));
    expect(warned.mock.calls.flat().join()).toMatch(/handler-failed: A listener failed/);
  });
});
