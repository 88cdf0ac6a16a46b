/** One way for a call to end: with its answer, with its error, or with the caller's own signal. */
import { RaftError } from '../../core/errors.ts';
import { requireInteger } from '../ports/require-integer.ts';
import { requireKnown } from '../ports/require-known.ts';
import type { CallOptions } from './basics.ts';
import { CALL_OPTION_NAMES } from './names.ts';

/** Longest a caller may ask to wait, in ms. */
const TIMEOUT_MS_MAX = 24 * 60 * 60 * 1000;

/** Errors: invalid-argument, aborted when the signal is aborted already. */
export function checkCallOptions(options: CallOptions, names: Readonly<Record<string, true>> = CALL_OPTION_NAMES): void {
  requireKnown('call', options, names);
  if (options.timeoutMs !== undefined) requireInteger('timeoutMs', options.timeoutMs, 1, TIMEOUT_MS_MAX);
  if (options.signal?.aborted === true)
    throw new RaftError('aborted', 'The call was aborted before it began.', { mayHaveApplied: false });
}

/** Runs `begin`, which answers what to do when the signal aborts; that must settle the call. */
export function awaitCall<T>(
  signal: AbortSignal | undefined,
  begin: (resolve: (value: T) => void, reject: (error: RaftError) => void) => () => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let stop = (): void => {};
    const onAbort = (): void => stop();
    const settle = (): void => signal?.removeEventListener('abort', onAbort);
    stop = begin(
      (value) => {
        settle();
        resolve(value);
      },
      (error) => {
        settle();
        reject(error);
      },
    );
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
