/**
 * What a packed store needs of a disk: four tables of bytes, and a transaction. IndexedDB and LMDB are one each; a
 * modelled disk is a third. Everything Raft knows is above this line, so that it is written, tested and proven once.
 */
import type { IdentityKey } from '../storage.ts';

/** `meta`: one record per name. `log`: segments by their first index. `chunks`: snapshot chunks. `records`: the owner's own. */
export type Table = 'meta' | 'log' | 'chunks' | 'records';
export const TABLES: readonly Table[] = ['meta', 'log', 'chunks', 'records'];
/** Numbers in `log` and `chunks`, strings in `meta` and `records`. */
export type Key = string | number;

export type Operation =
  | { readonly kind: 'put'; readonly table: Table; readonly key: Key; readonly value: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'delete'; readonly table: Table; readonly key: Key }
  /** Numeric keys from `from` up to but not including `to`. */
  | { readonly kind: 'delete-range'; readonly table: 'log' | 'chunks'; readonly from: number; readonly to: number };

/** strict: resolves when a power cut cannot undo it. relaxed: when a crash of the process cannot. */
export type Durability = 'strict' | 'relaxed';

export interface Medium {
  /** Where it can keep handles of keys. Without it the pair is kept as bytes, in `meta`. */
  readonly identityKey?: IdentityKey | undefined;
  /**
   * All of the operations, in order, or none; transactions take effect in the order of the calls.
   * Errors: quota, storage, storage-closed.
   */
  commit(operations: readonly Operation[], durability: Durability): Promise<void>;
  get(table: Table, key: Key): Promise<Uint8Array | undefined>;
  /** All of a table with string keys. */
  all(table: 'meta' | 'records'): Promise<ReadonlyMap<string, Uint8Array>>;
  /** From the record with the greatest key not above `key` on: at most `limit`, in the order of the keys, of one moment. */
  scan(table: 'log' | 'chunks', key: number, limit: number): Promise<readonly StoredRecord[]>;
  /** Keys from `from` up to but not including `to`, at most `limit`. */
  keys(table: 'log' | 'chunks', from: number, to: number, limit: number): Promise<readonly number[]>;
  estimate(): Promise<{ readonly usageBytes: number; readonly quotaBytes: number } | undefined>;
  /** Waits for what was called, then lets go of the database and of the identity's lock. */
  close(): Promise<void>;
  /** Deletes the database, then as close. */
  destroy(): Promise<void>;
}

export interface StoredRecord {
  readonly key: number;
  readonly value: Uint8Array;
}
