/** The unstable end of the log and the window of what is being applied, at their borders. */
import { describe, expect, test } from 'vitest';
import { EMPTY_CONF, LEAVE_JOINT } from '../../src/core/conf/conf-change.ts';
import { ApplyWindow } from '../../src/core/log/apply-window.ts';
import { RaftLog, type RaftLogOptions } from '../../src/core/log/raft-log.ts';
import { Unstable } from '../../src/core/log/unstable.ts';
import { type Entry, makeEntry, NO_BYTES, NO_LIMIT, type SnapshotMeta } from '../../src/core/types.ts';
import { Disk } from './disk.ts';
import { entriesOf } from './messages.ts';

const snapshotAt = (index: number, term: number): SnapshotMeta => ({ index, term, conf: EMPTY_CONF, data: undefined });
const places = (entries: unknown): string => (entries as readonly Entry[]).map(({ index, term }) => `${index}/${term}`).join(' ');

function marks({ offset, inProgress, count, end }: Unstable): readonly number[] {
  return [offset, inProgress, count, end];
}

describe('the unstable end of the log', () => {
  test('starts empty after what is durable, and grows', () => {
    const unstable = new Unstable(5);
    expect(marks(unstable)).toEqual([5, 5, 0, 5]);
    unstable.append(entriesOf(1, 5, 6));
    expect(marks(unstable)).toEqual([5, 5, 2, 7]);
    expect([unstable.term(4), unstable.term(5), unstable.term(6), unstable.term(7)]).toEqual([undefined, 1, 1, undefined]);
    unstable.handedOut();
    unstable.append(entriesOf(1, 7, 7));
    expect(marks(unstable)).toEqual([5, 7, 3, 8]);
    expect(places(unstable.slice(6, 8))).toBe('6/1 7/1');
    expect(unstable.snapshotInProgress).toBe(false);
  });

  test('is replaced from where new entries start, and what was handed out there is to be handed out again', () => {
    const unstable = new Unstable(5);
    unstable.append(entriesOf(1, 5, 9));
    unstable.handedOut();
    unstable.append(entriesOf(2, 8, 8));
    expect(marks(unstable)).toEqual([5, 8, 4, 9]);
    expect(places(unstable.slice(5, 9))).toBe('5/1 6/1 7/1 8/2');
    unstable.append(entriesOf(3, 9, 9));
    unstable.append(entriesOf(4, 9, 9));
    expect(marks(unstable)).toEqual([5, 8, 5, 10]);
    unstable.append(entriesOf(5, 5, 5));
    expect(marks(unstable)).toEqual([5, 5, 1, 6]);
    unstable.handedOut();
    unstable.append(entriesOf(6, 3, 4));
    expect(marks(unstable)).toEqual([3, 3, 2, 5]);
    expect(() => unstable.append(entriesOf(6, 6, 6))).toThrow(/hole/);
  });

  test('shrinks as entries become durable, and keeps its place however many do', () => {
    const unstable = new Unstable(1);
    unstable.append(entriesOf(1, 1, 300));
    for (const durable of [1, 10, 64, 65, 66, 150, 200, 299]) {
      expect(unstable.stableTo(durable, 1)).toBe(true);
      expect(marks(unstable)).toEqual([durable + 1, durable + 1, 300 - durable, 301]);
      expect(unstable.at(300).index).toBe(300);
      expect(places(unstable.slice(durable + 1, durable + 2))).toBe(`${durable + 1}/1`);
    }
    unstable.append(entriesOf(2, 300, 302));
    expect(places(unstable.slice(300, 303))).toBe('300/2 301/2 302/2');
    expect(unstable.stableTo(302, 2)).toBe(true);
    expect(marks(unstable)).toEqual([303, 303, 0, 303]);
    unstable.append(entriesOf(2, 303, 304));
    expect(places(unstable.slice(303, 305))).toBe('303/2 304/2');
  });

  test('takes for durable only what stands there: neither what is gone, nor what is not there yet, nor another', () => {
    const unstable = new Unstable(5);
    unstable.append(entriesOf(2, 5, 8));
    unstable.handedOut();
    expect([unstable.stableTo(4, 2), unstable.stableTo(9, 2), unstable.stableTo(6, 1)]).toEqual([false, false, false]);
    expect(marks(unstable)).toEqual([5, 9, 4, 9]);
    expect(unstable.stableTo(5, 2)).toBe(true);
    expect(marks(unstable)).toEqual([6, 9, 3, 9]);
  });

  test('holds a snapshot until that very one is durable', () => {
    const unstable = new Unstable(5);
    unstable.append(entriesOf(1, 5, 6));
    unstable.handedOut();
    expect(unstable.snapshotInProgress).toBe(false);
    unstable.restore(snapshotAt(20, 3));
    expect(marks(unstable)).toEqual([21, 21, 0, 21]);
    expect([unstable.term(20), unstable.term(19), unstable.term(6), unstable.term(21)]).toEqual([
      3,
      undefined,
      undefined,
      undefined,
    ]);
    unstable.handedOut();
    expect(unstable.snapshotInProgress).toBe(true);
    unstable.stableSnapshotTo(19);
    expect(unstable.snapshot?.index).toBe(20);
    unstable.restore(snapshotAt(30, 4));
    expect(unstable.snapshotInProgress).toBe(false);
    unstable.handedOut();
    unstable.stableSnapshotTo(30);
    expect([unstable.snapshot, unstable.snapshotInProgress]).toEqual([undefined, false]);
    unstable.stableSnapshotTo(30);
    expect(unstable.term(30)).toBeUndefined();
  });
});

describe('the window of what is being applied', () => {
  test('closes when full, and opens as what was handed out is applied', () => {
    const window = new ApplyWindow(3, 100);
    expect([window.applied, window.applying, window.open, window.room]).toEqual([3, 3, true, 100]);
    window.handedOut(entriesOf(1, 4, 5), 60, 7, 5);
    expect([window.applied, window.applying, window.open, window.room]).toEqual([3, 5, true, 40]);
    window.handedOut(entriesOf(1, 6, 6), 40, 5, 6);
    expect([window.applying, window.open, window.room]).toEqual([6, false, 0]);
    expect(window.appliedTo(4)).toBe(0);
    expect([window.applied, window.open, window.room]).toEqual([4, false, 0]);
    expect(window.appliedTo(5)).toBe(7);
    expect([window.applied, window.open, window.room]).toEqual([5, true, 60]);
    expect(window.appliedTo(6)).toBe(5);
    expect([window.applied, window.applying, window.room]).toEqual([6, 6, 100]);
    window.handedOut(entriesOf(1, 7, 7), 10, 1, 7);
    window.handedOut(entriesOf(1, 8, 8), 10, 2, 8);
    window.handedOut(entriesOf(1, 9, 9), 10, 4, 9);
    expect(window.appliedTo(8)).toBe(3);
    expect(window.appliedTo(9)).toBe(4);
    expect(window.room).toBe(100);
  });

  test('is closed by a run that had to stop early, until some of it is applied', () => {
    const window = new ApplyWindow(0, 100);
    window.handedOut(entriesOf(1, 1, 2), 10, 0, 3);
    expect(window.open).toBe(false);
    window.appliedTo(1);
    expect(window.open).toBe(true);
  });

  test('skips to a snapshot, and never goes back', () => {
    const window = new ApplyWindow(3, 100);
    window.handedOut(entriesOf(1, 4, 5), 60, 0, 5);
    window.skipTo(9);
    expect([window.applied, window.applying, window.room]).toEqual([9, 9, 40]);
    window.skipTo(7);
    expect([window.applied, window.applying]).toEqual([9, 9]);
    window.appliedTo(5);
    expect([window.applied, window.room]).toEqual([9, 100]);
  });
});

describe('the log', () => {
  const options: RaftLogOptions = {
    entryBytes: ({ data }) => data.length + 1,
    maxCommittedBytes: NO_LIMIT,
    applyUnstable: false,
  };

  /** Durable: a snapshot at 4 of term 2 and 5 to 8 of term 2. Not durable: 9 to 12 of term 3. */
  function halves(over: Partial<RaftLogOptions> = {}): { log: RaftLog; disk: Disk } {
    const disk = new Disk();
    disk.base = { index: 4, term: 2 };
    disk.kept = entriesOf(2, 5, 8);
    const log = new RaftLog(disk, { ...options, ...over });
    log.append(entriesOf(3, 9, 12));
    return { log, disk };
  }

  test('starts with what is stored: committed and applied is what the snapshot holds', () => {
    const disk = new Disk();
    disk.base = { index: 4, term: 2 };
    const log = new RaftLog(disk, options);
    expect([log.first, log.last, log.lastTerm, log.committed, log.applied, log.stable]).toEqual([5, 4, 2, 4, 4, 4]);
    disk.term = () => 'unavailable';
    expect(() => new RaftLog(disk, options)).toThrow(/term of the last entry 4 is unavailable/);
  });

  test('knows its terms from the snapshot to the end', () => {
    const { log } = halves();
    const terms = [3, 4, 5, 8, 9, 12, 13].map((index) => log.term(index));
    expect(terms).toEqual(['compacted', 2, 2, 2, 3, 3, 'unavailable']);
    expect([log.matches(8, 2), log.matches(8, 3), log.matches(13, 3)]).toEqual([true, false, false]);
    expect([log.first, log.last, log.stable]).toEqual([5, 12, 8]);
    log.restore(snapshotAt(20, 4));
    expect([log.first, log.last, log.lastTerm, log.committed, log.stable]).toEqual([21, 20, 4, 20, 20]);
    expect([19, 20, 21].map((index) => log.term(index))).toEqual(['compacted', 4, 'unavailable']);
    expect(log.snapshot()).toMatchObject({ index: 20 });
    expect(log.entries(20, 21, NO_LIMIT, NO_LIMIT)).toBe('compacted');
  });

  test('is up to date by term, then by length', () => {
    const { log } = halves();
    const answers = [
      log.isUpToDate(12, 3),
      log.isUpToDate(11, 3),
      log.isUpToDate(13, 3),
      log.isUpToDate(99, 2),
      log.isUpToDate(1, 4),
    ];
    expect(answers).toEqual([true, false, true, false, true]);
  });

  test('reads any run: durable, not durable, and across', () => {
    const { log } = halves();
    const read = (from: number, to: number, bytes: number, count: number): unknown => {
      const run = log.entries(from, to, bytes, count);
      return typeof run === 'string' ? run : places(run);
    };
    expect(read(4, 6, NO_LIMIT, NO_LIMIT)).toBe('compacted');
    expect(read(6, 6, NO_LIMIT, NO_LIMIT)).toBe('');
    expect(read(7, 6, NO_LIMIT, NO_LIMIT)).toBe('');
    expect(read(5, 7, NO_LIMIT, NO_LIMIT)).toBe('5/2 6/2');
    expect(read(5, 9, NO_LIMIT, 3)).toBe('5/2 6/2 7/2');
    expect(read(5, 9, NO_LIMIT, 4)).toBe('5/2 6/2 7/2 8/2');
    expect(read(5, 9, 2, NO_LIMIT)).toBe('5/2 6/2');
    expect(read(7, 11, NO_LIMIT, NO_LIMIT)).toBe('7/2 8/2 9/3 10/3');
    expect(read(7, 11, NO_LIMIT, 3)).toBe('7/2 8/2 9/3');
    expect(read(7, 13, 3, NO_LIMIT)).toBe('7/2 8/2 9/3');
    expect(read(7, 13, 2, NO_LIMIT)).toBe('7/2 8/2');
    expect(read(7, 13, 1, NO_LIMIT)).toBe('7/2');
    expect(read(9, 13, NO_LIMIT, NO_LIMIT)).toBe('9/3 10/3 11/3 12/3');
    expect(read(9, 13, 2, NO_LIMIT)).toBe('9/3 10/3');
    expect(read(9, 13, 0, NO_LIMIT)).toBe('9/3');
    expect(read(10, 13, NO_LIMIT, 1)).toBe('10/3');
    expect(read(10, 13, 3, NO_LIMIT)).toBe('10/3 11/3 12/3');
    expect(read(10, 13, 2, NO_LIMIT)).toBe('10/3 11/3');
    expect(read(10, 13, 3, 3)).toBe('10/3 11/3 12/3');
    expect(read(10, 13, 3, 2)).toBe('10/3 11/3');
  });

  test('gives the same array for the same run, and counts its bytes', () => {
    const { log } = halves();
    const run = log.entries(5, 9, NO_LIMIT, NO_LIMIT) as readonly Entry[];
    expect(log.entries(5, 9, NO_LIMIT, NO_LIMIT)).toBe(run);
    expect(log.entries(5, 9, 4, 4)).toBe(run);
    expect([log.runBytes(run), log.runBytes(run), log.runBytes(run.slice(1))]).toEqual([4, 4, 3]);
    const others = log.entries(9, 12, NO_LIMIT, NO_LIMIT) as readonly Entry[];
    expect([log.runBytes(others), log.runBytes(run)]).toEqual([3, 4]);
  });

  test('counts the bytes of a run once', () => {
    let counted = 0;
    const { log } = halves({ entryBytes: () => ++counted && 1 });
    const run = log.entries(5, 9, NO_LIMIT, NO_LIMIT) as readonly Entry[];
    counted = 0;
    log.runBytes(run);
    log.runBytes(run);
    expect(counted).toBe(4);
  });

  test('hands out what is to be written once, whatever was read in between', () => {
    const { log } = halves();
    expect(log.hasNewEntries).toBe(true);
    log.entries(5, 7, NO_LIMIT, NO_LIMIT);
    expect(places(log.newEntries())).toBe('9/3 10/3 11/3 12/3');
    log.unstable.handedOut();
    expect([log.hasNewEntries, log.newEntries()]).toEqual([false, []]);
    log.append([]);
    expect(log.last).toBe(12);
    log.append(entriesOf(4, 12, 13));
    expect(places(log.newEntries())).toBe('12/4 13/4');
    expect([log.last, log.lastTerm]).toEqual([13, 4]);
  });

  test('commits forward only, to the end at most, and never replaces what is committed', () => {
    const { log } = halves();
    expect([log.commitTo(4), log.commitTo(9), log.commitTo(9), log.committed]).toEqual([false, true, false, 9]);
    expect(() => log.append(entriesOf(4, 9, 9))).toThrow(/committed entries \(9\)/);
    log.append(entriesOf(4, 10, 10));
    expect(() => log.commitTo(11)).toThrow(/past the end of the log \(10\)/);
    expect(log.commitTo(10)).toBe(true);
  });

  test('hands out what is committed and durable; or, where the disk is waited for, what is committed', () => {
    const { log } = halves();
    log.commitTo(10);
    expect([log.appliable, places(log.committedEntries())]).toEqual([8, '5/2 6/2 7/2 8/2']);
    log.applyWindow.skipTo(8);
    expect([log.hasCommittedEntries, log.committedEntries()]).toEqual([false, []]);
    log.unstable.stableTo(12, 3);
    expect([log.appliable, log.hasCommittedEntries]).toEqual([10, true]);
    const { log: waiting } = halves({ applyUnstable: true });
    waiting.commitTo(10);
    expect([waiting.appliable, places(waiting.committedEntries())]).toEqual([10, '5/2 6/2 7/2 8/2 9/3 10/3']);
  });

  test('waits with committed entries while a snapshot is to be written, and while they are fetched', () => {
    const { log, disk } = halves();
    log.commitTo(8);
    disk.inMemoryFrom = 9;
    expect(log.committedEntries()).toEqual([]);
    disk.inMemoryFrom = 0;
    expect([log.hasCommittedEntries, log.committedEntries()]).toEqual([false, []]);
    log.entriesFetched();
    expect(places(log.committedEntries())).toBe('5/2 6/2 7/2 8/2');
    disk.inMemoryFrom = 9;
    log.entries(9, 10, NO_LIMIT, NO_LIMIT);
    log.committedEntries();
    log.restore(snapshotAt(20, 4));
    log.append(entriesOf(4, 21, 21));
    log.commitTo(21);
    log.unstable.stableTo(21, 4);
    expect(log.hasCommittedEntries).toBe(false);
    log.unstable.stableSnapshotTo(20);
    log.applyWindow.skipTo(20);
    expect(log.hasCommittedEntries).toBe(true);
  });

  test('knows of a change that is committed and not applied, in parts if need be, and of one that it cannot see', () => {
    const { log, disk } = halves({ maxCommittedBytes: 2 });
    expect(log.hasUnappliedConfChange()).toBe(false);
    log.append([makeEntry(13, 3, 'conf', 0, NO_BYTES, LEAVE_JOINT), ...entriesOf(3, 14, 15)]);
    log.commitTo(12);
    expect(log.hasUnappliedConfChange()).toBe(false);
    log.commitTo(15);
    expect(log.hasUnappliedConfChange()).toBe(true);
    log.applyWindow.skipTo(12);
    expect(log.hasUnappliedConfChange()).toBe(true);
    log.applyWindow.skipTo(13);
    expect(log.hasUnappliedConfChange()).toBe(false);
    const unseen = halves();
    unseen.log.commitTo(8);
    unseen.disk.inMemoryFrom = 9;
    expect(unseen.log.hasUnappliedConfChange()).toBe(true);
    expect(disk.inMemoryFrom).toBe(0);
  });

  test('goes back a whole term at a time', () => {
    const { log } = halves();
    const at = (index: number, term: number): unknown => Object.values(log.lastIndexOfTerm(index, term));
    expect([at(12, 3), at(12, 2), at(8, 2), at(6, 2), at(6, 1), at(13, 3), at(0, 9)]).toEqual([
      [12, 3],
      [8, 2],
      [8, 2],
      [6, 2],
      [3, 0],
      [13, 0],
      [0, 0],
    ]);
  });
});
