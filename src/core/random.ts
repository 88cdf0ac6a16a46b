/** The core draws no randomness of its own: it asks for it. */

/** An integer in [0, below). Must be deterministic for a given seed where runs are to be repeated. */
export type RandomSource = (below: number) => number;

/** A small seeded generator (splitmix32), for tests and simulation; the environment seeds it, or gives its own. */
export function seededRandom(seed: number): RandomSource {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % below;
  };
}
