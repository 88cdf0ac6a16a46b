/** What is done to a device's stored nodes while they are stopped: taking one out, bringing one in, and going on alone. */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import { exportStore, importDump } from '../storage/dump.ts';
import { type Recovered, recover as recoverStore } from '../storage/recover.ts';
import type { StorageProvider } from '../storage/storage.ts';
import { accessBy } from '../trust/access.ts';
import { parseRoomLink } from '../trust/room-link.ts';
import { acquireIdentity } from './node-identity.ts';

/**
 * All that a stopped node of this device stores, as `node.admin.export` gives it of a running one; also of a node that cannot be opened any
 * more, such as one of a build whose ids were no keys (`node-mismatch`). Nothing is changed. Errors: invalid-argument (no such node here),
 * corrupt, storage-newer, storage-unavailable, storage-blocked.
 */
export async function* exportNode(storage: StorageProvider, room: string, node?: NodeId): AsyncGenerator<Uint8Array, void> {
  const store = await storage.acquire({ room: await shelfOf(room), preferred: node });
  try {
    const { cluster } = await store.load();
    if (cluster === undefined || (node !== undefined && store.identity.nodeId !== node)) {
      // Asking makes an identity where there is none: it has never been anybody.
      if (cluster === undefined) await store.wipe();
      throw new RaftError(
        'invalid-argument',
        `This device holds no node ${node ?? ''} of the room ${room} that belongs to a cluster.`,
      );
    }
    yield* exportStore(store);
  } finally {
    await store.close().catch(() => undefined);
  }
}

/**
 * Brings a dump (exportNode, node.admin.export, `tabraft export`) into this device as a new node, to be opened or recovered.
 * Errors: corrupt (the dump), storage-newer, quota, storage-unavailable.
 */
export async function importNode(storage: StorageProvider, room: string, dump: AsyncIterable<Uint8Array>): Promise<NodeId> {
  const { store } = await acquireIdentity(storage, { room: await shelfOf(room), fresh: true });
  try {
    await importDump(store, dump);
  } catch (error) {
    // A half-imported node would be taken for one.
    await store.wipe();
    throw error;
  }
  const { nodeId } = store.identity;
  await store.close();
  return nodeId;
}

/**
 * For a cluster whose majority is gone for good: this device's stopped node becomes its only voter, in a new epoch that
 * members of the old one are refused by. What only the lost majority held is lost: nobody else can decide this.
 * Errors: invalid-argument (it has never been part of a cluster), corrupt, storage.
 */
export async function recoverNode(storage: StorageProvider, room: string, node?: NodeId): Promise<Recovered> {
  const store = await storage.acquire({ room: await shelfOf(room), preferred: node });
  try {
    return await recoverStore(store, Date.now());
  } finally {
    await store.close();
  }
}

/** What this device keeps a room's nodes under. @param room a link to it, or what `Access.shelf` says: of an open room its name */
async function shelfOf(room: string): Promise<string> {
  return room.includes('#') ? (await accessBy(parseRoomLink(room))).shelf : room;
}
