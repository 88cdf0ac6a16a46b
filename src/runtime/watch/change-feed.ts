/**
 * The applied commands in order, as an async iterable that can be taken up again from an index: without gaps,
 * without duplicates, or with an error that says the place is gone.
 */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index } from '../../core/types.ts';
import type { Applied } from '../../state/replicated-state.ts';
import type { Outcome } from '../../state/state-machine.ts';

/** Applied commands remembered for iterators that are behind; one that falls further behind gets `index-compacted`. */
export const CHANGES_REMEMBERED_MAX = 8_192;

/** Iterators that wait for changes at once; one more is refused with `busy`. */
export const ITERATORS_MAX = 10_000;

export interface ChangeRecord {
  readonly entry: Entry;
  readonly outcome: Outcome;
}

export class ChangeFeed {
  /** Oldest first; at most twice the bound, then cut. Two lists, not one of pairs: these are kept for every command there is. */
  #entries: Entry[] = [];
  #outcomes: Outcome[] = [];
  /** Changes below it are not remembered. */
  #first: Index = 1;
  readonly #waiting = new Set<() => void>();
  #ended: RaftError | undefined;
  /** The last index applied. */
  #applied: Index = 0;

  onApplied(entry: Entry, applied: Applied): void {
    if (applied.kind !== 'command' || applied.replayed || applied.outcome.kind === 'error') return;
    this.#entries.push(entry);
    this.#outcomes.push(applied.outcome);
    if (this.#entries.length >= 2 * CHANGES_REMEMBERED_MAX) {
      this.#entries = this.#entries.slice(CHANGES_REMEMBERED_MAX);
      this.#outcomes = this.#outcomes.slice(CHANGES_REMEMBERED_MAX);
      this.#first = this.#entries[0]?.index ?? this.#first;
    }
    this.#wakeAll();
  }

  /** A snapshot took the place of entries that were never applied here one by one. */
  onInstalled(applied: Index): void {
    this.onOpened(applied);
  }

  /** The member starts anew from storage. */
  onOpened(applied: Index): void {
    this.#forget();
    this.#applied = applied;
    this.#first = applied + 1;
    this.#wakeAll();
  }

  onAppliedTo(index: Index): void {
    this.#applied = index;
  }

  #forget(): void {
    this.#entries = [];
    this.#outcomes = [];
  }

  stop(error: RaftError): void {
    this.#ended = error;
    this.#wakeAll();
  }

  /** Changes from `from` on (default: those to come). Ends with the signal; errors: index-compacted, stopped. */
  async *iterate(from: Index | undefined, signal: AbortSignal | undefined): AsyncIterable<ChangeRecord> {
    let next = from ?? this.#applied + 1;
    while (!isAborted(signal)) {
      if (next < this.#first) {
        throw new RaftError(
          'index-compacted',
          `Changes before index ${this.#first} are not remembered; read the state and go on from there.`,
          { index: this.#first },
        );
      }
      const at = this.#find(next);
      const batch = this.#entries.slice(at);
      const outcomes = this.#outcomes.slice(at);
      for (const [i, entry] of batch.entries()) {
        if (isAborted(signal)) return;
        next = entry.index + 1;
        yield { entry, outcome: outcomes[i] as Outcome };
      }
      if (batch.length > 0) continue;
      if (this.#ended !== undefined) throw this.#ended;
      await this.#wait(signal);
    }
  }

  /** Position of the first record at or after an index. */
  #find(index: Index): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.index ?? 0) < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Errors: busy. */
  #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.size >= ITERATORS_MAX) throw new RaftError('busy', `${ITERATORS_MAX} iterators wait for changes.`);
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  #wakeAll(): void {
    if (this.#waiting.size === 0) return;
    for (const wake of [...this.#waiting]) wake();
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
