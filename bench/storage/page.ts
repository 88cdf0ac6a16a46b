/** The bench in a browser: IndexedDB against bare transactions of it. */
import { IdbStorage } from '../../src/storage/idb/idb-storage.ts';
import { measure, type Probe, type Row } from './measure.ts';

function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore('values');
  return result(request);
}

async function bareProbe(): Promise<Probe> {
  const database = await open('probe');
  let next = 0;
  return {
    write: (value) => {
      const transaction = database.transaction('values', 'readwrite', { durability: 'strict' });
      transaction.objectStore('values').put(value, next);
      next += 1;
      return done(transaction);
    },
    readLast: async (count) => {
      let bytes = 0;
      const range = IDBKeyRange.lowerBound(next - count);
      const values = await result<Uint8Array[]>(database.transaction('values').objectStore('values').getAll(range));
      for (const value of values) bytes += value.length;
      return bytes;
    },
    reopen: async () => {
      const again = await open('probe');
      await result(again.transaction('values').objectStore('values').get(0));
      again.close();
    },
  };
}

async function bench(lengths: readonly number[], snapshotBytes: number): Promise<Row[]> {
  const say = (globalThis as unknown as { say: (line: string) => void }).say;
  return measure({ provider: new IdbStorage({ persist: false }), probe: await bareProbe(), say, lengths, snapshotBytes });
}
Object.assign(globalThis, { bench });
