/** What a leader's refusal means for the write that it refused. */
import type { RaftError } from '../../core/errors.ts';
import type { Pending } from './pending-write.ts';

/** Lost on the way it may have arrived all the same; refused by a leader it has not. */
export function isLost({ code }: RaftError): boolean {
  return code === 'link-failed' || code === 'timeout' || code === 'stopped';
}

/** A full disk is for people to see at once, not to be waited out; what is kept waits out whatever may pass. */
export function isRetried({ request }: Pending, { retryable, code }: RaftError): boolean {
  return retryable && (request.kept !== undefined || (code !== 'quota' && code !== 'no-quorum'));
}
