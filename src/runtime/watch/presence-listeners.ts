/** Who hears of presence, on either side of a line: bounded, each called on its own, and what one throws keeps nothing from the others. */
import { RaftError } from '../../core/errors.ts';
import type { Present } from '../api/presence.ts';
import { type Registration, registration } from '../api/registration.ts';
import { requireFunction, requireKnown } from '../ports/require-known.ts';

/** Listeners of one node: as many as a page has views of who is here, with room to spare. */
const PRESENCE_LISTENERS_MAX = 1_000;

type Listener = (others: readonly Present[]) => void;

export class PresenceListeners {
  readonly #listeners = new Set<Listener>();
  readonly #reportError: (error: unknown) => void;

  constructor(reportError: (error: unknown) => void) {
    this.#reportError = reportError;
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Errors: invalid-argument, busy. */
  add(listener: Listener, options: { readonly signal?: AbortSignal }): Registration {
    requireFunction('listener', listener);
    requireKnown('subscribe', options, { signal: true });
    if (this.#listeners.size >= PRESENCE_LISTENERS_MAX)
      throw new RaftError('busy', `There are ${PRESENCE_LISTENERS_MAX} listeners of presence.`);
    const wrapped: Listener = (others) => listener(others);
    this.#listeners.add(wrapped);
    return registration(() => void this.#listeners.delete(wrapped), options.signal);
  }

  tell(others: readonly Present[]): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(others);
      } catch (error) {
        this.#reportError(error);
      }
    }
  }
}
