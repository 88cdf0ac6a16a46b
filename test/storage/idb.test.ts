import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { IdbStorage } from '../../src/storage/idb/idb-storage.ts';
import type { StoreFault } from '../../src/storage/storage.ts';
import { entriesOf } from '../../src/testing/storage-suite/context.ts';
import { storageSuite } from '../../src/testing/storage-suite.ts';
import { FakeLocks } from './support/locks.ts';

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
