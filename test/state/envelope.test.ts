import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checkEnvelope,
  decodeEnvelope,
  ENVELOPE_TEXT_BYTES_MAX,
  encodeCommand,
  encodeRegister,
  readEnvelope,
} from '../../src/state/envelope.ts';

const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test('every command comes back as it was written', () => {
  const envelopes = fc.record({
    session: count,
    sequence: count,
    answeredBelow: count,
    machineVersion: count,
    expectedTerm: count,
    notAfter: count,
    ifVersion: fc.option(count, { nil: undefined }),
    key: fc.string({ maxLength: 60 }),
    command: fc.uint8Array({ maxLength: 200 }),
  });
  fc.assert(
    fc.property(envelopes, (envelope) => {
      expect(decodeEnvelope(encodeCommand(envelope))).toEqual({ kind: 'command', ...envelope });
      expect(encodeCommand(envelope)[0]).toBe(envelope.ifVersion === undefined ? 1 : 5);
    }),
  );
});

test('registrations and closings come back too', () => {
  expect(decodeEnvelope(encodeRegister('node-ä', 'nonce'))).toEqual({ kind: 'register', clientId: 'node-ä', nonce: 'nonce' });
  // No build writes a closing; one that stands in a log means what it always did.
  expect(decodeEnvelope(Uint8Array.of(3, 0xac, 0x02))).toEqual({ kind: 'close', session: 300 });
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
    ifVersion: 700,
    key: 'abc',
    command: new Uint8Array(),
  });
  for (let cut = 1; cut < whole.length - 1; cut++)
    expect(() => decodeEnvelope(whole.subarray(0, cut))).toThrow(expect.objectContaining({ code: 'corrupt' }));
});

test('what a leader checks before it appends lets through what every member can read, and nothing else', () => {
  const refusal = (bytes: Uint8Array): string | undefined => {
    try {
      checkEnvelope(bytes, 7);
      return undefined;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const expected = (bytes: Uint8Array): string | undefined => {
    const envelope = readEnvelope(bytes);
    if (envelope === undefined) return 'invalid-argument';
    return envelope.kind === 'command' && envelope.machineVersion > 7 ? 'version-mismatch' : undefined;
  };
  const header = { session: 300, sequence: 5, answeredBelow: 1, expectedTerm: 0, notAfter: 2 ** 41, command: Uint8Array.of(1) };
  const whole = fc
    .record({
      machineVersion: fc.integer({ min: 0, max: 2 ** 40 }),
      key: fc.string({ maxLength: 60 }),
      ifVersion: fc.option(count, { nil: undefined }),
    })
    .map((fields) => encodeCommand({ ...header, ...fields }));
  const damaged = fc.tuple(whole, fc.nat(), fc.nat({ max: 255 }), fc.boolean()).map(([bytes, where, value, cut]) => {
    const at = where % bytes.length;
    if (cut) return bytes.slice(0, at);
    bytes[at] = value;
    return bytes;
  });
  const anything = fc
    .tuple(fc.nat({ max: 6 }), fc.uint8Array({ maxLength: 40 }))
    .map(([kind, rest]) => Uint8Array.of(kind, ...rest));
  fc.assert(
    fc.property(fc.oneof(whole, damaged, anything), (bytes) => {
      expect(refusal(bytes)).toBe(expected(bytes));
    }),
    { numRuns: 2_000 },
  );
});
