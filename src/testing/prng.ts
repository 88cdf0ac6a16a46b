/**
 * Random numbers from a seed, the same in every engine: sfc32, small and fast, good enough to choose faults and
 * never for secrets. Each concern forks a stream of its own, so that one more draw in one does not shift the others.
 */

const UINT32 = 4294967296;

export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  readonly #name: string;

  /** Equal seeds give equal streams. */
  constructor(seed: string | number) {
    this.#name = String(seed);
    const next = wordsOf(this.#name);
    this.#a = next();
    this.#b = next();
    this.#c = next();
    for (let i = 0; i < 12; i += 1) this.uint32();
  }

  /** A stream of its own: depends on this one's seed and the name only, not on what was drawn from it. */
  fork(name: string): Prng {
    return new Prng(`${this.#name}/${name}`);
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** In [0, 1). */
  float(): number {
    return this.uint32() / UINT32;
  }

  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor(this.float() * bound);
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** A number in [min, max). */
  span(min: number, max: number): number {
    return min + this.float() * (max - min);
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** One of a list that is not empty. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined && items.length === 0) throw new RangeError('Nothing to pick from.');
    return item as T;
  }

  /** A new list in another order. */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i -= 1) {
      const j = this.below(i + 1);
      const held = shuffled[i] as T;
      shuffled[i] = shuffled[j] as T;
      shuffled[j] = held;
    }
    return shuffled;
  }
}

/** Spreads a text over as many 32-bit words as are asked for. */
function wordsOf(text: string): () => number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return () => {
    hash = (hash + 0x9e3779b9) | 0;
    let mixed = hash ^ (hash >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) | 0;
  };
}
