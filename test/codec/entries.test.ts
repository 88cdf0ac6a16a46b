import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/codec/crc32.ts';
import { decodeEntries, encodeEntries, encodeEntriesOnce, entryBytesBound } from '../../src/codec/entries.ts';
import { RaftError } from '../../src/core/errors.ts';
import { type ConfChange, type Entry, makeEntry, NO_BYTES } from '../../src/core/types.ts';

const change: ConfChange = {
  transition: 'explicit',
  steps: [
    { op: 'voter', id: 'b', context: Uint8Array.of(1) },
    { op: 'remove', id: 'a', context: undefined },
  ],
  context: Uint8Array.of(9, 9),
};

const entryShape = fc.record({
  termStep: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 2 ** 31 - 1 }) }),
  time: fc.oneof(fc.constant(1_700_000_000_000), fc.nat({ max: 100 }), fc.integer({ min: 0, max: 2 ** 51 - 1 })),
  data: fc.uint8Array({ maxLength: 300 }),
  conf: fc.boolean(),
});
const run = fc.tuple(fc.integer({ min: 1, max: 2 ** 52 }), fc.array(entryShape, { maxLength: 40 })).map(([first, shapes]) => {
  let term = 1;
  return shapes.map((shape, i): Entry => {
    term += shape.termStep;
    return shape.conf
      ? makeEntry(first + i, term, 'conf', shape.time, NO_BYTES, change)
      : makeEntry(first + i, term, 'normal', shape.time, shape.data, undefined);
  });
});

const normal = (index: number, term: number, data: Uint8Array = NO_BYTES): Entry =>
  makeEntry(index, term, 'normal', 1_000, data, undefined);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof RaftError ? error.code : `not a RaftError: ${String(error)}`;
  }
  return 'no error';
}

describe('a run of entries', () => {
  it('comes back as it was, for any run', () => {
    fc.assert(
      fc.property(run, (entries) => {
        const encoded = encodeEntries(entries);
        expect(decodeEntries(encoded)).toEqual(entries);
        expect(encoded.buffer.byteLength).toBe(encoded.length);
        expect(encoded.length).toBeLessThanOrEqual(40 + entries.reduce((sum, entry) => sum + entryBytesBound(entry), 0));
      }),
      { numRuns: 300 },
    );
  });

  it('of proposals has neither index nor term', () => {
    const proposals = [makeEntry(0, 0, 'normal', 0, Uint8Array.of(1), undefined), makeEntry(0, 0, 'conf', 0, NO_BYTES, change)];
    expect(decodeEntries(encodeEntries(proposals))).toEqual(proposals);
  });

  it('costs two bytes per entry of 100 bytes', () => {
    const entries = Array.from({ length: 1_000 }, (_, i) => normal(1 + i, 7, new Uint8Array(100)));
    expect(encodeEntries(entries).length).toBe(100_000 + 2_000 + 7);
  });

  it('decodes to views on the input, plain ones also for a Buffer', () => {
    const encoded = Buffer.from(encodeEntries([normal(1, 1, Uint8Array.of(5, 6))]));
    const [entry] = decodeEntries(encoded);
    expect(entry?.data.buffer).toBe(encoded.buffer);
    expect(entry?.data.constructor).toBe(Uint8Array);
    expect(entry?.data).toEqual(Uint8Array.of(5, 6));
  });

  it.each<readonly [string, readonly Entry[], string]>([
    ['a gap', [normal(1, 1), normal(3, 1)], 'invalid-argument'],
    ['a falling term', [normal(1, 2), normal(2, 1)], 'invalid-argument'],
    ['a fractional time', [makeEntry(1, 1, 'normal', 0.5, NO_BYTES, undefined)], 'invalid-argument'],
    ['a conf entry without a change', [makeEntry(1, 1, 'conf', 0, NO_BYTES, undefined)], 'invalid-argument'],
    ['a proposal with a term', [normal(0, 1)], 'invalid-argument'],
  ])('refuses to encode %s', (_what, entries, code) => {
    expect(codeOf(() => encodeEntries(entries))).toBe(code);
  });

  it('refuses every truncation and every count that lies', () => {
    const encoded = encodeEntries([normal(1, 1, Uint8Array.of(1, 2, 3)), makeEntry(2, 3, 'conf', 5, NO_BYTES, change)]);
    for (let length = 0; length < encoded.length; length++) {
      expect(codeOf(() => decodeEntries(encoded.subarray(0, length)))).toBe('message-invalid');
    }
    expect(codeOf(() => decodeEntries(Uint8Array.of(1, 1, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0)))).toBe('message-invalid');
    expect(codeOf(() => decodeEntries(Uint8Array.of(2, 0, 0, 0, 0)))).toBe('message-invalid');
    expect(codeOf(() => decodeEntries(Uint8Array.of(1, ...new Array<number>(20).fill(0xff))))).toBe('message-invalid');
  });

  it('survives damage: entries in order, or message-invalid', () => {
    const damaged = fc
      .tuple(run, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }))
      .map(([entries, damage]) => {
        const encoded = encodeEntries(entries);
        for (const [place, byte] of damage) encoded[place % encoded.length] = byte;
        return encoded;
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 60 })), (input) => {
        let entries: readonly Entry[] = [];
        expect(['no error', 'message-invalid']).toContain(
          codeOf(() => {
            entries = decodeEntries(input);
          }),
        );
        entries.forEach((entry, i) => {
          const before = entries[i - 1];
          expect(Number.isSafeInteger(entry.index) && Number.isSafeInteger(entry.term) && Number.isSafeInteger(entry.time)).toBe(
            true,
          );
          if (before !== undefined) expect(entry.index === 0 || entry.index === before.index + 1).toBe(true);
          if (before !== undefined) expect(entry.term).toBeGreaterThanOrEqual(before.term);
        });
      }),
      { numRuns: 3_000 },
    );
  });

  it('refuses a malformed membership change', () => {
    const good = encodeEntries([makeEntry(1, 1, 'conf', 0, NO_BYTES, change)]);
    const transition = good.indexOf(0x93) + 1;
    for (const bad of [3, 0x7f, 0xa0, 0xc0, 0x90]) {
      const encoded = good.slice();
      encoded[transition] = bad;
      expect(codeOf(() => decodeEntries(encoded))).toBe('message-invalid');
    }
  });
});

describe('one encoding for all followers', () => {
  it('is shared while first and last entry are the same, also through another array', () => {
    const entries = [normal(1, 1, Uint8Array.of(1)), normal(2, 1), normal(3, 1)];
    const encoded = encodeEntriesOnce(entries);
    expect(encodeEntriesOnce([...entries])).toBe(encoded);
    expect(encoded).toEqual(encodeEntries(entries));
  });

  it('is not taken for a run that starts, ends or is long otherwise, nor for replaced entries', () => {
    const entries = [normal(1, 1), normal(2, 1), normal(3, 1)];
    encodeEntriesOnce(entries);
    for (const other of [entries.slice(1), entries.slice(0, 2), [...entries.slice(0, 2), normal(3, 2)]]) {
      expect(decodeEntries(encodeEntriesOnce(other))).toEqual(other);
    }
  });

  it('is never shared between proposals, which may repeat an entry object', () => {
    const a = makeEntry(0, 0, 'normal', 0, Uint8Array.of(1), undefined);
    const b = makeEntry(0, 0, 'normal', 0, Uint8Array.of(2), undefined);
    encodeEntriesOnce([a, a, a]);
    expect(decodeEntries(encodeEntriesOnce([a, b, a]))).toEqual([a, b, a]);
  });
});

describe('crc32', () => {
  it('gives the published check values', () => {
    const text = new TextEncoder();
    expect(crc32(text.encode('123456789'))).toBe(0xcbf43926);
    expect(crc32(NO_BYTES)).toBe(0);
    expect(crc32(text.encode('The quick brown fox jumps over the lazy dog'))).toBe(0x414fa339);
  });

  it('can be continued, and tells every flipped bit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), fc.nat({ max: 7 }), (bytes, place, bit) => {
        const sum = crc32(bytes);
        const cut = place % bytes.length;
        expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(sum);
        const flipped = bytes.slice();
        flipped[cut] = (flipped[cut] ?? 0) ^ (1 << bit);
        expect(crc32(flipped)).not.toBe(sum);
      }),
    );
  });
});
