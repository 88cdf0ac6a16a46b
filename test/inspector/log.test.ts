/** The log as cells and as entries: what is known of a member's log, and what only it says. */
import { expect, test } from 'vitest';
import type { EntryInfo } from '../../src/index.ts';
import type { Inspected, MemberFact } from '../../src/inspector/inspected.ts';
import { dataText, entryText } from '../../src/inspector/log.ts';
import { CELLS, cellsOf, Replacements, windowOf } from '../../src/inspector/log-cells.ts';
import { LogReader } from '../../src/inspector/log-reader.ts';

const self = { isSelf: true, last: 10, commit: 7, applied: 6, durable: 9 } as MemberFact;
const other = { isSelf: false, last: 12, commit: 5, applied: 5, durable: 8 } as MemberFact;
const own = { terms: new Map([[8, 3]]), firstIndex: 3, replaced: new Set([8]) };

test("this node's cells: snapshot, applied, committed, stored; what is not on disk yet is told apart", () => {
  const cells = cellsOf(self, { from: 1, to: 12 }, own);
  const states = cells.map(({ state }) => state);
  expect(states).toEqual([
    'compacted',
    'compacted',
    ...Array(4).fill('applied'),
    'committed',
    ...Array(3).fill('stored'),
    'none',
    'none',
  ]);
  expect(cells.map(({ isDurable }) => isDurable).lastIndexOf(true)).toBe(8);
  expect(cells[7]).toMatchObject({ index: 8, term: 3, wasReplaced: true });
});

test("another's cells: beyond what it acknowledged nobody knows whether its entries are these", () => {
  const cells = cellsOf(other, { from: 5, to: 12 }, own);
  expect(cells.map(({ state }) => state)).toEqual(['applied', ...Array(3).fill('stored'), ...Array(4).fill('claimed')]);
  expect(cells[3]).toMatchObject({ index: 8, term: 3, wasReplaced: false });
  expect(cells[5]).toMatchObject({ term: undefined });
});

test('the window ends where the longest log ends', () => {
  expect(windowOf([self, other])).toEqual({ from: 1, to: 12 });
  expect(windowOf([{ ...self, last: 1_000 }])).toEqual({ from: 1_001 - CELLS, to: 1_000 });
  expect(windowOf([{ ...self, last: undefined }])).toEqual({ from: 1, to: 1 });
});

test('an entry whose term changes has given way to another; what is remembered is bounded', () => {
  const replacements = new Replacements();
  replacements.note([1, 2, 3].map((index) => ({ index, term: 1 })));
  expect([...replacements.replaced]).toEqual([]);
  replacements.note([2, 3].map((index) => ({ index, term: 4 })));
  expect([...replacements.replaced]).toEqual([2, 3]);
  replacements.note(Array.from({ length: 10_000 }, (_, i) => ({ index: i + 4, term: 4 })));
  expect(replacements.terms.size).toBe(Replacements.REMEMBERED_MAX);
  expect([...replacements.replaced]).toEqual([]);
});

function logOf(entries: EntryInfo[], at: { commitIndex: number; firstIndex: number }): { node: Inspected; reads: string[] } {
  const reads: string[] = [];
  const describeLog = async ({ from, to }: { from: number; to: number }): Promise<readonly EntryInfo[]> => {
    reads.push(`${from}-${to}`);
    if (reads.length === 1 && entries.length === 0) throw new Error('the disk does not answer');
    return entries.filter(({ index }) => index >= from && index <= to);
  };
  return { node: { status: at, admin: { describeLog } } as unknown as Inspected, reads };
}
const entry = (index: number, term = 1): EntryInfo => ({
  index,
  term,
  type: 'command',
  time: 0,
  bytes: 1,
  data: {},
  text: `e${index}`,
});
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a page is read once at a time, again while it can change, never again when it cannot', async () => {
  const at = { commitIndex: 50, firstIndex: 1 };
  const entries = Array.from({ length: 120 }, (_, i) => entry(i + 1));
  const { node, reads } = logOf(entries, at);
  const told: number[] = [];
  const reader = new LogReader(node, (read) => told.push(read.length));
  expect(reader.entry(5)).toBeUndefined();
  reader.entry(6);
  expect(reads).toEqual(['1-99']);
  await settled();
  expect(reader.entry(5)?.text).toBe('e5');
  await settled();
  expect(reads).toHaveLength(2);
  // Read again and found the same: nobody is told twice.
  expect(told).toEqual([99]);
  entries[98] = entry(99, 2);
  at.commitIndex = 110;
  reader.entry(5);
  await settled();
  expect(told).toEqual([99, 99]);
  expect(reader.entry(99)?.term).toBe(2);
  await settled();
  expect(reads).toHaveLength(3);
  // What was just read is drawn without asking for it again: on a busy node that would never end.
  expect(reader.known(99)?.term).toBe(2);
  expect(reader.known(250)).toBeUndefined();
  await settled();
  expect(reads).toHaveLength(3);
  // The next page is not full: it will be read again.
  reader.entry(110);
  await settled();
  reader.entry(110);
  await settled();
  expect(reads).toHaveLength(5);
});

test('a log that cannot be read is asked again at the next look', async () => {
  const { node, reads } = logOf([], { commitIndex: 0, firstIndex: 1 });
  const reader = new LogReader(node, () => undefined);
  reader.entry(1);
  await settled();
  reader.entry(1);
  await settled();
  expect(reads).toHaveLength(2);
});

test('an entry in words, its data readable whatever it is', () => {
  const named = (text: string): string => text.replaceAll('id7', 'Amber Hare');
  expect(entryText({ ...entry(1), text: 'id7 books A1' }, named)).toBe('Amber Hare books A1');
  expect(entryText({ ...entry(1), type: 'noop', text: 'no-op' }, named)).toBe('a new term begins');
  expect(entryText({ ...entry(1), type: 'config', text: '+id7' }, named)).toBe('members +Amber Hare');
  expect(dataText({ big: 5n, bytes: new Uint8Array(3), map: new Map([['a', 1]]), set: new Set([1]) })).toBe(
    JSON.stringify({ big: '5n', bytes: '3 bytes', map: { a: 1 }, set: [1] }, undefined, 2),
  );
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  expect(dataText(circle)).toContain('cannot be shown');
  expect(dataText(undefined)).toBe('undefined');
});
