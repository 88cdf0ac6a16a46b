/** A store moves between media, and the power goes at every step: one place is in force, and nothing is lost. */
import { expect, test } from 'vitest';
import { FileMedium } from '../../src/storage/opfs/file-medium.ts';
import type { Medium } from '../../src/storage/packed/medium.ts';
import { moveMedium } from '../../src/storage/packed/move.ts';
import { adoptPacked, openPacked } from '../../src/storage/packed/open-packed.ts';
import type { PackedStore } from '../../src/storage/packed/packed-store.ts';
import { ModelledDisk } from '../../src/testing/modelled-disk.ts';
import { entriesOf, metaAt } from '../../src/testing/storage-suite/context.ts';
import { stateOf } from './support/crash-scenarios.ts';
import { ModelledFiles } from './support/modelled-files.ts';

/** A place that a store can lie in, and that counts its steps. */
interface Place {
  open(): Promise<Medium>;
  onStep(hook: (() => void) | undefined): void;
  crash(): void;
}

function tablesPlace(): Place {
  const disk = new ModelledDisk();
  return {
    open: async () => disk.open(),
    onStep: (hook) => {
      disk.onStep = hook;
    },
    crash: () => disk.crash((place) => place % 2 === 0),
  };
}

function filesPlace(): Place {
  const files = new ModelledFiles();
  let n = 0;
  return {
    open: () => FileMedium.open(files.folder(), { fileBytes: 6_000 }),
    onStep: (hook) => {
      files.onCall = hook;
    },
    crash: () =>
      files.crash(() => {
        n += 1;
        return n % 3 === 0;
      }),
  };
}

const init = (medium: Medium, fresh: boolean) =>
  ({ medium, room: 'r', nodeId: 'n', bootNonce: 'b', durability: 'strict', onFault: undefined, fresh, nowMs: 1 }) as const;

async function fill(place: Place): Promise<void> {
  const store = await openPacked(init(await place.open(), true));
  if (store === undefined) throw new Error('not made');
  await store.load();
  await store.write({ cluster: { clusterId: 'c', epoch: 3 }, putRecords: [['k', new Uint8Array([1, 2])]] });
  for (let i = 1; i <= 20; i += 1) {
    await store.write({ entries: entriesOf(i, i, 1, 400), hardState: { term: 4, vote: 'me', commit: i - 1 } });
  }
  const writer = await store.stageSnapshot(metaAt(8, 1));
  await writer.write(new Uint8Array(1_100_000).fill(8));
  await store.write({ snapshot: { staged: await writer.finish(), keepLogAfter: true } });
  await store.identityKey.save(await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']));
  await store.close();
}

/** What is in force in a place; undefined when nothing is. Looking opens it, as a tab would. */
async function inForce(place: Place): Promise<PackedStore | undefined> {
  return adoptPacked(init(await place.open(), false));
}

async function pictureOf(store: PackedStore): Promise<string> {
  const key = await store.identityKey.load();
  const publicKey = key && (await crypto.subtle.exportKey('jwk', key.publicKey));
  return JSON.stringify([await stateOf(store), publicKey, store.identity.nodeId]);
}

async function move(from: Place, to: Place): Promise<boolean> {
  const [source, target] = [await from.open(), await to.open()];
  try {
    return await moveMedium(source, target);
  } finally {
    await source.close();
    await target.close();
  }
}

const ROUTES: readonly (readonly [string, () => Place, () => Place])[] = [
  ['from tables to files', tablesPlace, filesPlace],
  ['from files to tables', filesPlace, tablesPlace],
];

test.each(ROUTES)(
  '%s: everything is there, and the other place is empty; the store works on',
  async (_name, makeFrom, makeTo) => {
    const [from, to] = [makeFrom(), makeTo()];
    await fill(from);
    const before = await inForce(from);
    const picture = before && (await pictureOf(before));
    await before?.close();
    expect(await move(from, to)).toBe(true);
    expect(await move(from, to)).toBe(false);
    expect(await inForce(from)).toBeUndefined();
    const after = await inForce(to);
    expect(after?.identity.bootCount).toBe(2);
    expect(after && (await pictureOf(after))).toBe(picture);
    await after?.write({ entries: entriesOf(21, 22, 5) });
    await after?.close();
    // And back.
    expect(await move(to, from)).toBe(true);
    expect((await (await inForce(from))?.load())?.lastIndex).toBe(22);
    expect(await inForce(to)).toBeUndefined();
  },
);

/** Runs the move until its step `at`, where the power goes; resolves to whether it came to its end before. */
async function moveUntil(at: number, from: Place, to: Place): Promise<boolean> {
  let steps = 0;
  const died = new Promise<void>((resolve) => {
    const hook = (): void => {
      steps += 1;
      if (steps !== at) return;
      from.onStep(undefined);
      to.onStep(undefined);
      from.crash();
      to.crash();
      resolve();
    };
    from.onStep(hook);
    to.onStep(hook);
  });
  const done = await Promise.race([
    died.then(() => false),
    move(from, to).then(
      () => true,
      () => false,
    ),
  ]);
  from.onStep(undefined);
  to.onStep(undefined);
  return done;
}

/** Looks at both as tabs would. At most one is in force: nobody takes up a second life of the node. Writes to it; how many there were. */
async function lookAndWrite(at: number, places: readonly Place[]): Promise<number> {
  const alive: PackedStore[] = [];
  for (const place of places) {
    const store = await inForce(place);
    if (store !== undefined) alive.push(store);
  }
  expect(alive.length, `crash ${at}`).toBeLessThanOrEqual(1);
  for (const store of alive) {
    await store.load();
    await store.write({ entries: entriesOf(21, 21, 4) });
    await store.close();
  }
  return alive.length;
}

async function expectMoved(what: string, from: Place, to: Place, lastIndex: number): Promise<void> {
  expect(await inForce(from), `${what}: still in the old place`).toBeUndefined();
  const moved = await inForce(to);
  const state = await moved?.load();
  expect(state, what).toMatchObject({ lastIndex, hardState: { term: 4, vote: 'me' } });
  expect(await moved?.identityKey.load(), what).toBeDefined();
  await moved?.close();
}

test.each(ROUTES)('%s: the power goes at every step, and the move is gone on with', async (_name, makeFrom, makeTo) => {
  let points = 0;
  for (let at = 1, done = false; !done; at += 1) {
    const [from, to] = [makeFrom(), makeTo()];
    await fill(from);
    done = await moveUntil(at, from, to);
    const alive = await lookAndWrite(at, [from, to]);
    // Whoever goes on with the move finds what was in force, with all that was written meanwhile.
    await move(from, to);
    await expectMoved(`crash ${at}`, from, to, 20 + alive);
    points += 1;
  }
  expect(points).toBeGreaterThan(20);
});

test.each(ROUTES)(
  '%s: the power goes at every step, and the move is asked for the other way',
  async (_name, makeFrom, makeTo) => {
    let points = 0;
    for (let at = 1, done = false; !done; at += 1) {
      const [from, to] = [makeFrom(), makeTo()];
      await fill(from);
      done = await moveUntil(at, from, to);
      const alive = await lookAndWrite(at, [from, to]);
      await move(to, from);
      await expectMoved(`crash ${at}, back`, to, from, 20 + alive);
      // Nothing of the first try stands in the way of the next.
      expect(await move(from, to), `crash ${at}, again`).toBe(true);
      await expectMoved(`crash ${at}, again`, from, to, 20 + alive);
      points += 1;
    }
    expect(points).toBeGreaterThan(20);
  },
);

test.each(ROUTES)('%s and, interrupted there, back: the power goes at every step of both', async (_name, makeFrom, makeTo) => {
  // Steps of the one with steps of the other, so that over the routes all kinds of moments meet.
  for (let first = 1, done = false; !done; first += 5) {
    for (let second = 1, undone = false; !undone; second += 7) {
      const [from, to] = [makeFrom(), makeTo()];
      await fill(from);
      done = await moveUntil(first, from, to);
      undone = await moveUntil(second, to, from);
      const alive = await lookAndWrite(second, [from, to]);
      await move(from, to);
      await expectMoved(`crashes ${first} and ${second}`, from, to, 20 + alive);
    }
  }
});

test('two stores of one identity: neither is given up', async () => {
  const [from, to] = [tablesPlace(), tablesPlace()];
  await fill(from);
  await fill(to);
  await expect(move(from, to)).rejects.toMatchObject({ code: 'invalid-argument' });
  for (const place of [from, to]) expect((await (await inForce(place))?.load())?.lastIndex).toBe(20);
});

test('a place that keeps other bytes than it was given: the move fails, and the store stays where it was', async () => {
  for (const table of ['log', 'chunks', 'records', 'meta'] as const) {
    const [from, to] = [tablesPlace(), tablesPlace()];
    await fill(from);
    const target = await to.open();
    let spoiled = false;
    const commit = target.commit.bind(target);
    target.commit = (operations, durability) =>
      commit(
        operations.map((operation) => {
          if (spoiled || operation.table !== table || operation.kind !== 'put' || operation.key === 'moving') return operation;
          spoiled = true;
          const value = operation.value.slice();
          value[value.length - 1] = (value.at(-1) ?? 0) ^ 1;
          return { ...operation, value };
        }),
        durability,
      );
    await expect(moveMedium(await from.open(), target), table).rejects.toMatchObject({ code: 'storage' });
    expect(await inForce(to)).toBeUndefined();
    expect((await (await inForce(from))?.load())?.lastIndex).toBe(20);
  }
});
