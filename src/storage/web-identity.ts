/** How a browser's storage finds an identity: the same search, whatever the stores lie in. */
import type { NodeId } from '../core/types.ts';
import type { AcquireRequest, NodeStore } from './storage.ts';

/**
 * How long the preferred identity's lock is waited for: a reloaded or crashed tab lets go of it only 30 to 300 ms
 * after the next one asks. A duplicated tab waits in vain, once.
 */
const PREFERRED_WAIT_MS = 600;
/** Orphans of a room looked at to find the most recent; more than that is a pile that only `fresh` would add to. */
const ORPHANS_MAX = 64;

/** The stored identities of one room. */
export interface IdentityPlace {
  ids(): Promise<readonly NodeId[]>;
  /** Those that somebody holds now. */
  held(): Promise<ReadonlySet<NodeId>>;
  /** The most recently opened first; what cannot be read comes last. */
  byRecency(ids: readonly NodeId[]): Promise<readonly NodeId[]>;
  /** undefined when another tab holds it and does not let go within `waitMs`, or there is none after all. */
  open(nodeId: NodeId, waitMs: number): Promise<NodeStore | undefined>;
}

/** The preferred identity, else an orphan, else undefined. Errors: what the first unreadable one was refused with. */
export async function adoptIdentity(
  place: IdentityPlace,
  { preferred }: Pick<AcquireRequest, 'preferred'>,
): Promise<NodeStore | undefined> {
  const ids = await place.ids();
  if (preferred !== undefined && ids.includes(preferred)) {
    const store = await place.open(preferred, PREFERRED_WAIT_MS);
    if (store !== undefined) return store;
  }
  const held = await place.held();
  const orphans = ids.filter((id) => id !== preferred && !held.has(id)).slice(0, ORPHANS_MAX);
  let unreadable: unknown;
  for (const id of await place.byRecency(orphans)) {
    try {
      const store = await place.open(id, 0);
      if (store !== undefined) return store;
    } catch (error) {
      unreadable ??= error;
    }
  }
  // Nothing is made anew in the place of what cannot be read, unless the caller asks for it (fresh).
  if (unreadable !== undefined) throw unreadable;
  return undefined;
}
