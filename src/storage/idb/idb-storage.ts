/**
 * Storage in the browser: one IndexedDB database per (room, node), its identity held by a Web Lock of the same name.
 * Needs a secure context (https, or localhost), as Web Locks do.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { randomId, requireNodeId, requireRoom } from '../identity.ts';
import type { MediumRequest, MediumSource } from '../move-store.ts';
import type { Durability, Medium } from '../packed/medium.ts';
import { readMeta } from '../packed/meta.ts';
import { adoptPacked } from '../packed/open-packed.ts';
import type { PackedStore } from '../packed/packed-store.ts';
import type { AcquireRequest, NodeStore, StorageProvider } from '../storage.ts';
import { adoptIdentity, type IdentityPlace } from '../web-identity.ts';
import { storageError } from './idb-errors.ts';
import { type HeldLock, heldNames, type Locks, takeLock } from './idb-locks.ts';
import { IdbMedium, peekMeta } from './idb-medium.ts';

export interface IdbStorageOptions {
  /** strict (default): a write resolves when it is on the disk. relaxed: when a power cut can still undo it. */
  readonly durability?: Durability | undefined;
  /** Ask the browser not to evict this site's data under pressure. Default true; it may refuse, or ask the user. */
  readonly persist?: boolean | undefined;
  /** Where there is no navigator.locks. */
  readonly locks?: Locks | undefined;
}

export class IdbStorage implements StorageProvider, MediumSource {
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
    requireRoom(request.room);
    if (request.preferred !== undefined) requireNodeId(request.preferred);
    const locks = this.#requireApis();
    try {
      const store = request.fresh === true ? undefined : await this.#adopt(request, locks);
      if (this.#persist) void askForPersistence();
      return store ?? (await this.#create(request, locks));
    } catch (error) {
      throw storageError(error, 'open');
    }
  }

  #requireApis(): Locks {
    if (typeof indexedDB === 'undefined') {
      throw new RaftError('storage-unavailable', 'This browser, or its private mode, has no IndexedDB.');
    }
    const locks = this.#locks ?? (typeof navigator === 'undefined' ? undefined : navigator.locks);
    if (locks === undefined) {
      throw new RaftError('storage-unavailable', 'Web Locks are missing: the page must be served over https or from localhost.');
    }
    return locks;
  }

  #adopt(request: AcquireRequest, locks: Locks): Promise<NodeStore | undefined> {
    const prefix = databasePrefix(request.room);
    const idsIn = (names: Iterable<string>): NodeId[] =>
      [...names].flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
    const place: IdentityPlace = {
      ids: async () => idsIn((await indexedDB.databases()).map(({ name }) => name ?? '')),
      held: async () => new Set(idsIn(await heldNames(locks))),
      byRecency: (ids) => byRecency(prefix, ids),
      open: (nodeId, waitMs) => this.#open(request, locks, prefix + nodeId, waitMs),
    };
    return adoptIdentity(place, request);
  }

  /** The identity's database, of which the caller holds the lock; undefined where there is none and none is made. */
  openMedium({ room, nodeId, create }: MediumRequest): Promise<Medium | undefined> {
    const ignored = (): void => undefined;
    return IdbMedium.open({ name: databasePrefix(room) + nodeId, create, onLost: ignored, onClosed: ignored });
  }

  async #create(request: AcquireRequest, locks: Locks): Promise<NodeStore> {
    const name = databasePrefix(request.room) + randomId();
    const store = await this.#open({ ...request, fresh: true }, locks, name, 0);
    if (store === undefined) throw new RaftError('identity-in-use', 'A new random identity is in use already.');
    return store;
  }

  /** undefined when another tab holds the identity, or there is none in the database. */
  async #open(request: AcquireRequest, locks: Locks, name: string, waitMs: number): Promise<NodeStore | undefined> {
    let store: PackedStore | undefined;
    let lostBefore: RaftError | undefined;
    const onLost = (error: RaftError): void => {
      if (store === undefined) lostBefore = error;
      else store.lost(error);
    };
    const stolen = (): void => onLost(new RaftError('storage-closed', "Another tab took this node's identity by force."));
    const lock = await takeLock(locks, name, waitMs, stolen);
    if (lock === undefined) return undefined;
    let medium: IdbMedium | undefined;
    try {
      medium = await IdbMedium.open({ name, create: request.fresh === true, onLost, onClosed: lock.release });
      if (medium === undefined) {
        lock.release();
        return undefined;
      }
      store = await adoptPacked({
        medium,
        room: request.room,
        nodeId: nodeIdOf(name, request.room),
        bootNonce: randomId(),
        durability: this.#durability,
        onFault: request.onFault,
        witness: request.bootWitness,
        fresh: request.fresh === true,
        nowMs: performance.timeOrigin + performance.now(),
      });
      if (lostBefore !== undefined) throw lostBefore;
    } catch (error) {
      await giveBack(medium, lock);
      throw error;
    }
    return store;
  }
}

async function giveBack(medium: IdbMedium | undefined, lock: HeldLock): Promise<void> {
  if (medium === undefined) lock.release();
  else await medium.close();
}

function databasePrefix(room: string): string {
  return `tabraft:${encodeURIComponent(room)}:`;
}

function nodeIdOf(name: string, room: string): NodeId {
  return name.slice(databasePrefix(room).length);
}

/** The most recently opened first; what cannot be read comes last. */
async function byRecency(prefix: string, ids: readonly NodeId[]): Promise<readonly NodeId[]> {
  if (ids.length < 2) return ids;
  const dated = await Promise.all(ids.map(async (nodeId) => ({ nodeId, openedAtMs: await openedAt(prefix + nodeId) })));
  return dated.sort((a, b) => b.openedAtMs - a.openedAtMs).map(({ nodeId }) => nodeId);
}

async function openedAt(name: string): Promise<number> {
  try {
    const stored = await peekMeta(name, 'identity');
    return readMeta(new Map(stored === undefined ? [] : [['identity', stored]]), 'identity')?.openedAtMs ?? 0;
  } catch {
    return 0;
  }
}

/** Whether the browser promises to keep the data; undefined where it does not say. */
export async function askForPersistence(): Promise<boolean | undefined> {
  try {
    return await navigator.storage?.persist?.();
  } catch {
    return undefined;
  }
}
