import { expect, test } from 'vitest';
import { RaftLog } from '../../src/core/log/raft-log.ts';
import { type Entry, makeEntry, NO_LIMIT, type Term } from '../../src/core/types.ts';
import { Disk } from './disk.ts';

function run(term: Term, from: number, to: number): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, i) =>
    makeEntry(from + i, term, 'normal', 0, new Uint8Array(from + i), undefined),
  );
}

function emptyLog(applyUnstable: boolean): { log: RaftLog; disk: Disk; asked: number[] } {
  const disk = new Disk();
  const asked: number[] = [];
  const stored = disk.entries.bind(disk);
  disk.entries = (from, to, maxBytes) => {
    asked.push(from);
    return stored(from, to, maxBytes);
  };
  const log = new RaftLog(disk, { entryBytes: ({ data }) => data.length, maxCommittedBytes: NO_LIMIT, applyUnstable });
  return { log, disk, asked };
}

test('what was appended is handed out as it came, and so is what was appended before it, without asking the disk', () => {
  const { log, disk, asked } = emptyLog(false);
  const first = run(1, 1, 2);
  const second = run(1, 3, 3);
  log.append(first);
  expect(log.newEntries()).toBe(first);
  log.unstable.handedOut();
  disk.kept = [...first];
  log.unstable.stableTo(2, 1);
  log.append(second);
  log.commitTo(2);
  expect(log.committedEntries()).toBe(first);
  expect(log.newEntries()).toBe(second);
  expect(log.entries(3, 4, NO_LIMIT, NO_LIMIT)).toBe(second);
  expect([log.runBytes(first), log.runBytes(second), log.runBytes(run(1, 5, 6))]).toEqual([3, 3, 11]);
  expect(asked).toEqual([]);
});

test('a limit cuts a run at hand as it cuts one from the disk', () => {
  const { log } = emptyLog(true);
  const entries = run(1, 1, 4);
  log.append(entries);
  expect(log.entries(1, 5, NO_LIMIT, 3)).toEqual(entries.slice(0, 3));
  expect(log.entries(1, 5, 6, NO_LIMIT)).toEqual(entries.slice(0, 3));
});

test('what an append replaces is not handed out any more, wherever it was at hand', () => {
  const { log } = emptyLog(true);
  const first = run(1, 1, 3);
  log.append(first);
  const later = run(2, 2, 3);
  log.append(later);
  expect(log.entries(1, 4, NO_LIMIT, NO_LIMIT)).toEqual([first[0], ...later]);
  expect(log.entries(2, 4, NO_LIMIT, NO_LIMIT)).toEqual(later);
  const last = run(3, 3, 3);
  log.append(last);
  expect(log.entries(2, 4, NO_LIMIT, NO_LIMIT)).toEqual([later[0], ...last]);
  expect(log.entries(1, 4, NO_LIMIT, NO_LIMIT)).toEqual([first[0], later[0], ...last]);
});
