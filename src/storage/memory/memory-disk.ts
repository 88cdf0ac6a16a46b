/** What outlives a memory store: the 'disk' that several stores of one process, or of one test, share. */
import type { HardState, NodeId } from '../../core/types.ts';
import type { ClusterIdentity, StagedSnapshot, WriteBatch } from '../storage.ts';
import { MemoryLog } from './memory-log.ts';

export interface MemorySnapshot extends StagedSnapshot {
  readonly chunks: readonly Uint8Array[];
}

export const NO_HARD_STATE: HardState = { term: 0, vote: '', commit: 0 };

/** Everything a node has written, as of its last durable write. */
export class MemoryImage {
  cluster: ClusterIdentity | undefined = undefined;
  hardState: HardState = NO_HARD_STATE;
  snapshot: MemorySnapshot | undefined = undefined;
  readonly log: MemoryLog = new MemoryLog();
  readonly records: Map<string, Uint8Array> = new Map();
  bootCount = 0;
  /** The identity's own key pair. */
  key: CryptoKeyPair | undefined = undefined;
  /** The disk's count of openings when it was opened last: orders orphans. */
  openedAt = 0;
  /** Boot nonce of the store that holds it; undefined: nobody does. */
  holder: string | undefined = undefined;

  apply(batch: WriteBatch, snapshot: MemorySnapshot | undefined): void {
    if (batch.cluster !== undefined) this.cluster = batch.cluster;
    if (batch.hardState !== undefined) this.hardState = batch.hardState;
    if (snapshot !== undefined) {
      this.snapshot = snapshot;
      this.log.installed(snapshot, batch.snapshot?.keepLogAfter === true);
    }
    if (batch.entries !== undefined) this.log.append(batch.entries);
    for (const [key, value] of batch.putRecords ?? []) this.records.set(key, value);
    for (const key of batch.deleteRecords ?? []) this.records.delete(key);
  }

  /** Another disk's worth of the same: for modelling a copied profile. */
  clone(): MemoryImage {
    const copy = new MemoryImage();
    copy.cluster = this.cluster;
    copy.hardState = this.hardState;
    copy.snapshot = this.snapshot;
    copy.log.copyFrom(this.log);
    for (const [key, value] of this.records) copy.records.set(key, value);
    copy.bootCount = this.bootCount;
    copy.key = this.key;
    copy.openedAt = this.openedAt;
    return copy;
  }
}

export class MemoryDisk {
  readonly #rooms = new Map<string, Map<NodeId, MemoryImage>>();
  #openings = 0;

  room(name: string): Map<NodeId, MemoryImage> {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    const made = new Map<NodeId, MemoryImage>();
    this.#rooms.set(name, made);
    return made;
  }

  nextOpening(): number {
    this.#openings += 1;
    return this.#openings;
  }
}
