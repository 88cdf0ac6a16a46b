/**
 * Storage in Node: one LMDB environment per (room, node) under a directory. The identity is held by the living process
 * that put itself down in the environment.
 */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { failedStore } from '../batch.ts';
import { favouredFirst, newIdFor, randomId, requireNodeId, requireRoom } from '../identity.ts';
import { BytesIdentityKey } from '../identity-key.ts';
import { shelfIn } from '../packed/key-shelf.ts';
import type { Durability } from '../packed/medium.ts';
import { readMeta } from '../packed/meta.ts';
import { adoptPacked } from '../packed/open-packed.ts';
import type { PackedStore } from '../packed/packed-store.ts';
import { roomDirectory } from '../room-directory.ts';
import type { AcquireRequest, NodeStore, StorageProvider } from '../storage.ts';
import { LmdbMedium } from './lmdb-medium.ts';
import { entered, holderOf, isAlive, left } from './process-life.ts';

export interface LmdbStorageOptions {
  /** Directory that holds the rooms. Made when it is missing. */
  readonly path: string;
  /** strict (default): a write resolves when it is on the disk. relaxed: when a power cut can still undo it. */
  readonly durability?: Durability | undefined;
}

/**
 * Directories open in this process. LMDB wants an environment opened once per process; and a second one would wait for
 * the first one's transaction on the very thread that must end it.
 */
const openPaths = new Set<string>();
/** The acquisition under way in this process; the next one starts after it. */
let turn: Promise<unknown> = Promise.resolve();

export class LmdbStorage implements StorageProvider {
  readonly kind: string = 'lmdb';
  readonly durable: boolean = true;
  readonly #path: string;
  readonly #durability: Durability;

  constructor(options: LmdbStorageOptions) {
    this.#path = options.path;
    this.#durability = options.durability ?? 'strict';
  }

  async acquire(request: AcquireRequest): Promise<NodeStore> {
    requireRoom(request.room);
    if (request.preferred !== undefined) requireNodeId(request.preferred);
    const acquired = turn.then(() => this.#acquire(request));
    turn = acquired.catch(() => undefined);
    return acquired;
  }

  leftKey(room: string, nodeId: NodeId): Promise<CryptoKeyPair | undefined> {
    const read = turn.then(() => keyIn(join(this.#path, roomDirectory(room), nodeId)).catch(() => undefined));
    turn = read;
    return read;
  }

  /** Exactly this identity, or none. Errors: identity-in-use, not-open (it is not there), and those of acquire. */
  take(room: string, nodeId: NodeId): Promise<NodeStore> {
    requireRoom(room);
    requireNodeId(nodeId);
    const directory = join(this.#path, roomDirectory(room));
    const taken = turn.then(async () => {
      const found = await readdir(directory).catch((): string[] => []);
      if (!found.includes(nodeId)) throw new RaftError('not-open', `There is no node ${nodeId} in ${directory}.`);
      const store = await this.#open({ room }, directory, nodeId);
      if (store === undefined) throw new RaftError('identity-in-use', `Node ${nodeId} is running: stop it first.`);
      return store;
    });
    turn = taken.catch(() => undefined);
    return taken;
  }

  async #acquire(request: AcquireRequest): Promise<NodeStore> {
    const directory = join(this.#path, roomDirectory(request.room));
    try {
      await mkdir(directory, { recursive: true });
    } catch (cause) {
      throw new RaftError('storage-unavailable', `The directory ${directory} cannot be made.`, { cause });
    }
    const store = request.fresh === true ? undefined : await this.#adopt(request, directory);
    if (store !== undefined) return store;
    const made = await this.#open({ ...request, fresh: true }, directory, await newIdFor(request, true));
    if (made === undefined) throw new RaftError('identity-in-use', 'A new random identity is in use already.');
    return made;
  }

  async #adopt(request: AcquireRequest, directory: string): Promise<NodeStore | undefined> {
    const found = (await readdir(directory, { withFileTypes: true })).flatMap((e) => (e.isDirectory() ? [e.name] : []));
    const { preferred } = request;
    if (preferred !== undefined && found.includes(preferred)) {
      const store = await this.#openNoted(request, directory, preferred);
      if (store !== undefined) return store;
    }
    const orphans = found.filter((nodeId) => nodeId !== preferred);
    let unreadable: unknown;
    for (const nodeId of favouredFirst(await byRecency(directory, orphans), request)) {
      try {
        const store = await this.#openNoted(request, directory, nodeId);
        if (store !== undefined) return store;
      } catch (error) {
        unreadable ??= error;
      }
    }
    // Nothing is made anew in the place of what cannot be read, unless the caller asks for it (fresh).
    if (unreadable !== undefined) throw unreadable;
    return undefined;
  }

  async #openNoted(request: AcquireRequest, directory: string, nodeId: NodeId): Promise<NodeStore | undefined> {
    try {
      return await this.#open(request, directory, nodeId);
    } catch (error) {
      request.onUnreadable?.(nodeId);
      throw error;
    }
  }

  /** undefined when the identity is held, or there is none in the environment. */
  async #open(request: AcquireRequest, directory: string, nodeId: NodeId): Promise<NodeStore | undefined> {
    const bootNonce = randomId();
    const path = join(directory, nodeId);
    if (openPaths.has(path)) return undefined;
    const medium = await LmdbMedium.open(path);
    openPaths.add(path);
    let store: PackedStore | undefined;
    medium.onClosed = () => {
      left(bootNonce);
      openPaths.delete(path);
    };
    try {
      entered(bootNonce);
      if (!medium.hold(holderOf(bootNonce), isAlive)) {
        await medium.close();
        return undefined;
      }
      store = await adoptPacked({
        medium,
        room: request.room,
        nodeId,
        bootNonce,
        durability: this.#durability,
        onFault: request.onFault,
        witness: request.bootWitness,
        fresh: request.fresh === true,
        nowMs: performance.timeOrigin + performance.now(),
      });
    } catch (error) {
      await medium.close();
      throw failedStore(`The store in ${medium.path} cannot be opened.`, error);
    }
    return store;
  }
}

/** The most recently opened first; those held by the living are left out, what cannot be read comes last. */
async function byRecency(directory: string, nodeIds: readonly NodeId[]): Promise<readonly NodeId[]> {
  if (nodeIds.length < 2) return nodeIds;
  const dated: { nodeId: NodeId; openedAtMs: number }[] = [];
  for (const nodeId of nodeIds) {
    const openedAtMs = await openedAt(join(directory, nodeId));
    if (openedAtMs !== undefined) dated.push({ nodeId, openedAtMs });
  }
  return dated.sort((a, b) => b.openedAtMs - a.openedAtMs).map(({ nodeId }) => nodeId);
}

/** Of an identity that nobody holds. Errors: corrupt, storage-unavailable. */
async function keyIn(path: string): Promise<CryptoKeyPair | undefined> {
  // Opening makes what is not there.
  if (openPaths.has(path) || (await stat(path).catch(() => undefined)) === undefined) return undefined;
  const medium = await LmdbMedium.open(path);
  try {
    const holder = medium.holder();
    if (holder !== undefined && isAlive(holder)) return undefined;
    return await new BytesIdentityKey(shelfIn(medium)).load();
  } finally {
    await medium.close();
  }
}

/** undefined when it is held. */
async function openedAt(path: string): Promise<number | undefined> {
  if (openPaths.has(path)) return undefined;
  let medium: LmdbMedium | undefined;
  try {
    medium = await LmdbMedium.open(path);
    const holder = medium.holder();
    if (holder !== undefined && isAlive(holder)) return undefined;
    return readMeta(await medium.all('meta'), 'identity')?.openedAtMs ?? 0;
  } catch {
    return 0;
  } finally {
    await medium?.close();
  }
}
