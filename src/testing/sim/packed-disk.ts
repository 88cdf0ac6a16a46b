/**
 * A disk of bytes: the store that IndexedDB and LMDB share, over a key-value medium with the latencies, failures and
 * crashes of the simulator, and with bits that turn over.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Durability, Key, Medium, Operation, StoredRecord, Table } from '../../storage/packed/medium.ts';
import { openPacked } from '../../storage/packed/open-packed.ts';
import type { AcquireRequest, NodeIdentity, NodeStore } from '../../storage/storage.ts';
import { applyOperations, copyTables, emptyTables, sortedRecords, type Tables } from '../modelled-disk.ts';
import type { Prng } from '../prng.ts';
import { DeferredStore } from './deferred-store.ts';
import { BOOTS_OF_COPY, CALM_DISK, SLOW_MS } from './disk.ts';
import type { VirtualProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';
import type { CrashKind, DiskCounts, DiskFaults, SimDisk } from './sim-disk.ts';

interface Transaction {
  readonly operations: readonly Operation[];
  readonly durability: Durability;
  readonly settle: (error: RaftError | undefined) => void;
}

/** Small, so that segments are cut off, merged and deleted within a short run. */
const TAIL_BYTES_MAX = 400;

export class PackedDisk implements SimDisk {
  faults: DiskFaults = CALM_DISK;
  readonly counts: DiskCounts = { writes: 0, failed: 0, slow: 0, lostAtCrash: 0, keptAtCrash: 0, undone: 0 };
  readonly nodeId: NodeId;
  onBoundary: ((disk: SimDisk, boundary: number) => void) | undefined = undefined;
  keepsAtCrash: 'some' | 'all' | 'none' = 'some';
  readonly scheduler: Scheduler;
  readonly random: Prng;
  /** What a power cut leaves. */
  #base: Tables = emptyTables();
  /** What a process finds. */
  #now: Tables = emptyTables();
  #relaxed: Transaction[] = [];
  #medium: PackedMedium | undefined;
  #boundary = 0;
  #boots = 0;

  constructor(nodeId: NodeId, scheduler: Scheduler, random: Prng) {
    this.nodeId = nodeId;
    this.scheduler = scheduler;
    this.random = random;
  }

  get tables(): Tables {
    return this.#now;
  }

  open(process: VirtualProcess, request: AcquireRequest): NodeStore {
    const { nodeId, scheduler } = this;
    const { room } = request;
    const bootCount = this.#boots;
    this.#boots += 1;
    const medium = new PackedMedium(this, process);
    this.#medium = medium;
    const identity: NodeIdentity = { nodeId, room, bootNonce: `${nodeId}-boot-${bootCount}`, bootCount };
    const opened = openPacked({
      medium,
      room,
      nodeId,
      bootNonce: identity.bootNonce,
      durability: 'strict',
      tailBytesMax: TAIL_BYTES_MAX,
      onFault: request.onFault,
      fresh: this.#now.meta.size === 0,
      nowMs: scheduler.nowMs,
    });
    return new DeferredStore(identity, opened, scheduler);
  }

  copy(): SimDisk {
    const copy = new PackedDisk(this.nodeId, this.scheduler, this.random.fork('copy'));
    copy.#base = copyTables(this.#now);
    copy.#now = copyTables(this.#now);
    copy.#boots = this.#boots + BOOTS_OF_COPY;
    return copy;
  }

  crash(kind: CrashKind): void {
    const waiting = this.#medium?.abandon() ?? [];
    this.#medium = undefined;
    const kept = this.#keptOf(waiting.length);
    for (const transaction of waiting.slice(0, kept)) this.take(transaction);
    this.counts.keptAtCrash += kept;
    this.counts.lostAtCrash += waiting.length - kept;
    if (kind === 'process' || this.#relaxed.length === 0) return;
    const survive = this.random.below(this.#relaxed.length + 1);
    this.counts.undone += this.#relaxed.length - survive;
    for (const { operations } of this.#relaxed.slice(0, survive)) applyOperations(this.#base, operations);
    this.#relaxed = [];
    this.#now = copyTables(this.#base);
  }

  #keptOf(waiting: number): number {
    if (waiting === 0 || this.keepsAtCrash === 'none') return 0;
    return this.keepsAtCrash === 'all' ? waiting : this.random.below(waiting + 1);
  }

  wipe(): void {
    this.#medium?.abandon();
    this.#medium = undefined;
    this.#base = emptyTables();
    this.#now = emptyTables();
    this.#relaxed = [];
  }

  flip(): boolean {
    const places = (['meta', 'log', 'chunks', 'records'] as const).flatMap((table) =>
      [...this.#now[table].keys()].map((key) => ({ table, key })),
    );
    if (places.length === 0) return false;
    const { table, key } = this.random.pick(places);
    const value = this.#now[table].get(key)?.slice() ?? new Uint8Array(0);
    const bit = this.random.below(value.length * 8);
    value[bit >> 3] = (value[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    this.#now[table].set(key, value);
    if (this.#base[table].has(key)) this.#base[table].set(key, value);
    return true;
  }

  // ---- for the medium

  boundary(): void {
    this.#boundary += 1;
    this.onBoundary?.(this, this.#boundary);
  }

  take(transaction: Transaction): void {
    this.counts.writes += 1;
    applyOperations(this.#now, transaction.operations);
    this.#relaxed.push(transaction);
    if (transaction.durability === 'relaxed') return;
    for (const { operations } of this.#relaxed) applyOperations(this.#base, operations);
    this.#relaxed = [];
  }
}

/** One process's connection: transactions in order, one at a time, reads whenever they are asked. */
class PackedMedium implements Medium {
  readonly #disk: PackedDisk;
  readonly #process: VirtualProcess;
  #queue: Transaction[] = [];
  #current: Transaction | undefined;
  #open = true;

  constructor(disk: PackedDisk, process: VirtualProcess) {
    this.#disk = disk;
    this.#process = process;
  }

  commit(operations: readonly Operation[], durability: Durability): Promise<void> {
    const { scheduler } = this.#disk;
    scheduler.stir();
    if (!this.#open) return Promise.reject(new RaftError('storage-closed', 'The disk is gone.'));
    return new Promise((resolve, reject) => {
      const settle = (error: RaftError | undefined): void => {
        scheduler.stir();
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#queue.push({ operations, durability, settle });
      if (this.#current === undefined) this.#begin();
    });
  }

  #begin(): void {
    const { faults, random, scheduler, counts } = this.#disk;
    const transaction = this.#queue.shift();
    if (transaction === undefined || !this.#open) return;
    this.#current = transaction;
    let delayMs = random.span(...faults.writeMs);
    if (faults.slow > 0 && random.chance(faults.slow)) {
      counts.slow += 1;
      delayMs += random.span(...SLOW_MS);
    }
    const fails = faults.fail > 0 && random.chance(faults.fail);
    scheduler.after(delayMs, this.#process.name, () => {
      if (!this.#open) return;
      this.#disk.boundary();
      if (!this.#open) return;
      this.#current = undefined;
      if (fails) counts.failed += 1;
      else this.#disk.take(transaction);
      const error = fails ? new RaftError(random.pick(faults.failCodes), 'The transaction was aborted.') : undefined;
      this.#process.enter(() => transaction.settle(error));
      this.#begin();
    });
  }

  /** The process died: what it had not heard of yet. */
  abandon(): Transaction[] {
    const waiting = [...(this.#current === undefined ? [] : [this.#current]), ...this.#queue];
    this.#open = false;
    this.#queue = [];
    this.#current = undefined;
    return waiting;
  }

  async get(table: Table, key: Key): Promise<Uint8Array | undefined> {
    return (await this.#read())[table].get(key)?.slice();
  }

  async all(table: 'meta' | 'records'): Promise<ReadonlyMap<string, Uint8Array>> {
    return new Map([...(await this.#read())[table]].map(([key, value]) => [String(key), value.slice()]));
  }

  async scan(table: 'log' | 'chunks', key: number, limit: number): Promise<readonly StoredRecord[]> {
    const sorted = sortedRecords((await this.#read())[table]);
    const floor = sorted.findLast(([stored]) => stored <= key)?.[0] ?? key;
    const found = sorted.filter(([stored]) => stored >= floor).slice(0, limit);
    return found.map(([stored, value]) => ({ key: stored, value: value.slice() }));
  }

  async keys(table: 'log' | 'chunks', from: number, to: number, limit: number): Promise<readonly number[]> {
    const sorted = sortedRecords((await this.#read())[table]).map(([key]) => key);
    return sorted.filter((key) => key >= from && key < to).slice(0, limit);
  }

  async estimate(): Promise<undefined> {
    this.#disk.scheduler.stir();
  }

  async close(): Promise<void> {
    while (this.#open && (this.#current !== undefined || this.#queue.length > 0)) await this.#read();
    this.#open = false;
  }

  async destroy(): Promise<void> {
    await this.close();
    this.#disk.wipe();
  }

  /** A read takes its time; the promise of a process that has died never settles. */
  async #read(): Promise<Tables> {
    if (!this.#open) throw new RaftError('storage-closed', 'The disk is gone.');
    const { scheduler, random, faults } = this.#disk;
    scheduler.stir();
    await new Promise<void>((resolve) => {
      this.#process.later(random.span(...faults.readMs), () => {
        scheduler.stir();
        resolve();
      });
    });
    if (!this.#open) await new Promise<never>(() => undefined);
    return this.#disk.tables;
  }
}
