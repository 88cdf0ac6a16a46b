import { entriesOf, equal, fails, readAll, type SuiteCase } from './context.ts';

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

export const batchCases: readonly SuiteCase[] = [
  [
    'hard state, cluster, entries and records of a batch are durable together',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      await store.write({
        cluster: { clusterId: 'c1', epoch: 2 },
        hardState: { term: 5, vote: 'voted', commit: 1 },
        entries: entriesOf(1, 2, 5),
        putRecords: [['key', bytes(1, 2)]],
      });
      const state = await (await reopen(store)).load();
      equal(state.cluster, { clusterId: 'c1', epoch: 2 }, 'cluster');
      equal(state.hardState, { term: 5, vote: 'voted', commit: 1 }, 'hard state');
      equal(state.lastIndex, 2, 'last index');
      equal([...state.records], [['key', bytes(1, 2)]], 'records');
    },
  ],
  [
    'the last hard state wins, with and without entries, written one by one or at once',
    async ({ acquire, reopen }) => {
      let store = await acquire();
      await store.write({ hardState: { term: 1, vote: 'a', commit: 0 }, entries: entriesOf(1, 1, 1) });
      await store.write({ hardState: { term: 2, vote: 'b', commit: 1 } });
      store = await reopen(store);
      equal((await store.load()).hardState, { term: 2, vote: 'b', commit: 1 }, 'alone, after entries');
      await Promise.all([
        store.write({ hardState: { term: 3, vote: '', commit: 1 } }),
        store.write({ hardState: { term: 4, vote: 'ü', commit: 1 }, entries: entriesOf(2, 2, 4) }),
      ]);
      store = await reopen(store);
      equal((await store.load()).hardState, { term: 4, vote: 'ü', commit: 1 }, 'with entries, after one alone');
      await store.write({ entries: entriesOf(3, 3, 4) });
      store = await reopen(store);
      equal((await store.load()).hardState, { term: 4, vote: 'ü', commit: 1 }, 'entries alone keep it');
      await store.write({ hardState: { term: 5, vote: 'c', commit: 2 }, entries: entriesOf(2, 2, 5) });
      store = await reopen(store);
      equal((await store.load()).hardState, { term: 5, vote: 'c', commit: 2 }, 'with entries that replace others');
    },
  ],
  [
    'a commit index that need not be synced is there after an orderly close',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      await store.write({ hardState: { term: 1, vote: 'a', commit: 0 }, entries: entriesOf(1, 3, 1) });
      await store.write({ hardState: { term: 1, vote: 'a', commit: 3 }, sync: false });
      equal((await store.load()).hardState.commit, 3, 'loaded again');
      const again = await reopen(store);
      equal((await again.load()).hardState, { term: 1, vote: 'a', commit: 3 }, 'reopened');
    },
  ],
  [
    'records are put, replaced and deleted; keys come sorted; order within and between batches counts',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      const first = store.write({
        putRecords: [
          ['b', bytes(1)],
          ['a', bytes(2)],
          ['c/ü', bytes()],
        ],
      });
      const second = store.write({ putRecords: [['b', bytes(3)]], deleteRecords: ['a'] });
      const third = store.write({ putRecords: [['a', bytes(4, 4)]] });
      await Promise.all([first, second, third]);
      const expected = [
        ['a', bytes(4, 4)],
        ['b', bytes(3)],
        ['c/ü', bytes()],
      ];
      equal<unknown>([...(await store.load()).records], expected, 'before reopening');
      const again = await reopen(store);
      equal<unknown>([...(await again.load()).records], expected, 'after reopening');
      await fails(() => again.write({ putRecords: [['', bytes(1)]] }), 'invalid-argument', 'an empty key');
    },
  ],
  [
    'what a caller does to its bytes after the call does not reach the store',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      const pool = new Uint8Array(1000).fill(1);
      const value = pool.subarray(10, 13);
      const written = store.write({ putRecords: [['k', value]] });
      pool.fill(9);
      await written;
      equal([...(await (await reopen(store)).load()).records], [['k', bytes(1, 1, 1)]], 'the record');
    },
  ],
  [
    'a store belongs to one cluster, whose epoch only rises',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      await store.write({ cluster: { clusterId: 'c1', epoch: 2 } });
      const again = await reopen(store);
      await again.load();
      await fails(() => again.write({ cluster: { clusterId: 'c2', epoch: 3 } }), 'cluster-mismatch', 'another cluster');
      await fails(() => again.write({ cluster: { clusterId: 'c1', epoch: 1 } }), 'epoch-mismatch', 'an epoch that is over');
      await again.write({ cluster: { clusterId: 'c1', epoch: 3 } });
      equal((await again.load()).cluster, { clusterId: 'c1', epoch: 3 }, 'the new epoch');
    },
  ],
  [
    'an empty batch resolves; so do many at once',
    async ({ acquire }) => {
      const store = await acquire();
      await Promise.all([store.write({}), store.write({ entries: [] }), store.write({ putRecords: [], deleteRecords: ['x'] })]);
      equal((await store.load()).lastIndex, 0, 'last index');
    },
  ],
  [
    'writes resolve in the order of the calls',
    async ({ acquire }) => {
      const store = await acquire();
      const order: number[] = [];
      const writes = Array.from({ length: 30 }, (_, i) =>
        store.write({ entries: entriesOf(i + 1, i + 1, 1) }).then(() => order.push(i)),
      );
      await Promise.all(writes);
      equal(
        order,
        [...order].sort((a, b) => a - b),
        'order',
      );
      equal(await readAll(store, 1, 30), entriesOf(1, 30, 1), 'entries');
    },
  ],
];
