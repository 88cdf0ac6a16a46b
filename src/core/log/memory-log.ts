/**
 * A log in memory, ready to be used: what `RawNode` reads, and what a Ready asks to be written. For simulations, for tests of a
 * driver, and for nodes that need not survive their process: such a node must not come back under its name with less than it had.
 */
import { EMPTY_CONF } from '../conf/conf-change.ts';
import { RaftError } from '../errors.ts';
import {
  type ConfState,
  type Entry,
  type HardState,
  type Index,
  type LogReader,
  NO_NODE,
  type Ready,
  type SnapshotMeta,
  type Term,
} from '../types.ts';

export class MemoryLog implements LogReader {
  #hardState: HardState = { term: 0, vote: NO_NODE, commit: 0 };
  #snapshot: SnapshotMeta;
  /** What was dropped at the front ends here: the entry before the first one. */
  #base: { readonly index: Index; readonly term: Term } = { index: 0, term: 0 };
  #entries: Entry[] = [];

  /** `conf`: who is in the cluster before its first entry; nobody, unless it is said. */
  constructor(conf: ConfState = EMPTY_CONF) {
    this.#snapshot = { index: 0, term: 0, conf, data: undefined };
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  firstIndex(): Index {
    return this.#base.index + 1;
  }

  lastIndex(): Index {
    return this.#base.index + this.#entries.length;
  }

  term(index: Index): Term | 'compacted' | 'unavailable' {
    if (index === this.#base.index) return this.#base.term;
    if (index < this.#base.index) return 'compacted';
    return this.#entries[index - this.firstIndex()]?.term ?? 'unavailable';
  }

  entries(from: Index, to: Index, maxBytes: number): readonly Entry[] | 'compacted' | 'unavailable' {
    if (from < this.firstIndex()) return 'compacted';
    const run: Entry[] = [];
    let bytes = 0;
    for (let index = from; index < to; index++) {
      const entry = this.#entries[index - this.firstIndex()];
      if (entry === undefined) return run.length === 0 ? 'unavailable' : run;
      bytes += entry.data.length;
      if (run.length > 0 && bytes > maxBytes) break;
      run.push(entry);
    }
    return run;
  }

  snapshot(): SnapshotMeta {
    return this.#snapshot;
  }

  /**
   * Takes what a Ready asks to be written, all of it or nothing: its snapshot in place of the log, its entries in place of whatever
   * is at or after the first, its hard state. Errors: invalid-argument for entries that leave a hole or reach behind the snapshot.
   */
  write({ snapshot, entries, hardState }: Pick<Ready, 'snapshot' | 'entries' | 'hardState'>): void {
    const base = snapshot ?? this.#base;
    const last = snapshot === undefined ? this.lastIndex() : snapshot.index;
    const first = entries[0]?.index ?? last + 1;
    const isRun = entries.every(({ index }, i) => index === first + i);
    if (first <= base.index || first > last + 1 || !isRun)
      throw new RaftError('invalid-argument', `Entries from ${first} on do not follow a log of ${base.index + 1} to ${last}.`);
    if (snapshot !== undefined) {
      this.#snapshot = snapshot;
      this.#base = { index: snapshot.index, term: snapshot.term };
      this.#entries = [];
    }
    this.#entries.length = first - 1 - this.#base.index;
    for (const entry of entries) this.#entries.push(entry);
    if (hardState !== undefined) this.#hardState = hardState;
  }

  /**
   * Keeps a snapshot that the machine has made, and drops the log up to `upTo`: less than all of it, so that those who lag a little
   * need no snapshot. Errors: invalid-argument for what the log does not hold, or a snapshot older than the one it has.
   */
  compact(snapshot: SnapshotMeta, upTo: Index = snapshot.index): void {
    const { index } = snapshot;
    if (index < this.#snapshot.index || index > this.#hardState.commit || this.term(index) !== snapshot.term)
      throw new RaftError('invalid-argument', `A snapshot of entry ${index}, term ${snapshot.term}, is not of this log.`);
    const term = this.term(upTo);
    if (upTo > index || typeof term !== 'number')
      throw new RaftError(
        'invalid-argument',
        `The log cannot be dropped up to ${upTo}: it begins at ${this.firstIndex()}, the snapshot is of ${index}.`,
      );
    this.#snapshot = snapshot;
    this.#entries = this.#entries.slice(upTo - this.#base.index);
    this.#base = { index: upTo, term };
  }

  /** What a node over this log begins with whose machine has taken in the snapshot, and nothing since. */
  initial(): { readonly hardState: HardState; readonly conf: ConfState; readonly applied: Index } {
    const { conf, index: applied } = this.#snapshot;
    return { hardState: this.#hardState, conf, applied };
  }
}
