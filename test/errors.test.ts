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
