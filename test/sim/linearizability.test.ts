import { describe, expect, test } from 'vitest';
import { decodeHistory, encodeHistory, History, type Operation } from '../../src/testing/history/history.ts';
import { checkLinearizable, describeVerdict } from '../../src/testing/history/linearizability.ts';
import { counterModel, listModel, type Model, registerModel } from '../../src/testing/history/models.ts';
import { Prng } from '../../src/testing/prng.ts';

/** `who kind input=result [start end]`; `?` for an outcome nobody knows, `!` for one that is certain not to be. */
function op(process: string, kind: string, input: unknown, result: unknown, start: number, end: number, key = 'x'): Operation {
  const outcome = result === '?' ? 'unknown' : result === '!' ? 'no' : 'ok';
  return {
    process,
    key,
    kind,
    input,
    start,
    end: outcome === 'unknown' ? null : end,
    outcome,
    result: outcome === 'ok' ? result : undefined,
  };
}

describe('registers', () => {
  test('reads of the last write are fine, also while another write is on its way', () => {
    const history = [
      op('a', 'write', 1, null, 0, 10),
      op('b', 'read', null, 1, 5, 6),
      op('a', 'write', 2, null, 20, 30),
      op('b', 'read', null, 1, 21, 25),
      op('c', 'read', null, 2, 26, 28),
    ];
    expect(checkLinearizable(history).ok).toBe(true);
  });

  test('a read of what was overwritten before it began is not', () => {
    const history = [op('a', 'write', 1, null, 0, 1), op('a', 'write', 2, null, 2, 3), op('b', 'read', null, 1, 4, 5)];
    const verdict = checkLinearizable(history);
    expect(verdict).toMatchObject({ ok: false, undecided: false, key: 'x', model: 'register' });
    expect(describeVerdict(verdict)).toContain('cannot  b read null = 1');
  });

  test('two reads may not see two concurrent writes in different orders', () => {
    const writes = [op('a', 'write', 1, null, 0, 100), op('b', 'write', 2, null, 0, 100)];
    const seen = (first: number, second: number): Operation[] => [
      ...writes,
      op('c', 'read', null, first, 10, 20),
      op('d', 'read', null, second, 30, 40),
      op('c', 'read', null, first, 50, 60),
    ];
    expect(checkLinearizable(seen(1, 1)).ok).toBe(true);
    expect(checkLinearizable(seen(1, 2)).ok).toBe(false);
  });

  test('a write of unknown outcome may take effect much later, or never', () => {
    const write = op('a', 'write', 7, '?', 0, 1);
    expect(checkLinearizable([write, op('b', 'read', null, null, 100, 101)]).ok).toBe(true);
    expect(checkLinearizable([write, op('b', 'read', null, 7, 100, 101)]).ok).toBe(true);
    const there = [write, op('b', 'read', null, null, 100, 101), op('b', 'read', null, 7, 200, 201)];
    expect(checkLinearizable(there).ok).toBe(true);
    expect(checkLinearizable([...there, op('b', 'read', null, null, 300, 301)]).ok).toBe(false);
  });

  test('a write that certainly did not happen may never be seen', () => {
    expect(checkLinearizable([op('a', 'write', 7, '!', 0, 1), op('b', 'read', null, 7, 5, 6)]).ok).toBe(false);
  });

  test('compare-and-set: one of two that expect the same value swaps', () => {
    const both = (second: boolean): Operation[] => [
      op('a', 'cas', [null, 1], true, 0, 10),
      op('b', 'cas', [null, 2], second, 0, 10),
    ];
    expect(checkLinearizable(both(false)).ok).toBe(true);
    expect(checkLinearizable(both(true)).ok).toBe(false);
  });

  test('keys are checked apart', () => {
    const history = [op('a', 'write', 1, null, 0, 1, 'x'), op('a', 'read', null, null, 2, 3, 'y')];
    expect(checkLinearizable(history).ok).toBe(true);
    expect(checkLinearizable(history.map((one) => ({ ...one, key: 'x' }))).ok).toBe(false);
  });
});

describe('lists and counters', () => {
  test('an append applied twice is found', () => {
    const history = [op('a', 'append', 'p', 1, 0, 1, 'list:a'), op('b', 'read', null, ['p', 'p'], 2, 3, 'list:a')];
    expect(checkLinearizable(history).ok).toBe(false);
    expect(checkLinearizable([history[0] as Operation, op('b', 'read', null, ['p'], 2, 3, 'list:a')]).ok).toBe(true);
  });

  test('a lost increment is found', () => {
    const history = [op('a', 'add', 1, 1, 0, 1, 'counter:a'), op('b', 'add', 1, 1, 2, 3, 'counter:a')];
    expect(checkLinearizable(history).ok).toBe(false);
  });
});

/** Runs operations of several processes against one real object, each taking effect somewhere inside its interval. */
function generate<S>(
  seed: number,
  model: Model<S>,
  key: string,
  make: (random: Prng, at: number) => { kind: string; input: unknown },
  answer: (state: S, kind: string, input: unknown) => [S, unknown],
): Operation[] {
  const random = new Prng(seed);
  const calls = Array.from({ length: 40 }, (_, i) => {
    const start = random.between(0, 200);
    const at = start + random.between(0, 30);
    return { ...make(random, i), process: `p${i % 5}`, start, at, end: at + random.between(0, 30), lost: random.chance(0.1) };
  }).sort((a, b) => a.at - b.at);
  let state = model.initial;
  return calls.map(({ kind, input, process, start, end, lost }) => {
    const [next, result] = answer(state, kind, input);
    state = next;
    return {
      process,
      key,
      kind,
      input,
      start,
      end: lost ? null : end,
      outcome: lost ? 'unknown' : 'ok',
      result: lost ? undefined : result,
    };
  });
}

describe('generated histories', () => {
  const register = (seed: number): Operation[] =>
    generate(
      seed,
      registerModel,
      'x',
      (random, i) =>
        random.chance(0.5)
          ? { kind: 'read', input: null }
          : random.chance(0.5)
            ? { kind: 'write', input: i }
            : { kind: 'cas', input: [random.below(40), i] },
      (state, kind, input) => {
        if (kind === 'read') return [state, state];
        if (kind === 'write') return [input as number, null];
        const [expected, next] = input as [number, number];
        return state === expected ? [next, true] : [state, false];
      },
    );
  const list = (seed: number): Operation[] =>
    generate(
      seed,
      listModel,
      'list:x',
      (random, i) => (random.chance(0.4) ? { kind: 'read', input: null } : { kind: 'append', input: i }),
      (state, kind, input) => (kind === 'read' ? [state, state] : [[...state, input as number], state.length + 1]),
    );
  const counter = (seed: number): Operation[] =>
    generate(
      seed,
      counterModel,
      'counter:x',
      (random) => (random.chance(0.4) ? { kind: 'read', input: null } : { kind: 'add', input: random.between(1, 3) }),
      (state, kind, input) => (kind === 'read' ? [state, state] : [state + (input as number), state + (input as number)]),
    );

  test('what a real object did is always accepted', () => {
    for (let seed = 0; seed < 60; seed += 1) {
      for (const make of [register, list, counter])
        expect(describeVerdict(checkLinearizable(make(seed)))).toContain('linearizable: ');
    }
  });

  test('one changed answer is refused, whenever it could not have been given', () => {
    let refused = 0;
    for (let seed = 0; seed < 60; seed += 1) {
      const history = list(seed);
      const at = history.findIndex((one) => one.kind === 'read' && one.outcome === 'ok' && (one.result as unknown[]).length > 1);
      const read = history[at];
      if (read === undefined) continue;
      const swapped = [...(read.result as unknown[])].reverse();
      history[at] = { ...read, result: swapped };
      expect(checkLinearizable(history).ok).toBe(false);
      refused += 1;
    }
    expect(refused).toBeGreaterThan(40);
  });

  test('an order that cannot be decided in the steps allowed is not called linearizable', () => {
    expect(checkLinearizable(register(1), { stepsMax: 3 })).toMatchObject({ ok: false, undecided: true });
  });
});

test('a history survives its lines of JSON, and what never ended is unknown', () => {
  const history = new History();
  history.begin({ process: 'a', key: 'x', kind: 'write', input: 1, start: 1 })({ end: 2, outcome: 'ok', result: null });
  history.begin({ process: 'b', key: 'x', kind: 'write', input: 2, start: 3 });
  expect(history.open).toBe(1);
  expect(decodeHistory(encodeHistory(history.operations))).toEqual([
    { process: 'a', key: 'x', kind: 'write', input: 1, start: 1, end: 2, outcome: 'ok', result: null },
    { process: 'b', key: 'x', kind: 'write', input: 2, start: 3, end: null, outcome: 'unknown' },
  ]);
});

test('a dozen appends that nobody knows the end of do not hide a plain order, nor a broken one', () => {
  const lost = Array.from({ length: 12 }, (_, i) => append(`lost${i}`, i, i + 30, 'unknown'));
  const told = [append('a', 40, 42, 'ok', 1), append('b', 43, 45, 'ok', 2), read(['a', 'b'], 46, 47)];
  const plain = [...lost, ...told, append('d', 50, 60, 'ok', 4), append('c', 51, 61, 'ok', 3)];
  expect(checkLinearizable(plain, { stepsMax: 5_000 })).toMatchObject({ ok: true, operations: plain.length });
  // One of them did take effect, unseen: which, nobody can tell, and nobody needs to.
  const gap = [...lost, ...told, append('d', 50, 60, 'ok', 5), append('c', 51, 61, 'ok', 4)];
  expect(checkLinearizable(gap, { stepsMax: 5_000 })).toMatchObject({ ok: true });
  const early = [lost[3], lost[7]].flatMap((one) => one ?? []);
  const held = [...early, ...told.slice(0, 2), read(['b', 'a'], 46, 47)];
  expect(checkLinearizable(held)).toMatchObject({ ok: false, undecided: false });
});

function append(input: string, start: number, end: number, outcome: 'ok' | 'unknown', result?: number): Operation {
  return { process: input, key: 'list:a', kind: 'append', input, start, end, outcome, result };
}

function read(result: readonly string[], start: number, end: number): Operation {
  return { process: 'reader', key: 'list:a', kind: 'read', input: null, start, end, outcome: 'ok', result };
}
