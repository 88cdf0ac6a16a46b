/** SQLite as a medium: the stores of all nodes in four tables, told apart by the number of their node. */
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
import type { SqlDatabase, SqlRow, SqlValue } from './sql.ts';

/**
 * Of a value that goes into one row, in bytes: a row of a Durable Object has at most 2 MB with everything in it. What is longer is
 * spread over several rows; almost nothing is, because a row written is what costs.
 */
const PART_BYTES_MAX: number = 1024 * 1024;

/** Made when they are missing. Without row ids, because their index would be a second row for each that is written. */
export function createTables(database: SqlDatabase): void {
  database.exec(
    'CREATE TABLE IF NOT EXISTS tabraft_nodes (number INTEGER PRIMARY KEY, room TEXT NOT NULL, node TEXT NOT NULL, UNIQUE (room, node))',
  );
  for (const table of TABLES) {
    const type = table === 'log' || table === 'chunks' ? 'INTEGER' : 'TEXT';
    database.exec(
      `CREATE TABLE IF NOT EXISTS tabraft_${table} (node INTEGER NOT NULL, key ${type} NOT NULL, part INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (node, key, part)) WITHOUT ROWID`,
    );
  }
}

export class SqlMedium implements Medium {
  readonly #database: SqlDatabase;
  readonly #node: number;
  readonly #onClosed: () => void;
  #closed = false;

  /** @param node its number in `tabraft_nodes`, which is there. */
  constructor(database: SqlDatabase, node: number, onClosed: () => void) {
    this.#database = database;
    this.#node = node;
    this.#onClosed = onClosed;
  }

  async commit(operations: readonly Operation[], durability: Durability): Promise<void> {
    this.#require();
    try {
      this.#database.transaction(() => {
        for (const operation of operations) this.#apply(operation);
      });
      if (durability === 'strict') await this.#database.sync();
    } catch (error) {
      throw sqlError(error);
    }
  }

  #apply(operation: Operation): void {
    const { table } = operation;
    if (operation.kind === 'put') return this.#put(table, operation.key, operation.value);
    if (operation.kind === 'delete') this.#exec(`DELETE FROM tabraft_${table} WHERE node = ? AND key = ?`, operation.key);
    else this.#exec(`DELETE FROM tabraft_${table} WHERE node = ? AND key >= ? AND key < ?`, operation.from, operation.to);
  }

  #put(table: Table, key: Key, value: Uint8Array): void {
    const parts = Math.max(1, Math.ceil(value.length / PART_BYTES_MAX));
    for (let part = 0; part < parts; part++) {
      const bytes = value.slice(part * PART_BYTES_MAX, (part + 1) * PART_BYTES_MAX).buffer;
      this.#exec(
        `INSERT INTO tabraft_${table} (node, key, part, value) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
        ...[key, part, bytes],
      );
    }
    this.#exec(`DELETE FROM tabraft_${table} WHERE node = ? AND key = ? AND part >= ?`, key, parts);
  }

  async get(table: Table, key: Key): Promise<Uint8Array | undefined> {
    return this.#read(() => {
      const rows = this.#exec(`SELECT key, value FROM tabraft_${table} WHERE node = ? AND key = ? ORDER BY part`, key);
      return joined(rows).get(key);
    });
  }

  async all(table: 'meta' | 'records'): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#read(() => {
      const found = joined(this.#exec(`SELECT key, value FROM tabraft_${table} WHERE node = ? ORDER BY key, part`));
      return new Map([...found].map(([key, value]) => [String(key), value]));
    });
  }

  async scan(table: 'log' | 'chunks', key: number, limit: number): Promise<readonly StoredRecord[]> {
    return this.#read(() => {
      const [floor] = this.#exec(`SELECT MAX(key) AS key FROM tabraft_${table} WHERE node = ? AND key <= ?`, key);
      const from = floor?.['key'] === null || floor === undefined ? key : Number(floor['key']);
      const rows = this.#exec(
        `SELECT key, value FROM tabraft_${table} WHERE node = ?1 AND key IN (SELECT key FROM tabraft_${table} WHERE node = ?1 AND key >= ?2 AND part = 0 ORDER BY key LIMIT ?3) ORDER BY key, part`,
        ...[from, limit],
      );
      return [...joined(rows)].map(([stored, value]) => ({ key: Number(stored), value }));
    });
  }

  async keys(table: 'log' | 'chunks', from: number, to: number, limit: number): Promise<readonly number[]> {
    return this.#read(() =>
      this.#exec(
        `SELECT key FROM tabraft_${table} WHERE node = ? AND key >= ? AND key < ? AND part = 0 ORDER BY key LIMIT ?`,
        ...[from, to, limit],
      ).map((row) => Number(row['key'])),
    );
  }

  async estimate(): Promise<{ readonly usageBytes: number; readonly quotaBytes: number }> {
    return this.#read(() => ({ usageBytes: this.#database.sizeBytes, quotaBytes: this.#database.quotaBytes }));
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
      if (destroyed) this.#database.transaction(() => this.#deleteAll());
      await this.#database.sync();
    } catch (error) {
      throw sqlError(error);
    } finally {
      this.#onClosed();
    }
  }

  #deleteAll(): void {
    for (const table of TABLES) this.#exec(`DELETE FROM tabraft_${table} WHERE node = ?`);
    this.#exec('DELETE FROM tabraft_nodes WHERE number = ?');
  }

  /** The first value of every query is the node's number. */
  #exec(query: string, ...values: readonly SqlValue[]): readonly SqlRow[] {
    return this.#database.exec(query, this.#node, ...values);
  }

  #read<T>(work: () => T): T {
    this.#require();
    try {
      return work();
    } catch (error) {
      throw sqlError(error);
    }
  }

  #require(): void {
    if (this.#closed) throw new RaftError('storage-closed', 'The node of this database is closed.');
  }
}

/** Values by their keys, of rows in the order of keys and parts. */
function joined(rows: readonly SqlRow[]): ReadonlyMap<Key, Uint8Array> {
  const parts = new Map<Key, Uint8Array[]>();
  for (const { key, value } of rows) {
    const part = new Uint8Array(value as ArrayBuffer);
    const known = parts.get(key as Key);
    if (known === undefined) parts.set(key as Key, [part]);
    else known.push(part);
  }
  return new Map([...parts].map(([key, all]) => [key, all.length === 1 && all[0] !== undefined ? all[0] : concat(all)]));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, { length }) => bytes + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function sqlError(error: unknown): RaftError {
  if (error instanceof RaftError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return /SQLITE_FULL|is full|exceeded.*(?:storage|size)/i.test(text)
    ? new RaftError('quota', `There is no room left in the database (${text}).`, { cause: error })
    : new RaftError('storage', `SQLite failed (${text}).`, { cause: error });
}
