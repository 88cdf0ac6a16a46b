/**
 * Values selected from the state, told when they change, as stable snapshots: the same reference as long as
 * the value is the same, so that they fit React's useSyncExternalStore. What a selector makes anew each time is compared by what
 * is in it.
 */
import { RaftError } from '../../core/errors.ts';
import type { Index } from '../../core/types.ts';
import { sameValue } from '../../state/same-value.ts';
import type { Machine } from '../../state/state-machine.ts';
import { type Registration, registration } from '../api/registration.ts';
import type { Clock } from '../ports/clock.ts';

/** Subscribers of one node; more are refused. */
export const SUBSCRIBERS_MAX = 1_000_000;

interface Subscriber {
  readonly select: (state: unknown) => unknown;
  readonly listener: (value: unknown, meta: { readonly index: Index }) => void;
  value: unknown;
}

export class Subscriptions {
  readonly #machine: Pick<Machine, 'view' | 'publish'>;
  readonly #clock: Clock;
  readonly #reportError: (error: unknown) => void;
  readonly #subscribers = new Set<Subscriber>();
  #index: Index = 0;
  #scheduled = false;

  constructor(machine: Pick<Machine, 'view' | 'publish'>, clock: Clock, reportError: (error: unknown) => void) {
    this.#machine = machine;
    this.#clock = clock;
    this.#reportError = reportError;
  }

  /** Errors: busy. */
  add(select: Subscriber['select'], listener: Subscriber['listener'], signal?: AbortSignal): Registration {
    if (this.#subscribers.size >= SUBSCRIBERS_MAX) throw new RaftError('busy', `There are ${SUBSCRIBERS_MAX} subscribers.`);
    const subscriber: Subscriber = { select, listener, value: stable(undefined, this.#select(select)) };
    this.#subscribers.add(subscriber);
    return registration(() => void this.#subscribers.delete(subscriber), signal);
  }

  /** One look per burst of applied entries, however many there were. */
  onAppliedTo(index: Index): void {
    this.#index = index;
    if (this.#subscribers.size === 0 || this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.soon(() => {
      this.#scheduled = false;
      this.#tell();
    });
  }

  #tell(): void {
    const meta = { index: this.#index };
    for (const subscriber of [...this.#subscribers]) {
      const value = stable(subscriber.value, this.#select(subscriber.select));
      if (Object.is(value, subscriber.value)) continue;
      subscriber.value = value;
      try {
        subscriber.listener(value, meta);
      } catch (error) {
        this.#reportError(error);
      }
    }
  }

  #select(select: Subscriber['select']): unknown {
    try {
      return this.#machine.publish(select(this.#machine.view));
    } catch (error) {
      this.#reportError(error);
      return undefined;
    }
  }
}

/** The previous value when the new one says the same. */
export function stable(previous: unknown, next: unknown): unknown {
  return sameValue(previous, next) ? previous : next;
}
