/** Every public call, with whatever a caller can get wrong: it throws or rejects with a RaftError, or does nothing wrong. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RaftError } from '../../../src/core/errors.ts';
import { Cluster } from '../cluster.ts';

type Method = (...args: readonly unknown[]) => unknown;

/** Ends the node, whatever it is given: called last, one node each. */
const LAST = new Set(['stop', 'leave']);
/** Not for callers: the node's own parts tell them what has come. */
const HIDDEN = new Set(['constructor', 'onPresence', 'onPeer', 'onGoodbye']);

/** Of every method. */
const RUNS = 120;

const junk = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, '', 'x', '\ud800', 0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60),
  fc.constantFrom<unknown>(
    10n,
    Symbol('s'),
    [],
    [null],
    {},
    new Date(Number.NaN),
    Uint8Array.of(1),
    new Map(),
    Object.create(null),
  ),
  fc.constantFrom<unknown>(
    { timeoutMs: -1 },
    { timeoutMs: 'soon' },
    { timeoutMs: null },
    { signal: 5 },
    { signal: {} },
    { signal: null },
    { nonsense: 1 },
    { id: 5 },
    { id: null },
    { id: 'k'.repeat(1_000) },
    { expectedTerm: 0 },
    { expiresMs: Number.NaN },
    { forward: 'no' },
    { consistency: 'eventual' },
    { consistency: null },
    { consistency: { atLeast: -1 } },
    { consistency: { maxStaleMs: 'x' } },
    { from: -1 },
    { from: 'a', to: {} },
    { type: 'add' },
    { type: 'add', amount: () => 1 },
    { type: 'add', amount: Symbol('s') },
    { type: 'toString' },
    { type: 5 },
    { suffrage: 'king' },
    { priority: 'high' },
    { steps: 5 },
    { id: 'x', meta: () => 1 },
    { id: 'x', name: 5 },
    { id: 'x', priority: -1 },
    { voters: 5 },
    { voters: ['x', 5] },
    { voters: ['x'], learners: 'x' },
    { ifVersion: -1 },
    [{ op: 'promote', id: 'nobody' }],
    [{ op: 'fly', id: 5 }],
  ),
);

/** All methods of an object's own class, by name. */
function methodsOf(target: object): readonly (readonly [name: string, method: Method])[] {
  const prototype: object = Object.getPrototypeOf(target);
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value }]) => typeof value === 'function' && !HIDDEN.has(name))
    .map(([name, { value }]) => [name, (...args) => Reflect.apply(value, target, args)]);
}

/** What it threw, rejected with, or failed with at its first step; undefined for what went well, or goes on. */
async function faultOf(method: Method, args: readonly unknown[], patience: Promise<unknown>): Promise<unknown> {
  try {
    const result = method(...args);
    if (typeof result === 'function') {
      (result as () => void)();
      return undefined;
    }
    if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result) {
      const iterator = (result as AsyncIterable<unknown>)[Symbol.asyncIterator]();
      await Promise.race([iterator.next(), patience]);
      void iterator.return?.();
      return undefined;
    }
    await Promise.race([result, patience]);
    return undefined;
  } catch (error) {
    return error;
  }
}

const soon = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 20));

test('what every public call is given wrong ends in a RaftError, and the node works on', async () => {
  await using cluster = new Cluster();
  const [{ node }] = (await cluster.of(1)) as [Awaited<ReturnType<Cluster['open']>>];
  const rooms = { node, membership: node.membership, admin: node.admin, expected: node.expected, presence: node.presence };
  const calls = Object.entries(rooms).flatMap(([room, target]) =>
    methodsOf(target).map(([name, method]) => [`${room}.${name}`, name, method] as const),
  );
  expect(calls.length).toBeGreaterThan(40);
  const faults: string[] = [];
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  try {
    for (const [path, name, method] of calls) {
      if (LAST.has(name)) continue;
      const given = fc.asyncProperty(fc.array(junk, { maxLength: 3 }), async (args) => {
        const fault = await faultOf(method, args, soon());
        if (fault !== undefined && !RaftError.is(fault)) throw fault;
      });
      const run = await fc.check(given, { numRuns: RUNS });
      if (run.failed) faults.push(`${path}(${fc.stringify(run.counterexample?.[0])}): ${String(run.errorInstance)}`);
    }
    expect(faults).toEqual([]);
    await node.until((status) => status.role === 'leader');
    expect(await node.propose({ type: 'book', seat: '1', name: 'me' })).toBe(true);
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
});

test('so does what the calls that end a node are given', async () => {
  await using cluster = new Cluster();
  const [{ node }] = (await cluster.of(1)) as [Awaited<ReturnType<Cluster['open']>>];
  for (const wrong of [null, 5, { timeoutMs: -1 }, { timeoutMs: 'x' }, { nonsense: 1 }, { signal: 5 }]) {
    await expect(node.membership.leave(wrong as never)).rejects.toSatisfy((error) => RaftError.is(error, 'invalid-argument'));
    await expect(node.stop(wrong as never)).rejects.toSatisfy((error) => RaftError.is(error, 'invalid-argument'));
  }
  expect(await node.propose({ type: 'add', amount: 1 })).toBe(1);
});
