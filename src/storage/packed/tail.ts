/** The newest entries, kept in the head record until there are enough of them for a segment. */
import { entryBytesBound } from '../../codec/entries.ts';
import type { Entry, Index } from '../../core/types.ts';
import type { Fold } from './fold.ts';

/**
 * Bytes of entries in the head record. A small append is then one record, not two, and writes the tail once more: below
 * this that is cheaper than a second record, in IndexedDB by about a tenth of a transaction.
 */
export const TAIL_BYTES_MAX: number = 3 * 1024;

export class Tail {
  readonly #bytesMax: number;
  entries: readonly Entry[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Infinity when it is empty. */
  get first(): Index {
    return this.entries[0]?.index ?? Number.POSITIVE_INFINITY;
  }

  set(entries: readonly Entry[]): void {
    this.entries = entries;
    this.#bytes = bytesOf(entries);
  }

  /**
   * Takes what the fold appends, or gives back what now belongs into segments: all of the tail with it. `firstIndex` of
   * the log: entries below it are let go.
   */
  take(fold: Fold, firstIndex: Index): readonly Entry[] {
    const replaced = fold.deleteFrom ?? Number.POSITIVE_INFINITY;
    if (fold.restarted) this.set([]);
    if (this.first < firstIndex || (this.entries.at(-1)?.index ?? 0) >= replaced) {
      this.set(this.entries.filter(({ index }) => index >= firstIndex && index < replaced));
    }
    if (fold.entries.length === 0) return [];
    const bytes = this.#bytes + bytesOf(fold.entries);
    const all = this.entries.length === 0 ? fold.entries : [...this.entries, ...fold.entries];
    if (bytes > this.#bytesMax) {
      this.set([]);
      return all;
    }
    // A copy: the array may be a caller's.
    this.entries = [...all];
    this.#bytes = bytes;
    return [];
  }
}

function bytesOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entryBytesBound(entry);
  return bytes;
}
