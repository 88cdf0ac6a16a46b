/** A log in memory that the harness writes to on the node's behalf. */

import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import type { Entry, HardState, Index, LogReader, SnapshotMeta, Term } from '../../src/core/types.ts';

export class MemoryLog implements LogReader {
  hardState: HardState = { term: 0, vote: '', commit: 0 };
  /** The point before the first entry. */
  base: { readonly index: Index; readonly term: Term } = { index: 0, term: 0 };
  kept: Entry[] = [];
  latest: SnapshotMeta = { index: 0, term: 0, conf: EMPTY_CONF, data: undefined };
  readonly #entryBytes: (entry: Entry) => number;

  constructor(entryBytes: (entry: Entry) => number) {
    this.#entryBytes = entryBytes;
  }

  firstIndex(): Index {
    return this.base.index + 1;
  }

  lastIndex(): Index {
    return this.base.index + this.kept.length;
  }

  term(index: Index): Term | 'compacted' | 'unavailable' {
    if (index === this.base.index) return this.base.term;
    if (index < this.base.index) return 'compacted';
    return this.kept[index - this.firstIndex()]?.term ?? 'unavailable';
  }

  entries(from: Index, to: Index, maxBytes: number): readonly Entry[] | 'compacted' | 'unavailable' {
    if (from < this.firstIndex()) return 'compacted';
    if (to > this.lastIndex() + 1) return 'unavailable';
    const found: Entry[] = [];
    let bytes = 0;
    for (const entry of this.kept.slice(from - this.firstIndex(), to - this.firstIndex())) {
      bytes += this.#entryBytes(entry);
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(entry);
    }
    return found;
  }

  snapshot(): SnapshotMeta | 'unavailable' {
    return this.latest;
  }

  append(entries: readonly Entry[]): void {
    const fresh = entries.filter(({ index }) => index >= this.firstIndex());
    const first = fresh[0];
    if (first === undefined) return;
    const keep = first.index - this.firstIndex();
    if (keep > this.kept.length) throw new Error(`entries from ${first.index} leave a hole`);
    this.kept = [...this.kept.slice(0, keep), ...fresh];
  }

  restore(snapshot: SnapshotMeta): void {
    this.base = { index: snapshot.index, term: snapshot.term };
    this.kept = [];
  }

  compact(index: Index): void {
    const term = this.term(index);
    if (typeof term !== 'number') return;
    this.kept = this.kept.slice(index - this.base.index);
    this.base = { index, term };
  }
}
