/**
 * IndexedDB as a medium. Version 1 of the database has the four tables; version 2 a place for the node's key pair. What is
 * in the tables has a version of its own.
 */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB, unwrap } from 'idb';
import { RaftError } from '../../core/errors.ts';
import {
  type Durability,
  type Key,
  type Medium,
  type Operation,
  type StoredRecord,
  TABLES,
  type Table,
} from '../packed/medium.ts';
import type { IdentityKey } from '../storage.ts';
import { storageError } from './idb-errors.ts';
import { IdbIdentityKey, KEY_TABLE } from './idb-key.ts';

const DATABASE_VERSION = 2;
/** How long opening waits for another tab to let go of an older or vanishing database before it says so. */
const BLOCKED_WAIT_MS = 5_000;

interface TableSchema extends DBSchema {
  meta: { key: string; value: Uint8Array };
  log: { key: number; value: Uint8Array };
  chunks: { key: number; value: Uint8Array };
  records: { key: string; value: Uint8Array };
  keys: { key: string; value: CryptoKeyPair };
}
type Database = IDBPDatabase<TableSchema>;

export interface IdbMediumInit {
  readonly name: string;
  /** Make the database when there is none. Otherwise one that is not there, or that nobody ever wrote to, is not opened. */
  readonly create: boolean;
  /** Called when the browser, or another tab's newer build, ends the connection. */
  readonly onLost: (error: RaftError) => void;
  /** Called once the database is closed. */
  readonly onClosed: () => void;
}

export class IdbMedium implements Medium {
  readonly identityKey: IdentityKey;
  readonly #database: Database;
  readonly #init: IdbMediumInit;
  #closed = false;
  /** Transactions not settled yet. */
  readonly #busy = new Set<Promise<unknown>>();

  private constructor(database: Database, init: IdbMediumInit) {
    this.#database = database;
    this.#init = init;
    this.identityKey = new IdbIdentityKey(unwrap(database));
  }

  /** undefined for one that is not there and was not to be made. Errors: storage-newer, storage-blocked, storage-unavailable, storage. */
  static async open(init: IdbMediumInit): Promise<IdbMedium | undefined> {
    let medium: IdbMedium | undefined;
    let absent = false;
    const opening = openDB<TableSchema>(init.name, DATABASE_VERSION, {
      upgrade: (database, oldVersion, _newVersion, transaction) => {
        // It vanished since it was seen (deleted, cleared by the browser): opening must not make another in its place.
        absent = oldVersion === 0 && !init.create;
        if (absent) undo(transaction);
        else makeTables(database, oldVersion);
      },
      blocking: (_current, wanted) => medium?.giveWay(wanted),
      terminated: () => medium?.lose(new RaftError('storage-closed', 'The browser closed the database of this node.')),
    });
    try {
      const database = await withDeadline(opening, init.name);
      medium = new IdbMedium(database, init);
    } catch (error) {
      if (!absent) throw error;
    }
    return medium;
  }

  /** Another tab wants to delete the database, or to upgrade it. */
  giveWay(wanted: number | null): void {
    const error =
      wanted === null
        ? new RaftError('storage-closed', 'The database of this node is being deleted.')
        : new RaftError('storage-newer', 'A newer version of tabraft takes over the database of this node: reload the page.');
    this.#database.close();
    this.lose(error);
  }

  lose(error: RaftError): void {
    if (this.#closed) return;
    this.#init.onLost(error);
  }

  commit(operations: readonly Operation[], durability: Durability): Promise<void> {
    return this.#track(this.#commit(operations, durability));
  }

  async #commit(operations: readonly Operation[], durability: Durability): Promise<void> {
    try {
      const tables = [...new Set(operations.map((operation) => operation.table))];
      // Bare requests: a promise for each of them would be the greater part of what this costs.
      const transaction = unwrap(this.#database).transaction(tables, 'readwrite', { durability });
      for (const operation of operations) {
        const store = transaction.objectStore(operation.table);
        if (operation.kind === 'put') store.put(operation.value, operation.key);
        else if (operation.kind === 'delete') store.delete(operation.key);
        else store.delete(IDBKeyRange.bound(operation.from, operation.to, false, true));
      }
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new DOMException('The transaction was aborted.', 'AbortError'));
      });
    } catch (error) {
      throw storageError(error);
    }
  }

  async get(table: Table, key: Key): Promise<Uint8Array | undefined> {
    return this.#read(() => this.#database.get(table, key as never));
  }

  async all(table: 'meta' | 'records'): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#read(async () => {
      const store = this.#database.transaction(table).store;
      const [keys, values] = await Promise.all([store.getAllKeys(), store.getAll()]);
      return new Map(keys.map((key, i) => [key, values[i] ?? new Uint8Array(0)]));
    });
  }

  async scan(table: 'log' | 'chunks', key: number, limit: number): Promise<readonly StoredRecord[]> {
    return this.#read(async () => {
      const store = this.#database.transaction(table).store;
      const floor = await store.openKeyCursor(IDBKeyRange.upperBound(key), 'prev');
      const range = IDBKeyRange.lowerBound(floor === null ? key : floor.key);
      const [keys, values] = await Promise.all([store.getAllKeys(range, limit), store.getAll(range, limit)]);
      return keys.map((stored, i) => ({ key: stored, value: values[i] ?? new Uint8Array(0) }));
    });
  }

  async keys(table: 'log' | 'chunks', from: number, to: number, limit: number): Promise<readonly number[]> {
    if (from >= to) return [];
    return this.#read(() => this.#database.getAllKeys(table, IDBKeyRange.bound(from, to, false, true), limit));
  }

  async estimate(): Promise<{ readonly usageBytes: number; readonly quotaBytes: number } | undefined> {
    if (typeof navigator === 'undefined' || navigator.storage?.estimate === undefined) return undefined;
    const { usage, quota } = await navigator.storage.estimate();
    return usage === undefined || quota === undefined ? undefined : { usageBytes: usage, quotaBytes: quota };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#busy);
    this.#database.close();
    this.#init.onClosed();
  }

  async destroy(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#busy);
    this.#database.close();
    try {
      await deleteDB(this.#init.name);
    } finally {
      this.#init.onClosed();
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#busy.add(work);
    const done = (): boolean => this.#busy.delete(work);
    work.then(done, done);
    return work;
  }

  async #read<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storageError(error);
    }
  }
}

/** A database without any table holds nothing: it is given its tables. One that lacks some is damaged, and stays so. */
function makeTables(database: Database, oldVersion: number): void {
  const empty = TABLES.every((table) => !database.objectStoreNames.contains(table));
  if (oldVersion === 0 || empty) for (const table of TABLES) database.createObjectStore(table);
  if (!database.objectStoreNames.contains(KEY_TABLE)) database.createObjectStore(KEY_TABLE);
}

/** The database that opening has just made is no more, and opening fails. */
function undo(transaction: { readonly done: Promise<void>; abort(): void }): void {
  transaction.done.catch(() => undefined);
  transaction.abort();
}

/** One meta record of a database that need not be ours to open as a node. Makes nothing, also when it has just vanished. */
export async function peekMeta(name: string, key: string): Promise<Uint8Array | undefined> {
  const database = await openDB<TableSchema>(name, undefined, {
    upgrade: (_database, _oldVersion, _newVersion, transaction) => undo(transaction),
  });
  try {
    return database.objectStoreNames.contains('meta') ? await database.get('meta', key) : undefined;
  } finally {
    database.close();
  }
}

async function withDeadline(opening: Promise<Database>, name: string): Promise<Database> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let late = false;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      late = true;
      reject(new RaftError('storage-blocked', `Another tab holds on to the database ${name}: close it or reload it.`));
    }, BLOCKED_WAIT_MS);
  });
  opening.then(
    (database) => late && database.close(),
    () => undefined,
  );
  try {
    return await Promise.race([opening, deadline]);
  } catch (error) {
    throw storageError(error, 'open');
  } finally {
    clearTimeout(timer);
  }
}
