/**
 * A device that founded a room's cluster and was gone before it could say so finds, when it comes back, that others have
 * founded another. What it holds then keeps it out of the room for ever, and is of no use to anybody: nobody has joined it,
 * and no command was ever written to it.
 */
import type { RaftError } from '../../core/errors.ts';
import type { Index } from '../../core/types.ts';
import { retire } from '../../storage/retired.ts';
import type { NodeStore } from '../../storage/storage.ts';
import { memberIds } from '../member/configuration.ts';
import type { Member } from '../member/member.ts';

/** A cluster with more entries than this has been somebody's, whatever is in them. */
const UNUSED_ENTRIES_MAX: Index = 64;
/** Bytes of such a log, at the most. */
const UNUSED_BYTES_MAX = 1024 * 1024;

/** What becomes of the store of a node that has ended by itself. Never rejects. */
export async function leaveStore(store: NodeStore, member: Member | undefined, error: RaftError): Promise<void> {
  if (error.code === 'cluster-mismatch') await clearIfUnused(store, member);
  // The next opening comes as a new node.
  if (member !== undefined && (error.code === 'epoch-mismatch' || error.code === 'corrupt'))
    await retire(store, `${error.code}: ${error.message}`).catch(() => {});
}

/** Of a node that has ended because the room is another cluster's: it goes, and the next opening can join that one. */
async function clearIfUnused(store: NodeStore, member: Member | undefined): Promise<void> {
  try {
    if (member !== undefined && (await isUnused(store, member))) await store.wipe();
  } catch {
    // It stays, and the next opening is told the same.
  }
}

/** Whether a member's cluster has only ever been its own, and holds no command, nor any on its way. Errors: corrupt, storage. */
async function isUnused(store: NodeStore, { conf, view }: Member): Promise<boolean> {
  const last = view.lastIndex();
  if (memberIds(conf).some((id) => id !== store.identity.nodeId)) return false;
  if (view.firstIndex() !== 1 || last > UNUSED_ENTRIES_MAX) return false;
  const entries = await store.entries(1, last + 1, UNUSED_BYTES_MAX);
  return entries.length === last && entries.every(({ type, data }) => type === 'conf' || data.length === 0);
}
