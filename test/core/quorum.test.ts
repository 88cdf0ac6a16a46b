import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Inflights } from '../../src/core/progress/inflights.ts';
import { jointIndex, jointVote } from '../../src/core/quorum/joint.ts';

const ids = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), { maxLength: 7 });

function naiveIndex(half: readonly string[], reached: ReadonlyMap<string, number>): number {
  if (half.length === 0) return Number.POSITIVE_INFINITY;
  const candidates = [0, ...reached.values()].sort((a, b) => b - a);
  return candidates.find((index) => half.filter((id) => (reached.get(id) ?? 0) >= index).length * 2 > half.length) ?? 0;
}

test('an index is committed when more than half of each half has reached it', () => {
  fc.assert(
    fc.property(ids, ids, fc.array(fc.nat(20), { minLength: 7, maxLength: 7 }), (voters, votersOutgoing, indexes) => {
      const reached = new Map([...'abcdefg'].map((id, i) => [id, indexes[i] as number]));
      const expected = Math.min(naiveIndex(voters, reached), naiveIndex(votersOutgoing, reached));
      expect(jointIndex({ voters, votersOutgoing }, (id) => reached.get(id))).toBe(expected);
    }),
  );
});

test('a vote is won by more than half of each half, and lost when that cannot be any more', () => {
  const half = (voters: readonly string[], votes: ReadonlyMap<string, boolean>): string => {
    const yes = voters.filter((id) => votes.get(id) === true).length;
    const no = voters.filter((id) => votes.get(id) === false).length;
    if (voters.length === 0 || yes * 2 > voters.length) return 'won';
    return (voters.length - no) * 2 > voters.length ? 'pending' : 'lost';
  };
  fc.assert(
    fc.property(ids, ids, fc.array(fc.option(fc.boolean()), { minLength: 7, maxLength: 7 }), (voters, votersOutgoing, given) => {
      const votes = new Map([...'abcdefg'].flatMap((id, i) => (given[i] === null ? [] : [[id, given[i] as boolean] as const])));
      const halves = [half(voters, votes), half(votersOutgoing, votes)];
      const expected = halves.includes('lost') ? 'lost' : halves.includes('pending') ? 'pending' : 'won';
      expect(jointVote({ voters, votersOutgoing }, votes)).toBe(expected);
    }),
  );
});

test('any two winning sets of a configuration share a voter', () => {
  for (let voters = 1; voters <= 7; voters++) {
    const all = [...'abcdefg'].slice(0, voters);
    const winning = (set: number): boolean => {
      const votes = new Map(all.map((id, i) => [id, (set & (1 << i)) !== 0]));
      return jointVote({ voters: all, votersOutgoing: [] }, votes) === 'won';
    };
    for (let a = 0; a < 1 << voters; a++)
      for (let b = 0; b < 1 << voters; b++) if (winning(a) && winning(b)) expect(a & b).not.toBe(0);
  }
});

test('appends in flight are counted like in a plain list, in messages and in bytes', () => {
  const step = fc.oneof(
    fc.record({ add: fc.nat(100) }),
    fc.record({ free: fc.nat(40) }),
    fc.record({ reset: fc.constant(true) }),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 300 }),
      (steps, maxMessages, maxBytes) => {
        const ring = new Inflights(maxMessages, maxBytes);
        let list: { last: number; bytes: number }[] = [];
        let last = 0;
        for (const one of steps) {
          if ('add' in one) {
            if (ring.full) continue;
            last++;
            ring.add(last, one.add);
            list.push({ last, bytes: one.add });
          } else if ('free' in one) {
            ring.freeTo(one.free);
            list = list.filter((item) => item.last > one.free);
          } else {
            ring.reset();
            list = [];
          }
          const bytes = list.reduce((sum, item) => sum + item.bytes, 0);
          expect([ring.count, ring.bytes, ring.full]).toEqual([
            list.length,
            bytes,
            list.length >= maxMessages || bytes >= maxBytes,
          ]);
        }
      },
    ),
  );
});
