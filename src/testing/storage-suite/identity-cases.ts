import { check, entriesOf, equal, fails, type SuiteCase } from './context.ts';

export const identityCases: readonly SuiteCase[] = [
  [
    'a room that nobody was in gives a fresh identity and an empty state',
    async ({ room, acquire }) => {
      const store = await acquire();
      check(store.identity.nodeId.length > 0, 'the id is empty');
      equal(store.identity.room, room, 'room');
      equal(store.identity.bootCount, 0, 'boot count');
      const state = await store.load();
      equal(state.cluster, undefined, 'cluster');
      equal(state.hardState, { term: 0, vote: '', commit: 0 }, 'hard state');
      equal([state.firstIndex, state.lastIndex, state.snapshotBytes], [1, 0, 0], 'bounds');
      equal(state.snapshot, undefined, 'snapshot');
      equal(state.records.size, 0, 'records');
      equal(store.term(0), 0, 'term before the first entry');
      equal(store.term(1), undefined, 'term after the end');
    },
  ],
  [
    'a held identity is taken by nobody else, not even when preferred',
    async ({ acquire }) => {
      const first = await acquire();
      const second = await acquire();
      const third = await acquire({ preferred: first.identity.nodeId });
      const ids = [first, second, third].map((store) => store.identity.nodeId);
      equal(new Set(ids).size, 3, `distinct ids among ${ids.join()}`);
    },
  ],
  [
    'two who ask at once get two identities, also when one orphan is there',
    async ({ acquire }) => {
      const orphan = await acquire();
      await orphan.close();
      const both = await Promise.all([acquire(), acquire()]);
      check(both[0]?.identity.nodeId !== both[1]?.identity.nodeId, 'both have the same id');
      check(
        both.some((store) => store.identity.nodeId === orphan.identity.nodeId),
        'nobody adopted the orphan',
      );
    },
  ],
  [
    'the preferred identity comes back; its boots are told apart',
    async ({ acquire }) => {
      const mine = await acquire();
      const other = await acquire();
      await mine.close();
      await other.close();
      const again = await acquire({ preferred: mine.identity.nodeId });
      equal(again.identity.nodeId, mine.identity.nodeId, 'id');
      equal(again.identity.bootCount, 1, 'boot count');
      check(again.identity.bootNonce !== mine.identity.bootNonce, 'the boot nonce is the same');
    },
  ],
  [
    'an orphan of the room is adopted, the most recent first, with its log',
    async ({ acquire }) => {
      const older = await acquire();
      const newer = await acquire();
      await older.write({ entries: entriesOf(1, 1, 1) });
      await newer.write({ entries: entriesOf(1, 2, 1) });
      await newer.close();
      await older.close();
      const reborn = await acquire();
      equal(reborn.identity.nodeId, newer.identity.nodeId, 'the one opened last');
      equal((await reborn.load()).lastIndex, 2, 'its log');
      equal((await acquire()).identity.nodeId, older.identity.nodeId, 'then the other');
    },
  ],
  [
    'fresh adopts nothing; other rooms are other worlds',
    async ({ room, acquire }) => {
      const orphan = await acquire();
      await orphan.close();
      const fresh = await acquire({ fresh: true });
      check(fresh.identity.nodeId !== orphan.identity.nodeId, 'fresh adopted an orphan');
      const elsewhere = await acquire({ room: `${room}/x` });
      check(elsewhere.identity.nodeId !== orphan.identity.nodeId, 'an orphan was adopted across rooms');
    },
  ],
  [
    'a preferred identity that has no store is not made up: no log, no identity',
    async ({ acquire }) => {
      const store = await acquire({ preferred: 'ghost' });
      check(store.identity.nodeId !== 'ghost', 'an id without a log came back to life');
    },
  ],
  [
    'wipe ends the identity for good',
    async ({ acquire }) => {
      const store = await acquire();
      await store.write({ hardState: { term: 3, vote: 'x', commit: 0 } });
      await store.wipe();
      const next = await acquire({ preferred: store.identity.nodeId });
      check(next.identity.nodeId !== store.identity.nodeId, 'the wiped id came back');
      equal((await next.load()).hardState.term, 0, 'term of the fresh identity');
    },
  ],
  [
    'a closed store refuses every call with storage-closed; closing twice is allowed',
    async ({ acquire }) => {
      const store = await acquire();
      await store.close();
      await store.close();
      await fails(() => store.write({ putRecords: [['a', new Uint8Array(1)]] }), 'storage-closed', 'write');
      await fails(() => store.load(), 'storage-closed', 'load');
      await fails(() => store.entries(1, 2, 100), 'storage-closed', 'entries');
      await fails(() => store.compact(1), 'storage-closed', 'compact');
      await fails(() => store.snapshot(), 'storage-closed', 'snapshot');
    },
  ],
  [
    'close waits for the writes in flight',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      const written = Promise.all([1, 2, 3, 4, 5].map((i) => store.write({ entries: entriesOf(i, i, 1) })));
      const again = await reopen(store);
      await written;
      equal((await again.load()).lastIndex, 5, 'last index');
    },
  ],
  [
    'a room without a name, and an id that is none, are refused',
    async ({ acquire }) => {
      await fails(() => acquire({ room: '' }), 'room-invalid', 'an empty room');
      await fails(() => acquire({ room: 'x'.repeat(1000) }), 'room-invalid', 'an endless room');
      await fails(() => acquire({ preferred: '../x' }), 'invalid-argument', 'a path as id');
    },
  ],
];
