import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_CODES, isErrorCode, RaftError } from '../src/core/errors.ts';

test('an error carries what its code says of retrying and of having happened', () => {
  const error = new RaftError('outcome-unknown', 'the leader went away', { leaderHint: 'b' });
  expect(error).toMatchObject({ code: 'outcome-unknown', retryable: false, mayHaveApplied: true, leaderHint: 'b' });
  expect(RaftError.is(error, 'outcome-unknown')).toBe(true);
  expect(RaftError.is(error, 'busy')).toBe(false);
});

test('only codes of the table are codes', () => {
  for (const code of Object.keys(ERROR_CODES)) expect(isErrorCode(code)).toBe(true);
  expect(isErrorCode('toString')).toBe(false);
});

/** Where a code stands that is given: in an error that is made, a refusal, a reason, or a table from one code to another. */
const GIVES = String.raw`(?:Error\(|fail\(|refuse\w*\(|reason: |code: |return |giveUp\([^']*|'[a-z-]+': )[^;'"]{0,60}`;

test('every code of the table is given by something in the source', () => {
  const source = ['src', 'signaling']
    .flatMap((room) =>
      readdirSync(room, { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts') && path !== join('core', 'errors.ts'))
        .map((path) => readFileSync(join(room, path), 'utf8')),
    )
    .join('\n')
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const isGiven = (code: string): boolean => new RegExp(`${GIVES}'${code}'`).test(source);
  expect(Object.keys(ERROR_CODES).filter((code) => !isGiven(code))).toEqual([]);
  expect(isGiven('no-such-code')).toBe(false);
});
