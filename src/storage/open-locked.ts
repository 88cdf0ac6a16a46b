/** Opening one identity of a browser's storage, under its lock. */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import { type HeldLock, type Locks, takeLock } from './idb/idb-locks.ts';
import { randomId } from './identity.ts';
import type { Durability, Medium } from './packed/medium.ts';
import { adoptPacked } from './packed/open-packed.ts';
import type { PackedStore } from './packed/packed-store.ts';
import type { NodeStore } from './storage.ts';
import { lockName, type OpenRequest } from './web-identity.ts';

export interface LockedOpening {
  readonly request: OpenRequest;
  readonly locks: Locks;
  readonly nodeId: NodeId;
  readonly waitMs: number;
  readonly durability: Durability;
  /** Done under the lock, before anything is opened. */
  readonly before: (() => Promise<unknown>) | undefined;
  /** The medium gives `lock` back when it is closed. undefined where there is none and none is made. */
  medium(lock: HeldLock, onLost: (error: RaftError) => void): Promise<Medium | undefined>;
}

/**
 * undefined when another tab holds the identity, or there is none. Errors: those of the medium, of `before` and of openPacked;
 * the lock is given back then.
 */
export async function openLocked(opening: LockedOpening): Promise<NodeStore | undefined> {
  const { request, nodeId } = opening;
  let store: PackedStore | undefined;
  let lostBefore: RaftError | undefined;
  const onLost = (error: RaftError): void => {
    if (store === undefined) lostBefore = error;
    else store.lost(error);
  };
  const stolen = (): void => onLost(new RaftError('storage-closed', "Another tab took this node's identity by force."));
  const lock = await takeLock(opening.locks, lockName(request.room, nodeId), opening.waitMs, stolen);
  if (lock === undefined) return undefined;
  let medium: Medium | undefined;
  try {
    await opening.before?.();
    medium = await opening.medium(lock, onLost);
    if (medium === undefined) {
      lock.release();
      return undefined;
    }
    store = await adoptPacked({
      medium,
      room: request.room,
      nodeId,
      bootNonce: randomId(),
      durability: opening.durability,
      onFault: request.onFault,
      kept: request.kept,
      witness: request.bootWitness,
      fresh: request.fresh === true,
      nowMs: performance.timeOrigin + performance.now(),
    });
    if (lostBefore !== undefined) throw lostBefore;
    return store;
  } catch (error) {
    if (medium === undefined) lock.release();
    else await medium.close();
    throw error;
  }
}
