import fc from 'fast-check';
import { Packr } from 'msgpackr/pack';
import { describe, expect, it, vi } from 'vitest';
import { guard } from '../../src/codec/guard.ts';
import { ENCODED_VALUE_DEPTH_MAX, MESSAGE_DEPTH_MAX, MESSAGE_ITEMS_MAX, VALUE_DEPTH_MAX } from '../../src/codec/limits.ts';
import { pack, packMessage, packValue, unpack, unpackMessage, unpackStored, unpackValue } from '../../src/codec/pack.ts';
import { RaftError } from '../../src/core/errors.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof RaftError ? error.code : `not a RaftError: ${String(error)}`;
  }
  return 'no error';
}

const plain: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }).map((n) => n + 0),
    fc.string({ unit: 'binary' }),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ unit: 'binary' }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
})).value;

describe('pack and unpack', () => {
  it('gives back every plain value', () => {
    fc.assert(
      fc.property(fc.array(plain, { maxLength: 3 }), (value) => {
        expect(unpack(pack(value))).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  it('hands out exact copies, never views on a pool', () => {
    const first = pack(['first', 1]);
    const copy = first.slice();
    pack(['second, which would overwrite a pool', 2]);
    expect(first.buffer.byteLength).toBe(first.length);
    expect(first.constructor).toBe(Uint8Array);
    expect(first).toEqual(copy);
  });

  it('still packs, exactly, after a very large value', () => {
    const large = pack(['x'.repeat(3_000_000)]);
    expect(unpack(large)).toEqual(['x'.repeat(3_000_000)]);
    expect(pack([1]).buffer.byteLength).toBe(2);
    expect(unpack(pack(['é'.repeat(100)]))).toEqual(['é'.repeat(100)]);
  });

  it('packs messages, and bulk bytes at their end, that nothing later overwrites', () => {
    const sizes = [0, 1, 255, 1_024, 1_025, 70_000];
    const packed = sizes.map((size) => packMessage(['head', size, new Uint8Array(size).fill(size)]));
    sizes.forEach((size, i) => {
      expect(unpack(packed[i] ?? bytes())).toEqual(['head', size, new Uint8Array(size).fill(size)]);
    });
    expect(unpack(packMessage([...new Array<number>(14).fill(1), new Uint8Array(2_000)]))).toHaveLength(15);
  });

  it('decodes messages like everything else, wherever their bytes are, and keeps what it gave', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(plain, fc.uint8Array({ maxLength: 1_500 })), { maxLength: 20 }), (parts) => {
        const decoded = unpackMessage(pack(parts));
        expect(unpackMessage(pack(new Array<string>(15).fill('something else, of many bytes')))).toHaveLength(15);
        expect(decoded).toEqual(parts);
      }),
      { numRuns: 300 },
    );
    for (const parts of [[], [bytes()], [bytes(1), bytes(2)], [['a', bytes(1)]], [[bytes(1)], 1], [1, [bytes(7)]], bytes(1, 2)]) {
      expect(unpackMessage(pack(parts))).toEqual(parts);
    }
    expect(codeOf(() => unpackMessage(Uint8Array.of(0x92, 1, 0xc4, 1)))).toBe('message-invalid');
    expect(codeOf(() => unpackMessage(Uint8Array.of(0x92, 1, 0xc4, 1, 2, 3)))).toBe('message-invalid');
  });

  it('leaves what it reads as it was, and gives plain Uint8Arrays for a Buffer', () => {
    const input = Buffer.from(pack([bytes(9)]));
    const [inner] = unpack(input) as [Uint8Array];
    expect(inner.constructor).toBe(Uint8Array);
    expect(Object.keys(input)).toEqual(['0', '1', '2', '3']);
  });
});

describe('what the guard refuses', () => {
  const refused: ReadonlyArray<readonly [string, Uint8Array]> = [
    ['nothing', bytes()],
    ['bytes left over', bytes(0x01, 0x01)],
    ['the byte that means nothing', bytes(0xc1)],
    ['an array longer than the message', bytes(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['a map longer than the message', bytes(0xdf, 0x7f, 0xff, 0xff, 0xff, 0xa1, 0x61)],
    ['a string that ends early', bytes(0xdb, 0x00, 0x00, 0x10, 0x00, 0x61)],
    ['binary that ends early', bytes(0xc6, 0xff, 0xff, 0xff, 0xff)],
    ['a length that ends early', bytes(0xc5, 0x00)],
    ['a number that ends early', bytes(0xcb, 0x00)],
    ['a key that is a number', bytes(0x81, 0x01, 0x01)],
    ['a key that is an array', bytes(0x81, 0x90, 0x01)],
    ['a record definition', bytes(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01)],
    ['a regular expression', bytes(0xd4, 0x78, 0x00, 0x92, 0xa1, 0x61, 0xa0)],
    ['a pointer', bytes(0xd6, 0x70, 0x00, 0x00, 0x00, 0x01)],
    ['a typed array', bytes(0xc7, 0x02, 0x74, 0x01, 0x00)],
    ['undefined', bytes(0xd4, 0x00, 0x00)],
    ['a timestamp', bytes(0xd6, 0xff, 0, 0, 0, 0)],
    ['nesting', new Uint8Array(100_000).fill(0x91)],
  ];
  it.each(refused)('%s', (_what, input) => {
    expect(codeOf(() => unpack(input))).toBe('message-invalid');
  });

  it('also in application values, but for undefined and timestamps', () => {
    for (const [what, input] of refused) {
      const allowed = what === 'undefined' || what === 'a timestamp';
      expect([what, codeOf(() => unpackValue(input))]).toEqual([what, allowed ? 'no error' : 'message-invalid']);
    }
  });

  it('counts depth exactly', () => {
    const nested = (depth: number): Uint8Array => Uint8Array.from([...new Array<number>(depth).fill(0x91), 0x01]);
    expect(guard(nested(MESSAGE_DEPTH_MAX), MESSAGE_DEPTH_MAX, 'none', MESSAGE_ITEMS_MAX)).toBe(MESSAGE_DEPTH_MAX + 1);
    expect(codeOf(() => guard(nested(MESSAGE_DEPTH_MAX + 1), MESSAGE_DEPTH_MAX, 'none', MESSAGE_ITEMS_MAX))).toBe(
      'message-invalid',
    );
    expect(codeOf(() => guard(nested(ENCODED_VALUE_DEPTH_MAX + 1), ENCODED_VALUE_DEPTH_MAX, 'values', MESSAGE_ITEMS_MAX))).toBe(
      'message-invalid',
    );
  });

  it('survives anything: random bytes and damaged values give a value or message-invalid, and pollute nothing', () => {
    const damaged = fc.tuple(plain, fc.nat(), fc.nat({ max: 255 })).map(([value, place, byte]) => {
      const encoded = pack(['a', value]);
      encoded[place % encoded.length] = byte;
      return encoded;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), damaged), (input) => {
        expect(['no error', 'message-invalid']).toContain(codeOf(() => unpack(input)));
        expect(['no error', 'message-invalid']).toContain(codeOf(() => unpackValue(input)));
      }),
      { numRuns: 5_000 },
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const key = new TextEncoder().encode('__proto__');
    const attack = Uint8Array.from([0x81, 0xa0 | key.length, ...key, 0x81, 0xa1, 0x70, 0x01]);
    expect(Object.getPrototypeOf(unpack(attack))).toBe(Object.prototype);
  });
});

describe('application values', () => {
  it.each<readonly [string, unknown]>([
    ['undefined', undefined],
    ['undefined inside', { a: undefined, b: [undefined] }],
    ['a date', { at: new Date(1_700_000_000_123), old: new Date(-5), far: new Date(8.64e15) }],
    [
      'a map',
      new Map<unknown, unknown>([
        ['a', 1],
        [2, new Map([['b', bytes(1)]])],
      ]),
    ],
    ['a set', new Set<unknown>([1, 'a', null])],
    ['small bigints', [0n, -1n, 2n ** 63n - 1n, 2n ** 64n - 1n, -(2n ** 63n)]],
    ['large bigints', [2n ** 64n, -(2n ** 63n) - 1n, 10n ** 50n, -(10n ** 50n)]],
    ['typed arrays', [new Float64Array([1.5, -2]), new Int16Array([-1]), new BigUint64Array([5n]), new Uint8ClampedArray([255])]],
    ['an array buffer', bytes(1, 2).buffer],
    ['numbers', [0, -1, 1.5, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40]],
    ['fields named like methods', { toJSON: 1, constructor: 'x', hasOwnProperty: 2, length: 3 }],
    ['many keys', Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i]))],
  ])('gives back %s', (_what, value) => {
    expect(unpackValue(packValue(value))).toEqual(value);
  });

  it('gives back every plain value', () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(unpackValue(packValue(value))).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  it('writes a Uint8Array alike in every engine: as MessagePack binary', () => {
    expect(packValue(bytes(1, 2))).toEqual(bytes(0xc4, 2, 1, 2));
    expect(packValue(Buffer.from([1, 2]))).toEqual(bytes(0xc4, 2, 1, 2));
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each<readonly [string, unknown, RegExp]>([
    ['a function', { on: { click: () => 1 } }, /on\.click is a function/],
    ['a symbol', [Symbol('s')], /0 is a symbol/],
    ['a class instance', { when: new URL('http://localhost') }, /when is an instance of URL/],
    ['an error', new Error('x'), /instance of Error/],
    ['a cycle', cycle, /cycle/],
    ['a key that would be renamed', JSON.parse('{"__proto__":1}'), /__proto__ is a key/],
  ])('refuses %s and names the place', (_what, value, message) => {
    expect(codeOf(() => packValue(value))).toBe('invalid-argument');
    expect(() => packValue(value)).toThrow(message);
  });

  it('can read whatever it writes, down to the greatest depth', () => {
    let nested: unknown = 1;
    for (let i = 0; i < VALUE_DEPTH_MAX; i++) nested = new Map([[0, nested]]);
    expect(unpackValue(packValue(nested))).toEqual(nested);
    expect(codeOf(() => packValue([nested]))).toBe('invalid-argument');
  });
});

describe('what takes more memory than bytes', () => {
  /** An array of so many empty maps: a byte each, and an object each once they are built. */
  const emptyMaps = (count: number): Uint8Array => {
    const bytes = new Uint8Array(5 + count).fill(0x80);
    bytes[0] = 0xdd;
    new DataView(bytes.buffer).setUint32(1, count);
    return bytes;
  };
  it('is refused by the number of its values, before any is built', () => {
    const built = vi.spyOn(Packr.prototype, 'unpack');
    expect(codeOf(() => unpack(emptyMaps(MESSAGE_ITEMS_MAX + 1)))).toBe('message-invalid');
    expect(codeOf(() => unpackMessage(emptyMaps(16 * 1024 * 1024)))).toBe('message-invalid');
    expect(built).not.toHaveBeenCalled();
    expect(unpack(emptyMaps(MESSAGE_ITEMS_MAX))).toHaveLength(MESSAGE_ITEMS_MAX);
    built.mockRestore();
  });

  it('is counted at every depth, keys of maps too', () => {
    const half = MESSAGE_ITEMS_MAX / 2;
    const numbers = (count: number): number[] => new Array<number>(count).fill(1);
    expect(unpack(pack([numbers(half), numbers(half - 2)]))).toHaveLength(2);
    expect(codeOf(() => unpack(pack([numbers(half), numbers(half - 1)])))).toBe('message-invalid');
    const map = Object.fromEntries(numbers(half).map((_, i) => [`k${i}`, 1]));
    expect(unpack(pack(map))).toEqual(map);
    expect(codeOf(() => unpack(pack({ ...map, more: 1 })))).toBe('message-invalid');
  });

  it('is read when this node stored it itself', () => {
    expect(unpackStored(emptyMaps(MESSAGE_ITEMS_MAX + 1))).toHaveLength(MESSAGE_ITEMS_MAX + 1);
  });
});
