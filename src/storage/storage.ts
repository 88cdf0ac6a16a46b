/**
 * PORT: durable storage of one node: log, hard state, snapshot, and small records, in one place, under
 * one identity that lives and dies with them. Adapters: memory, idb (IndexedDB), opfs, lmdb (Node), sqlite
 * (a Durable Object).
 * Proven by `storageSuite` of tabraft/testing.
 */
import type { Entry, HardState, Index, NodeId, SnapshotMeta, Term } from '../core/types.ts';

/** Which room of this device, and what to prefer, when a node looks for its identity. */
export interface AcquireRequest {
  /** Name of the room: databases of one room belong together. */
  readonly room: string;
  /** The identity held before a reload: taken when it exists and nobody holds it. */
  readonly preferred?: NodeId | undefined;
  /** Orphans that are adopted before others: a cluster waits for those of its members that vote. */
  readonly favoured?: readonly NodeId[] | undefined;
  /** Do not adopt orphaned identities: make a new one. */
  readonly fresh?: boolean | undefined;
  /**
   * Names an identity that is about to be made, as its key pair is made first: asked once, and only then. `extractable`: the
   * store keeps bytes, so the pair must be one that can be exported. Default: a random id.
   */
  readonly newId?: ((extractable: boolean) => Promise<NodeId>) | undefined;
  /** Called when the store dies under the node (closed or deleted by the browser, newer build waits). */
  readonly onFault?: ((fault: StoreFault) => void) | undefined;
  /** Kept apart from the store: finds an older copy of it that came back. */
  readonly bootWitness?: BootWitness | undefined;
  /** Told of an identity that is there and free, and cannot be opened. */
  readonly onUnreadable?: ((nodeId: NodeId) => void) | undefined;
}

/**
 * Remembers, apart from the store, how often each identity was opened. A copy of the store from before knows of fewer
 * openings: it may lack votes and acknowledged entries, so it is refused (`corrupt`). A witness that fails, hangs or lost
 * its memory refuses nothing: it is asked for help, not for leave.
 */
export interface BootWitness {
  /** The greatest count it was told of this identity; undefined when it knows of none. */
  read(identity: WitnessedIdentity): Promise<number | undefined>;
  /** Called after the store made the same count durable, never before. */
  write(identity: WitnessedIdentity, bootCount: number): Promise<void>;
  /** The identity was wiped. */
  forget(identity: WitnessedIdentity): Promise<void>;
}

export interface WitnessedIdentity {
  readonly room: string;
  readonly nodeId: NodeId;
}

export interface StoreFault {
  readonly code: 'storage' | 'storage-closed' | 'storage-newer' | 'corrupt' | 'quota';
  readonly message: string;
  readonly cause?: unknown;
}

/** Makes and finds the node stores of this device. */
export interface StorageProvider {
  /** Short name for status and logs: 'memory', 'indexeddb', 'opfs', 'lmdb', 'sqlite'. One of several kinds says in the identity which it took. */
  readonly kind: string;
  /** False when nothing survives the process: such a node never votes unless asked to. */
  readonly durable: boolean;
  /**
   * Takes the preferred identity, else an orphaned one (stored, held by nobody; the favoured first, then the most recent),
   * else makes a new random one. The identity is locked to this process until close.
   * Errors: storage-unavailable, storage-newer, storage-blocked, corrupt, quota.
   */
  acquire(request: AcquireRequest): Promise<NodeStore>;
  /**
   * The key pair of an identity that could not be opened: with it a new one proves that it comes in its place. undefined when somebody
   * holds the identity, it has no pair, or that cannot be read. Never rejects. Without it nothing is proven.
   */
  leftKey?(room: string, nodeId: NodeId): Promise<CryptoKeyPair | undefined>;
}

export interface NodeIdentity {
  readonly nodeId: NodeId;
  /** Random per open: tells two lives of one id apart. */
  readonly bootNonce: string;
  /** How often this store was opened before; 0 for a store just made. */
  readonly bootCount: number;
  readonly room: string;
  /** Of a storage that has several kinds of places. */
  readonly kept?: KeptIn | undefined;
}

/** Which of its kinds a storage keeps a node in. */
export interface KeptIn {
  readonly kind: string;
  /** Why it is not the kind that was asked for, in a sentence; '' when it is. */
  readonly fallback: string;
}

/** Which cluster the log belongs to; set once, by the first write that carries it. */
export interface ClusterIdentity {
  readonly clusterId: string;
  /** Raised by `recover`: members of an older epoch are refused. Starts at 1. */
  readonly epoch: number;
}

export interface LoadedState {
  /** undefined for a store that has never been part of a cluster. */
  readonly cluster: ClusterIdentity | undefined;
  readonly hardState: HardState;
  /** undefined when there is none: the log starts at 1. */
  readonly snapshot: SnapshotMeta | undefined;
  /** Bytes of the snapshot's state. */
  readonly snapshotBytes: number;
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  /** Some entries at the end of the log that were read on opening anyway; may be empty. Contiguous up to lastIndex. */
  readonly tail: readonly Entry[];
  /** All small records (keys sorted). */
  readonly records: ReadonlyMap<string, Uint8Array>;
}

/** One atomic write: all of it is durable, or none of it is. */
export interface WriteBatch {
  readonly cluster?: ClusterIdentity | undefined;
  readonly hardState?: HardState | undefined;
  /** Contiguous; whatever the log holds at or after the first one's index is replaced. */
  readonly entries?: readonly Entry[] | undefined;
  /**
   * A staged snapshot becomes the snapshot. `keepLogAfter` true (a snapshot this node made): a log that holds
   * (index, term) stays whole, and compact() drops what is no longer wanted of it. Otherwise (a snapshot
   * received) the whole log goes, and starts again after the snapshot.
   */
  readonly snapshot?: { readonly staged: StagedSnapshot; readonly keepLogAfter: boolean } | undefined;
  readonly putRecords?: ReadonlyArray<readonly [key: string, value: Uint8Array]> | undefined;
  readonly deleteRecords?: readonly string[] | undefined;
  /**
   * False: may be lost by a power cut. A hard state in which only the commit index is new may then also be lost by a
   * crash: it resolves at once and waits for the next write to take it along. Default true.
   */
  readonly sync?: boolean | undefined;
}

/** A snapshot completely and durably stored, not yet in force. */
export interface StagedSnapshot {
  readonly meta: SnapshotMeta;
  readonly bytes: number;
  /** Hex digest over the state bytes. */
  readonly digest: string;
}

export interface SnapshotWriter {
  /** Resolves when the writer can take more (back-pressure). */
  write(chunk: Uint8Array): Promise<void>;
  /** Resolves when all chunks are durable. Fails with `corrupt` when `expectedDigest` differs. */
  finish(expectedDigest?: string): Promise<StagedSnapshot>;
  /** Drops what was written. After `finish` it does nothing: the snapshot is its taker's, who writes it or discards it. */
  abort(): Promise<void>;
}

export interface StoredSnapshot {
  readonly meta: SnapshotMeta;
  readonly bytes: number;
  readonly digest: string;
  /** The state in chunks, verified as they are read: throws `corrupt` on a bad one. May start at a chunk number. */
  chunks(from?: number): AsyncIterable<Uint8Array>;
}

export interface StorageEstimate {
  readonly usageBytes: number;
  readonly quotaBytes: number;
}

/** The node's own key pair: beside the log, bound to the identity, gone with it. No dump carries it. */
export interface IdentityKey {
  /** Whether `save` needs a pair that can be exported: such a store keeps bytes. Others keep the handle, which nobody can read. */
  readonly needsExtractable: boolean;
  /** undefined when none was saved. The private key cannot be exported, whatever was saved. Errors: corrupt, storage. */
  load(): Promise<CryptoKeyPair | undefined>;
  /** Resolves when it is durable. Errors: invalid-argument (there is one already, or it cannot be kept), quota, storage. */
  save(pair: CryptoKeyPair): Promise<void>;
}

/** One node's store. Calls may overlap; writes take effect in the order of the calls. */
export interface NodeStore {
  readonly identity: NodeIdentity;
  readonly identityKey: IdentityKey;
  load(): Promise<LoadedState>;
  /**
   * Resolves when the batch is durable. Batches called while a write is in flight are folded into the next
   * transaction. A failed write fails every later one with the same code until `load` is called again.
   * Errors: quota, storage, storage-closed; and of a batch that is refused, with no effect: invariant (a hole in the
   * log), cluster-mismatch, epoch-mismatch, invalid-argument.
   */
  write(batch: WriteBatch): Promise<void>;
  /** Term at an index from firstIndex - 1 (the snapshot's) to lastIndex of what was written; undefined outside. Synchronous. */
  term(index: Index): Term | undefined;
  /** Entries [from, to): at least one, then as many as fit into maxBytes. Errors: corrupt, index-compacted, storage. */
  entries(from: Index, to: Index, maxBytes: number): Promise<readonly Entry[]>;
  /** Drops entries up to and including `index`, in the background; resolves when done. Never past the snapshot. */
  compact(index: Index): Promise<void>;
  /**
   * At most STAGED_SNAPSHOTS_MAX wait for a write at a time: one more, and the oldest gives way, its writer or its handle
   * refused from then on (`invalid-argument`).
   */
  stageSnapshot(meta: SnapshotMeta): Promise<SnapshotWriter>;
  /** Lets go of a finished snapshot that no write will take; its bytes leave the disk. One taken or let go of already: no effect. */
  discardStaged(staged: StagedSnapshot): Promise<void>;
  /** The snapshot in force. */
  snapshot(): Promise<StoredSnapshot | undefined>;
  estimate(): Promise<StorageEstimate | undefined>;
  /** Deletes everything, the identity included, and closes. */
  wipe(): Promise<void>;
  /** Waits for writes in flight, then gives the identity back. */
  close(): Promise<void>;
}
