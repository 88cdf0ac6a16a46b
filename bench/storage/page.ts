/** The bench in a browser: IndexedDB and files, each against the least that the same disk must do. */
import { IdbStorage } from '../../src/storage/idb/idb-storage.ts';
import { OpfsStorage } from '../../src/storage/opfs/opfs-storage.ts';
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

/** idb: IndexedDB on the page. opfs: files of a worker, asked from the page, beside the same IndexedDB transactions. */
async function bench(kind: 'idb' | 'opfs', lengths: readonly number[], snapshotBytes: number): Promise<Row[]> {
  const say = (globalThis as unknown as { say: (line: string) => void }).say;
  const worker = (): Worker => new Worker('/files.js', { type: 'module' });
  const provider = kind === 'idb' ? new IdbStorage({ persist: false }) : new OpfsStorage({ persist: false, worker });
  return measure({ provider, probe: await bareProbe(), say, lengths, snapshotBytes });
}

/** The same where the engine will be: files held by the worker that writes, beside bare writes and flushes of a file. */
function benchInWorker(lengths: readonly number[], snapshotBytes: number): Promise<Row[]> {
  const say = (globalThis as unknown as { say: (line: string) => void }).say;
  const worker = new Worker('/worker.js', { type: 'module' });
  worker.postMessage({ lengths, snapshotBytes });
  return new Promise((resolve, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }: MessageEvent<{ line?: string; rows?: Row[] }>) => {
      if (data.line !== undefined) say(data.line);
      if (data.rows !== undefined) resolve(data.rows);
    };
  });
}
Object.assign(globalThis, { bench, benchInWorker });
