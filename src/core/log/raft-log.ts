/**
 * The log (Figure 3.1): the durable part behind a LogReader, then the unstable end; and how far it is committed and
 * applied.  applied <= applying <= committed <= last. The only writer of these.
 */
import { assert, broken } from '../assert.ts';
import { RaftError } from '../errors.ts';
import { type Entry, type Index, type LogReader, NO_LIMIT, type SnapshotMeta, type Term } from '../types.ts';
import type { Writable } from '../writable.ts';
import { ApplyWindow } from './apply-window.ts';
import { Unstable } from './unstable.ts';

type Missing = 'compacted' | 'unavailable';

const NO_ENTRIES: readonly Entry[] = Object.freeze([]);

export interface RaftLogOptions {
  readonly entryBytes: (entry: Entry) => number;
  readonly maxCommittedBytes: number;
  /** False: entries are applied only once they are durable here. */
  readonly applyUnstable: boolean;
}

type Own = Writable<RaftLog, 'committed' | 'last' | 'lastTerm'>;

export class RaftLog {
  /** The only way that its fields are written. */
  readonly #own: Own = this;
  readonly #reader: LogReader;
  readonly #entryBytes: (entry: Entry) => number;
  readonly #applyUnstable: boolean;
  readonly unstable: Unstable;
  readonly applyWindow: ApplyWindow;
  /** Known to be committed. Never falls. */
  readonly committed: Index;
  readonly last: Index;
  readonly lastTerm: Term;
  /** Committed entries were asked for and are not in memory: nothing is handed out until they are. */
  #fetching = false;
  /**
   * The run asked for last: followers at the same place, and the disk, get the very same array, to be encoded once. After
   * an append, what was appended before it: a follower that keeps pace learns now that this is committed.
   */
  #run: readonly Entry[] = NO_ENTRIES;
  /** -1: not counted yet. */
  #runBytes = 0;
  /** The run appended last; a second place, so that it is still at hand when the one before has been handed out. */
  #tail: readonly Entry[] = NO_ENTRIES;
  #tailBytes = 0;

  constructor(reader: LogReader, options: RaftLogOptions) {
    this.#reader = reader;
    this.#entryBytes = options.entryBytes;
    this.#applyUnstable = options.applyUnstable;
    const first = reader.firstIndex();
    this.last = reader.lastIndex();
    const lastTerm = reader.term(this.last);
    if (typeof lastTerm !== 'number') throw new RaftError('storage', `term of the last entry ${this.last} is ${lastTerm}`);
    this.lastTerm = lastTerm;
    this.unstable = new Unstable(this.last + 1);
    this.committed = first - 1;
    this.applyWindow = new ApplyWindow(first - 1, options.maxCommittedBytes);
  }

  get applied(): Index {
    return this.applyWindow.applied;
  }

  get first(): Index {
    return this.unstable.snapshot === undefined ? this.#reader.firstIndex() : this.unstable.snapshot.index + 1;
  }

  /** The last index known to be durable here. */
  get stable(): Index {
    return this.unstable.offset - 1;
  }

  /** Known from first - 1 (the snapshot's) to last. */
  term(index: Index): Term | Missing {
    if (index === this.last) return this.lastTerm;
    if (index > this.last) return 'unavailable';
    const term = this.unstable.term(index);
    if (term !== undefined) return term;
    if (index + 1 < this.first) return 'compacted';
    return this.#reader.term(index);
  }

  matches(index: Index, term: Term): boolean {
    return this.term(index) === term;
  }

  /** A log is at least as up to date as this one when it ends in a later term, or in the same and not earlier (§3.6.1). */
  isUpToDate(lastIndex: Index, lastTerm: Term): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.last);
  }

  /**
   * The last index <= `index` whose term is <= `term`: above it, a log that has `term` at its end cannot agree with this
   * one. Where this log does not know its terms any more it stops, with term 0.
   */
  lastIndexOfTerm(index: Index, term: Term): { readonly index: Index; readonly term: Term } {
    for (let at = index; at > 0; at--) {
      const ours = this.term(at);
      if (typeof ours !== 'number') return { index: at, term: 0 };
      if (ours <= term) return { index: at, term: ours };
    }
    return { index: 0, term: 0 };
  }

  /** Entries [from, to), at least one, then as many as fit. */
  entries(from: Index, to: Index, maxBytes: number, maxEntries: number): readonly Entry[] | Missing {
    if (from >= to) return NO_ENTRIES;
    if (from < this.first) return 'compacted';
    const known = this.#known(from, to);
    if (known !== undefined && to - from <= maxEntries && this.runBytes(known) <= maxBytes) return known;
    const end = Math.min(to, from + maxEntries);
    const run = from >= this.unstable.offset ? this.#unstableRun(from, end, maxBytes) : this.#storedRun(from, end, maxBytes);
    if (typeof run !== 'string') this.#remember(run);
    return run;
  }

  /** What the entries of a run count for; counted once for the runs at hand. */
  runBytes(run: readonly Entry[]): number {
    if (run === this.#tail && this.#tailBytes >= 0) return this.#tailBytes;
    if (run === this.#run && this.#runBytes >= 0) return this.#runBytes;
    let bytes = 0;
    for (let i = 0; i < run.length; i++) bytes += this.#entryBytes(run[i] as Entry);
    if (run === this.#tail) this.#tailBytes = bytes;
    else if (run === this.#run) this.#runBytes = bytes;
    return bytes;
  }

  /** Puts entries at their indexes. Never touches what is committed. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    if (first.index <= this.committed) broken(`append at ${first.index} would replace committed entries (${this.committed})`);
    this.unstable.append(entries);
    // What an append replaces is in neither run from here on.
    const replaces = first.index <= this.last;
    this.#run = replaces ? NO_ENTRIES : this.#tail;
    this.#runBytes = replaces ? 0 : this.#tailBytes;
    this.#tail = entries;
    this.#tailBytes = -1;
    const last = entries[entries.length - 1] as Entry;
    this.#own.last = last.index;
    this.#own.lastTerm = last.term;
  }

  /** Committed is monotone, and never past the end. True when it moved. */
  commitTo(index: Index): boolean {
    if (index <= this.committed) return false;
    if (index > this.last) broken(`commit ${index} past the end of the log (${this.last})`);
    this.#own.committed = index;
    return true;
  }

  restore(snapshot: SnapshotMeta): void {
    this.unstable.restore(snapshot);
    this.#own.committed = snapshot.index;
    this.#own.last = snapshot.index;
    this.#own.lastTerm = snapshot.term;
    this.#fetching = false;
    this.#run = NO_ENTRIES;
    this.#tail = NO_ENTRIES;
  }

  snapshot(): SnapshotMeta | 'unavailable' {
    return this.unstable.snapshot ?? this.#reader.snapshot();
  }

  get hasNewEntries(): boolean {
    return this.unstable.inProgress < this.unstable.end;
  }

  /** Entries not handed out to be written yet. */
  newEntries(): readonly Entry[] {
    const { inProgress, end } = this.unstable;
    if (inProgress === end) return NO_ENTRIES;
    const known = this.#known(inProgress, end);
    if (known !== undefined) return known;
    this.#remember(this.unstable.slice(inProgress, end));
    return this.#run;
  }

  /** The highest index that may be handed out to be applied now. */
  get appliable(): Index {
    return this.#applyUnstable ? this.committed : Math.min(this.committed, this.stable);
  }

  get hasCommittedEntries(): boolean {
    if (this.#fetching) return false;
    return this.unstable.snapshot === undefined && this.applyWindow.open && this.applyWindow.applying < this.appliable;
  }

  /** Committed entries not handed out to be applied yet; none when they have to be fetched first. */
  committedEntries(): readonly Entry[] {
    if (!this.hasCommittedEntries) return NO_ENTRIES;
    const run = this.entries(this.applyWindow.applying + 1, this.appliable + 1, this.applyWindow.room, NO_LIMIT);
    assert(run !== 'compacted', 'the log was compacted past what is applied');
    if (run !== 'unavailable') return run;
    this.#fetching = true;
    return NO_ENTRIES;
  }

  /** What was `unavailable` can be read now. */
  entriesFetched(): void {
    this.#fetching = false;
  }

  /** True when an entry past `applied` and committed changes the configuration, or when that cannot be told now. */
  hasUnappliedConfChange(): boolean {
    let from = this.applied + 1;
    while (from <= this.committed) {
      const run = this.entries(from, this.committed + 1, this.applyWindow.maxBytes, NO_LIMIT);
      if (typeof run === 'string') return true;
      for (const entry of run) if (entry.type === 'conf') return true;
      from += run.length;
    }
    return false;
  }

  /**
   * The first entry past `index` that changes the configuration, as far as the log goes. `unknown`: not all of
   * it is in memory, so there may be one.
   */
  firstConfAfter(index: Index): Entry | 'none' | 'unknown' {
    for (let from = index + 1; from <= this.last; ) {
      const run =
        from >= this.unstable.offset
          ? this.unstable.slice(from, this.last + 1)
          : this.#reader.entries(from, this.unstable.offset, this.applyWindow.maxBytes);
      if (typeof run === 'string' || run.length === 0) return 'unknown';
      for (const entry of run) if (entry.type === 'conf') return entry;
      from += run.length;
    }
    return 'none';
  }

  /** Entries [from, to), when they are one of the runs at hand. */
  #known(from: Index, to: Index): readonly Entry[] | undefined {
    if (isRun(this.#tail, from, to)) return this.#tail;
    return isRun(this.#run, from, to) ? this.#run : undefined;
  }

  #remember(run: readonly Entry[]): void {
    this.#run = run;
    this.#runBytes = -1;
  }

  #unstableRun(from: Index, to: Index, maxBytes: number): readonly Entry[] {
    if (maxBytes === NO_LIMIT) return this.unstable.slice(from, to);
    let bytes = this.#entryBytes(this.unstable.at(from));
    let end = from + 1;
    for (; end < to; end++) {
      bytes += this.#entryBytes(this.unstable.at(end));
      if (bytes > maxBytes) break;
    }
    return this.unstable.slice(from, end);
  }

  #storedRun(from: Index, to: Index, maxBytes: number): readonly Entry[] | Missing {
    const border = Math.min(to, this.unstable.offset);
    const stored = this.#reader.entries(from, border, maxBytes);
    if (typeof stored === 'string' || from + stored.length < border || border === to) return stored;
    let bytes = 0;
    for (let i = 0; i < stored.length && bytes < maxBytes; i++) bytes += this.#entryBytes(stored[i] as Entry);
    const run = [...stored];
    for (let index = border; index < to; index++) {
      const entry = this.unstable.at(index);
      bytes += this.#entryBytes(entry);
      if (bytes > maxBytes) break;
      run.push(entry);
    }
    return run;
  }
}

function isRun(run: readonly Entry[], from: Index, to: Index): boolean {
  return run.length === to - from && run.length > 0 && (run[0] as Entry).index === from;
}
