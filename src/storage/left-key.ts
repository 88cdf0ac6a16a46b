/** The key pair of an identity that could not be opened: what is left of it may still prove whose successor a new one is. */
import type { NodeId } from '../core/types.ts';
import { type Locks, takeLock } from './idb/idb-locks.ts';
import { lockName } from './web-identity.ts';

/** The opening that failed lets go of its lock a moment later. */
const LOCK_WAIT_MS = 600;

/**
 * Read under the identity's lock, so that it is nobody's who runs. undefined when it is held, when there is no pair, and when it
 * cannot be read: who cannot prove anything is treated like anybody else.
 */
export async function keyUnderLock(
  locks: Locks,
  room: string,
  nodeId: NodeId,
  load: () => Promise<CryptoKeyPair | undefined>,
): Promise<CryptoKeyPair | undefined> {
  try {
    const lock = await takeLock(locks, lockName(room, nodeId), LOCK_WAIT_MS, () => undefined);
    if (lock === undefined) return undefined;
    try {
      return await load();
    } finally {
      lock.release();
    }
  } catch {
    return undefined;
  }
}
