/** A log held as an array: what both sides of a memory store are made of, the view of its user and the 'disk'. */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, Term } from '../../core/types.ts';
import type { StagedSnapshot } from '../storage.ts';

/** Counted beside an entry's data against a byte limit: header and framing. */
const ENTRY_OVERHEAD_BYTES = 32;

export class MemoryLog {
  #entries: Entry[] = [];
  /** Entries at the front of the array that are compacted but not yet cut off. */
  #dead = 0;
  firstIndex: Index = 1;
  /** Of the entry at firstIndex - 1. */
  #termBefore: Term = 0;

  get lastIndex(): Index {
    return this.firstIndex + this.#entries.length - this.#dead - 1;
  }

  copyFrom(other: MemoryLog): void {
    this.#entries = other.#entries.slice(other.#dead);
    this.#dead = 0;
    this.firstIndex = other.firstIndex;
    this.#termBefore = other.#termBefore;
  }

  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    this.#entries.length = first.index - this.firstIndex + this.#dead;
    for (const entry of entries) this.#entries.push(entry);
  }

  term(index: Index): Term | undefined {
    if (index === this.firstIndex - 1) return this.#termBefore;
    if (index < this.firstIndex) return undefined;
    return this.#entries[index - this.firstIndex + this.#dead]?.term;
  }

  slice(from: Index, to: Index, bytesMax: number): Entry[] {
    if (from < this.firstIndex) {
      throw new RaftError('index-compacted', `The log starts at ${this.firstIndex}; ${from} is no longer there.`, {
        index: this.firstIndex,
      });
    }
    if (to > this.lastIndex + 1 || from > to) {
      throw new RaftError('invariant', `Entries ${from} to ${to} were asked of a log that ends at ${this.lastIndex}.`);
    }
    const start = from - this.firstIndex + this.#dead;
    let end = start;
    let bytes = 0;
    for (; end < start + to - from; end += 1) {
      bytes += (this.#entries[end]?.data.length ?? 0) + ENTRY_OVERHEAD_BYTES;
      if (bytes > bytesMax && end > start) break;
    }
    return this.#entries.slice(start, end);
  }

  compact(index: Index): void {
    const upTo = Math.min(index, this.lastIndex);
    if (upTo < this.firstIndex) return;
    this.#termBefore = this.term(upTo) ?? 0;
    this.#dead += upTo + 1 - this.firstIndex;
    this.firstIndex = upTo + 1;
    if (this.#dead > this.#entries.length / 2) {
      this.#entries.splice(0, this.#dead);
      this.#dead = 0;
    }
  }

  installed(snapshot: StagedSnapshot, keepLogAfter: boolean): void {
    const { index, term } = snapshot.meta;
    if (keepLogAfter && this.term(index) === term) return;
    this.#entries = [];
    this.#dead = 0;
    this.firstIndex = index + 1;
    this.#termBefore = term;
  }
}
