/** The log against a model that is nothing but an array: any order of appends, writes, commits, applies, compactions and snapshots. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import { RaftLog } from '../../src/core/log/raft-log.ts';
import { type Entry, makeEntry, NO_BYTES, NO_LIMIT, type SnapshotMeta } from '../../src/core/types.ts';
import { Disk } from './disk.ts';

const OPS = [
  'append',
  'append',
  'replace',
  'hand-out',
  'hand-out',
  'written',
  'written',
  'commit',
  'take',
  'applied',
  'compact',
  'restore',
] as const;
const op = fc.record({
  what: fc.constantFrom(...OPS),
  at: fc.nat(30),
  count: fc.integer({ min: 1, max: 4 }),
  conf: fc.boolean(),
});

interface Write {
  readonly entries: readonly Entry[];
  readonly snapshot: SnapshotMeta | undefined;
  /** The end of what was handed out so far. */
  readonly end: Entry | undefined;
}

const entryBytes = ({ data }: Entry): number => data.length + 1;

/** As many as fit, and at least one: Disk, which holds the durable part, counts the same. */
function fitting(run: readonly Entry[], maxBytes: number): readonly Entry[] {
  let bytes = 0;
  const end = run.findIndex((entry, i) => {
    bytes += entryBytes(entry);
    return i > 0 && bytes > maxBytes;
  });
  return end < 0 ? run : run.slice(0, end);
}

class Model {
  readonly disk = new Disk();
  readonly log: RaftLog;
  /** Every entry there ever was up to the end; what a snapshot stands for is undefined. */
  entries: (Entry | undefined)[] = [];
  /** Before it nothing is known but the term at it. */
  base = { index: 0, term: 0 };
  committed = 0;
  applied = 0;
  /** First index not handed out to be written. */
  fresh = 1;
  /** First index not handed out to be applied. */
  unapplied = 1;
  readonly writes: Write[] = [];
  readonly taken: (readonly Entry[])[] = [];
  term = 1;
  readonly maxCommittedBytes: number;

  constructor(maxCommittedBytes: number, applyUnstable: boolean) {
    this.maxCommittedBytes = maxCommittedBytes;
    this.log = new RaftLog(this.disk, { entryBytes, maxCommittedBytes, applyUnstable });
  }

  get last(): number {
    return this.entries.length;
  }

  termAt(index: number): number | string {
    if (index > this.last) return 'unavailable';
    if (index === this.base.index) return this.base.term;
    return this.entries[index - 1]?.term ?? 'compacted';
  }

  append(from: number, count: number, conf: boolean): void {
    const run: Entry[] = [];
    for (let i = 0; i < count; i++) {
      const change = conf && i === 0 ? { transition: 'auto' as const, steps: [], context: undefined } : undefined;
      const data = change === undefined ? new Uint8Array((from + i) % 5) : NO_BYTES;
      run.push(makeEntry(from + i, this.term, change === undefined ? 'normal' : 'conf', 0, data, change));
    }
    this.log.append(run);
    this.entries = [...this.entries.slice(0, from - 1), ...run];
    this.fresh = Math.min(this.fresh, from);
  }

  handOut(): void {
    const { log } = this;
    const expected = this.entries.slice(this.fresh - 1);
    const entries = log.newEntries();
    expect(entries).toEqual(expected);
    expect(log.hasNewEntries).toBe(expected.length > 0);
    const snapshot = log.unstable.snapshotInProgress ? undefined : log.unstable.snapshot;
    this.writes.push({ entries: [...entries], snapshot, end: log.stable < log.last ? this.entries[log.last - 1] : undefined });
    log.unstable.handedOut();
    this.fresh = this.last + 1;
  }

  written(): void {
    const write = this.writes.shift();
    if (write === undefined) return;
    const { applied } = this.disk;
    this.disk.write({ entries: write.entries, snapshot: write.snapshot, hardState: undefined });
    this.disk.applied = Math.max(applied, this.disk.applied);
    const { end, snapshot } = write;
    if (end !== undefined) {
      // True exactly when that very entry still stands there, and was not known to be durable.
      const stands = this.entries[end.index - 1] === end && end.index > this.log.stable;
      expect(this.log.unstable.stableTo(end.index, end.term)).toBe(stands);
    }
    if (snapshot !== undefined) {
      this.log.unstable.stableSnapshotTo(snapshot.index);
      this.log.applyWindow.skipTo(snapshot.index);
      this.applied = Math.max(this.applied, snapshot.index);
    }
  }

  commit(to: number): void {
    const index = Math.min(to, this.last);
    expect(this.log.commitTo(index)).toBe(index > this.committed);
    this.committed = Math.max(this.committed, index);
  }

  take(): void {
    const { log } = this;
    const before = this.taken.flat().reduce((sum, entry) => sum + entryBytes(entry), 0);
    const appliable = log.appliable;
    const run = log.committedEntries();
    if (log.unstable.snapshot !== undefined) {
      expect(run).toEqual([]);
      return;
    }
    // Nothing on its way and something to apply: something comes.
    if (this.taken.length === 0 && this.unapplied <= appliable) expect(run.length).toBeGreaterThan(0);
    if (run.length === 0) return;
    expect(before).toBeLessThan(this.maxCommittedBytes);
    const all = this.entries.slice(this.unapplied - 1, appliable);
    expect(run).toEqual(fitting(all as Entry[], this.maxCommittedBytes - before));
    log.applyWindow.handedOut(run, log.runBytes(run), 0, appliable);
    this.taken.push(run);
    this.unapplied += run.length;
  }

  finishApply(): void {
    const run = this.taken.shift();
    const last = run?.[run.length - 1];
    if (last === undefined) return;
    this.log.applyWindow.appliedTo(last.index);
    this.applied = Math.max(this.applied, last.index);
    this.disk.applied = this.applied;
  }

  compact(to: number): void {
    const index = Math.min(to, this.applied, this.log.stable);
    // As a driver does: nothing that is not known to be durable, nothing that was handed out to be applied, and nothing while a snapshot is to be written.
    if (index <= this.base.index || this.log.unstable.snapshot !== undefined || this.writes.length > 0) return;
    if (this.applied > this.disk.lastIndex()) return;
    this.base = { index, term: this.termAt(index) as number };
    this.disk.compact(index);
    for (let i = 0; i < index; i++) this.entries[i] = undefined;
  }

  restore(ahead: number): void {
    const index = this.committed + ahead;
    // Of a later term than anything here, or the log would hold it already.
    this.term++;
    const snapshot: SnapshotMeta = { index, term: this.term, conf: EMPTY_CONF, data: undefined };
    this.log.restore(snapshot);
    this.entries = Array.from({ length: index }, () => undefined);
    this.base = { index, term: this.term };
    this.committed = index;
    this.fresh = index + 1;
    this.unapplied = index + 1;
  }

  check(at: number, count: number): void {
    const { log } = this;
    expect([log.last, log.lastTerm, log.committed, log.applied]).toEqual([
      this.last,
      this.termAt(this.last),
      this.committed,
      this.applied,
    ]);
    expect(log.first).toBe(this.base.index + 1);
    const indexes = Array.from({ length: this.last + 2 }, (_, i) => i);
    expect(indexes.map((index) => log.term(index))).toEqual(indexes.map((index) => this.termAt(index)));
    this.#checkStable();
    this.#checkSlice(at, count);
    this.#checkPlaces(at);
    const waiting = this.entries.slice(this.applied, this.committed);
    // What a snapshot stands for and is not applied may hold one.
    expect(log.hasUnappliedConfChange()).toBe(waiting.some((entry) => entry === undefined || entry.type === 'conf'));
  }

  /** What counts as durable is on the disk, entry for entry. */
  #checkStable(): void {
    for (let index = this.base.index + 1; index <= this.log.stable; index++) {
      const stored = this.disk.entries(index, index + 1, NO_LIMIT);
      expect(stored).toEqual([this.entries[index - 1]]);
    }
    if (this.writes.length === 0 && this.fresh > this.last) expect(this.log.stable).toBe(this.last);
  }

  #checkSlice(at: number, count: number): void {
    const from = 1 + (at % (this.last + 1));
    const to = Math.min(this.last + 1, from + count * 2);
    const maxBytes = 1 + ((at * count) % 12);
    const found = this.log.entries(from, to, maxBytes, count);
    if (from >= to) expect(found).toEqual([]);
    else if (from <= this.base.index) expect(found).toBe('compacted');
    else expect(found).toEqual(fitting(this.entries.slice(from - 1, Math.min(to, from + count) - 1) as Entry[], maxBytes));
  }

  #checkPlaces(at: number): void {
    const index = this.base.index + (at % (this.last - this.base.index + 1));
    const known = Array.from({ length: index - this.base.index + 1 }, (_, i) => this.base.index + i);
    const limit = 1 + (at % this.term);
    const best = known.filter((one) => (this.termAt(one) as number) <= limit).at(-1);
    if (best !== undefined) expect(this.log.lastIndexOfTerm(index, limit)).toEqual({ index: best, term: this.termAt(best) });
    const lastTerm = this.termAt(this.last) as number;
    expect(this.log.isUpToDate(at, limit)).toBe(limit === lastTerm ? at >= this.last : limit > lastTerm);
  }
}

function play(
  model: Model,
  { what, at, count, conf }: { what: (typeof OPS)[number]; at: number; count: number; conf: boolean },
): void {
  switch (what) {
    case 'append':
      return model.append(model.last + 1, count, conf);
    case 'replace': {
      // A later leader's entries, anywhere past what is committed.
      const from = model.committed + 1 + (at % (model.last - model.committed + 1));
      model.term++;
      return model.append(from, count, conf);
    }
    case 'hand-out':
      return model.handOut();
    case 'written':
      return model.written();
    case 'commit':
      return model.commit(model.committed + count);
    case 'take':
      return model.take();
    case 'applied':
      return model.finishApply();
    case 'compact':
      return model.compact(at);
    case 'restore':
      // Seldom, or nothing else would be seen.
      return at > 22 ? model.restore(count) : undefined;
  }
}

test.each([false, true])('the log is what an array would be (applied before it is durable: %s)', (applyUnstable) => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(op, { minLength: 10, maxLength: 60 }), fc.constantFrom(3, 10, NO_LIMIT), (ops, maxBytes) => {
      const model = new Model(maxBytes, applyUnstable);
      for (const one of ops) {
        play(model, one);
        model.check(one.at, one.count);
      }
      if (model.base.index > 0) seen.add('compacted');
      if (model.applied > 5) seen.add('applied');
      if (model.log.unstable.snapshot !== undefined) seen.add('restored');
      if (model.log.stable > 3 && model.log.stable < model.log.last) seen.add('partly durable');
    }),
    { numRuns: 250 },
  );
  expect([...seen].sort()).toEqual(['applied', 'compacted', 'partly durable', 'restored']);
});
