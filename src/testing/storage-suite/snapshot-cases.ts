import { digestOf } from '../../storage/digest.ts';
import { STAGED_SNAPSHOTS_MAX } from '../../storage/staged.ts';
import type { NodeStore, StagedSnapshot } from '../../storage/storage.ts';
import { check, entriesOf, equal, fails, metaAt, readAll, readSnapshot, type SuiteCase } from './context.ts';

/** Not compressible, and different at every offset. */
function stateOf(bytes: number, seed: number): Uint8Array {
  const state = new Uint8Array(bytes);
  let x = seed;
  for (let i = 0; i < bytes; i += 1) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0;
    state[i] = x >>> 24;
  }
  return state;
}

async function stage(store: NodeStore, index: number, term: number, state: Uint8Array, piece = 70_001): Promise<StagedSnapshot> {
  const writer = await store.stageSnapshot(metaAt(index, term));
  for (let at = 0; at < state.length; at += piece) await writer.write(state.subarray(at, at + piece));
  return writer.finish();
}

export const snapshotCases: readonly SuiteCase[] = [
  [
    'a snapshot comes back byte for byte, with its configuration and digest, also from a chunk in the middle',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      const state = stateOf(2_500_000, 1);
      const staged = await stage(store, 10, 2, state);
      equal([staged.bytes, staged.digest], [state.length, digestOf([state])], 'size and digest');
      await store.write({ snapshot: { staged, keepLogAfter: false } });
      const again = await reopen(store);
      const loaded = await again.load();
      equal(loaded.snapshot, metaAt(10, 2), 'meta');
      equal([loaded.snapshotBytes, loaded.firstIndex, loaded.lastIndex], [state.length, 11, 10], 'bounds');
      equal(again.term(10), 2, 'term of the snapshot');
      const snapshot = await again.snapshot();
      equal(snapshot?.digest, digestOf([state]), 'digest');
      equal(digestOf([await readSnapshot(snapshot)]), digestOf([state]), 'bytes');
      let firstBytes = 0;
      for await (const chunk of snapshot?.chunks() ?? []) {
        firstBytes = chunk.length;
        break;
      }
      equal(digestOf([await readSnapshot(snapshot, 1)]), digestOf([state.subarray(firstBytes)]), 'from chunk 1');
    },
  ],
  [
    'a staged snapshot is not in force until it is written, and not after reopening',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      await store.write({ entries: entriesOf(1, 5, 1) });
      await stage(store, 3, 1, stateOf(1000, 2));
      equal(await store.snapshot(), undefined, 'the snapshot in force');
      const state = await (await reopen(store)).load();
      equal([state.snapshot, state.firstIndex, state.lastIndex], [undefined, 1, 5], 'after reopening');
    },
  ],
  [
    'a received snapshot replaces the log, whatever was in it, in one write with hard state and entries',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      for (let i = 1; i <= 30; i += 1) await store.write({ entries: entriesOf(i, i, 1) });
      const staged = await stage(store, 20, 4, stateOf(5000, 3));
      await store.write({
        snapshot: { staged, keepLogAfter: false },
        entries: entriesOf(21, 22, 4),
        hardState: { term: 4, vote: 'z', commit: 20 },
      });
      equal([store.term(19), store.term(20), store.term(22), store.term(23)], [undefined, 4, 4, undefined], 'terms');
      const again = await reopen(store);
      const state = await again.load();
      equal([state.firstIndex, state.lastIndex, state.hardState.commit], [21, 22, 20], 'bounds');
      equal(await readAll(again, 21, 22), entriesOf(21, 22, 4), 'entries');
    },
  ],
  [
    'a received snapshot leaves nothing of a longer log behind it',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      await store.write({ entries: entriesOf(1, 10, 1) });
      await store.write({ entries: entriesOf(11, 30, 1) });
      const staged = await stage(store, 15, 3, stateOf(10, 3));
      await store.write({ snapshot: { staged, keepLogAfter: false } });
      let again = await reopen(store);
      equal((await again.load()).lastIndex, 15, 'the old suffix is gone');
      equal([again.term(15), again.term(16)], [3, undefined], 'terms');
      await again.write({ entries: entriesOf(16, 17, 3) });
      again = await reopen(again);
      equal((await again.load()).lastIndex, 17, 'last index');
      equal(await readAll(again, 16, 17), entriesOf(16, 17, 3), 'what came after');
    },
  ],
  [
    'an own snapshot keeps a log that holds its point; a log that does not goes',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      await store.write({ entries: entriesOf(1, 10, 2) });
      await store.write({ snapshot: { staged: await stage(store, 6, 2, stateOf(10, 4)), keepLogAfter: true } });
      let again = await reopen(store);
      equal((await again.load()).lastIndex, 10, 'kept');
      equal(await readAll(again, 7, 10), entriesOf(7, 10, 2), 'entries');
      await again.write({ snapshot: { staged: await stage(again, 8, 3, stateOf(10, 4)), keepLogAfter: true } });
      again = await reopen(again);
      const state = await again.load();
      equal([state.firstIndex, state.lastIndex, again.term(8)], [9, 8, 3], 'another term at its index');
    },
  ],
  [
    'the next snapshot takes the place of the last; whoever reads the old one reads it to its end',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      await store.write({ entries: entriesOf(1, 10, 1) });
      const old = stateOf(2_200_000, 5);
      await store.write({ snapshot: { staged: await stage(store, 4, 1, old), keepLogAfter: true } });
      const read: Uint8Array[] = [];
      let replaced = false;
      for await (const chunk of (await store.snapshot())?.chunks() ?? []) {
        read.push(chunk);
        if (replaced) continue;
        replaced = true;
        await store.write({ snapshot: { staged: await stage(store, 8, 1, stateOf(3, 6)), keepLogAfter: true } });
        await store.compact(8);
      }
      equal(digestOf(read), digestOf([old]), 'the old one');
      const again = await reopen(store);
      equal((await again.load()).snapshot?.index, 8, 'the one in force');
      equal(digestOf([await readSnapshot(await again.snapshot())]), digestOf([stateOf(3, 6)]), 'its bytes');
    },
  ],
  [
    'a snapshot that is not what was promised is refused; an aborted one leaves no trace; an empty one is one',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      const writer = await store.stageSnapshot(metaAt(3, 1));
      await writer.write(new Uint8Array(100));
      await fails(() => writer.finish('0'.repeat(32)), 'corrupt', 'a wrong digest');
      const aborted = await store.stageSnapshot(metaAt(3, 1));
      await aborted.write(new Uint8Array(2_000_000));
      await aborted.abort();
      const staged = await (await store.stageSnapshot(metaAt(3, 1))).finish();
      equal(staged.bytes, 0, 'bytes');
      await store.write({ snapshot: { staged, keepLogAfter: false } });
      const again = await reopen(store);
      equal((await again.load()).snapshot?.index, 3, 'index');
      equal((await readSnapshot(await again.snapshot())).length, 0, 'bytes read');
    },
  ],
  [
    'a finished snapshot stays whole when its writer is aborted after that',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      const writer = await store.stageSnapshot(metaAt(3, 1));
      await writer.write(stateOf(2_000, 5));
      const staged = await writer.finish();
      await writer.abort();
      await store.write({ snapshot: { staged, keepLogAfter: false } });
      await writer.abort();
      equal((await readSnapshot(await store.snapshot())).length, 2_000, 'bytes read');
      const again = await reopen(store);
      equal(digestOf([await readSnapshot(await again.snapshot())]), digestOf([stateOf(2_000, 5)]), 'its bytes');
    },
  ],
  [
    'a staged snapshot that is discarded cannot be written; one that is in force stays, whoever discards it',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      const kept = await stage(store, 3, 1, stateOf(1_100_000, 7));
      await store.write({ snapshot: { staged: kept, keepLogAfter: false } });
      const gone = await stage(store, 5, 1, stateOf(1_100_000, 8));
      await store.discardStaged(gone);
      await store.discardStaged(gone);
      await store.discardStaged(kept);
      await fails(() => store.write({ snapshot: { staged: gone, keepLogAfter: false } }), 'invalid-argument', 'the discarded');
      await fails(() => store.write({ snapshot: { staged: kept, keepLogAfter: false } }), 'invalid-argument', 'the used');
      await store.write({ entries: entriesOf(4, 4, 1) });
      const again = await reopen(store);
      equal((await again.load()).snapshot?.index, 3, 'the one in force');
      equal(digestOf([await readSnapshot(await again.snapshot())]), digestOf([stateOf(1_100_000, 7)]), 'its bytes');
    },
  ],
  [
    'of many snapshots that nobody writes the oldest give way, finished or not; the newest can be written',
    async ({ acquire }) => {
      const store = await acquire();
      const oldWriter = await store.stageSnapshot(metaAt(1, 1));
      await oldWriter.write(stateOf(10, 1));
      const old = await stage(store, 2, 1, stateOf(10, 2));
      let newest = old;
      for (let i = 0; i < STAGED_SNAPSHOTS_MAX; i += 1) newest = await stage(store, 10 + i, 1, stateOf(10, i));
      await fails(() => oldWriter.write(stateOf(10, 1)), 'invalid-argument', 'the oldest writer');
      await fails(() => oldWriter.finish(), 'invalid-argument', 'finishing it');
      await fails(() => store.write({ snapshot: { staged: old, keepLogAfter: false } }), 'invalid-argument', 'the oldest handle');
      await store.write({ snapshot: { staged: newest, keepLogAfter: false } });
      equal((await store.load()).snapshot?.index, 9 + STAGED_SNAPSHOTS_MAX, 'the newest');
    },
  ],
  [
    'a snapshot of another store is not taken for one of this',
    async ({ acquire }) => {
      const [one, other] = [await acquire(), await acquire()];
      const staged = await stage(other, 3, 1, stateOf(10, 1));
      await fails(() => one.write({ snapshot: { staged, keepLogAfter: false } }), 'invalid-argument', 'a foreign snapshot');
      check((await one.snapshot()) === undefined, 'it is in force');
    },
  ],
];
