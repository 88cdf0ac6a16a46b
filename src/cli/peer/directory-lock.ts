/** One process a directory: a second `tabraft peer` there would find the identities held, make new ones, and be a second member unasked. */
import { join } from 'node:path';
import { RaftError } from '../../core/errors.ts';
import { randomId } from '../../storage/identity.ts';
import { LmdbMedium } from '../../storage/lmdb/lmdb-medium.ts';
import { entered, holderOf, isAlive, left } from '../../storage/lmdb/process-life.ts';

/** Beside the rooms; no room's directory is ever called so (room-directory.ts). */
export const LOCK_NAME = 'peer.lock';

export type Release = () => Promise<void>;

/**
 * Takes the directory for this process; what a dead process left does not count. The environment is closed again at once: the
 * holder is written in it, and LMDB orders who writes. Errors: identity-in-use while a living process has it, storage-unavailable.
 */
export async function lockDirectory(dir: string): Promise<Release> {
  const nonce = randomId();
  entered(nonce);
  const medium = await LmdbMedium.open(join(dir, LOCK_NAME)).catch((error: unknown) => {
    left(nonce);
    throw error;
  });
  try {
    if (medium.hold(holderOf(nonce), isAlive)) return async () => left(nonce);
    const pid = medium.holder()?.pid;
    throw new RaftError(
      'identity-in-use',
      `Process ${pid ?? '(unknown)'} runs tabraft peer in ${dir}: stop it first, or give each a --dir of its own.`,
    );
  } catch (error) {
    left(nonce);
    throw error;
  } finally {
    await medium.close();
  }
}
