/** How a command's changes are taken back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ABSENT, UndoLog } from '../../src/state/undo-log.ts';

/** A Map and an object with the same content, changed through the log. */
class Both {
  readonly map = new Map<string, number | undefined>([
    ['a', 1],
    ['b', undefined],
  ]);
  readonly object: Record<string, number | undefined> = { a: 1, b: undefined };
  readonly list: number[] = [];
  readonly undo: UndoLog = new UndoLog();

  change(key: string, value: number): void {
    this.undo.value(this.map, key, this.map.has(key) ? this.map.get(key) : ABSENT);
    this.map.set(key, value);
    this.undo.value(this.object, key, Object.hasOwn(this.object, key) ? this.object[key] : ABSENT);
    this.object[key] = value;
    this.undo.change(() => this.list.pop());
    this.list.push(value);
  }

  get content(): unknown {
    return structuredClone([[...this.map], this.object, this.list]);
  }
}

test('whatever was changed, as often as it was, is as before; also back to a point in the middle, and for the next command', () => {
  const changes = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat()), { maxLength: 120 });
  fc.assert(
    fc.property(changes, changes, changes, (kept, taken, next) => {
      const both = new Both();
      const initial = both.content;
      for (const [key, value] of kept) both.change(key, value);
      const { length } = both.undo;
      const middle = both.content;
      for (const [key, value] of taken) both.change(key, value);
      both.undo.takeBack(length);
      expect([both.content, both.undo.length]).toEqual([middle, length]);
      both.undo.takeBack(0);
      expect([both.content, both.undo.length]).toEqual([initial, 0]);
      for (const [key, value] of kept) both.change(key, value);
      both.undo.clear();
      for (const [key, value] of next) both.change(key, value);
      both.undo.takeBack(0);
      expect(both.content).toEqual(middle);
    }),
  );
});

test('a key that held undefined holds it again, one that was not there is gone', () => {
  const both = new Both();
  both.change('b', 2);
  both.change('c', 3);
  both.undo.takeBack(0);
  expect([[...both.map.keys()], Object.keys(both.object)]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
});
