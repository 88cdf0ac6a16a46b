/** LMDB as a medium: one environment per node, one named database per table. */
import { rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
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

type Binary = Database<Uint8Array, Key>;

/** What proves who holds the identity of an environment; kept in it, so that LMDB's own lock orders who takes it. */
export interface Holder {
  readonly pid: number;
  /** Tells a process from a later one with the same pid; '' where the system does not say. */
  readonly started: string;
  readonly nonce: string;
}

export class LmdbMedium implements Medium {
  readonly path: string;
  readonly #root: RootDatabase<Holder, string>;
  readonly #tables: Readonly<Record<Table, Binary>>;
  #closed = false;
  /** Called once the environment is closed. */
  onClosed: (() => void) | undefined = undefined;

  private constructor(path: string, root: RootDatabase<Holder, string>) {
    this.path = path;
    this.#root = root;
    const table = (name: Table): Binary => root.openDB<Uint8Array, Key>({ name, encoding: 'binary', cache: false });
    this.#tables = { meta: table('meta'), log: table('log'), chunks: table('chunks'), records: table('records') };
  }

  /** Makes the directory when it is missing. Errors: storage-unavailable. */
  static async open(path: string): Promise<LmdbMedium> {
    const { open } = await lmdb();
    try {
      // Its own layout of free pages is not read without the sync: a commit waits for `flushed` where it must be durable.
      const root = open<Holder, string>({ path, maxDbs: TABLES.length + 2, encoding: 'json', separateFlushed: true });
      return new LmdbMedium(path, root);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new RaftError('storage-unavailable', `The LMDB directory ${path} cannot be opened (${why}).`, { cause });
    }
  }

  /** Puts `mine` down as the holder unless `alive` says that the present one lives; true when it is ours now. */
  hold(mine: Holder, alive: (holder: Holder) => boolean): boolean {
    return this.#root.transactionSync(() => {
      const holder = this.holder();
      if (holder !== undefined && alive(holder)) return false;
      this.#root.putSync('holder', mine);
      return true;
    });
  }

  holder(): Holder | undefined {
    return this.#root.get('holder');
  }

  async commit(operations: readonly Operation[], durability: Durability): Promise<void> {
    this.#require();
    try {
      await this.#root.transaction(() => {
        for (const operation of operations) this.#apply(operation);
      });
      if (durability === 'strict') await this.#root.flushed;
    } catch (error) {
      throw lmdbError(error);
    }
  }

  #apply(operation: Operation): void {
    const table = this.#tables[operation.table];
    if (operation.kind === 'put') table.putSync(operation.key, operation.value);
    else if (operation.kind === 'delete') table.removeSync(operation.key);
    else for (const key of [...table.getKeys({ start: operation.from, end: operation.to })]) table.removeSync(key);
  }

  async get(table: Table, key: Key): Promise<Uint8Array | undefined> {
    return this.#read(() => {
      const value = this.#tables[table].get(key);
      return value === undefined ? undefined : new Uint8Array(value);
    });
  }

  async all(table: 'meta' | 'records'): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#read(() => {
      const found = [...this.#tables[table].getRange({})];
      return new Map(found.map(({ key, value }) => [String(key), new Uint8Array(value)]));
    });
  }

  async scan(table: 'log' | 'chunks', key: number, limit: number): Promise<readonly StoredRecord[]> {
    return this.#read(() => {
      const [floor] = [...this.#tables[table].getKeys({ start: key, reverse: true, limit: 1 })];
      const found = [...this.#tables[table].getRange({ start: floor ?? key, limit })];
      return found.map(({ key: stored, value }) => ({ key: Number(stored), value: new Uint8Array(value) }));
    });
  }

  async keys(table: 'log' | 'chunks', from: number, to: number, limit: number): Promise<readonly number[]> {
    if (from >= to) return [];
    return this.#read(() => [...this.#tables[table].getKeys({ start: from, end: to, limit })].map(Number));
  }

  async estimate(): Promise<{ readonly usageBytes: number; readonly quotaBytes: number }> {
    const [{ size }, { bavail, bsize }] = await Promise.all([stat(join(this.path, 'data.mdb')), statfs(this.path)]);
    return { usageBytes: size, quotaBytes: size + bavail * bsize };
  }

  close(): Promise<void> {
    return this.#close(false);
  }

  destroy(): Promise<void> {
    return this.#close(true);
  }

  async #close(destroyed: boolean): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#root.flushed;
      await this.#root.close();
      if (destroyed) await rm(this.path, { recursive: true, force: true });
    } finally {
      this.onClosed?.();
    }
  }

  #read<T>(work: () => T): T {
    this.#require();
    try {
      return work();
    } catch (error) {
      throw lmdbError(error);
    }
  }

  #require(): void {
    if (this.#closed) throw new RaftError('storage-closed', 'The LMDB environment is closed.');
  }
}

/** An optional package: whoever keeps nothing in LMDB need not have it. Errors: storage-unavailable. */
async function lmdb(): Promise<typeof import('lmdb')> {
  try {
    return await import('lmdb');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RaftError('storage-unavailable', `The package lmdb cannot be loaded; npm install lmdb puts it there (${why}).`, {
      cause,
    });
  }
}

function lmdbError(error: unknown): RaftError {
  if (error instanceof RaftError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const full = /no space|ENOSPC|MDB_MAP_FULL|disk quota/i.test(text);
  return full
    ? new RaftError('quota', `There is no room left on the disk (${text}).`, { cause: error })
    : new RaftError('storage', `LMDB failed (${text}).`, { cause: error });
}
