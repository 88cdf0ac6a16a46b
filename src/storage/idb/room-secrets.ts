/**
 * The secrets of rooms that this site knows by their names: the first one of a name is kept, whichever tab came first, so that
 * all tabs of a browser profile that ask for a room by its name mean the same room.
 */
import { RaftError } from '../../core/errors.ts';
import { storageError } from './idb-errors.ts';

const DATABASE = 'tabraft-rooms';
const TABLE = 'secrets';

/** The secret kept for a room, undefined for none. Errors: storage-unavailable, storage. */
export async function secretKept(room: string): Promise<string | undefined> {
  const database = await opened();
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      const found = database.transaction(TABLE).objectStore(TABLE).get(room);
      found.onsuccess = () => resolve(typeof found.result === 'string' ? found.result : undefined);
      found.onerror = () => reject(found.error);
    });
  } catch (error) {
    throw storageError(error);
  } finally {
    database.close();
  }
}

/** The secret kept for a room; `made` is kept, and given back, where there is none. Errors: storage-unavailable, storage, quota. */
export async function keptSecret(room: string, made: string): Promise<string> {
  if (typeof indexedDB === 'undefined')
    throw new RaftError('storage-unavailable', 'This browser, or its private mode, has no IndexedDB.');
  const database = await opened();
  try {
    return await new Promise<string>((resolve, reject) => {
      const transaction = database.transaction(TABLE, 'readwrite', { durability: 'strict' });
      const table = transaction.objectStore(TABLE);
      let kept = made;
      const found = table.get(room);
      found.onsuccess = () => {
        const known: unknown = found.result;
        if (typeof known === 'string') kept = known;
        else table.put(made, room);
      };
      transaction.oncomplete = () => resolve(kept);
      transaction.onabort = () => reject(transaction.error);
    });
  } catch (error) {
    throw storageError(error);
  } finally {
    database.close();
  }
}

/** Another secret in the place of the one that is kept for a room; nothing where that is not `known` any more. Errors as above. */
export async function replaceKept(room: string, known: string, next: string): Promise<void> {
  const database = await opened();
  try {
    await new Promise<void>((resolve, reject) => {
      const transaction = database.transaction(TABLE, 'readwrite', { durability: 'strict' });
      const table = transaction.objectStore(TABLE);
      const found = table.get(room);
      found.onsuccess = () => {
        if (found.result === known) table.put(next, room);
      };
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  } catch (error) {
    throw storageError(error);
  } finally {
    database.close();
  }
}

async function opened(): Promise<IDBDatabase> {
  try {
    return await new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open(DATABASE, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
  } catch (error) {
    throw storageError(error, 'open');
  }
}
