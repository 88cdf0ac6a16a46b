/** The machine under shared text: Yjs updates in the order of the log. It keeps bytes and understands none of them. */
import type { StateMachine } from '../state/types.ts';

/** Bytes of one update: an edit is some dozens, a large paste some thousands. */
export const UPDATE_BYTES_MAX: number = 512 * 1024;
/** Bytes of all updates together: they are in the memory of every member, and in each snapshot. */
export const TEXT_BYTES_MAX: number = 32 * 1024 * 1024;
/** Updates that are kept before they must be folded into one. */
export const UPDATES_MAX = 20_000;

export interface TextState {
  /** How many updates came before the first that is kept by itself: they were folded into it. */
  base: number;
  bytes: number;
  readonly updates: Uint8Array[];
}

type Handler<I, O> = (state: TextState, input: I) => O;
export type TextCommands = {
  readonly update: Handler<{ readonly update: Uint8Array }, number>;
  readonly fold: Handler<{ readonly base: number; readonly count: number; readonly update: Uint8Array }, boolean>;
};
export type TextQueries = { readonly updates: (state: Readonly<TextState>) => readonly Uint8Array[] };

/**
 * Guarantee: every member's document gets the same updates in the same order, and an edit that was acknowledged stays; what edits of
 * one place at once come to is Yjs's to merge.
 */
export function sharedText(): StateMachine<TextState, TextCommands, TextQueries> {
  return {
    initial: () => ({ base: 0, bytes: 0, updates: [] }),
    commands: {
      /** Answers how many updates there have been. */
      update: (state, { update }) => {
        requireBytes(update, UPDATE_BYTES_MAX);
        if (state.bytes + update.length > TEXT_BYTES_MAX || state.updates.length >= UPDATES_MAX)
          throw new RangeError(`A text takes at most ${TEXT_BYTES_MAX} bytes in ${UPDATES_MAX} updates.`);
        state.updates.push(update);
        state.bytes += update.length;
        return state.base + state.updates.length;
      },
      /** Puts one update in the place of the first so many that it was made of. Answers false when somebody else was first. */
      fold: (state, { base, count, update }) => {
        requireBytes(update, TEXT_BYTES_MAX);
        if (base !== state.base || !Number.isInteger(count) || count < 2 || count > state.updates.length) return false;
        const folded = state.updates.slice(0, count).reduce((sum, one) => sum + one.length, 0);
        if (state.bytes - folded + update.length > TEXT_BYTES_MAX) return false;
        state.updates.splice(0, count, update);
        state.bytes += update.length - folded;
        state.base += count - 1;
        return true;
      },
    },
    queries: { updates: ({ updates }) => updates },
  };
}

function requireBytes(value: unknown, max: number): void {
  if (!(value instanceof Uint8Array) || value.length === 0 || value.length > max)
    throw new TypeError(`An update is 1 to ${max} bytes.`);
}
