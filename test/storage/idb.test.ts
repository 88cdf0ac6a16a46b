import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { IdbStorage } from '../../src/storage/idb/idb-storage.ts';
import type { StoreFault } from '../../src/storage/storage.ts';
import { entriesOf, readAll } from '../../src/testing/storage-suite/context.ts';
import { storageSuite } from '../../src/testing/storage-suite.ts';
import { FORMAT_2_ENTRIES, FORMAT_2_STATE } from './support/format-2.ts';
import { FakeLocks } from './support/locks.ts';
import { parseTables } from './support/packed.ts';

const suiteLocks = new FakeLocks().asLocks();
for (const { name, run } of storageSuite({ open: () => new IdbStorage({ locks: suiteLocks }) })) test(`suite: ${name}`, run);

function edit(name: string, change: (store: IDBObjectStore) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction('meta', 'readwrite');
      change(transaction.objectStore('meta'));
      transaction.oncomplete = () => {
        opening.result.close();
        resolve();
      };
    };
  });
}
const damage = (name: string): Promise<void> => edit(name, (store) => store.put(new Uint8Array([1, 2, 3, 4, 5]), 'head'));

describe('a damaged database', () => {
  test('is refused when it is preferred, also when it is the only orphan; fresh goes on without it; it stays', async () => {
    const locks = new FakeLocks();
    const provider = new IdbStorage({ locks: locks.asLocks() });
    const store = await provider.acquire({ room: 'damaged' });
    const { nodeId } = store.identity;
    const name = `tabraft:damaged:${nodeId}`;
    await store.close();
    await damage(name);
    await expect(provider.acquire({ room: 'damaged', preferred: nodeId })).rejects.toMatchObject({ code: 'corrupt' });
    await expect(provider.acquire({ room: 'damaged' })).rejects.toMatchObject({ code: 'corrupt' });
    expect(locks.names).toEqual([]);
    const fresh = await provider.acquire({ room: 'damaged', fresh: true });
    expect(fresh.identity.nodeId).not.toBe(nodeId);
    await fresh.close();
    expect((await indexedDB.databases()).map((database) => database.name)).toContain(name);
    // A whole orphan is taken before anybody is troubled with a damaged one.
    const adopted = await provider.acquire({ room: 'damaged' });
    expect(adopted.identity.nodeId).toBe(fresh.identity.nodeId);
    await adopted.close();
  });
});

describe('the lock of an identity', () => {
  test('is held while the store is open, and given back by close and by wipe', async () => {
    const locks = new FakeLocks();
    const provider = new IdbStorage({ locks: locks.asLocks() });
    const store = await provider.acquire({ room: 'lock' });
    expect(locks.names).toEqual([`tabraft:lock:${store.identity.nodeId}`]);
    await store.close();
    expect(locks.names).toEqual([]);
    const again = await provider.acquire({ room: 'lock' });
    await again.wipe();
    expect(locks.names).toEqual([]);
  });

  test('taken by force ends the store at once', async () => {
    const locks = new FakeLocks();
    const faults: StoreFault[] = [];
    const provider = new IdbStorage({ locks: locks.asLocks() });
    const store = await provider.acquire({ room: 'stolen', onFault: (fault) => faults.push(fault) });
    await store.write({ entries: entriesOf(1, 1, 1) });
    locks.steal(`tabraft:stolen:${store.identity.nodeId}`);
    await expect.poll(() => faults).toMatchObject([{ code: 'storage-closed' }]);
    await expect(store.write({ entries: entriesOf(2, 2, 1) })).rejects.toMatchObject({ code: 'storage-closed' });
    await store.close();
  });
});

const named = async (prefix: string): Promise<string[]> =>
  (await indexedDB.databases()).flatMap(({ name }) => (name?.startsWith(prefix) ? [name] : []));

/** As the browser, which clears data between any two moments: what `databases` lists is gone when it is opened. */
function listing(...names: readonly string[]): () => void {
  const { databases } = indexedDB;
  indexedDB.databases = async () => names.map((name) => ({ name, version: 1 }));
  return () => {
    indexedDB.databases = databases;
  };
}

describe('a database that vanishes while another tab looks', () => {
  test('is not made again, neither by looking at it nor by opening it; a new identity comes instead', async () => {
    const provider = new IdbStorage({ locks: new FakeLocks().asLocks() });
    const restore = listing('tabraft:vanished:one', 'tabraft:vanished:two');
    for (const preferred of [undefined, 'one']) {
      const store = await provider.acquire({ room: 'vanished', preferred });
      expect(['one', 'two']).not.toContain(store.identity.nodeId);
      expect(store.identity.bootCount).toBe(0);
      await store.close();
    }
    restore();
    const left = await named('tabraft:vanished:');
    expect(left).toHaveLength(2);
    expect(left.filter((name) => /:(?:one|two)$/.test(name))).toEqual([]);
  });

  test('one that an earlier build left empty is cleared away, not called corrupt', async () => {
    await new Promise<void>((resolve) => {
      const opening = indexedDB.open('tabraft:husk:one');
      opening.onsuccess = () => {
        opening.result.close();
        resolve();
      };
    });
    const store = await new IdbStorage({ locks: new FakeLocks().asLocks() }).acquire({ room: 'husk', preferred: 'one' });
    expect(store.identity.nodeId).not.toBe('one');
    expect(await named('tabraft:husk:')).toEqual([`tabraft:husk:${store.identity.nodeId}`]);
    await store.close();
  });

  test('one that lacks some of its tables is damaged, and stays', async () => {
    await new Promise<void>((resolve) => {
      const opening = indexedDB.open('tabraft:half:one', 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore('meta');
      opening.onsuccess = () => {
        opening.result.close();
        resolve();
      };
    });
    const acquired = new IdbStorage({ locks: new FakeLocks().asLocks() }).acquire({ room: 'half' });
    await expect(acquired).rejects.toMatchObject({ code: 'corrupt' });
    expect(await named('tabraft:half:')).toEqual(['tabraft:half:one']);
  });
});

describe('a database that 138e393 wrote', () => {
  test('opens with all that was in it, takes a key pair, and is refused to the build that wrote it', async () => {
    const tables = parseTables(readFileSync(new URL('./fixtures/format-2.json', import.meta.url), 'utf8'));
    await new Promise<void>((resolve) => {
      const opening = indexedDB.open('tabraft:room:node', 1);
      opening.onupgradeneeded = () => {
        for (const [name, table] of Object.entries(tables)) {
          const store = opening.result.createObjectStore(name);
          for (const [key, value] of table) store.put(value, key);
        }
      };
      opening.onsuccess = () => {
        opening.result.close();
        resolve();
      };
    });
    const provider = new IdbStorage({ locks: new FakeLocks().asLocks() });
    const store = await provider.acquire({ room: 'room', preferred: 'node' });
    expect(store.identity.nodeId).toBe('node');
    expect(await store.load()).toMatchObject(FORMAT_2_STATE);
    expect(await readAll(store, 5, 14)).toEqual(FORMAT_2_ENTRIES);
    expect(await store.identityKey.load()).toBeUndefined();
    await store.close();
    const refused = await new Promise<string | undefined>((resolve) => {
      const opening = indexedDB.open('tabraft:room:node', 1);
      opening.onerror = () => resolve(opening.error?.name);
      opening.onsuccess = () => resolve('opened');
    });
    // What a build of that time calls `storage-newer`.
    expect(refused).toBe('VersionError');
  });
});
