/**
 * The node's key pair in IndexedDB: the handle itself, which the browser keeps and no script can read, in the database of
 * the log.
 */
import type { NodeId } from '../../core/types.ts';
import { keyIsThere } from '../identity-key.ts';
import type { IdentityKey } from '../storage.ts';
import { storageError } from './idb-errors.ts';

export const KEY_TABLE = 'keys';
const OWN_KEY = 'identity';

export class IdbIdentityKey implements IdentityKey {
  readonly needsExtractable: boolean = false;
  readonly #database: IDBDatabase;

  constructor(database: IDBDatabase) {
    this.#database = database;
  }

  load(): Promise<CryptoKeyPair | undefined> {
    return settled(() => {
      const request = this.#database.transaction(KEY_TABLE).objectStore(KEY_TABLE).get(OWN_KEY);
      return [request.transaction, () => request.result as CryptoKeyPair | undefined];
    });
  }

  save(pair: CryptoKeyPair): Promise<void> {
    return settled(() => {
      const transaction = this.#database.transaction(KEY_TABLE, 'readwrite', { durability: 'strict' });
      // Adding fails where there is one already: asked and kept in one transaction.
      transaction.objectStore(KEY_TABLE).add(pair, OWN_KEY);
      return [transaction, () => undefined];
    });
  }
}

/**
 * For a node whose log is in files: these cannot hold a handle, so that the pair lies in a database of its own. Browsers
 * clear and evict both together.
 */
export class DetachedIdentityKey implements IdentityKey {
  readonly needsExtractable: boolean = false;
  readonly #name: string;

  constructor(room: string, nodeId: NodeId) {
    this.#name = `tabraft-key:${encodeURIComponent(room)}:${nodeId}`;
  }

  async load(): Promise<CryptoKeyPair | undefined> {
    return this.#with((key) => key.load());
  }

  async save(pair: CryptoKeyPair): Promise<void> {
    await this.#with((key) => key.save(pair));
  }

  /** With the identity, when it is wiped. */
  async forget(): Promise<void> {
    await requested(() => indexedDB.deleteDatabase(this.#name));
  }

  async #with<T>(work: (key: IdentityKey) => Promise<T>): Promise<T> {
    const database = await requested(() => {
      const opening = indexedDB.open(this.#name, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(KEY_TABLE);
      return opening;
    });
    try {
      return await work(new IdbIdentityKey(database));
    } finally {
      database.close();
    }
  }
}

async function requested<T>(ask: () => IDBRequest<T>): Promise<T> {
  try {
    const request = ask();
    return await new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } catch (error) {
    throw storageError(error);
  }
}

/** Runs one transaction to its end. */
async function settled<T>(begin: () => readonly [IDBTransaction | null, () => T]): Promise<T> {
  try {
    const [transaction, result] = begin();
    await new Promise<void>((resolve, reject) => {
      if (transaction === null) return resolve();
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new DOMException('The transaction was aborted.', 'AbortError'));
    });
    return result();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'ConstraintError') throw keyIsThere();
    throw storageError(error);
  }
}
