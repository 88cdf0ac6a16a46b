/** `node.presence` of a node whose links are at the other end of a line. */
import { unpackCommand } from '../../codec/pack.ts';
import { sameValue } from '../../state/same-value.ts';
import type { Presence, Present, ShowOptions } from '../api/presence.ts';
import type { Registration } from '../api/registration.ts';
import type { Clock } from '../ports/clock.ts';
import { packShown } from '../watch/presence.ts';
import { PresenceListeners } from '../watch/presence-listeners.ts';
import type { Bridge } from './bridge.ts';

const NOBODY: readonly Present[] = [];

interface FarPresenceParts {
  readonly bridge: Bridge;
  readonly clock: Clock;
  readonly reportError: (error: unknown) => void;
  /** Who calls the function tells who is here; nobody, when the node has ended. */
  hear(take: (told: readonly Present[]) => void): void;
}

export class FarPresence implements Presence {
  readonly #bridge: Bridge;
  readonly #clock: Clock;
  readonly #listeners: PresenceListeners;
  #own: { readonly state: unknown; readonly untilMs: number } | undefined;
  #others: readonly Present[] = NOBODY;

  constructor({ bridge, clock, reportError, hear }: FarPresenceParts) {
    this.#bridge = bridge;
    this.#clock = clock;
    this.#listeners = new PresenceListeners(reportError);
    hear((told) => this.#take(told));
  }

  get own(): unknown {
    return this.#own === undefined || this.#own.untilMs <= this.#clock.monotonicMs() ? undefined : this.#own.state;
  }

  get others(): readonly Present[] {
    return this.#others;
  }

  set(state: unknown, options: ShowOptions = {}): void {
    const data = packShown(state, options);
    const { ttlMs = Number.POSITIVE_INFINITY } = options;
    // A copy: what the caller does with its object later is not shown.
    this.#own = { state: data === null ? undefined : unpackCommand(data), untilMs: this.#clock.monotonicMs() + ttlMs };
    this.#bridge.call('show', data, options);
  }

  subscribe(listener: (others: readonly Present[]) => void, options: { readonly signal?: AbortSignal } = {}): Registration {
    return this.#listeners.add(listener, options);
  }

  /** Who is here by now. Who has not changed stays the same object. */
  #take(told: readonly Present[]): void {
    const before = new Map(this.#others.map((present) => [present.id, present]));
    this.#others = told.map((present) => {
      const known = before.get(present.id);
      return known !== undefined && sameValue(known, present) ? known : present;
    });
    this.#listeners.tell(this.#others);
  }
}
