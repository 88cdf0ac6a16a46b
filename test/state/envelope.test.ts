import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeEnvelope, ENVELOPE_TEXT_BYTES_MAX, encodeClose, encodeCommand, encodeRegister } from '../../src/state/envelope.ts';

const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test('every command comes back as it was written', () => {
  const envelopes = fc.record({
    session: count,
    sequence: count,
    answeredBelow: count,
    machineVersion: count,
    expectedTerm: count,
    notAfter: count,
    key: fc.string({ maxLength: 60 }),
    command: fc.uint8Array({ maxLength: 200 }),
  });
  fc.assert(
    fc.property(envelopes, (envelope) => {
      expect(decodeEnvelope(encodeCommand(envelope))).toEqual({ kind: 'command', ...envelope });
    }),
  );
});

test('registrations and closings come back too', () => {
  expect(decodeEnvelope(encodeRegister('node-ä', 'nonce'))).toEqual({ kind: 'register', clientId: 'node-ä', nonce: 'nonce' });
  expect(decodeEnvelope(encodeClose(2 ** 40))).toEqual({ kind: 'close', session: 2 ** 40 });
});

test('a text above the limit is refused when it is written', () => {
  expect(() => encodeRegister('x'.repeat(ENVELOPE_TEXT_BYTES_MAX + 1), '')).toThrow(
    expect.objectContaining({ code: 'invalid-argument' }),
  );
});

test('damaged bytes are corrupt, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decodeEnvelope(bytes);
      } catch (error) {
        // Bad UTF-8 is a TypeError of the platform's decoder; everything else is ours.
        expect(error instanceof TypeError || (error as { code: string }).code === 'corrupt').toBe(true);
      }
    }),
  );
  const whole = encodeCommand({
    session: 300,
    sequence: 5,
    answeredBelow: 1,
    machineVersion: 1,
    expectedTerm: 0,
    notAfter: 0,
    key: 'abc',
    command: new Uint8Array(),
  });
  for (let cut = 1; cut < whole.length - 1; cut++)
    expect(() => decodeEnvelope(whole.subarray(0, cut))).toThrow(expect.objectContaining({ code: 'corrupt' }));
});
