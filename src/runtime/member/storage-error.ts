/** What storage threw, as the coded error it is, or becomes here. */
import { RaftError } from '../../core/errors.ts';

export function storageErrorOf(error: unknown): RaftError {
  return RaftError.is(error) ? error : new RaftError('storage', `Storage failed: ${String(error)}`, { cause: error });
}
