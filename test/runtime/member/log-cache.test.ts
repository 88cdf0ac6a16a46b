/** The stored log as the core reads it, while writes are on their way. */
import { expect, test } from 'vitest';
import { EMPTY_CONF } from '../../../src/core/conf/conf-change.ts';
import { type Entry, makeEntry, NO_BYTES } from '../../../src/core/types.ts';
import { LogView } from '../../../src/runtime/member/log-cache.ts';
import { MemoryStorage } from '../../../src/storage/memory/memory-storage.ts';

const run = (first: number, last: number, term: number): Entry[] =>
  Array.from({ length: last - first + 1 }, (_, i) => makeEntry(first + i, term, 'normal', 0, NO_BYTES, undefined));

test('old entries are read while a write is in flight that cuts the log off behind them, and more come after it', async () => {
  const store = new MemoryStorage().open({ room: 'test' });
  await store.write({ entries: run(1, 10, 1) });
  const faults: unknown[] = [];
  let fetched = 0;
  const view = new LogView(
    store,
    await store.load(),
    () => fetched++,
    (error) => faults.push(error),
  );
  // A new leader's entry replaces the end; the next is given to storage before what was read has come.
  const writes = [store.write({ entries: run(5, 5, 2) })];
  expect(view.entries(1, 11, 1_000_000)).toBe('unavailable');
  writes.push(store.write({ entries: run(6, 10, 2) }));
  await new Promise((resolve) => setImmediate(resolve));
  expect(faults).toEqual([]);
  expect(fetched).toBe(1);
  expect(view.entries(1, 5, 1_000_000)).toMatchObject([1, 2, 3, 4].map((index) => ({ index, term: 1 })));
  await Promise.all(writes);
  view.append(run(5, 5, 2));
  view.append(run(6, 10, 2));
  expect([view.lastIndex(), view.term(5), view.term(10)]).toEqual([10, 2, 2]);
});

test('old entries that a leader’s snapshot replaces while they are read are no fault of the disk', async () => {
  const store = new MemoryStorage().open({ room: 'test' });
  await store.write({ entries: run(1, 10, 1) });
  const faults: unknown[] = [];
  let fetched = 0;
  const view = new LogView(
    store,
    await store.load(),
    () => fetched++,
    (error) => faults.push(error),
  );
  const writer = await store.stageSnapshot({ index: 8, term: 2, conf: EMPTY_CONF, data: undefined });
  const written = store.write({ snapshot: { staged: await writer.finish(), keepLogAfter: false } });
  expect(view.entries(3, 11, 1_000_000)).toBe('unavailable');
  await written;
  expect([fetched, faults]).toEqual([1, []]);
});

test('what was read stays as it is when the log goes on, or is cut off', async () => {
  const store = new MemoryStorage().open({ room: 'test' });
  const view = new LogView(
    store,
    await store.load(),
    () => {},
    () => {},
  );
  view.append(run(1, 3, 1));
  const read = view.entries(1, 4, 1_000_000);
  view.append(run(4, 5, 1));
  expect(read).toHaveLength(3);
  expect(view.entries(1, 6, 1_000_000)).toHaveLength(5);
  view.append(run(2, 2, 2));
  expect(read).toMatchObject([1, 2, 3].map((index) => ({ index, term: 1 })));
  expect(view.entries(1, 3, 1_000_000)).toMatchObject([{ term: 1 }, { term: 2 }]);
});
