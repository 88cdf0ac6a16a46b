/**
 * A node's store over a medium. Its view runs ahead of the disk by the writes in flight; the disk is read once, on
 * opening, and again only for old entries and snapshots, or after a failure.
 */
import { RaftError } from '../../core/errors.ts';
import type { Entry, HardState, Index, SnapshotMeta, Term } from '../../core/types.ts';
import { failedStore, faultOf, requireBatch, requireCluster } from '../batch.ts';
import { forgetWitnessed } from '../boot-witness.ts';
import type {
  AcquireRequest,
  BootWitness,
  ClusterIdentity,
  IdentityKey,
  LoadedState,
  NodeIdentity,
  NodeStore,
  SnapshotWriter,
  StagedSnapshot,
  StorageEstimate,
  StoredSnapshot,
  WriteBatch,
} from '../storage.ts';
import type { Fold } from './fold.ts';
import { identityKeyOf } from './key-shelf.ts';
import { readEntries, requireRange } from './log-reader.ts';
import type { Durability, Medium, Operation } from './medium.ts';
import { type LogRecord, putHead, putMeta, type SnapshotRecord, seal } from './meta.ts';
import { Pipeline } from './pipeline.ts';
import { Recent } from './recent.ts';
import { type EncodedSegment, encodeSegments } from './segment.ts';
import { Snapshots } from './snapshots.ts';
import { loadedState, logRecordOf, readState, type StoreState } from './state.ts';
import { TAIL_BYTES_MAX, Tail } from './tail.ts';
import { TermIndex } from './term-index.ts';
import { Upkeep } from './upkeep.ts';

/** A commit index alone waits this long for a write that takes it along, then is written by itself. */
const COMMIT_LINGER_MS = 250;
/** Attempts of a read that is overtaken by rewrites of the log. */
const READ_ATTEMPTS_MAX = 10;

export interface PackedStoreInit {
  readonly medium: Medium;
  readonly identity: NodeIdentity;
  readonly state: StoreState;
  readonly durability: Durability;
  /** Default TAIL_BYTES_MAX; tests make it small. */
  readonly tailBytesMax?: number | undefined;
  readonly onFault: AcquireRequest['onFault'];
  /** Forgets the identity when it is wiped. */
  readonly witness?: BootWitness | undefined;
  /** Nothing is written, nor cleared away: somebody else may hold the identity. */
  readonly readOnly?: boolean | undefined;
}

export class PackedStore implements NodeStore {
  readonly identity: NodeIdentity;
  readonly identityKey: IdentityKey;
  readonly #medium: Medium;
  readonly #readOnly: boolean;
  readonly #onFault: AcquireRequest['onFault'];
  readonly #witness: BootWitness | undefined;
  readonly #pipeline: Pipeline;
  readonly #snapshots: Snapshots;
  #upkeep: Upkeep;
  /** What opening read; given to the first load, unless something was written before it. */
  #opened: StoreState | undefined;
  #terms: TermIndex = new TermIndex();
  #generation = 0;
  #mergedTo: Index = 0;
  #hardState: HardState;
  #cluster: ClusterIdentity | undefined = undefined;
  #snapshot: SnapshotRecord | undefined;
  readonly #recent = new Recent();
  /** As the disk has it, or gets it with the transaction in flight. */
  readonly #tail: Tail;
  /** The log record as the disk has it, or gets it with the transaction in flight. */
  #logStored: LogRecord;
  /** TermIndex.version that the stored log record tells of. */
  #termsStored = 0;
  /** The hard state's commit index is ahead of what was given to the disk. */
  #commitLingers = false;
  #lingerTimer: ReturnType<typeof setTimeout> | undefined = undefined;
  /** Segments of the transaction in flight. */
  #inFlight: readonly EncodedSegment[] = [];
  #open = true;

  private constructor(init: PackedStoreInit, snapshots: Snapshots) {
    this.identity = init.identity;
    this.#medium = init.medium;
    this.#readOnly = init.readOnly === true;
    this.#onFault = init.onFault;
    this.#pipeline = new Pipeline(init.medium, this.#host(), init.durability === 'relaxed');
    this.#snapshots = snapshots;
    this.identityKey = identityKeyOf(init.medium, {
      requireOpen: () => this.#requireOpen(),
      save: (work) => this.#saveKey(work),
    });
    this.#witness = init.witness;
    this.#tail = new Tail(init.tailBytesMax ?? TAIL_BYTES_MAX);
    this.#hardState = init.state.hardState;
    this.#logStored = logRecordOf(init.state);
    this.#upkeep = this.#newUpkeep(init.state.mergedTo);
    this.#enter(init.state);
    this.#opened = init.state;
  }

  static async open(init: PackedStoreInit): Promise<PackedStore> {
    return new PackedStore(init, await Snapshots.open(init.medium, init.durability, init.state.snapshot));
  }

  #enter(state: StoreState): void {
    this.#terms = state.terms;
    this.#termsStored = state.terms.version;
    this.#logStored = logRecordOf(state);
    this.#generation = state.generation;
    this.#mergedTo = state.mergedTo;
    this.#hardState = state.hardState;
    this.#cluster = state.cluster;
    this.#snapshot = state.snapshot;
    this.#recent.clear();
    this.#recent.append(state.tail);
    this.#tail.set(state.headTail);
    this.#commitLingers = false;
  }

  #newUpkeep(mergedTo: Index): Upkeep {
    const store = this;
    return new Upkeep(
      this.#medium,
      this.#pipeline,
      {
        get generation() {
          return store.#generation;
        },
        get firstIndex() {
          return store.#logStored.firstIndex;
        },
        rewrites: () => this.#terms.rewrites,
        mergedTo: (index) => {
          this.#mergedTo = index;
          this.#logStored = { ...this.#logStored, mergedTo: index };
          return putMeta('log', this.#logStored);
        },
        damaged: (error) => this.#onFault?.(faultOf(error)),
      },
      mergedTo,
    );
  }

  async load(): Promise<LoadedState> {
    this.#requireOpen();
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened !== undefined) {
      queueMicrotask(() => this.#clearAway());
      return loadedState(opened);
    }
    this.#flushCommit();
    await this.#pipeline.settled();
    this.#requireOpen();
    const state = await readState(this.#medium);
    if (state === undefined || state.identity.nodeId !== this.identity.nodeId) {
      throw new RaftError('corrupt', 'The database is empty, or another node is in it.');
    }
    if (this.#pipeline.failure !== undefined) {
      this.#upkeep.stop();
      this.#enter(state);
      this.#snapshots.restart(state.snapshot);
      this.#upkeep = this.#newUpkeep(state.mergedTo);
      this.#pipeline.restart();
      // What the failed writes would have brought into force is nobody's now.
      this.#clearAway();
    }
    return loadedState(state);
  }

  write(batch: WriteBatch): Promise<void> {
    try {
      this.#requireOpen();
      if (this.#pipeline.failure !== undefined) throw this.#pipeline.failure;
      this.#requireWritable();
      requireBatch(batch, this.#terms);
      requireCluster(batch.cluster, this.#cluster);
      if (batch.snapshot !== undefined && !this.#snapshots.knows(batch.snapshot.staged)) {
        throw new RaftError('invalid-argument', 'The snapshot was not staged by this store, or was used.');
      }
    } catch (error) {
      return Promise.reject(failedStore('The batch was refused.', error));
    }
    this.#opened = undefined;
    if (this.#lingers(batch)) return Promise.resolve();
    const fold = this.#pipeline.fold();
    if (batch.snapshot !== undefined) this.#install(fold, batch.snapshot);
    fold.add(batch, this.#terms.lastIndex);
    if (batch.hardState !== undefined) this.#hardState = batch.hardState;
    if (batch.cluster !== undefined) this.#cluster = batch.cluster;
    this.#takeCommitAlong(fold);
    if (batch.entries !== undefined && batch.entries.length > 0) {
      this.#terms.append(batch.entries);
      this.#recent.append(batch.entries);
    }
    return fold.promise();
  }

  #install(fold: Fold, { staged, keepLogAfter }: NonNullable<WriteBatch['snapshot']>): void {
    if (fold.snapshot !== undefined) this.#snapshots.forgo(fold.snapshot);
    fold.snapshot = this.#snapshots.take(staged);
    this.#snapshot = fold.snapshot;
    const { index, term } = staged.meta;
    if (keepLogAfter && this.#terms.term(index) === term) return;
    fold.restartLog(index);
    this.#generation += 1;
    this.#mergedTo = index;
    this.#terms.reset(index, term);
    this.#recent.clear();
  }

  /** A new commit index and nothing else is worth no transaction: it waits for the next one. */
  #lingers(batch: WriteBatch): boolean {
    const { hardState, sync, cluster, entries, snapshot, putRecords, deleteRecords } = batch;
    if (sync !== false || hardState === undefined) return false;
    if (cluster !== undefined || snapshot !== undefined) return false;
    if ((entries?.length ?? 0) + (putRecords?.length ?? 0) + (deleteRecords?.length ?? 0) > 0) return false;
    if (hardState.term !== this.#hardState.term || hardState.vote !== this.#hardState.vote) return false;
    this.#hardState = hardState;
    this.#commitLingers = true;
    this.#lingerTimer ??= setTimeout(() => this.#flushCommit(), COMMIT_LINGER_MS);
    return true;
  }

  #flushCommit(): void {
    if (!this.#commitLingers || this.#pipeline.failure !== undefined) return;
    const fold = this.#pipeline.fold();
    this.#takeCommitAlong(fold);
    fold.promise().catch(() => undefined);
  }

  #takeCommitAlong(fold: Fold): void {
    clearTimeout(this.#lingerTimer);
    this.#lingerTimer = undefined;
    if (this.#commitLingers) fold.hardState = this.#hardState;
    this.#commitLingers = false;
  }

  #host(): ConstructorParameters<typeof Pipeline>[1] {
    return {
      operations: (fold) => this.#operations(fold),
      durable: (fold) => this.#durable(fold),
      failed: (error) => {
        this.#upkeep.stop();
        this.#onFault?.(faultOf(error));
      },
    };
  }

  #operations(fold: Fold): Operation[] {
    const operations: Operation[] = [];
    // What only the tail held needs no deleting.
    if (fold.deleteFrom !== undefined && (fold.restarted || fold.deleteFrom <= this.#tail.first)) {
      operations.push({ kind: 'delete-range', table: 'log', from: fold.deleteFrom, to: Number.MAX_SAFE_INTEGER });
    }
    const run = this.#tail.take(fold, this.#terms.firstIndex);
    const before = this.#terms.term((run[0]?.index ?? 0) - 1) ?? 0;
    this.#inFlight = encodeSegments(run, before, this.#generation);
    for (const { first, value } of this.#inFlight) operations.push({ kind: 'put', table: 'log', key: first, value });
    if (this.#terms.version !== this.#termsStored) operations.push(this.#logRecord());
    if (fold.hardState !== undefined || fold.entries.length > 0 || fold.deleteFrom !== undefined) {
      operations.push(putHead({ hardState: this.#hardState, lastIndex: this.#terms.lastIndex, tail: this.#tail.entries }));
    }
    if (fold.cluster !== undefined) operations.push(putMeta('cluster', fold.cluster));
    if (fold.snapshot !== undefined) operations.push(putMeta('snapshot', fold.snapshot));
    for (const [key, value] of fold.records) {
      operations.push(
        value === undefined
          ? { kind: 'delete', table: 'records', key }
          : { kind: 'put', table: 'records', key, value: seal(value) },
      );
    }
    return operations;
  }

  #logRecord(): Operation {
    this.#termsStored = this.#terms.version;
    this.#logStored = { ...this.#terms.state(), generation: this.#generation, mergedTo: this.#mergedTo };
    return putMeta('log', this.#logStored);
  }

  #durable(fold: Fold): void {
    const last = fold.entries.at(-1);
    if (last !== undefined) this.#recent.trim(Math.min(last.index, this.#pipeline.pendingFrom - 1, this.#tail.first - 1));
    if (fold.snapshot !== undefined) {
      this.#snapshots.enterForce(fold.snapshot);
      this.#clearAway();
    }
    this.#upkeep.written(fold.deleteFrom, this.#inFlight);
  }

  /** What is no longer needed goes in the background; a failure of that is the next write's as well. */
  #clearAway(): void {
    if (!this.#open || this.#readOnly) return;
    this.#snapshots.clear((work) => this.#pipeline.exclusive(work)).catch(() => undefined);
    this.#upkeep.purge().catch(() => undefined);
  }

  term(index: Index): Term | undefined {
    return this.#terms.term(index);
  }

  async entries(from: Index, to: Index, bytesMax: number): Promise<readonly Entry[]> {
    this.#requireOpen();
    for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt += 1) {
      requireRange(this.#terms, from, to);
      const held = this.#recent.first;
      if (from >= held || from === to) return this.#recent.slice(from, to, bytesMax);
      const terms = this.#terms;
      const { rewrites } = terms;
      const span = { generation: this.#generation, terms };
      const read = await readEntries(this.#medium, span, from, Math.min(to, held), bytesMax).catch((error: unknown) => {
        if (terms.firstIndex <= from && terms.rewrites === rewrites) throw failedStore('The log could not be read.', error);
        return undefined;
      });
      if (read !== undefined && this.#terms === terms && terms.rewrites === rewrites) return read;
    }
    throw new RaftError('busy', `The log is being rewritten faster than entry ${from} can be read.`);
  }

  async compact(index: Index): Promise<void> {
    this.#requireOpen();
    if (this.#pipeline.failure !== undefined) throw this.#pipeline.failure;
    const upTo = Math.min(index, this.#snapshot?.meta.index ?? 0, this.#terms.lastIndex);
    if (upTo >= this.#terms.firstIndex) {
      this.#terms.compact(upTo);
      const fold = this.#pipeline.fold();
      fold.strict = true;
      await fold.promise();
    }
    await this.#upkeep.purge();
  }

  async stageSnapshot(meta: SnapshotMeta): Promise<SnapshotWriter> {
    this.#requireOpen();
    return this.#snapshots.stage(meta);
  }

  async discardStaged(staged: StagedSnapshot): Promise<void> {
    this.#requireOpen();
    if (this.#snapshots.discard(staged)) await this.#snapshots.clear((work) => this.#pipeline.exclusive(work));
  }

  async snapshot(): Promise<StoredSnapshot | undefined> {
    this.#requireOpen();
    return this.#snapshot === undefined ? undefined : this.#snapshots.stored(this.#snapshot);
  }

  async #saveKey(work: () => Promise<void>): Promise<void> {
    this.#requireOpen();
    this.#requireWritable();
    await this.#pipeline.exclusive(work);
  }

  estimate(): Promise<StorageEstimate | undefined> {
    return this.#medium.estimate();
  }

  async wipe(): Promise<void> {
    this.#requireOpen();
    await this.#stop();
    await this.#medium.destroy();
    forgetWitnessed(this.#witness, this.identity);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#flushCommit();
    await this.#stop();
    await this.#medium.close();
  }

  async #stop(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#lingerTimer);
    this.#upkeep.stop();
    await this.#pipeline.settled();
  }

  /** The medium died under the store: closed or deleted by the browser, or taken over. */
  lost(error: RaftError): void {
    if (this.#open) this.#pipeline.fail(error);
  }

  #requireWritable(): void {
    if (this.#readOnly) throw new RaftError('invalid-argument', 'This store was opened for reading only.');
  }
  #requireOpen(): void {
    if (!this.#open) throw new RaftError('storage-closed', 'This store is closed.');
  }
}
