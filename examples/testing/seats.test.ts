/** Testing an application's own machine: the handlers by themselves, and on a cluster whose network and disks fail. */
import { defineStateMachine } from 'tabraft';
import { simulateMachine } from 'tabraft/testing';
import { expect, test } from 'vitest';

interface Seats {
  readonly owners: Record<string, string>;
  sold: number;
}
const CAPACITY = 3;

const seats = defineStateMachine<Seats>()({
  initial: () => ({ owners: {}, sold: 0 }),
  commands: {
    book: (state, { seat, name }: { seat: string; name: string }): boolean => {
      if (state.sold >= CAPACITY || state.owners[seat] !== undefined) return false;
      state.owners[seat] = name;
      state.sold += 1;
      return true;
    },
  },
});

test('the handler by itself', () => {
  const state = seats.initial();
  expect(seats.commands.book(state, { seat: 'A1', name: 'ann' })).toBe(true);
  expect(seats.commands.book(state, { seat: 'A1', name: 'bob' })).toBe(false);
  expect(state.owners).toEqual({ A1: 'ann' });
});

test('never more seats than there are, whatever fails', async () => {
  const runs = await simulateMachine(seats, {
    command: (random, id) => ({ type: 'book' as const, seat: random.pick(['A1', 'A2', 'A3', 'B1', 'B2']), name: id }),
    check: ({ owners, sold }) => (sold > CAPACITY || Object.keys(owners).length !== sold ? 'too many are sold' : undefined),
    seeds: ['1', '2'],
  });
  for (const { report, wrong } of runs) expect([...report.violations, ...wrong]).toEqual([]);
});

test('a handler that is not deterministic is found', async () => {
  const dice = defineStateMachine<{ n: number }>()({
    initial: () => ({ n: 0 }),
    commands: {
      roll: (state) => {
        // What must not be done: context.random() is there for it.
        state.n = Math.random();
        return state.n;
      },
    },
  });
  const runs = await simulateMachine(dice, { command: () => ({ type: 'roll' as const }), seeds: ['1'] });
  expect(runs.at(-1)?.report.violations.length).toBeGreaterThan(0);
});
