/** Who is here, and what they show of themselves. */
import type { NodeId } from '../../core/types.ts';
import type { Registration } from './registration.ts';

/** A member that this node is linked to. */
export interface Present<T = unknown> {
  readonly id: NodeId;
  /** Its name for people, which may be empty. */
  readonly name: string;
  /** What it shows; undefined for nothing. */
  readonly state: T | undefined;
}

export interface ShowOptions {
  /** Forget it by itself after so long, here and there: for "is typing". 100 to 60,000 ms. Default: as long as this node is here. */
  readonly ttlMs?: number;
}

/**
 * Outside the log: nothing is stored, ordered or guaranteed. What is shown reaches the linked members within a moment, and goes with its
 * node: at once when it says goodbye, some seconds later when it vanishes.
 */
export interface Presence {
  /**
   * Shows a value to the other members, at most 20 times a second (the last one counts); undefined shows nothing any more. At most
   * PRESENCE_BYTES_MAX (2 KiB) as bytes. Errors: too-large, invalid-argument.
   */
  set(state: unknown, options?: ShowOptions): void;
  /** What this node shows. */
  readonly own: unknown;
  /** The members that are here beside this node, by id: the same array as long as nothing changes. */
  readonly others: readonly Present[];
  /** Calls back after changes of `others`. Errors: invalid-argument. */
  subscribe(listener: (others: readonly Present[]) => void, options?: { readonly signal?: AbortSignal }): Registration;
}
