/** docs/SCENARIOS.md and the tests say the same: every scenario has a line, and every line tests that are there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesIn, ROOT } from './tidy/scan.ts';

const SCENARIOS = 79;

interface Evidence {
  readonly path: string;
  /** Words of a title or of a check; undefined: titles with the scenario's number. */
  readonly quoted: string | undefined;
}

const rows = [...readFileSync(join(ROOT, 'docs/SCENARIOS.md'), 'utf8').matchAll(/^\| S(\d+) +\| (.+?) +\| (.+?) +\|$/gm)].map(
  ([, number, , shownBy = '']) => ({
    number: Number(number),
    evidence: [...shownBy.matchAll(/`([^`]+)`(?: “([^”]+)”)?/g)].map(([, path = '', quoted]): Evidence => ({ path, quoted })),
  }),
);

function numbersIn(text: string): readonly number[] {
  return [...new Set([...text.matchAll(/\bS(\d+): /g)].map((match) => Number(match[1])))];
}

test('every scenario has one line, in order', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: SCENARIOS }, (_, i) => i + 1));
});

test('every line names tests that are there', () => {
  const wrong = rows.flatMap(({ number, evidence }) => {
    if (evidence.length === 0) return [`S${number} names none`];
    return evidence
      .filter(({ path, quoted }) => !shows(path, quoted ?? `S${number}: `))
      .map(({ path, quoted }) => `S${number}: nothing in ${path} says ${quoted ?? `S${number}:`}`);
  });
  expect(wrong).toEqual([]);
});

function shows(path: string, words: string): boolean {
  return existsSync(join(ROOT, path)) && readFileSync(join(ROOT, path), 'utf8').includes(words);
}

test('every test with a number is named in its line', () => {
  const titled = filesIn(['test'], /\.test\.ts$/).filter(({ path }) => !path.endsWith('scenarios-table.test.ts'));
  const unnamed = titled.flatMap(({ path, text }) =>
    numbersIn(text)
      .filter((number) => !rows.some((row) => row.number === number && row.evidence.some((shown) => shown.path === path)))
      .map((number) => `S${number} in ${path}`),
  );
  expect(titled.length).toBeGreaterThan(0);
  expect(unnamed).toEqual([]);
});
