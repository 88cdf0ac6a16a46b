/** A number that says whether two states are the same, for finding a replica whose handlers were not deterministic. */
import type { Machine } from './state-machine.ts';

/**
 * 53 bits over the bytes of a state: two 32-bit multiplicative hashes, mixed. Against accidents, not against
 * an adversary.
 */
export function digestOf(chunks: Iterable<Uint8Array>): number {
  let a = 0xdeadbeef | 0;
  let b = 0x41c6ce57 | 0;
  for (const chunk of chunks) {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      a = Math.imul(a ^ byte, 0x9e3779b1);
      b = Math.imul(b ^ byte, 0x5f356495);
    }
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return 4294967296 * (b & 0x1fffff) + (a >>> 0);
}

/** The machine's state as bytes now, or undefined when it can only be streamed asynchronously. */
export function stateBytes(machine: Machine): readonly Uint8Array[] | undefined {
  const saved = machine.snapshot();
  if (Symbol.asyncIterator in saved) return undefined;
  return [...saved];
}
