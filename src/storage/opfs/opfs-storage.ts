/**
 * Storage in files of the browser (OPFS): one directory per room and node, its identity held by the Web Lock that IndexedDB
 * storage uses too, so that one identity is open once, wherever it lies. Synchronous files exist in dedicated workers only:
 * a page gives a worker that holds them; code that runs in a worker holds them itself.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { DetachedIdentityKey } from '../idb/idb-key.ts';
import { type HeldLock, heldNames, type Locks, takeLock } from '../idb/idb-locks.ts';
import { askForPersistence } from '../idb/idb-storage.ts';
import { randomId, requireNodeId, requireRoom } from '../identity.ts';
import type { MediumRequest, MediumSource } from '../move-store.ts';
import type { Durability, Medium } from '../packed/medium.ts';
import { adoptPacked } from '../packed/open-packed.ts';
import type { PackedStore } from '../packed/packed-store.ts';
import { roomDirectory } from '../room-directory.ts';
import type { AcquireRequest, NodeStore, StorageProvider } from '../storage.ts';
import { adoptIdentity, type IdentityPlace } from '../web-identity.ts';
import { fileError } from './file-errors.ts';
import { FileMedium } from './file-medium.ts';
import { OpfsFolder } from './opfs-folder.ts';
import { type FileWorker, RemoteMedium } from './remote-medium.ts';

const ROOT_DIRECTORY = 'tabraft';
/** An empty file whose name says when the identity was opened last, in microseconds: seen without opening anything. */
const OPENED_PREFIX = 'opened-';

export interface OpfsStorageOptions {
  /** Makes the worker that holds the files (src/storage/opfs/worker.ts). Not given: this is a worker, and holds them itself. */
  readonly worker?: (() => FileWorker) | undefined;
  /** Where the rooms' directories are. Default: the origin private file system's root. */
  readonly directory?: FileSystemDirectoryHandle | undefined;
  /** strict (default): a write resolves when it is on the disk. relaxed: when a power cut can still undo it. */
  readonly durability?: Durability | undefined;
  /** Ask the browser not to evict this site's data under pressure. Default true; it may refuse, or ask the user. */
  readonly persist?: boolean | undefined;
  /** Where there is no navigator.locks. */
  readonly locks?: Locks | undefined;
}

interface Opening {
  readonly request: AcquireRequest;
  readonly locks: Locks;
  /** The room's directory. */
  readonly parent: FileSystemDirectoryHandle;
}

export class OpfsStorage implements StorageProvider, MediumSource {
  readonly kind: string = 'opfs';
  readonly durable: boolean = true;
  readonly #options: OpfsStorageOptions;

  constructor(options: OpfsStorageOptions = {}) {
    this.#options = options;
  }

  async acquire(request: AcquireRequest): Promise<NodeStore> {
    requireRoom(request.room);
    if (request.preferred !== undefined) requireNodeId(request.preferred);
    const locks = this.#requireLocks();
    try {
      const opening = { request, locks, parent: await this.#roomDirectory(request.room) };
      const store = request.fresh === true ? undefined : await adoptIdentity(this.#place(opening), request);
      if (this.#options.persist !== false) void askForPersistence();
      return store ?? (await this.#create(opening));
    } catch (error) {
      throw fileError(error);
    }
  }

  #requireLocks(): Locks {
    const locks = this.#options.locks ?? (typeof navigator === 'undefined' ? undefined : navigator.locks);
    if (locks !== undefined) return locks;
    throw new RaftError('storage-unavailable', 'Web Locks are missing: the page must be served over https or from localhost.');
  }

  async #roomDirectory(room: string): Promise<FileSystemDirectoryHandle> {
    try {
      const root = this.#options.directory ?? (await navigator.storage.getDirectory());
      const all = await root.getDirectoryHandle(ROOT_DIRECTORY, { create: true });
      return await all.getDirectoryHandle(roomDirectory(room), { create: true });
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'QuotaExceededError') throw cause;
      throw new RaftError('storage-unavailable', 'This browser, or its private mode, has no files for this site.', { cause });
    }
  }

  #place(opening: Opening): IdentityPlace {
    const { parent, locks, request } = opening;
    return {
      ids: () => directoriesIn(parent),
      held: async () => {
        const prefix = lockName(request.room, '');
        return new Set(
          [...(await heldNames(locks))].flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : [])),
        );
      },
      byRecency: (ids) => byRecency(parent, ids),
      open: (nodeId, waitMs) => this.#open(opening, nodeId, waitMs),
    };
  }

  /** The identity's files, of which the caller holds the lock; undefined where there are none and none are made. */
  async openMedium({ room, nodeId, create }: MediumRequest): Promise<Medium | undefined> {
    const parent = await this.#roomDirectory(room);
    if (!create && !(await directoriesIn(parent)).includes(nodeId)) return undefined;
    return this.#medium({ room, parent, nodeId, lock: { release: () => undefined }, onLost: () => undefined });
  }

  async #create(opening: Opening): Promise<NodeStore> {
    const fresh = { ...opening, request: { ...opening.request, fresh: true } };
    const store = await this.#open(fresh, randomId(), 0);
    if (store === undefined) throw new RaftError('identity-in-use', 'A new random identity is in use already.');
    return store;
  }

  /** undefined when another tab holds the identity, or there is none in the directory. */
  async #open({ request, locks, parent }: Opening, nodeId: NodeId, waitMs: number): Promise<NodeStore | undefined> {
    let store: PackedStore | undefined;
    let lostBefore: RaftError | undefined;
    const onLost = (error: RaftError): void => {
      if (store === undefined) lostBefore = error;
      else store.lost(error);
    };
    const stolen = (): void => onLost(new RaftError('storage-closed', "Another tab took this node's identity by force."));
    const lock = await takeLock(locks, lockName(request.room, nodeId), waitMs, stolen);
    if (lock === undefined) return undefined;
    let medium: Medium | undefined;
    try {
      medium = await this.#medium({ room: request.room, parent, nodeId, lock, onLost });
      store = await adoptPacked({
        medium,
        room: request.room,
        nodeId,
        bootNonce: randomId(),
        durability: this.#options.durability ?? 'strict',
        onFault: request.onFault,
        witness: request.bootWitness,
        fresh: request.fresh === true,
        nowMs: performance.timeOrigin + performance.now(),
      });
      if (lostBefore !== undefined) throw lostBefore;
      if (store !== undefined) await markOpened(await parent.getDirectoryHandle(nodeId));
    } catch (error) {
      if (medium === undefined) lock.release();
      else await medium.close();
      throw error;
    }
    return store;
  }

  async #medium(at: {
    readonly room: string;
    readonly parent: FileSystemDirectoryHandle;
    readonly nodeId: NodeId;
    readonly lock: HeldLock;
    readonly onLost: (error: RaftError) => void;
  }): Promise<Medium> {
    const { parent, nodeId, lock } = at;
    const identityKey = new DetachedIdentityKey(at.room, nodeId);
    const { worker } = this.#options;
    if (worker === undefined) {
      const folder = new OpfsFolder(parent, await parent.getDirectoryHandle(nodeId, { create: true }));
      return releasing(await FileMedium.open(folder, { identityKey }), lock, () => identityKey.forget());
    }
    const aliveLock = `tabraft-files:${nodeId}:${randomId()}`;
    const medium = await RemoteMedium.open({
      worker: worker(),
      open: { parent, name: nodeId, aliveLock },
      identityKey,
      onLost: at.onLost,
      onDestroyed: () => identityKey.forget(),
      onClosed: lock.release,
    });
    // The worker holds it while it lives.
    navigator.locks.request(aliveLock, () => medium.lose('has ended')).catch(() => undefined);
    return medium;
  }
}

/** A medium of this very worker, which gives the identity back when it ends. */
function releasing(medium: FileMedium, lock: HeldLock, onDestroyed: () => Promise<void>): Medium {
  return {
    identityKey: medium.identityKey,
    commit: (operations, durability) => medium.commit(operations, durability),
    get: (table, key) => medium.get(table, key),
    all: (table) => medium.all(table),
    scan: (table, key, limit) => medium.scan(table, key, limit),
    keys: (table, from, to, limit) => medium.keys(table, from, to, limit),
    estimate: () => medium.estimate(),
    close: () => medium.close().finally(lock.release),
    destroy: () => medium.destroy().then(onDestroyed).finally(lock.release),
  };
}

/** The name of the database that IndexedDB storage keeps the same identity in. */
function lockName(room: string, nodeId: string): string {
  return `tabraft:${encodeURIComponent(room)}:${nodeId}`;
}

async function directoriesIn(parent: FileSystemDirectoryHandle): Promise<NodeId[]> {
  const names: NodeId[] = [];
  for await (const [name, handle] of parent.entries()) if (handle.kind === 'directory') names.push(name);
  return names;
}

async function markOpened(directory: FileSystemDirectoryHandle): Promise<void> {
  const now = `${OPENED_PREFIX}${Math.round((performance.timeOrigin + performance.now()) * 1000)}`;
  await directory.getFileHandle(now, { create: true });
  for await (const name of directory.keys()) {
    if (name.startsWith(OPENED_PREFIX) && name !== now) await directory.removeEntry(name).catch(() => undefined);
  }
}

/** The most recently opened first; what cannot be read comes last. */
async function byRecency(parent: FileSystemDirectoryHandle, ids: readonly NodeId[]): Promise<readonly NodeId[]> {
  if (ids.length < 2) return ids;
  const dated = await Promise.all(ids.map(async (nodeId) => ({ nodeId, openedAt: await openedAt(parent, nodeId) })));
  return dated.sort((a, b) => b.openedAt - a.openedAt).map(({ nodeId }) => nodeId);
}

async function openedAt(parent: FileSystemDirectoryHandle, nodeId: NodeId): Promise<number> {
  let latest = 0;
  try {
    for await (const name of (await parent.getDirectoryHandle(nodeId)).keys()) {
      if (name.startsWith(OPENED_PREFIX)) latest = Math.max(latest, Number(name.slice(OPENED_PREFIX.length)) || 0);
    }
  } catch {
    // It has just vanished.
  }
  return latest;
}
