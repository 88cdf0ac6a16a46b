/** Numbers that cannot work are refused where they are given. */
import { expect, test } from 'vitest';
import { resolveTuning, TUNING_DEFAULTS } from '../../../src/runtime/api/options.ts';
import { CALL_BODY_BYTES_MAX, MESSAGE_BYTES_MAX } from '../../../src/wire/limits.ts';

test('C6: a command is no longer than one message can carry, forwarded or appended', () => {
  for (const commandBytesMax of [CALL_BODY_BYTES_MAX, MESSAGE_BYTES_MAX])
    expect(() => resolveTuning({ commandBytesMax })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  expect(() => resolveTuning({ appendBytesMax: MESSAGE_BYTES_MAX })).toThrow(
    expect.objectContaining({ code: 'invalid-argument' }),
  );
  expect(resolveTuning({ commandBytesMax: 4 * 1024 * 1024 }).commandBytesMax).toBe(4 * 1024 * 1024);
});

test('what is not given has its default, and what there is not is refused by name', () => {
  expect(resolveTuning()).toEqual(TUNING_DEFAULTS);
  expect(() => resolveTuning({ heartbeat: 5 } as never)).toThrow('heartbeat');
});
