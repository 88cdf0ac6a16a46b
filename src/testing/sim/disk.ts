/**
 * The virtual disk of one node: ordered transactions with latency, strict and relaxed, that a crash keeps or loses
 * in order. It outlives processes; a process sees it through a store that dies with it.
 */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, NodeId, SnapshotMeta, Term } from '../../core/types.ts';
import { requireBatch } from '../../storage/batch.ts';
import { MemoryImage, type MemorySnapshot } from '../../storage/memory/memory-disk.ts';
import { MemoryIdentityKey } from '../../storage/memory/memory-key.ts';
import { MemoryLog } from '../../storage/memory/memory-log.ts';
import { MemorySnapshotWriter, storedSnapshot } from '../../storage/memory/memory-snapshot.ts';
import type {
  AcquireRequest,
  IdentityKey,
  LoadedState,
  NodeIdentity,
  NodeStore,
  SnapshotWriter,
  StagedSnapshot,
  StorageEstimate,
  StoredSnapshot,
  WriteBatch,
} from '../../storage/storage.ts';
import type { Prng } from '../prng.ts';
import type { VirtualProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';
import type { CrashKind, DiskCounts, DiskFaults, SimDisk } from './sim-disk.ts';

export const CALM_DISK: DiskFaults = { writeMs: [0.5, 4], readMs: [0.1, 1], slow: 0, fail: 0, failCodes: ['storage'], fold: 0.5 };

/** A copy's boots are told from those of what it is a copy of. */
export const BOOTS_OF_COPY = 1_000;

/** What a slow write takes, in ms. */
export const SLOW_MS: readonly [number, number] = [300, 5_000];

/** A batch with its snapshot's state, on its way to the disk. */
interface Transaction {
  readonly batch: WriteBatch;
  readonly snapshot: MemorySnapshot | undefined;
  readonly settle: (error: RaftError | undefined) => void;
}

export class VirtualDisk implements SimDisk {
  faults: DiskFaults = CALM_DISK;
  readonly counts: DiskCounts = { writes: 0, failed: 0, slow: 0, lostAtCrash: 0, keptAtCrash: 0, undone: 0 };
  readonly nodeId: NodeId;
  /** Called before each transaction takes effect, with its number: where a crash can be put. */
  onBoundary: ((disk: SimDisk, boundary: number) => void) | undefined = undefined;
  /** What a crash keeps of the writes on their way: a part of them from the first on, or all, or none. */
  keepsAtCrash: 'some' | 'all' | 'none' = 'some';
  readonly scheduler: Scheduler;
  readonly random: Prng;
  /** What a power cut leaves. */
  #base = new MemoryImage();
  /** What a process finds. */
  #image = new MemoryImage();
  #relaxed: Transaction[] = [];
  #store: VirtualStore | undefined;
  #boundary = 0;

  constructor(nodeId: NodeId, scheduler: Scheduler, random: Prng) {
    this.nodeId = nodeId;
    this.scheduler = scheduler;
    this.random = random;
  }

  /** Values have no bits. */
  flip(): boolean {
    return false;
  }

  open(process: VirtualProcess, request: AcquireRequest): NodeStore {
    const bootCount = this.#image.bootCount;
    this.#image.bootCount += 1;
    const identity: NodeIdentity = {
      nodeId: this.nodeId,
      bootNonce: `${this.nodeId}-boot-${bootCount}`,
      bootCount,
      room: request.room,
    };
    this.#store = new VirtualStore(this, process, identity, request);
    return this.#store;
  }

  copy(): SimDisk {
    const copy = new VirtualDisk(this.nodeId, this.scheduler, this.random.fork('copy'));
    copy.#base = this.#image.clone();
    copy.#image = this.#image.clone();
    copy.#image.bootCount += BOOTS_OF_COPY;
    return copy;
  }

  /** The process or the machine dies: what was on its way is kept up to some point, and lost from there. */
  crash(kind: CrashKind): void {
    const waiting = this.#store?.abandon() ?? [];
    this.#store = undefined;
    const kept = this.#keptOf(waiting.length);
    for (const transaction of waiting.slice(0, kept)) this.#take(transaction);
    this.counts.keptAtCrash += kept;
    this.counts.lostAtCrash += waiting.length - kept;
    if (kind === 'process' || this.#relaxed.length === 0) return;
    const survive = this.random.below(this.#relaxed.length + 1);
    this.counts.undone += this.#relaxed.length - survive;
    for (const transaction of this.#relaxed.slice(0, survive)) this.#base.apply(transaction.batch, transaction.snapshot);
    this.#relaxed = [];
    const { bootCount } = this.#image;
    this.#image = this.#base.clone();
    this.#image.bootCount = bootCount;
  }

  #keptOf(waiting: number): number {
    if (waiting === 0 || this.keepsAtCrash === 'none') return 0;
    return this.keepsAtCrash === 'all' ? waiting : this.random.below(waiting + 1);
  }

  /** Evicted: nothing is left, not even the identity. */
  wipe(): void {
    this.#store?.abandon();
    this.#store = undefined;
    this.#base = new MemoryImage();
    this.#image = new MemoryImage();
    this.#relaxed = [];
  }

  get image(): MemoryImage {
    return this.#image;
  }

  get waiting(): number {
    return this.#store?.waiting ?? 0;
  }

  // ---- for the store

  boundary(): void {
    this.#boundary += 1;
    this.onBoundary?.(this, this.#boundary);
  }

  commit(transactions: readonly Transaction[]): void {
    for (const transaction of transactions) this.#take(transaction);
  }

  #take(transaction: Transaction): void {
    this.counts.writes += 1;
    this.#image.apply(transaction.batch, transaction.snapshot);
    this.#relaxed.push(transaction);
    if (transaction.batch.sync === false) return;
    for (const { batch, snapshot } of this.#relaxed) this.#base.apply(batch, snapshot);
    this.#relaxed = [];
  }

  compact(index: Index): void {
    const upTo = Math.min(index, this.#base.snapshot?.meta.index ?? 0);
    this.#image.log.compact(upTo);
    this.#base.log.compact(upTo);
  }
}

/** What one process sees of the disk: its own writes at once, and everything else when it is done. */
export class VirtualStore implements NodeStore {
  readonly identity: NodeIdentity;
  readonly identityKey: IdentityKey;
  readonly #disk: VirtualDisk;
  readonly #process: VirtualProcess;
  readonly #request: AcquireRequest;
  readonly #view = new MemoryLog();
  readonly #staged = new Map<StagedSnapshot, MemorySnapshot>();
  #queue: Transaction[] = [];
  #current: Transaction[] = [];
  #failure: RaftError | undefined;
  #open = true;

  constructor(disk: VirtualDisk, process: VirtualProcess, identity: NodeIdentity, request: AcquireRequest) {
    this.#disk = disk;
    this.#process = process;
    this.#request = request;
    this.identity = identity;
    this.identityKey = new MemoryIdentityKey(disk.image);
    this.#view.copyFrom(disk.image.log);
  }

  get waiting(): number {
    return this.#queue.length + this.#current.length;
  }

  async load(): Promise<LoadedState> {
    await this.#read();
    while (this.waiting > 0) await this.#read();
    this.#failure = undefined;
    const { image } = this.#disk;
    this.#view.copyFrom(image.log);
    const { cluster, hardState, snapshot, records } = image;
    return {
      cluster,
      hardState,
      snapshot: snapshot?.meta,
      snapshotBytes: snapshot?.bytes ?? 0,
      firstIndex: this.#view.firstIndex,
      lastIndex: this.#view.lastIndex,
      tail: this.#tail(),
      records: new Map([...records].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  /** Part of the log, read on opening: some of it, all of it, or none. */
  #tail(): readonly Entry[] {
    const { firstIndex, lastIndex } = this.#view;
    const from = this.#disk.random.between(firstIndex, lastIndex + 1);
    return from > lastIndex ? [] : this.#view.slice(from, lastIndex + 1, Number.MAX_SAFE_INTEGER);
  }

  write(batch: WriteBatch): Promise<void> {
    this.#disk.scheduler.stir();
    const snapshot = batch.snapshot === undefined ? undefined : this.#staged.get(batch.snapshot.staged);
    try {
      this.#requireOpen();
      if (this.#failure !== undefined) throw this.#failure;
      requireBatch(batch, this.#view);
      if (batch.snapshot !== undefined && snapshot === undefined)
        throw new RaftError('invalid-argument', 'The snapshot was not staged by this store.');
    } catch (error) {
      return Promise.reject(error);
    }
    if (snapshot !== undefined) this.#view.installed(snapshot, batch.snapshot?.keepLogAfter === true);
    if (batch.entries !== undefined) this.#view.append(batch.entries);
    const written = new Promise<void>((resolve, reject) => {
      const settle = (error: RaftError | undefined): void => {
        this.#disk.scheduler.stir();
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#queue.push({ batch, snapshot, settle });
    });
    written.catch(() => undefined);
    if (this.#current.length === 0) this.#begin();
    return written;
  }

  #begin(): void {
    const { faults, random, scheduler } = this.#disk;
    if (this.#queue.length === 0 || !this.#open) return;
    const folds = random.chance(faults.fold) ? this.#queue.length : 1;
    this.#current = this.#queue.splice(0, folds);
    let delayMs = random.span(...faults.writeMs);
    if (faults.slow > 0 && random.chance(faults.slow)) {
      this.#disk.counts.slow += 1;
      delayMs += random.span(...SLOW_MS);
    }
    const fails = faults.fail > 0 && random.chance(faults.fail);
    // The disk works on while its process is frozen, but the process hears of it only when it thaws.
    scheduler.after(delayMs, this.#process.name, () => {
      if (!this.#open) return;
      this.#disk.boundary();
      if (!this.#open) return;
      if (fails) return this.#fail(new RaftError(random.pick(faults.failCodes), 'The transaction was aborted.'));
      const done = this.#current;
      this.#current = [];
      this.#disk.commit(done);
      this.#process.enter(() => {
        for (const { settle } of done) settle(undefined);
      });
      this.#begin();
    });
  }

  #fail(error: RaftError): void {
    const lost = [...this.#current, ...this.#queue];
    this.#current = [];
    this.#queue = [];
    this.#disk.counts.failed += 1;
    this.#failure = error;
    this.#process.enter(() => {
      for (const { settle } of lost) settle(error);
      this.#request.onFault?.({ code: error.code === 'quota' ? 'quota' : 'storage', message: error.message });
    });
  }

  /** The process died: what it had not heard of yet. */
  abandon(): Transaction[] {
    const waiting = [...this.#current, ...this.#queue];
    this.#current = [];
    this.#queue = [];
    this.#open = false;
    return waiting;
  }

  term(index: Index): Term | undefined {
    return this.#view.term(index);
  }

  async entries(from: Index, to: Index, bytesMax: number): Promise<readonly Entry[]> {
    await this.#read();
    return this.#view.slice(from, to, bytesMax);
  }

  async compact(index: Index): Promise<void> {
    await this.#read();
    while (this.waiting > 0) await this.#read();
    this.#disk.boundary();
    this.#requireOpen();
    this.#disk.compact(index);
    this.#view.compact(Math.min(index, this.#disk.image.snapshot?.meta.index ?? 0));
  }

  async stageSnapshot(meta: SnapshotMeta): Promise<SnapshotWriter> {
    await this.#read();
    const writer = new MemorySnapshotWriter(meta, {
      finished: (snapshot) => {
        this.#staged.set(snapshot, snapshot);
        return snapshot;
      },
      dropped: () => undefined,
    });
    return {
      write: async (chunk) => {
        this.#disk.scheduler.stir();
        await writer.write(chunk);
      },
      finish: async (digest) => {
        await this.#read();
        this.#disk.boundary();
        this.#requireOpen();
        return writer.finish(digest);
      },
      abort: () => writer.abort(),
    };
  }

  async discardStaged(staged: StagedSnapshot): Promise<void> {
    this.#staged.delete(staged);
  }

  async snapshot(): Promise<StoredSnapshot | undefined> {
    await this.#read();
    while (this.waiting > 0) await this.#read();
    const { snapshot } = this.#disk.image;
    return snapshot === undefined ? undefined : storedSnapshot(snapshot);
  }

  async estimate(): Promise<StorageEstimate | undefined> {
    this.#disk.scheduler.stir();
    return undefined;
  }

  async wipe(): Promise<void> {
    this.#requireOpen();
    this.#disk.wipe();
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    while (this.waiting > 0) await this.#read();
    this.#open = false;
  }

  /** A read takes its time; the promise of a process that has died never settles. */
  async #read(): Promise<void> {
    this.#requireOpen();
    const { scheduler, random, faults } = this.#disk;
    scheduler.stir();
    await new Promise<void>((resolve) => {
      this.#process.later(random.span(...faults.readMs), () => {
        scheduler.stir();
        resolve();
      });
    });
    if (!this.#open) await new Promise<never>(() => undefined);
  }

  #requireOpen(): void {
    if (!this.#open) throw new RaftError('storage-closed', 'This store is closed.');
  }
}
