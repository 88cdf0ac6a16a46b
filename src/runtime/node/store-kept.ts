/** Records of kept writes on their way to disk: those who wait for them wait for the disk, so one that fails is looked at again. */
import type { RaftError } from '../../core/errors.ts';
import type { NodeStore, WriteBatch } from '../../storage/storage.ts';
import type { Emitter } from '../api/emitter.ts';
import { storageErrorOf } from '../member/storage-error.ts';
import type { Standing } from '../standing/standing.ts';

/** A store that failed fails all that comes until it is loaded again, as `fail` does for a member. Errors: quota, storage. */
export async function storeKept(
  batch: WriteBatch,
  standing: Standing,
  store: NodeStore,
  emitter: Emitter,
  fail: (error: RaftError) => void,
): Promise<void> {
  try {
    await store.write(batch);
  } catch (cause) {
    const error = storageErrorOf(cause);
    const { kind } = standing.state;
    if (kind === 'member' || kind === 'removed') fail(error);
    else if (kind === 'seeking' || kind === 'paused') {
      emitter.emit('fault', { error });
      await store.load().catch(() => undefined);
    }
    throw error;
  }
}
