/**
 * A browser's two kinds of storage as one: a node is kept in files (OPFS) or in IndexedDB, as it is asked for, wherever it was
 * before. An identity that lies in the other kind moves over under its lock, when it is opened.
 */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import type { Locks } from './idb/idb-locks.ts';
import { keyUnderLock } from './left-key.ts';
import { type MediumSource, moveHeld } from './move-store.ts';
import type { AcquireRequest, NodeStore, StorageProvider } from './storage.ts';
import { acquireFrom, requireLocks, type WebStores } from './web-identity.ts';

/** 'auto': files where the browser has them for this page, else IndexedDB. */
export type BrowserStorageKind = 'opfs' | 'indexeddb' | 'auto';

/** One of the two kinds. */
export interface KindOfStores extends WebStores, MediumSource {
  readonly kind: string;
  /** The pair of an identity of which the caller holds the lock. */
  ownKey(room: string, nodeId: NodeId): Promise<CryptoKeyPair | undefined>;
}

export interface BrowserStorageInit {
  readonly files: KindOfStores;
  readonly tables: KindOfStores;
  readonly keep: BrowserStorageKind;
  /** Where there is no navigator.locks. */
  readonly locks?: Locks | undefined;
  /** Asks the browser not to evict this site's data; called with each acquire. */
  readonly persist?: (() => unknown) | undefined;
}

export class BrowserStorage implements StorageProvider {
  readonly kind: string;
  readonly durable: boolean = true;
  readonly #init: BrowserStorageInit;

  constructor(init: BrowserStorageInit) {
    this.#init = init;
    this.kind = (init.keep === 'indexeddb' ? init.tables : init.files).kind;
  }

  async acquire(request: AcquireRequest): Promise<NodeStore> {
    try {
      return await new Acquiring(this.#init).acquire(request);
    } finally {
      this.#init.persist?.();
    }
  }

  leftKey(room: string, nodeId: NodeId): Promise<CryptoKeyPair | undefined> {
    const { files, tables, locks } = this.#init;
    return keyUnderLock(requireLocks(locks), room, nodeId, async () => {
      const inTables = await tables.ownKey(room, nodeId).catch(() => undefined);
      return inTables ?? files.ownKey(room, nodeId);
    });
  }
}

/** The kind that is wanted, and the other. */
interface Aim {
  readonly to: KindOfStores;
  readonly from: KindOfStores;
  /** Why that is not the kind that was asked for. */
  readonly fallback: string;
}

class Acquiring {
  readonly #init: BrowserStorageInit;
  /** Files cannot be had here. They are not asked for again: a script that never loads costs its whole deadline. */
  #noFiles: RaftError | undefined;

  constructor(init: BrowserStorageInit) {
    this.#init = init;
  }

  async acquire(request: AcquireRequest): Promise<NodeStore> {
    const { files, tables, keep } = this.#init;
    if (keep === 'indexeddb') return this.#acquire(request, { to: tables, from: files, fallback: '' });
    try {
      return await this.#acquire(request, { to: files, from: tables, fallback: '' });
    } catch (error) {
      if (keep !== 'auto' || !RaftError.is(error, 'storage-unavailable')) throw error;
      this.#noFiles = error;
      // What lies in files, and cannot be opened, is refused again: nobody takes a new identity because a script did not load.
      return this.#acquire(request, { to: tables, from: files, fallback: error.message });
    }
  }

  #acquire(request: AcquireRequest, aim: Aim): Promise<NodeStore> {
    const { to, from } = aim;
    const stores: WebStores = {
      ids: async (room) => [...new Set([...(await to.ids(room)), ...(await from.ids(room))])],
      openedAtMs: async (room, nodeId) => Math.max(await to.openedAtMs(room, nodeId), await from.openedAtMs(room, nodeId)),
      open: (opening, nodeId, waitMs) => this.#open(aim, opening, nodeId, waitMs),
    };
    return acquireFrom(stores, requireLocks(this.#init.locks), request);
  }

  async #open(aim: Aim, request: AcquireRequest, nodeId: NodeId, waitMs: number): Promise<NodeStore | undefined> {
    const { to, from } = aim;
    if (this.#noFiles !== undefined && to === this.#init.files) throw this.#noFiles;
    const opening = { ...request, kept: { kind: to.kind, fallback: aim.fallback } };
    const isElsewhere = request.fresh !== true && (await from.ids(request.room)).includes(nodeId);
    if (!isElsewhere) return to.open(opening, nodeId, waitMs);
    let failure: unknown;
    const bring = async (): Promise<void> => {
      try {
        await this.#move(aim, request.room, nodeId);
      } catch (error) {
        failure = error;
        throw error;
      }
    };
    try {
      return await to.open(opening, nodeId, waitMs, bring);
    } catch (error) {
      if (failure !== error || !this.#mayStay(from, error)) throw error;
      // A disk without room for a second copy is no reason to be without the node: it stays where it is.
      const staying = { ...request, kept: { kind: from.kind, fallback: error.message } };
      const store = await from.open(staying, nodeId, waitMs);
      if (store === undefined) throw error;
      return store;
    }
  }

  async #move({ from, to }: Aim, room: string, nodeId: NodeId): Promise<void> {
    if (this.#noFiles !== undefined) throw this.#noFiles;
    try {
      await moveHeld({ from, to, room, nodeId });
    } catch (error) {
      if (RaftError.is(error, 'storage-unavailable')) this.#noFiles = error;
      throw error;
    }
  }

  /** A node that could not be moved is opened where it lies, unless files were asked for and cannot be had. */
  #mayStay(where: KindOfStores, error: unknown): error is RaftError {
    if (RaftError.is(error, 'quota') || RaftError.is(error, 'storage')) return true;
    const { keep, tables } = this.#init;
    return keep === 'auto' && where === tables && RaftError.is(error, 'storage-unavailable');
  }
}
