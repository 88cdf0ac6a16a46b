import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, SnapshotMeta, Term } from '../../core/types.ts';
import { failedStore, faultOf, requireBatch, requireCluster } from '../batch.ts';
import { forgetWitnessed } from '../boot-witness.ts';
import { StagedSet } from '../staged.ts';
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
  StoreFault,
  WriteBatch,
} from '../storage.ts';
import type { MemoryImage, MemorySnapshot } from './memory-disk.ts';
import { MemoryIdentityKey } from './memory-key.ts';
import { MemoryLog } from './memory-log.ts';
import { MemorySnapshotWriter, storedSnapshot } from './memory-snapshot.ts';

/** Called before a write takes effect. Its promise delays the write; what it throws is the write's failure. */
export type MemoryWriteHook = (batch: WriteBatch, identity: NodeIdentity) => Promise<void> | void;

export interface MemoryNodeStoreInit {
  readonly identity: NodeIdentity;
  readonly image: MemoryImage;
  readonly onWrite: MemoryWriteHook | undefined;
  readonly onFault: AcquireRequest['onFault'];
  readonly forget: () => void;
  readonly witness: BootWitness | undefined;
}

/** The image is what a crash leaves; the view, ahead of it by the writes in flight, is what the owner sees. */
export class MemoryNodeStore implements NodeStore {
  readonly identity: NodeIdentity;
  readonly identityKey: IdentityKey;
  readonly #init: MemoryNodeStoreInit;
  readonly #image: MemoryImage;
  readonly #view = new MemoryLog();
  #cluster: ClusterIdentity | undefined;
  readonly #staged = new Map<StagedSnapshot, MemorySnapshot>();
  readonly #waiting = new StagedSet<StagedSnapshot | SnapshotWriter>();
  /** The last write called; writes take effect one after the other. */
  #tail: Promise<void> = Promise.resolve();
  #failure: RaftError | undefined = undefined;
  #open = true;

  constructor(init: MemoryNodeStoreInit) {
    this.#init = init;
    this.identity = init.identity;
    this.#image = init.image;
    this.identityKey = new MemoryIdentityKey(init.image, () => this.#requireUsable());
    this.#view.copyFrom(init.image.log);
    this.#cluster = init.image.cluster;
  }

  async load(): Promise<LoadedState> {
    this.#requireOpen();
    await this.#tail.catch(() => undefined);
    this.#requireOpen();
    this.#failure = undefined;
    this.#tail = Promise.resolve();
    this.#view.copyFrom(this.#image.log);
    const { cluster, hardState, snapshot, records } = this.#image;
    this.#cluster = cluster;
    return {
      cluster,
      hardState,
      snapshot: snapshot?.meta,
      snapshotBytes: snapshot?.bytes ?? 0,
      firstIndex: this.#view.firstIndex,
      lastIndex: this.#view.lastIndex,
      tail: [],
      records: new Map([...records].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  write(batch: WriteBatch): Promise<void> {
    const refused = this.#refusal(batch);
    if (refused !== undefined) return Promise.reject(refused);
    const snapshot = batch.snapshot === undefined ? undefined : this.#take(batch.snapshot.staged);
    const records = batch.putRecords?.map(([key, value]) => [key, value.slice()] as const);
    const kept = records === undefined ? batch : { ...batch, putRecords: records };
    if (snapshot !== undefined) this.#view.installed(snapshot, batch.snapshot?.keepLogAfter === true);
    if (batch.entries !== undefined) this.#view.append(batch.entries);
    if (batch.cluster !== undefined) this.#cluster = batch.cluster;
    const written = this.#tail.then(() => this.#persist(kept, snapshot));
    written.catch(() => undefined);
    this.#tail = written;
    return written;
  }

  #take(staged: StagedSnapshot): MemorySnapshot | undefined {
    const snapshot = this.#staged.get(staged);
    this.#staged.delete(staged);
    this.#waiting.delete(staged);
    return snapshot;
  }

  #refusal(batch: WriteBatch): RaftError | undefined {
    try {
      this.#requireOpen();
      if (this.#failure !== undefined) return this.#failure;
      requireBatch(batch, this.#view);
      requireCluster(batch.cluster, this.#cluster);
      if (batch.snapshot !== undefined && !this.#staged.has(batch.snapshot.staged)) {
        return new RaftError('invalid-argument', 'The snapshot was not staged by this store, or was used.');
      }
      return undefined;
    } catch (error) {
      return failedStore('The batch was refused.', error);
    }
  }

  async #persist(batch: WriteBatch, snapshot: MemorySnapshot | undefined): Promise<void> {
    try {
      await this.#init.onWrite?.(batch, this.identity);
      if (this.#failure !== undefined) throw this.#failure;
      this.#image.apply(batch, snapshot);
    } catch (error) {
      throw this.#fail(failedStore('The write failed.', error));
    }
  }

  #fail(error: RaftError): RaftError {
    if (this.#failure === undefined) {
      this.#failure = error;
      this.#init.onFault?.(faultOf(error));
    }
    return this.#failure;
  }

  /** As if the disk died now: pending and later writes fail with the fault's code until load. */
  fail(fault: StoreFault): void {
    this.#fail(new RaftError(fault.code, fault.message, { cause: fault.cause }));
  }

  /** As if the process died now: what is not durable is lost, and the identity is nobody's. */
  crash(): void {
    this.#failure = new RaftError('storage-closed', 'The process died.');
    this.#end();
  }

  term(index: Index): Term | undefined {
    return this.#view.term(index);
  }

  async entries(from: Index, to: Index, bytesMax: number): Promise<readonly Entry[]> {
    this.#requireOpen();
    return this.#view.slice(from, to, bytesMax);
  }

  async compact(index: Index): Promise<void> {
    this.#requireOpen();
    await this.#tail;
    this.#requireOpen();
    const upTo = Math.min(index, this.#image.snapshot?.meta.index ?? 0);
    this.#image.log.compact(upTo);
    this.#view.compact(upTo);
  }

  async stageSnapshot(meta: SnapshotMeta): Promise<SnapshotWriter> {
    this.#requireOpen();
    const writer = new MemorySnapshotWriter(meta, {
      finished: (snapshot) => {
        const handle = { meta, bytes: snapshot.bytes, digest: snapshot.digest };
        this.#staged.set(handle, snapshot);
        this.#waiting.delete(writer);
        this.#waiting.add(handle, () => this.#staged.delete(handle));
        return handle;
      },
      dropped: () => this.#waiting.delete(writer),
    });
    this.#waiting.add(writer, () => void writer.abort());
    return writer;
  }

  async discardStaged(staged: StagedSnapshot): Promise<void> {
    this.#requireOpen();
    this.#staged.delete(staged);
    this.#waiting.delete(staged);
  }

  async snapshot(): Promise<StoredSnapshot | undefined> {
    this.#requireOpen();
    await this.#tail;
    return this.#image.snapshot === undefined ? undefined : storedSnapshot(this.#image.snapshot);
  }

  async estimate(): Promise<StorageEstimate | undefined> {
    return undefined;
  }

  async wipe(): Promise<void> {
    this.#requireOpen();
    await this.#tail.catch(() => undefined);
    this.#init.forget();
    this.#end();
    forgetWitnessed(this.#init.witness, this.identity);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    await this.#tail.catch(() => undefined);
    this.#end();
  }

  #end(): void {
    this.#open = false;
    if (this.#image.holder === this.identity.bootNonce) this.#image.holder = undefined;
  }

  #requireUsable(): void {
    this.#requireOpen();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #requireOpen(): void {
    if (!this.#open) throw new RaftError('storage-closed', 'This store is closed.');
  }
}
