/** Calls that wait for a condition: it is asked again whenever something has changed. */
import { RaftError } from '../../core/errors.ts';
import type { CallOptions } from '../api/api.ts';
import { awaitCall } from '../api/call-options.ts';
import type { Clock } from '../ports/clock.ts';

/** Calls that wait for a condition at once; one more is refused with `busy`. */
export const WAITERS_MAX = 100_000;

interface WaitersParts {
  readonly clock: Clock;
  /** Of a call that says none. */
  readonly timeoutMs: number;
  /** Why the node has ended, if it has. */
  ended(): RaftError | undefined;
}

export class Waiters {
  readonly #parts: WaitersParts;
  readonly #waiting = new Set<() => void>();

  constructor(parts: WaitersParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the condition holds; it is asked after every event and on every tick.
   * Errors: timeout, aborted, stopped, busy, handler-failed when the condition throws.
   */
  until(holds: () => boolean, options: CallOptions): Promise<void> {
    const { clock, timeoutMs } = this.#parts;
    if (this.#waiting.size >= WAITERS_MAX) return Promise.reject(new RaftError('busy', `${WAITERS_MAX} calls wait already.`));
    const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? timeoutMs);
    return awaitCall<void>(options.signal, (resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#waiting.delete(ask);
        settle();
      };
      const ask = (): void => {
        const answer = askOnce(holds);
        const ended = this.#parts.ended();
        if (answer === true) return end(resolve);
        if (RaftError.is(answer)) return end(() => reject(answer));
        if (ended !== undefined) return end(() => reject(new RaftError('stopped', 'The node stopped.', { cause: ended })));
        if (clock.monotonicMs() >= deadlineMs)
          end(() => reject(new RaftError('timeout', 'It did not come about in time.', { mayHaveApplied: false })));
      };
      this.#waiting.add(ask);
      // It may hold already, and a node that has ended asks nobody any more.
      ask();
      return () => end(() => reject(new RaftError('aborted', 'The call was aborted.', { mayHaveApplied: false })));
    });
  }

  /** Something has changed that a condition may have waited for. */
  ask(): void {
    if (this.#waiting.size === 0) return;
    for (const ask of [...this.#waiting]) ask();
  }
}

/** The condition is the application's: what it throws is its caller's to hear, not the node's to end by. */
function askOnce(holds: () => boolean): boolean | RaftError {
  try {
    return holds();
  } catch (error) {
    return new RaftError('handler-failed', `The condition threw: ${String(error)}`, { cause: error });
  }
}
