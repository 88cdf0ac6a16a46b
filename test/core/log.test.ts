import { describe, expect, test } from 'vitest';
import { RaftLog } from '../../src/core/log/raft-log.ts';
import { type Entry, makeEntry, NO_BYTES, NO_LIMIT, type Term } from '../../src/core/types.ts';
import { Disk } from './disk.ts';

function entry(index: number, term: Term, bytes = 0): Entry {
  return makeEntry(index, term, 'normal', 0, new Uint8Array(bytes), undefined);
}

function run(from: number, terms: readonly Term[]): Entry[] {
  return terms.map((term, i) => entry(from + i, term));
}

function logWith(stored: readonly Term[], unstable: readonly Term[] = []): RaftLog {
  const disk = new Disk();
  disk.kept = run(1, stored);
  const log = new RaftLog(disk, { entryBytes: ({ data }) => data.length + 1, maxCommittedBytes: NO_LIMIT, applyUnstable: false });
  log.append(run(stored.length + 1, unstable));
  return log;
}

describe('the log', () => {
  test('is up to date by last term first, then by length (§3.6.1)', () => {
    const log = logWith([1, 1, 2]);
    expect([log.isUpToDate(1, 3), log.isUpToDate(3, 2), log.isUpToDate(9, 1), log.isUpToDate(2, 2)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('finds the last index of a term, and stops where it no longer knows', () => {
    const log = logWith([1, 1, 3, 3, 5], [5]);
    expect(log.lastIndexOfTerm(6, 4)).toEqual({ index: 4, term: 3 });
    expect(log.lastIndexOfTerm(6, 0)).toEqual({ index: 0, term: 0 });
    const disk = new Disk();
    disk.base = { index: 5, term: 4 };
    disk.kept = run(6, [5]);
    const compacted = new RaftLog(disk, { entryBytes: () => 1, maxCommittedBytes: NO_LIMIT, applyUnstable: false });
    expect(compacted.lastIndexOfTerm(6, 3)).toEqual({ index: 4, term: 0 });
  });

  test('an acknowledgement of an entry that was replaced meanwhile does not count (1 -> 2 -> 1)', () => {
    const log = logWith([1], [1, 1]);
    log.unstable.handedOut();
    log.append(run(2, [2]));
    log.append(run(2, [3]));
    expect(log.unstable.stableTo(3, 1)).toBe(false);
    expect(log.unstable.stableTo(2, 2)).toBe(false);
    expect(log.stable).toBe(1);
    expect(log.unstable.stableTo(2, 3)).toBe(true);
    expect(log.stable).toBe(2);
  });

  test('what replaces an entry that was handed out is handed out again', () => {
    const log = logWith([], [1, 1, 1]);
    log.newEntries();
    log.unstable.handedOut();
    log.append(run(2, [2]));
    expect(log.newEntries().map(({ index, term }) => [index, term])).toEqual([[2, 2]]);
  });

  test('a run that was handed out never changes', () => {
    const log = logWith([], [1, 1]);
    const handed = log.newEntries();
    const before = [...handed];
    log.append(run(2, [2, 2]));
    expect(handed).toEqual(before);
  });

  test('refuses to replace what is committed, or to leave a hole', () => {
    const log = logWith([], [1, 1]);
    log.commitTo(1);
    expect(() => log.append(run(1, [2]))).toThrow(/replace committed/);
    expect(() => log.append(run(9, [2]))).toThrow(/hole/);
    expect(() => log.commitTo(3)).toThrow(/past the end/);
  });

  test('gives at least one entry, then as many as fit, across the border of what is durable', () => {
    const disk = new Disk();
    disk.kept = [entry(1, 1, 9), entry(2, 1, 9)];
    const log = new RaftLog(disk, {
      entryBytes: ({ data }) => data.length + 1,
      maxCommittedBytes: NO_LIMIT,
      applyUnstable: false,
    });
    log.append([entry(3, 1, 9), entry(4, 1, 9)]);
    const sizes = [1, 10, 29, 30, 40].map((maxBytes) => (log.entries(1, 5, maxBytes, NO_LIMIT) as Entry[]).length);
    expect(sizes).toEqual([1, 1, 2, 3, 4]);
    expect((log.entries(3, 5, 20, 1) as Entry[]).length).toBe(1);
  });

  test('the same run is the same array for everybody who asks', () => {
    const log = logWith([1], [1, 1]);
    expect(log.entries(2, 4, NO_LIMIT, NO_LIMIT)).toBe(log.newEntries());
  });

  test('hands out committed entries only when they are durable, and within the limit until some are applied', () => {
    const disk = new Disk();
    const log = new RaftLog(disk, { entryBytes: ({ data }) => data.length + 1, maxCommittedBytes: 25, applyUnstable: false });
    const entries = [1, 2, 3, 4].map((index) => entry(index, 1, 9));
    log.append(entries);
    log.commitTo(3);
    expect(log.committedEntries()).toEqual([]);
    log.unstable.handedOut();
    disk.kept = entries;
    log.unstable.stableTo(4, 1);
    const first = log.committedEntries();
    expect(first.map(({ index }) => index)).toEqual([1, 2]);
    log.applyWindow.handedOut(first, 20, 0, log.appliable);
    expect(log.hasCommittedEntries).toBe(false);
    log.applyWindow.appliedTo(2);
    expect(log.committedEntries().map(({ index }) => index)).toEqual([3]);
  });

  test('sees a configuration change that is committed and not applied', () => {
    const log = logWith([], [1]);
    log.append([makeEntry(2, 1, 'conf', 0, NO_BYTES, { transition: 'auto', steps: [], context: undefined })]);
    expect(log.hasUnappliedConfChange()).toBe(false);
    log.commitTo(2);
    expect(log.hasUnappliedConfChange()).toBe(true);
  });
});
