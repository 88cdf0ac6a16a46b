/** A node's store from one kind of the browser's storage to another: see packed/move.ts for what a crash leaves. */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import { type Locks, takeLock } from './idb/idb-locks.ts';
import type { Medium } from './packed/medium.ts';
import { moveMedium } from './packed/move.ts';
import { lockName } from './web-identity.ts';

export interface MediumRequest {
  readonly room: string;
  readonly nodeId: NodeId;
  /** Make it when it is not there. */
  readonly create: boolean;
}

/** A provider whose stores lie in media: the browser's two. */
export interface MediumSource {
  openMedium(request: MediumRequest): Promise<Medium | undefined>;
}

export interface MoveRequest {
  readonly from: MediumSource;
  readonly to: MediumSource;
  readonly room: string;
  readonly nodeId: NodeId;
  /** Where there is no navigator.locks. */
  readonly locks?: Locks | undefined;
}

/** A tab that was just closed lets go of its lock a moment later. */
const LOCK_WAIT_MS = 600;

/**
 * Moves the store, or goes on with a move that was interrupted. False when there is nothing to move. The node keeps its id,
 * votes, log, records and key pair; it must not be open anywhere. Errors: identity-in-use, and those of moveMedium: after one
 * of them the store is where it was, unless the move was complete already.
 */
export async function moveStore({ from, to, room, nodeId, locks = navigator.locks }: MoveRequest): Promise<boolean> {
  const name = lockName(room, nodeId);
  const lock = await takeLock(locks, name, LOCK_WAIT_MS, () => undefined);
  if (lock === undefined) throw new RaftError('identity-in-use', `Node ${nodeId} is open in another tab.`);
  try {
    return await moveHeld({ from, to, room, nodeId });
  } finally {
    lock.release();
  }
}

/** The same for one who holds the identity's lock. */
export async function moveHeld({ from, to, room, nodeId }: Omit<MoveRequest, 'locks'>): Promise<boolean> {
  let source: Medium | undefined;
  let target: Medium | undefined;
  try {
    source = await from.openMedium({ room, nodeId, create: false });
    if (source === undefined) return false;
    target = await to.openMedium({ room, nodeId, create: true });
    if (target === undefined) throw new RaftError('storage', 'The place to move to could not be made.');
    return await moveMedium(source, target);
  } finally {
    await source?.close();
    await target?.close();
  }
}
