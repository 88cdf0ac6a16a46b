/** Several batches folded into one transaction: what is written while a write is in flight (group commit). */
import type { Entry, HardState, Index } from '../../core/types.ts';
import type { ClusterIdentity, WriteBatch } from '../storage.ts';
import type { SnapshotRecord } from './meta.ts';

interface Waiter {
  resolve(): void;
  reject(reason: unknown): void;
}

export class Fold {
  cluster: ClusterIdentity | undefined = undefined;
  hardState: HardState | undefined = undefined;
  snapshot: SnapshotRecord | undefined = undefined;
  /** Stored segments from here on are replaced. */
  deleteFrom: Index | undefined = undefined;
  /** A key and what it becomes; undefined deletes it. */
  readonly records: Map<string, Uint8Array | undefined> = new Map();
  /** The log starts again: nothing of it from before this fold counts. */
  restarted = false;
  strict = false;
  #entries: readonly Entry[] = [];
  /** The array of #entries, once it is this fold's own and not a caller's. */
  #own: Entry[] | undefined = undefined;
  readonly #waiters: Waiter[] = [];

  /** What is appended, contiguous, after all replacing among the batches. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** All but the snapshot, which the store applies before. `lastIndex`: of the log before the batch. */
  add(batch: WriteBatch, lastIndex: Index): void {
    if (batch.cluster !== undefined) this.cluster = batch.cluster;
    if (batch.hardState !== undefined) this.hardState = batch.hardState;
    if (batch.entries !== undefined) this.#append(batch.entries, lastIndex);
    for (const [key, value] of batch.putRecords ?? []) this.records.set(key, value.slice());
    for (const key of batch.deleteRecords ?? []) this.records.set(key, undefined);
    if (batch.sync !== false) this.strict = true;
  }

  #append(entries: readonly Entry[], lastIndex: Index): void {
    const first = entries[0]?.index;
    if (first === undefined) return;
    const pendingFirst = this.#entries[0]?.index ?? lastIndex + 1;
    if (first < pendingFirst) this.deleteFrom = Math.min(first, this.deleteFrom ?? first);
    if (first <= pendingFirst) {
      this.#entries = entries;
      this.#own = undefined;
      return;
    }
    this.#own ??= [...this.#entries];
    this.#own.length = first - pendingFirst;
    for (const entry of entries) this.#own.push(entry);
    this.#entries = this.#own;
  }

  /** The log starts again after (index, term): nothing stored above may come back under it. */
  restartLog(index: Index): void {
    this.restarted = true;
    this.#entries = [];
    this.#own = undefined;
    this.deleteFrom = Math.min(index + 1, this.deleteFrom ?? index + 1);
  }

  /** Settles with the transaction. */
  promise(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  resolve(): void {
    for (const waiter of this.#waiters) waiter.resolve();
  }
  reject(reason: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(reason);
  }
}
