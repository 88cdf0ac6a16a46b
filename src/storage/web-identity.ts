/** How a browser's storage finds an identity: the same search and the same locks, whatever the stores lie in. */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import { heldNames, type Locks } from './idb/idb-locks.ts';
import { favouredFirst, newIdFor, requireNodeId, requireRoom } from './identity.ts';
import type { AcquireRequest, KeptIn, NodeStore } from './storage.ts';

/**
 * How long the preferred identity's lock is waited for: a reloaded or crashed tab lets go of it only 30 to 300 ms
 * after the next one asks. A duplicated tab waits in vain, once.
 */
const PREFERRED_WAIT_MS = 600;
/** Orphans of a room looked at to find the most recent; more than that is a pile that only `fresh` would add to. */
const ORPHANS_MAX = 64;

export interface OpenRequest extends AcquireRequest {
  /** Said of the identity, by a storage of several kinds. */
  readonly kept?: KeptIn | undefined;
}

/** The stores of one kind, or of several. */
export interface WebStores {
  /** Those of the room, held by somebody or not. None where there is no such storage. */
  ids(room: string): Promise<readonly NodeId[]>;
  /** When it was opened last, in ms since 1970; 0 for what cannot be read. */
  openedAtMs(room: string, nodeId: NodeId): Promise<number>;
  /**
   * Makes it if the request is for a fresh one. undefined when another tab holds it and does not let go within `waitMs`, or
   * there is none after all. `before` is done under the identity's lock, before anything is opened.
   */
  open(request: OpenRequest, nodeId: NodeId, waitMs: number, before?: () => Promise<unknown>): Promise<NodeStore | undefined>;
}

/** What StorageProvider.acquire promises. Errors: room-invalid, invalid-argument, and those of the stores. */
export async function acquireFrom(stores: WebStores, locks: Locks, request: AcquireRequest): Promise<NodeStore> {
  requireRoom(request.room);
  if (request.preferred !== undefined) requireNodeId(request.preferred);
  const adopted = request.fresh === true ? undefined : await adoptIdentity(stores, locks, request);
  if (adopted !== undefined) return adopted;
  const made = await stores.open({ ...request, fresh: true }, await newIdFor(request, false), 0);
  if (made === undefined) throw new RaftError('identity-in-use', 'A new random identity is in use already.');
  return made;
}

/** The preferred identity, else an orphan, else undefined. Errors: what the first unreadable one was refused with. */
async function adoptIdentity(stores: WebStores, locks: Locks, request: AcquireRequest): Promise<NodeStore | undefined> {
  const { room, preferred } = request;
  const ids = await stores.ids(room);
  if (preferred !== undefined && ids.includes(preferred)) {
    const store = await openNoted(stores, request, preferred, PREFERRED_WAIT_MS);
    if (store !== undefined) return store;
  }
  const held = new Set(idsIn(room, await heldNames(locks)));
  const orphans = ids.filter((id) => id !== preferred && !held.has(id)).slice(0, ORPHANS_MAX);
  let unreadable: unknown;
  for (const id of favouredFirst(await byRecency(stores, room, orphans), request)) {
    try {
      const store = await openNoted(stores, request, id, 0);
      if (store !== undefined) return store;
    } catch (error) {
      unreadable ??= error;
    }
  }
  // Nothing is made anew in the place of what cannot be read, unless the caller asks for it (fresh).
  if (unreadable !== undefined) throw unreadable;
  return undefined;
}

async function openNoted(
  stores: WebStores,
  request: AcquireRequest,
  nodeId: NodeId,
  waitMs: number,
): Promise<NodeStore | undefined> {
  try {
    return await stores.open(request, nodeId, waitMs);
  } catch (error) {
    request.onUnreadable?.(nodeId);
    throw error;
  }
}

/** The most recently opened first; what cannot be read comes last. */
async function byRecency(stores: WebStores, room: string, ids: readonly NodeId[]): Promise<readonly NodeId[]> {
  if (ids.length < 2) return ids;
  const dated = await Promise.all(ids.map(async (nodeId) => ({ nodeId, openedAtMs: await stores.openedAtMs(room, nodeId) })));
  return dated.sort((a, b) => b.openedAtMs - a.openedAtMs).map(({ nodeId }) => nodeId);
}

/** The Web Lock of an identity, wherever it lies; also the name of the database that IndexedDB storage keeps it in. */
export function lockName(room: string, nodeId: NodeId): string {
  return lockPrefix(room) + nodeId;
}

function lockPrefix(room: string): string {
  return `tabraft:${encodeURIComponent(room)}:`;
}

/** The node ids of those names that are a lock's, or a database's, of the room. */
export function idsIn(room: string, names: Iterable<string>): NodeId[] {
  const prefix = lockPrefix(room);
  return [...names].flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
}

/** Errors: storage-unavailable. */
export function requireLocks(given: Locks | undefined): Locks {
  const locks = given ?? (typeof navigator === 'undefined' ? undefined : navigator.locks);
  if (locks !== undefined) return locks;
  throw new RaftError('storage-unavailable', 'Web Locks are missing: the page must be served over https or from localhost.');
}
