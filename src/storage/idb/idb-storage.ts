/**
 * Storage in the browser: one IndexedDB database per (room, node), its identity held by a Web Lock of the same name.
 * Needs a secure context (https, or localhost), as Web Locks do.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { keyUnderLock } from '../left-key.ts';
import type { MediumRequest, MediumSource } from '../move-store.ts';
import { openLocked } from '../open-locked.ts';
import type { Durability } from '../packed/medium.ts';
import { readMeta } from '../packed/meta.ts';
import type { AcquireRequest, NodeStore, StorageProvider } from '../storage.ts';
import { acquireFrom, idsIn, lockName, type OpenRequest, requireLocks, type WebStores } from '../web-identity.ts';
import { storageError } from './idb-errors.ts';
import type { Locks } from './idb-locks.ts';
import { IdbMedium, peekMeta } from './idb-medium.ts';

export interface IdbStorageOptions {
  /** strict (default): a write resolves when it is on the disk. relaxed: when a power cut can still undo it. */
  readonly durability?: Durability | undefined;
  /** Ask the browser not to evict this site's data under pressure. Default true; it may refuse, or ask the user. */
  readonly persist?: boolean | undefined;
  /** Where there is no navigator.locks. */
  readonly locks?: Locks | undefined;
}

export class IdbStorage implements StorageProvider, MediumSource, WebStores {
  readonly kind: string = 'indexeddb';
  readonly durable: boolean = true;
  readonly #durability: Durability;
  readonly #persist: boolean;
  readonly #locks: Locks | undefined;

  constructor(options: IdbStorageOptions = {}) {
    this.#durability = options.durability ?? 'strict';
    this.#persist = options.persist ?? true;
    this.#locks = options.locks;
  }

  async acquire(request: AcquireRequest): Promise<NodeStore> {
    requireIndexedDb();
    try {
      return await acquireFrom(this, requireLocks(this.#locks), request);
    } catch (error) {
      throw storageError(error, 'open');
    } finally {
      if (this.#persist) void askForPersistence();
    }
  }

  leftKey(room: string, nodeId: NodeId): Promise<CryptoKeyPair | undefined> {
    return keyUnderLock(requireLocks(this.#locks), room, nodeId, () => this.ownKey(room, nodeId));
  }

  /** Of which the caller holds the lock. */
  async ownKey(room: string, nodeId: NodeId): Promise<CryptoKeyPair | undefined> {
    const medium = await this.openMedium({ room, nodeId, create: false });
    try {
      return await medium?.identityKey.load();
    } finally {
      await medium?.close();
    }
  }

  async ids(room: string): Promise<readonly NodeId[]> {
    if (typeof indexedDB === 'undefined') return [];
    try {
      const databases = await indexedDB.databases();
      return idsIn(
        room,
        databases.map(({ name }) => name ?? ''),
      );
    } catch (error) {
      throw storageError(error, 'open');
    }
  }

  async openedAtMs(room: string, nodeId: NodeId): Promise<number> {
    try {
      const stored = await peekMeta(lockName(room, nodeId), 'identity');
      return readMeta(new Map(stored === undefined ? [] : [['identity', stored]]), 'identity')?.openedAtMs ?? 0;
    } catch {
      return 0;
    }
  }

  async open(
    request: OpenRequest,
    nodeId: NodeId,
    waitMs: number,
    before?: () => Promise<unknown>,
  ): Promise<NodeStore | undefined> {
    requireIndexedDb();
    const name = lockName(request.room, nodeId);
    try {
      return await openLocked({
        request,
        locks: requireLocks(this.#locks),
        nodeId,
        waitMs,
        durability: this.#durability,
        before,
        medium: (lock, onLost) =>
          IdbMedium.open({ name, create: request.fresh === true, onLost, onClosed: () => lock.release() }),
      });
    } catch (error) {
      throw storageError(error, 'open');
    }
  }

  /** The identity's database, of which the caller holds the lock; undefined where there is none and none is made. */
  openMedium({ room, nodeId, create }: MediumRequest): Promise<IdbMedium | undefined> {
    const ignored = (): void => undefined;
    return IdbMedium.open({ name: lockName(room, nodeId), create, onLost: ignored, onClosed: ignored });
  }
}

/** Errors: storage-unavailable. */
function requireIndexedDb(): void {
  if (typeof indexedDB !== 'undefined') return;
  throw new RaftError('storage-unavailable', 'This browser, or its private mode, has no IndexedDB.');
}

/** Whether the browser promises to keep the data; undefined where it does not say. */
export async function askForPersistence(): Promise<boolean | undefined> {
  try {
    return await navigator.storage?.persist?.();
  } catch {
    return undefined;
  }
}
