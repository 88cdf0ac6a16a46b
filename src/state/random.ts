/** Randomness that every member shares: a generator seeded by an entry's place in the log. */
import { seededRandom } from '../core/random.ts';

const RANGE = 4294967296;

/** Numbers in [0, 1): good enough to shuffle a deck, never for secrets. */
export function entryRandom(index: number, term: number, time: number): () => number {
  const seed = Math.imul(index | 0, 0x9e3779b1) ^ Math.imul(term | 0, 0x85ebca77) ^ Math.imul((time % RANGE) | 0, 0xc2b2ae3d);
  const draw = seededRandom(seed);
  return () => draw(RANGE) / RANGE;
}
