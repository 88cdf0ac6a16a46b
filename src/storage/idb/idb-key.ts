/**
 * The node's key pair in IndexedDB: the handle itself, which the browser keeps and no script can read, in the database of
 * the log. The object store of one database can hold several, by name.
 */
import { keyIsThere } from '../identity-key.ts';
import type { IdentityKey } from '../storage.ts';
import { storageError } from './idb-errors.ts';

export const KEY_TABLE = 'keys';
const OWN_KEY = 'identity';

export class IdbIdentityKey implements IdentityKey {
  readonly needsExtractable: boolean = false;
  readonly #database: IDBDatabase;
  readonly #name: string;

  constructor(database: IDBDatabase, name: string = OWN_KEY) {
    this.#database = database;
    this.#name = name;
  }

  load(): Promise<CryptoKeyPair | undefined> {
    return settled(() => {
      const request = this.#database.transaction(KEY_TABLE).objectStore(KEY_TABLE).get(this.#name);
      return [request.transaction, () => request.result as CryptoKeyPair | undefined];
    });
  }

  save(pair: CryptoKeyPair): Promise<void> {
    return settled(() => {
      const transaction = this.#database.transaction(KEY_TABLE, 'readwrite', { durability: 'strict' });
      // Adding fails where there is one already: asked and kept in one transaction.
      transaction.objectStore(KEY_TABLE).add(pair, this.#name);
      return [transaction, () => undefined];
    });
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
