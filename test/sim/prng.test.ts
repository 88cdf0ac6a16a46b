import { expect, test } from 'vitest';
import { Prng } from '../../src/testing/prng.ts';

const draw = (random: Prng, count: number): number[] => Array.from({ length: count }, () => random.uint32());

test('equal seeds give equal streams, different ones do not', () => {
  expect(draw(new Prng(7), 20)).toEqual(draw(new Prng(7), 20));
  expect(draw(new Prng(7), 20)).not.toEqual(draw(new Prng(8), 20));
});

test('the stream is the one every engine must give', () => {
  expect(draw(new Prng('tabraft'), 4)).toMatchInlineSnapshot(`
    [
      546217012,
      2577332251,
      2108830644,
      4016878928,
    ]
  `);
});

test('a fork does not depend on what was drawn before it', () => {
  const one = new Prng(1);
  const other = new Prng(1);
  draw(other, 5);
  expect(draw(one.fork('disk'), 10)).toEqual(draw(other.fork('disk'), 10));
  expect(draw(one.fork('disk'), 10)).not.toEqual(draw(one.fork('network'), 10));
});

test('numbers stay in their ranges and reach both ends', () => {
  const random = new Prng(3);
  const seen = new Set(Array.from({ length: 400 }, () => random.between(2, 5)));
  expect([...seen].sort()).toEqual([2, 3, 4, 5]);
  const mean = Array.from({ length: 4000 }, () => random.float()).reduce((a, b) => a + b) / 4000;
  expect(mean).toBeGreaterThan(0.47);
  expect(mean).toBeLessThan(0.53);
  expect(random.shuffle([1, 2, 3, 4, 5]).toSorted()).toEqual([1, 2, 3, 4, 5]);
});
