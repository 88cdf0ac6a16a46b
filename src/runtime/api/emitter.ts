/** Typed events without a DOM: a listener that throws is reported, and the others still hear. */
import { RaftError } from '../../core/errors.ts';
import { requireFunction, shown, unknownName } from '../ports/require-known.ts';
import type { RaftEvents } from './api.ts';
import { EVENT_NAMES } from './names.ts';
import { type Registration, registration } from './registration.ts';

/** Listeners of one node over all events; more are refused, since it means somebody forgets to dispose of them. */
export const LISTENERS_MAX = 100_000;

type Listener<T> = (event: T) => void;
type Unheard = <K extends keyof RaftEvents>(type: K, event: RaftEvents[K]) => void;

export class Emitter {
  readonly #listeners = new Map<keyof RaftEvents, Set<Listener<never>>>();
  readonly #onListenerError: (error: unknown) => void;
  readonly #onUnheard: Unheard;

  /** `onUnheard` is told of every event that nobody listens to. */
  constructor(onListenerError: (error: unknown) => void, onUnheard: Unheard = () => {}) {
    this.#onListenerError = onListenerError;
    this.#onUnheard = onUnheard;
  }

  /** Errors: busy, invalid-argument. */
  on<K extends keyof RaftEvents>(type: K, listener: Listener<RaftEvents[K]>, signal?: AbortSignal): Registration {
    if (typeof type !== 'string' || !Object.hasOwn(EVENT_NAMES, type))
      throw unknownName('event', typeof type === 'string' ? type : shown(type), Object.keys(EVENT_NAMES));
    requireFunction('listener', listener);
    const set = this.#setOf(type);
    if (set.size >= LISTENERS_MAX) throw new RaftError('busy', `There are ${LISTENERS_MAX} listeners for '${type}'.`);
    // Wrapped, so that the same function can listen twice.
    const wrapped: Listener<RaftEvents[K]> = (event) => listener(event);
    set.add(wrapped);
    return registration(() => void set.delete(wrapped), signal);
  }

  emit<K extends keyof RaftEvents>(type: K, event: RaftEvents[K]): void {
    const set = this.#listeners.get(type) as Set<Listener<RaftEvents[K]>> | undefined;
    if (set === undefined || set.size === 0) return this.#onUnheard(type, event);
    for (const listener of [...set]) {
      try {
        listener(event);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }

  has(type: keyof RaftEvents): boolean {
    return (this.#listeners.get(type)?.size ?? 0) > 0;
  }

  clear(): void {
    this.#listeners.clear();
  }

  #setOf<K extends keyof RaftEvents>(type: K): Set<Listener<RaftEvents[K]>> {
    const known = this.#listeners.get(type) as Set<Listener<RaftEvents[K]>> | undefined;
    if (known !== undefined) return known;
    const made = new Set<Listener<RaftEvents[K]>>();
    this.#listeners.set(type, made as Set<Listener<never>>);
    return made;
  }
}
