/** The list of faults fits the source: a fault whose text is not there any more proves nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MUTANTS } from './mutants.mjs';

const root = join(import.meta.dirname, '..', '..');

test('every fault names a file that exists, and finds its text there exactly once', () => {
  const stale = MUTANTS.filter(({ file, find, replace }) => {
    const path = join(root, file);
    return !existsSync(path) || readFileSync(path, 'utf8').split(find).length !== 2 || find === replace;
  });
  expect(stale.map(({ id }) => id)).toEqual([]);
});

test('no two faults have one name', () => {
  const ids = MUTANTS.map(({ id }) => id);
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
});
