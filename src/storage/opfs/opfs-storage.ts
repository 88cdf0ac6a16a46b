/**
 * Storage in files of the browser (OPFS): one directory per room and node, its identity held by the Web Lock that IndexedDB
 * storage uses too, so that one identity is open once, wherever it lies. Synchronous files exist in dedicated workers only:
 * a page gives a worker that holds them; code that runs in a worker holds them itself.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { DetachedIdentityKey } from '../idb/idb-key.ts';
import type { HeldLock, Locks } from '../idb/idb-locks.ts';
import { askForPersistence } from '../idb/idb-storage.ts';
import { randomId } from '../identity.ts';
import { keyUnderLock } from '../left-key.ts';
import type { MediumRequest, MediumSource } from '../move-store.ts';
import { openLocked } from '../open-locked.ts';
import type { Durability, Medium } from '../packed/medium.ts';
import { roomDirectory } from '../room-directory.ts';
import type { AcquireRequest, NodeStore, StorageProvider } from '../storage.ts';
import { acquireFrom, type OpenRequest, requireLocks, type WebStores } from '../web-identity.ts';
import { fileError } from './file-errors.ts';
import { FileMedium } from './file-medium.ts';
import { OpfsFolder } from './opfs-folder.ts';
import { type FileWorker, RemoteMedium } from './remote-medium.ts';

const ROOT_DIRECTORY = 'tabraft';
/** An empty file whose name says when the identity was opened last, in microseconds: seen without opening anything. */
const OPENED_PREFIX = 'opened-';

export interface OpfsStorageOptions {
  /** Makes the worker that holds the files (src/storage/opfs/files-worker.ts). Not given: this is a worker, and holds them itself. */
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

export class OpfsStorage implements StorageProvider, MediumSource, WebStores {
  readonly kind: string = 'opfs';
  readonly durable: boolean = true;
  readonly #options: OpfsStorageOptions;

  constructor(options: OpfsStorageOptions = {}) {
    this.#options = options;
  }

  async acquire(request: AcquireRequest): Promise<NodeStore> {
    try {
      return await acquireFrom(this, requireLocks(this.#options.locks), request);
    } catch (error) {
      throw fileError(error);
    } finally {
      if (this.#options.persist !== false) void askForPersistence();
    }
  }

  leftKey(room: string, nodeId: NodeId): Promise<CryptoKeyPair | undefined> {
    return keyUnderLock(requireLocks(this.#options.locks), room, nodeId, () => this.ownKey(room, nodeId));
  }

  /** Of which the caller holds the lock. The files themselves may be damaged: the pair does not lie in them. */
  async ownKey(room: string, nodeId: NodeId): Promise<CryptoKeyPair | undefined> {
    return (await this.ids(room)).includes(nodeId) ? new DetachedIdentityKey(room, nodeId).load() : undefined;
  }

  async ids(room: string): Promise<readonly NodeId[]> {
    let parent: FileSystemDirectoryHandle;
    try {
      parent = await this.#roomDirectory(room, false);
    } catch {
      // The room has no files here, or the browser has none at all: opening says which.
      return [];
    }
    return directoriesIn(parent);
  }

  async openedAtMs(room: string, nodeId: NodeId): Promise<number> {
    try {
      return (await openedAt(await this.#roomDirectory(room, false), nodeId)) / 1000;
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
    const { room } = request;
    try {
      const parent = await this.#roomDirectory(room, true);
      const store = await openLocked({
        request,
        locks: requireLocks(this.#options.locks),
        nodeId,
        waitMs,
        durability: this.#options.durability ?? 'strict',
        before,
        medium: async (lock, onLost) => {
          const create = request.fresh === true || (await isThere(parent, nodeId));
          return create ? this.#medium({ room, parent, nodeId, lock, onLost }) : undefined;
        },
      });
      if (store !== undefined) await markOpened(parent, nodeId);
      return store;
    } catch (error) {
      throw fileError(error);
    }
  }

  async #roomDirectory(room: string, create: boolean): Promise<FileSystemDirectoryHandle> {
    try {
      const root = this.#options.directory ?? (await navigator.storage.getDirectory());
      const all = await root.getDirectoryHandle(ROOT_DIRECTORY, { create });
      return await all.getDirectoryHandle(roomDirectory(room), { create });
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'QuotaExceededError') throw cause;
      throw new RaftError('storage-unavailable', 'This browser, or its private mode, has no files for this site.', { cause });
    }
  }

  /** The identity's files, of which the caller holds the lock; undefined where there are none and none are made. */
  async openMedium({ room, nodeId, create }: MediumRequest): Promise<Medium | undefined> {
    if (!create && !(await this.ids(room)).includes(nodeId)) return undefined;
    const parent = await this.#roomDirectory(room, true);
    return this.#medium({ room, parent, nodeId, lock: { release: () => undefined }, onLost: () => undefined });
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
      worker: started(worker),
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

/** Errors: storage-unavailable, where a policy or the browser forbids workers. */
function started(worker: () => FileWorker): FileWorker {
  try {
    return worker();
  } catch (cause) {
    throw new RaftError('storage-unavailable', 'The worker that holds the files of a node cannot be started here.', { cause });
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

async function directoriesIn(parent: FileSystemDirectoryHandle): Promise<NodeId[]> {
  const names: NodeId[] = [];
  for await (const [name, handle] of parent.entries()) if (handle.kind === 'directory') names.push(name);
  return names;
}

async function isThere(parent: FileSystemDirectoryHandle, nodeId: NodeId): Promise<boolean> {
  return (await directoriesIn(parent)).includes(nodeId);
}

/** What fails here is of no weight: the identity is found later than others. */
async function markOpened(parent: FileSystemDirectoryHandle, nodeId: NodeId): Promise<void> {
  const now = `${OPENED_PREFIX}${Math.round((performance.timeOrigin + performance.now()) * 1000)}`;
  try {
    const directory = await parent.getDirectoryHandle(nodeId);
    await directory.getFileHandle(now, { create: true });
    for await (const name of directory.keys()) {
      if (name.startsWith(OPENED_PREFIX) && name !== now) await directory.removeEntry(name).catch(() => undefined);
    }
  } catch {
    // A disk without room for an empty file: the next write of the node tells of it.
  }
}

/** In microseconds. */
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
