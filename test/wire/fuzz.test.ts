import { expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';

// npm run fuzz gives more, and another seed.
const inputs = Number(process.env['FUZZ_INPUTS'] ?? 100_000);
const seed = process.env['FUZZ_SEED'] ?? 'tabraft';

it(
  `${inputs} hostile inputs: each is read or refused with its code, and nothing gets into a prototype (seed ${seed})`,
  () => {
    const { read, refused, faults } = fuzz(seed, inputs);
    expect(faults).toEqual([]);
    expect(Math.min(read, refused)).toBeGreaterThan(inputs / 20);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Readonly<Record<string, unknown>>)['polluted']).toBeUndefined();
  },
  30 * 60_000,
);
