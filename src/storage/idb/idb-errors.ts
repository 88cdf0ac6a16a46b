/** What IndexedDB's exceptions mean for a node. */
import { RaftError } from '../../core/errors.ts';

/** `during` opening, failure means that there is no storage here at all, as in some private modes. */
export function storageError(error: unknown, during: 'open' | 'use' = 'use'): RaftError {
  if (error instanceof RaftError) return error;
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  const message = error instanceof Error || error instanceof DOMException ? error.message : String(error);
  const details = { cause: error };
  switch (name) {
    case 'QuotaExceededError':
      return new RaftError('quota', 'There is no room left in the storage that the browser grants this site.', details);
    case 'VersionError':
      return new RaftError('storage-newer', 'The database was made by a newer version of tabraft: reload the page.', details);
    case 'InvalidStateError':
      return new RaftError('storage-closed', 'The database was closed under this node.', details);
    case 'NotFoundError':
      return new RaftError('corrupt', 'The database lacks one of its tables.', details);
    default: {
      const text = `${name === '' ? '' : `${name}: `}${message}`;
      if (during === 'open') return new RaftError('storage-unavailable', `IndexedDB cannot be opened here (${text}).`, details);
      return new RaftError('storage', `IndexedDB failed (${text}).`, details);
    }
  }
}
