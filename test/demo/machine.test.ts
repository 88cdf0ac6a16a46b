import { expect, test } from 'vitest';
import { describeCommand, ITEM_TEXT_MAX, ITEMS_MAX, SEATS, type Shared, theatre } from '../../demo/machine.ts';
import type { ApplyContext } from '../../src/index.ts';

const by = (proposer: string): ApplyContext => ({ index: 1, term: 1, now: 0, random: () => 0, proposer });
const { book, release, clear, add, check, remove } = theatre.commands;
const fresh = (): Shared => theatre.initial();

test('a seat belongs to whoever comes first in the log', () => {
  const state = fresh();
  expect(book(state, { seat: 'A1', name: 'Red' }, by('a'))).toEqual({ ok: true });
  expect(book(state, { seat: 'A1', name: 'Blue' }, by('b'))).toEqual({ ok: false, reason: 'taken', name: 'Red' });
  expect(book(state, { seat: 'A1', name: 'Red' }, by('a'))).toEqual({ ok: true });
  expect(state.seats).toEqual({ A1: { by: 'a', name: 'Red' } });
});

test('there are so many seats and no others', () => {
  const state = fresh();
  expect(SEATS).toHaveLength(24);
  for (const seat of ['Z9', '', '__proto__', 'constructor']) {
    expect(book(state, { seat, name: 'Red' }, by('a'))).toMatchObject({ ok: false, reason: 'no-such-seat' });
  }
  expect(state).toEqual(fresh());
});

test('only the holder gives a seat back', () => {
  const state = fresh();
  book(state, { seat: 'B2', name: 'Red' }, by('a'));
  expect(release(state, { seat: 'B2' }, by('b'))).toBe(false);
  expect(release(state, { seat: 'B2' }, by('a'))).toBe(true);
  expect(release(state, { seat: 'B2' }, by('a'))).toBe(false);
  book(state, { seat: 'C1', name: 'Red' }, by('a'));
  book(state, { seat: 'C2', name: 'Blue' }, by('b'));
  expect(clear(state)).toBe(2);
  expect(state.seats).toEqual({});
});

test('the list keeps its order and its bounds', () => {
  const state = fresh();
  expect(add(state, { text: 'one', name: 'Red' })).toBe(1);
  expect(add(state, { text: 'x'.repeat(1_000), name: 'Red' })).toBe(2);
  expect(state.items[1]?.text).toHaveLength(ITEM_TEXT_MAX);
  expect(check(state, { id: 1, done: true })).toBe(true);
  expect(remove(state, { id: 2 })).toBe(true);
  expect(remove(state, { id: 2 })).toBe(false);
  expect(check(state, { id: 2, done: true })).toBe(false);
  expect(state.items).toEqual([{ id: 1, text: 'one', name: 'Red', done: true }]);
  while (state.items.length < ITEMS_MAX) add(state, { text: 'more', name: 'Red' });
  expect(add(state, { text: 'too many', name: 'Red' })).toBeUndefined();
});

test('every command has a line for the log, also one that nobody knows', () => {
  const commands = [
    { type: 'book', seat: 'A1', name: 'Red' },
    { type: 'release', seat: 'A1' },
    { type: 'clear' },
    { type: 'add', text: 'tea', name: 'Red' },
    { type: 'check', id: 3, done: false },
    { type: 'remove', id: 3 },
    { type: 'later' },
  ];
  expect(commands.map(describeCommand)).toEqual([
    'Red asks for seat A1',
    'gives seat A1 back',
    'frees every seat',
    'Red adds “tea”',
    'unchecks item 3',
    'removes item 3',
    'later',
  ]);
});
