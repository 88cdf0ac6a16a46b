import { type ConfChange, makeEntry, NO_BYTES } from '../../core/types.ts';
import type { NodeStore } from '../../storage/storage.ts';
import { check, entriesOf, equal, fails, metaAt, readAll, type SuiteCase } from './context.ts';

const CHANGE: ConfChange = {
  transition: 'explicit',
  steps: [
    { op: 'voter', id: 'a', context: new Uint8Array([7]) },
    { op: 'remove', id: 'b', context: undefined },
  ],
  context: new Uint8Array([1]),
};

async function limits(store: NodeStore): Promise<void> {
  equal((await store.entries(3, 21, 1)).length, 1, 'a limit below one entry');
  const some = await store.entries(3, 21, 5000);
  check(some.length >= 2 && some.length <= 5, `5000 bytes held ${some.length} entries of 1000`);
  equal([...some], entriesOf(3, 2 + some.length, 1, 1000), 'the entries');
  equal((await store.entries(3, 5, 1e9)).length, 2, 'the end is exclusive');
}

export const logCases: readonly SuiteCase[] = [
  [
    'appended entries come back whole after reopening, every field of them',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      const entries = [
        makeEntry(1, 1, 'normal', 0, NO_BYTES, undefined),
        makeEntry(2, 1, 'conf', 1_700_000_000_123, NO_BYTES, CHANGE),
        makeEntry(3, 2, 'normal', 1_700_000_000_456, new Uint8Array([1, 2, 3]), undefined),
        makeEntry(4, 9_000_000_000, 'conf', 5, NO_BYTES, { transition: 'auto', steps: [], context: undefined }),
      ];
      await store.write({ entries });
      equal(await readAll(store, 1, 4), entries, 'before reopening');
      const again = await reopen(store);
      equal((await again.load()).lastIndex, 4, 'last index');
      equal(await readAll(again, 1, 4), entries, 'after reopening');
      equal(
        [0, 1, 2, 3, 4, 5].map((i) => again.term(i)),
        [0, 1, 1, 2, 9_000_000_000, undefined],
        'terms',
      );
    },
  ],
  [
    'many small writes keep their order; terms are known at once, also before anything is read',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      await Promise.all(entriesOf(1, 300, 1).map((entry) => store.write({ entries: [entry] })));
      for (const entry of entriesOf(301, 320, 2)) await store.write({ entries: [entry] });
      const again = await reopen(store);
      const state = await again.load();
      equal([state.firstIndex, state.lastIndex], [1, 320], 'bounds');
      equal([again.term(1), again.term(300), again.term(301), again.term(320)], [1, 1, 2, 2], 'terms');
      equal(await readAll(again, 1, 320, 500), [...entriesOf(1, 300, 1), ...entriesOf(301, 320, 2)], 'entries');
      const start = state.lastIndex - state.tail.length + 1;
      equal([...state.tail], await again.entries(start, 321, 1e9), 'the tail that load gave');
    },
  ],
  [
    'what a write called earlier holds is read back before it is durable',
    async ({ acquire }) => {
      const store = await acquire();
      const written = store.write({ entries: entriesOf(1, 5, 1) });
      equal(store.term(5), 1, 'term');
      equal(await readAll(store, 1, 5), entriesOf(1, 5, 1), 'entries');
      await written;
    },
  ],
  [
    'an append replaces whatever stood at and after its first index',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      await store.write({ entries: entriesOf(1, 10, 1) });
      await store.write({ entries: entriesOf(11, 20, 2) });
      await store.write({ entries: entriesOf(8, 9, 3) });
      const expected = [...entriesOf(1, 7, 1), ...entriesOf(8, 9, 3)];
      equal(await readAll(store, 1, 9), expected, 'before reopening');
      equal(store.term(10), undefined, 'term past the new end');
      const again = await reopen(store);
      equal((await again.load()).lastIndex, 9, 'last index');
      equal(await readAll(again, 1, 9), expected, 'after reopening');
      await again.write({ entries: entriesOf(10, 12, 4) });
      const third = await reopen(again);
      await third.load();
      equal(await readAll(third, 1, 12), [...expected, ...entriesOf(10, 12, 4)], 'after growing again');
      await third.write({ entries: entriesOf(1, 1, 5) });
      const fourth = await reopen(third);
      equal((await fourth.load()).lastIndex, 1, 'replaced from the start');
      equal(await readAll(fourth, 1, 1), entriesOf(1, 1, 5), 'the one entry');
    },
  ],
  [
    'replacing while writes are in flight leaves the last word',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      const writes = [
        store.write({ entries: entriesOf(1, 5, 1) }),
        store.write({ entries: entriesOf(6, 9, 1) }),
        store.write({ entries: entriesOf(4, 6, 2) }),
        store.write({ entries: entriesOf(7, 7, 2) }),
        store.write({ entries: entriesOf(5, 5, 3) }),
      ];
      await Promise.all(writes);
      const again = await reopen(store);
      await again.load();
      const expected = [...entriesOf(1, 3, 1), ...entriesOf(4, 4, 2), ...entriesOf(5, 5, 3)];
      equal(await readAll(again, 1, 5), expected, 'entries');
      equal(again.term(6), undefined, 'term past the end');
    },
  ],
  [
    'reading gives at least one entry, then as many as fit',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      await store.write({ entries: entriesOf(1, 20, 1, 1000) });
      await limits(store);
      const again = await reopen(store);
      await again.load();
      await limits(again);
    },
  ],
  [
    'large entries and large batches survive',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      const large = entriesOf(1, 1, 1, 300_000);
      const many = entriesOf(2, 3001, 1, 200);
      await store.write({ entries: [...large, ...many] });
      const again = await reopen(store);
      await again.load();
      equal(await readAll(again, 1, 3001, 100_000), [...large, ...many], 'entries');
    },
  ],
  [
    'compaction drops the prefix, never past the snapshot, and survives reopening',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      for (let i = 0; i < 20; i += 1) await store.write({ entries: entriesOf(i * 10 + 1, i * 10 + 10, 1 + (i >> 3)) });
      await store.compact(100);
      equal((await readAll(store, 1, 200)).length, 200, 'without a snapshot nothing goes');
      const writer = await store.stageSnapshot(metaAt(150, 2));
      const staged = await writer.finish();
      await store.write({ snapshot: { staged, keepLogAfter: true } });
      equal((await store.load()).firstIndex, 1, 'an own snapshot alone drops nothing');
      await store.compact(105);
      await store.compact(90);
      equal([store.term(104), store.term(105), store.term(106)], [undefined, 2, 2], 'terms at the edge');
      await fails(() => store.entries(105, 107, 1e9), 'index-compacted', 'reading below');
      equal(await readAll(store, 106, 200), [...entriesOf(106, 160, 2), ...entriesOf(161, 200, 3)], 'the rest');
      await store.compact(1000);
      const again = await reopen(store);
      const state = await again.load();
      equal([state.firstIndex, state.lastIndex], [151, 200], 'stopped at the snapshot');
      equal(again.term(150), 2, 'term of the snapshot');
      equal(await readAll(again, 151, 200), [...entriesOf(151, 160, 2), ...entriesOf(161, 200, 3)], 'after reopening');
    },
  ],
  [
    'appends go on while a prefix is compacted',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      await store.write({ entries: entriesOf(1, 500, 1, 500) });
      const staged = await (await store.stageSnapshot(metaAt(400, 1))).finish();
      await store.write({ snapshot: { staged, keepLogAfter: true } });
      const compacted = store.compact(400);
      for (let i = 501; i <= 520; i += 1) await store.write({ entries: entriesOf(i, i, 1, 500) });
      await compacted;
      const again = await reopen(store);
      const state = await again.load();
      equal([state.firstIndex, state.lastIndex], [401, 520], 'bounds');
      equal(await readAll(again, 401, 520), entriesOf(401, 520, 1, 500), 'entries');
    },
  ],
  [
    'a batch that would tear a hole is refused and changes nothing',
    async ({ acquire }) => {
      const store = await acquire();
      await store.write({ entries: entriesOf(1, 3, 1) });
      await fails(() => store.write({ entries: entriesOf(5, 6, 1) }), 'invariant', 'a gap after the end');
      const torn = [...entriesOf(4, 4, 1), ...entriesOf(6, 6, 1)];
      await fails(() => store.write({ entries: torn }), 'invariant', 'a gap inside');
      await fails(() => store.write({ entries: entriesOf(0, 0, 1) }), 'invariant', 'index 0');
      await store.write({ entries: entriesOf(4, 4, 1) });
      equal((await store.load()).lastIndex, 4, 'last index');
    },
  ],
];
