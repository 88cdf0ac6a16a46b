/** What a file system's exceptions mean for a node. */
import { RaftError } from '../../core/errors.ts';

export function fileError(error: unknown): RaftError {
  if (error instanceof RaftError) return error;
  const named = error instanceof Error || error instanceof DOMException;
  const name = named ? error.name : '';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const text = named ? `${code === '' ? name : code}: ${error.message}` : String(error);
  const details = { cause: error };
  if (name === 'QuotaExceededError' || code === 'ENOSPC' || code === 'EDQUOT') {
    return new RaftError('quota', 'There is no room left in the storage that the browser grants this site.', details);
  }
  if (name === 'NotSupportedError') {
    return new RaftError('storage-unavailable', `There are no synchronous files here: these are for workers (${text}).`, details);
  }
  if (name === 'NoModificationAllowedError') {
    return new RaftError('storage-blocked', `Another tab holds on to the files of this node (${text}).`, details);
  }
  if (name === 'NotFoundError' || name === 'InvalidStateError') {
    return new RaftError('storage-closed', `The files of this node were removed or closed under it (${text}).`, details);
  }
  return new RaftError('storage', `The files of this node failed (${text}).`, details);
}
