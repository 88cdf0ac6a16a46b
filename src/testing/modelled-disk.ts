/**
 * A disk in memory that can lose power: the medium of a packed store, with every boundary of a write where a crash can
 * fall, and both kinds of durability. What is strict survives; what is relaxed is lost or kept as the test decides.
 */
import { RaftError } from '../core/errors.ts';
import type { Durability, Key, Medium, Operation, StoredRecord, Table } from '../storage/packed/medium.ts';

/** A moment of a transaction: called, taking effect, durable, told. A crash can fall at each of them. */
export type DiskStep = 'called' | 'applied' | 'durable';

export interface DiskEvent {
  readonly step: DiskStep;
  readonly operations: readonly Operation[];
  readonly durability: Durability;
}

/** Sees each step before the next happens; throwing fails the transaction (before it is applied), crash() ends it all. */
export type DiskHook = (event: DiskEvent) => void | Promise<void>;

/** Sees what a read found before its caller does; throwing fails the read. */
export type ReadHook = (table: Table, limit: number) => void | Promise<void>;

interface Transaction {
  readonly operations: readonly Operation[];
  readonly durability: Durability;
}

export type Tables = Readonly<Record<Table, Map<Key, Uint8Array>>>;

export const emptyTables = (): Tables => ({ meta: new Map(), log: new Map(), chunks: new Map(), records: new Map() });

export class ModelledDisk {
  onStep: DiskHook | undefined = undefined;
  onRead: ReadHook | undefined = undefined;
  /** What is durable for certain. */
  #base: Tables = emptyTables();
  /** Applied since, in order, and not durable for certain. */
  #unsynced: Transaction[] = [];
  /** What a process sees: all of it. */
  #now: Tables = emptyTables();
  #life = 0;

  static from(tables: Tables): ModelledDisk {
    const disk = new ModelledDisk();
    disk.#base = copyTables(tables);
    disk.#now = copyTables(tables);
    return disk;
  }

  /** What a process sees now. Not to be changed. */
  tables(): Tables {
    return this.#now;
  }

  erase(): void {
    for (const tables of [this.#base, this.#now]) for (const table of Object.values(tables)) table.clear();
    this.#unsynced = [];
  }

  /** Transactions a power cut could undo. */
  get unsynced(): number {
    return this.#unsynced.length;
  }

  /** A connection; those of before a crash are dead. */
  open(): Medium {
    const life = this.#life;
    return new ModelledMedium(this, () => this.#life === life);
  }

  /** Power is cut: of the transactions not synced, those stay that `keep` says (by their place, from 0). */
  crash(keep: (place: number) => boolean): void {
    this.#life += 1;
    const kept = this.#unsynced.filter((_, place) => keep(place));
    for (const { operations } of kept) applyOperations(this.#base, operations);
    this.#unsynced = [];
    this.#now = copyTables(this.#base);
  }

  async commit(transaction: Transaction, alive: () => boolean): Promise<void> {
    const step = async (name: DiskStep): Promise<void> => {
      await this.onStep?.({ step: name, ...transaction });
      // A dead process hears nothing more.
      if (!alive()) await new Promise<never>(() => undefined);
    };
    await step('called');
    this.#unsynced.push(transaction);
    applyOperations(this.#now, transaction.operations);
    await step('applied');
    if (transaction.durability === 'strict') this.#sync();
    await step('durable');
  }

  #sync(): void {
    for (const { operations } of this.#unsynced) applyOperations(this.#base, operations);
    this.#unsynced = [];
  }
}

class ModelledMedium implements Medium {
  readonly #disk: ModelledDisk;
  readonly #alive: () => boolean;
  #tail: Promise<void> = Promise.resolve();
  #open = true;

  constructor(disk: ModelledDisk, alive: () => boolean) {
    this.#disk = disk;
    this.#alive = alive;
  }

  commit(operations: readonly Operation[], durability: Durability): Promise<void> {
    this.#require();
    const committed = this.#tail.then(() => this.#disk.commit({ operations, durability }, this.#alive));
    this.#tail = committed.catch(() => undefined);
    return committed;
  }

  async get(table: Table, key: Key): Promise<Uint8Array | undefined> {
    const found = this.#tables()[table].get(key)?.slice();
    await this.#disk.onRead?.(table, 1);
    return found;
  }

  async all(table: 'meta' | 'records'): Promise<ReadonlyMap<string, Uint8Array>> {
    const found = new Map([...this.#tables()[table]].map(([key, value]) => [String(key), value.slice()]));
    await this.#disk.onRead?.(table, found.size);
    return found;
  }

  async scan(table: 'log' | 'chunks', key: number, limit: number): Promise<readonly StoredRecord[]> {
    const sorted = sortedRecords(this.#tables()[table]);
    const floor = sorted.findLast(([stored]) => stored <= key)?.[0] ?? key;
    const found = sorted.filter(([stored]) => stored >= floor).slice(0, limit);
    await this.#disk.onRead?.(table, limit);
    return found.map(([stored, value]) => ({ key: stored, value: value.slice() }));
  }

  async keys(table: 'log' | 'chunks', from: number, to: number, limit: number): Promise<readonly number[]> {
    const sorted = sortedRecords(this.#tables()[table]).map(([key]) => key);
    return sorted.filter((key) => key >= from && key < to).slice(0, limit);
  }

  async estimate(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {
    await this.#tail;
    this.#open = false;
  }

  async destroy(): Promise<void> {
    await this.close();
    this.#disk.erase();
  }

  #tables(): Tables {
    this.#require();
    return this.#disk.tables();
  }
  #require(): void {
    if (!this.#open || !this.#alive()) throw new RaftError('storage-closed', 'The disk is gone.');
  }
}

/** In the order of the keys. */
export function sortedRecords(table: ReadonlyMap<Key, Uint8Array>): [number, Uint8Array][] {
  return [...table].map(([key, value]): [number, Uint8Array] => [Number(key), value]).sort(([a], [b]) => a - b);
}

export function copyTables(tables: Tables): Tables {
  return {
    meta: new Map(tables.meta),
    log: new Map(tables.log),
    chunks: new Map(tables.chunks),
    records: new Map(tables.records),
  };
}

export function applyOperations(tables: Tables, operations: readonly Operation[]): void {
  for (const operation of operations) {
    const table = tables[operation.table];
    if (operation.kind === 'put') table.set(operation.key, operation.value.slice());
    else if (operation.kind === 'delete') table.delete(operation.key);
    else for (const key of [...table.keys()]) if (Number(key) >= operation.from && Number(key) < operation.to) table.delete(key);
  }
}
