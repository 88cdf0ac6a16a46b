/** docs/FEATURES.md: no row of what others have is left out, every name is one that the package exports, every test is there and uses it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../../src/core/errors.ts';

/** How many rows each list has. */
const LISTS: Readonly<Record<string, number>> = {
  'N-a': 22,
  'N-b': 34,
  'N-c': 16,
  'N-d': 30,
  'N-e': 27,
  'N-f': 2,
  'N-g': 2,
  Y: 41,
  YD: 9,
  K: 14,
  I: 13,
  'C-e': 18,
  'C-r': 25,
  'C-q': 6,
  'C-m': 12,
  'C-s': 13,
  O: 40,
  U: 20,
};
/** What stands in backticks and is no name of the library: commands, files, modules. */
const NO_NAME = /^(?:npx |npm |tabraft\/|tabraft\.json$|examples\/)/;

interface Row {
  readonly ids: readonly string[];
  readonly here: string;
  readonly shownBy: string;
}

const rows: readonly Row[] = readFileSync('docs/FEATURES.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:rows|-)/.test(line))
  .map((line) => {
    const [, ids = '', , here = '', shownBy = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return { ids: ids.split(/\s+/), here, shownBy };
  });

const quoted = (text: string): readonly string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, found = '']) => found);
const namesOf = ({ here }: Row): readonly string[] => quoted(here).filter((name) => !NO_NAME.test(name));
/** `membership.add`: the last word is what it is about. */
const lastWord = (name: string): string => name.split('.').at(-1) ?? name;
const uses = (text: string, name: string): boolean => new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(text);

test('every row of what others have is here, and none that there is not', () => {
  const all = Object.entries(LISTS).flatMap(([list, count]) => Array.from({ length: count }, (_, i) => `${list}${i + 1}`));
  const told = new Set(rows.flatMap(({ ids }) => ids));
  expect(all.filter((id) => !told.has(id))).toEqual([]);
  expect([...told].filter((id) => !all.includes(id))).toEqual([]);
});

test('every name is one of what the package exports, or an error’s code', () => {
  const listing = readdirSync('api')
    .map((name) => readFileSync(join('api', name), 'utf8'))
    .join('\n');
  const isKnown = (name: string): boolean =>
    Object.hasOwn(ERROR_CODES, name) ||
    name.split('.').every((word) => ['node', 'raft', 'admin', 'membership'].includes(word) || uses(listing, word));
  expect(rows.flatMap(namesOf).filter((name) => !isKnown(name))).toEqual([]);
  expect(isKnown('node.nothingOfThisName')).toBe(false);
});

test('every row has a test that is there and uses one of its names; or says why not', () => {
  for (const row of rows) {
    const files = quoted(row.shownBy).map((name) => join('test', name));
    const where = row.ids.join(' ');
    if (files.length === 0) {
      expect.soft(row.here, where).toMatch(/^(?:No|Not yet)\b/);
      continue;
    }
    for (const file of files) expect.soft(existsSync(file), `${where}: ${file}`).toBe(true);
    const names = namesOf(row).map(lastWord);
    const texts = files.map((file) => readFileSync(file, 'utf8'));
    if (names.length > 0 && !/^(?:No|Not yet)\b/.test(row.here))
      expect(
        names.some((name) => texts.some((text) => uses(text, name))),
        `${where}: ${names.join(', ')} in ${files.join(', ')}`,
      ).toBe(true);
  }
});
