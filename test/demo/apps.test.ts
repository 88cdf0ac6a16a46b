/** The small apps as the log applies them: turns, tokens, and a state of an earlier version. */
import { expect, test } from 'vitest';
import { describeCommand, type Shared, theatre } from '../../demo/machine.ts';
import type { ApplyContext } from '../../src/index.ts';

const by = (proposer: string): ApplyContext => ({ index: 1, term: 1, now: 0, random: () => 0, proposer });
const { move, restart, print } = theatre.commands;
const fresh = (): Shared => theatre.initial();

test('who moves first is X, the next other one is O; nobody moves twice, or for another', () => {
  const state = fresh();
  expect(move(state, { cell: 4, name: 'A' }, by('a'))).toEqual({ ok: true, mark: 'X' });
  expect(move(state, { cell: 0, name: 'A' }, by('a'))).toEqual({ ok: false, reason: 'not-your-turn' });
  expect(move(state, { cell: 4, name: 'B' }, by('b'))).toEqual({ ok: false, reason: 'taken' });
  expect(move(state, { cell: 0, name: 'B' }, by('b'))).toEqual({ ok: true, mark: 'O' });
  expect(move(state, { cell: 8, name: 'C' }, by('c'))).toEqual({ ok: false, reason: 'two-play' });
  for (const cell of [-1, 9, 1.5, Number.NaN, '0' as unknown as number])
    expect(move(state, { cell, name: 'A' }, by('a'))).toEqual({ ok: false, reason: 'no-such-cell' });
  move(state, { cell: 3, name: 'A' }, by('a'));
  move(state, { cell: 1, name: 'B' }, by('b'));
  expect(move(state, { cell: 5, name: 'A' }, by('a'))).toEqual({ ok: true, mark: 'X' });
  expect(state.game.winner).toBe('X');
  expect(move(state, { cell: 2, name: 'B' }, by('b'))).toEqual({ ok: false, reason: 'over' });
  expect(restart(state)).toBe(true);
  expect(state.game).toEqual(fresh().game);
  expect(restart(state)).toBe(false);
});

test('a full board without a row is nobody’s', () => {
  const state = fresh();
  const cells = [0, 1, 2, 4, 3, 5, 7, 6, 8];
  for (const [i, cell] of cells.entries())
    expect(move(state, { cell, name: 'x' }, by(i % 2 === 0 ? 'a' : 'b'))).toMatchObject({ ok: true });
  expect(state.game.winner).toBe('nobody');
});

test('what the lock guards takes no smaller token than it has seen', () => {
  const state = fresh();
  expect(print(state, { token: 3, name: 'A' }, by('a'))).toEqual({ ok: true, writes: 1 });
  expect(print(state, { token: 2, name: 'B' }, by('b'))).toEqual({ ok: false, newest: 3 });
  expect(print(state, { token: Number.NaN, name: 'B' }, by('b'))).toEqual({ ok: false, newest: 3 });
  expect(print(state, { token: 3, name: 'A' }, by('a'))).toEqual({ ok: true, writes: 2 });
  expect(state.guarded).toEqual({ token: 3, writes: 2, by: 'a', name: 'A' });
});

test('a room of seats and a list only gets the rest; what is there stays', () => {
  const old = { seats: { A1: { by: 'a', name: 'A' } }, items: [], nextItem: 7 };
  for (const state of [theatre.migrate?.(old, 1), theatre.restore?.(old as never) as Shared])
    expect(state).toEqual({ ...fresh(), ...old });
});

test('every command of the machine has a line of its own for the log', () => {
  const plain = ['bank.transfer', 'lock.renew'];
  for (const type of Object.keys(theatre.commands).filter((name) => !plain.includes(name)))
    expect(describeCommand({ type }), type).not.toBe(type);
});
