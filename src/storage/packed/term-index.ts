/**
 * The terms of the whole log as runs of equal ones: a handful of numbers, however long the log, so that the term at
 * any index is known at once without reading an entry. Writer: the store, at the call of each write.
 */
import type { Entry, Index, Term } from '../../core/types.ts';

export type TermRun = readonly [start: Index, term: Term];

export interface TermIndexState {
  readonly firstIndex: Index;
  /** Term of the entry before the first. */
  readonly termBefore: Term;
  /** Ascending; the first starts at firstIndex. */
  readonly runs: readonly TermRun[];
}

export class TermIndex {
  firstIndex: Index = 1;
  lastIndex: Index = 0;
  #termBefore: Term = 0;
  #runs: TermRun[] = [];
  /** Counts changes of what `state` gives: equal means that it need not be stored again. */
  version = 0;
  /** Counts replacements of entries and of the whole log: a read that saw it change reads again. */
  rewrites = 0;

  static from(state: TermIndexState, lastIndex: Index): TermIndex {
    const index = new TermIndex();
    index.firstIndex = state.firstIndex;
    index.#termBefore = state.termBefore;
    index.#runs = [...state.runs];
    index.lastIndex = lastIndex;
    return index;
  }

  state(): TermIndexState {
    return { firstIndex: this.firstIndex, termBefore: this.#termBefore, runs: [...this.#runs] };
  }

  term(index: Index): Term | undefined {
    if (index === this.firstIndex - 1) return this.#termBefore;
    if (index < this.firstIndex || index > this.lastIndex) return undefined;
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#runs[middle]?.[0] ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    return this.#runs[low]?.[1];
  }

  /** Entries from the first one's index on are replaced by these. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined) return;
    if (first.index <= this.lastIndex) {
      this.rewrites += 1;
      while ((this.#runs.at(-1)?.[0] ?? 0) >= first.index) {
        this.#runs.pop();
        this.version += 1;
      }
    }
    let term = this.#runs.at(-1)?.[1];
    if (term !== last.term || term !== first.term) {
      for (const entry of entries) {
        if (entry.term === term) continue;
        term = entry.term;
        this.#runs.push([entry.index, term]);
        this.version += 1;
      }
    }
    this.lastIndex = last.index;
  }

  /** Forgets entries up to and including `index`. */
  compact(index: Index): void {
    const term = this.term(index);
    if (index < this.firstIndex || term === undefined) return;
    this.#termBefore = term;
    this.firstIndex = index + 1;
    while (this.#runs.length > 1 && (this.#runs[1]?.[0] ?? 0) <= this.firstIndex) this.#runs.shift();
    const first = this.#runs[0];
    if (index === this.lastIndex) this.#runs = [];
    else if (first !== undefined) this.#runs[0] = [this.firstIndex, first[1]];
    this.version += 1;
  }

  /** An empty log that continues after (index, term). */
  reset(index: Index, term: Term): void {
    this.firstIndex = index + 1;
    this.lastIndex = index;
    this.#termBefore = term;
    this.#runs = [];
    this.version += 1;
    this.rewrites += 1;
  }
}
