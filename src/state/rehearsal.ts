/**
 * In a development build a command is rehearsed before it is applied: run once on the state, looked at, and taken back. What comes
 * out otherwise the second time would come out otherwise on another member, and a state that nobody changed while a new one was
 * returned is the commonest mistake of all. Both go unnoticed for weeks where members compare their states rarely.
 */
import { kindOf } from './containers.ts';
import { sameValue } from './same-value.ts';
import type { Outcome } from './state-machine.ts';

/** Of each command the first so many are rehearsed, then every so manieth: a large state is looked at whole each time. */
const ALWAYS_UP_TO = 32;
const THEN_EVERY = 64;
/** How far the clock is put forward for a rehearsal, in ms: what depends on it shows. */
const AHEAD_MS = 86_400_000;

export class Rehearsals {
  readonly #counts = new Map<string, number>();
  readonly #told = new Set<string>();
  readonly #tell: (mistake: string) => void;

  constructor(tell: (mistake: string) => void) {
    this.#tell = tell;
  }

  /** Whether this one is to be rehearsed. The names are those of handlers that exist: the table is bounded by them. */
  isDue(type: string): boolean {
    const count = (this.#counts.get(type) ?? 0) + 1;
    this.#counts.set(type, count);
    return count <= ALWAYS_UP_TO || count % THEN_EVERY === 0;
  }

  /** Compares what a command came to in the rehearsal and then. */
  compare(type: string, rehearsed: Performance, performed: Performance): void {
    if (!sameValue(rehearsed.outcome, performed.outcome))
      this.#once(
        type,
        `The handler '${type}' answered differently when it was run again on the same state. Every member runs it by itself, so they will differ: take time and randomness from its third argument (context.now, context.random), and nothing else from outside.`,
      );
    else if (!sameValue(rehearsed.state, performed.state))
      this.#once(
        type,
        `The handler '${type}' made another state when it was run again on the same one. Every member runs it by itself, so their states will differ: take time and randomness from its third argument (context.now, context.random), and nothing else from outside.`,
      );
  }

  /** Whether a handler meant to give a new state back instead of changing the one it was given. */
  lookForReducer(type: string, before: unknown, after: unknown, answer: unknown): void {
    if (before !== after || kindOf(answer) === undefined || kindOf(answer) !== kindOf(after)) return;
    if (!looksLike(answer, after) || sameValue(answer, after)) return;
    this.#once(
      type,
      `The handler '${type}' returned what looks like a new state, and changed nothing. A handler changes the state it is given (state.n += 1); what it returns is the answer to whoever proposed the command.`,
    );
  }

  #once(type: string, mistake: string): void {
    if (this.#told.has(type)) return;
    this.#told.add(type);
    this.#tell(mistake);
  }
}

export interface Performance {
  readonly outcome: Outcome;
  readonly state: unknown;
}

/** It has all that the state has: `{ ...state, n: 1 }`, `[...state, item]`, `new Map(state)`. */
function looksLike(answer: unknown, state: unknown): boolean {
  if (state instanceof Map || state instanceof Set) return [...state.keys()].every((key) => (answer as Set<unknown>).has(key));
  const keys = Object.keys(state as object);
  return (keys.length > 0 || Array.isArray(state)) && keys.every((key) => Object.hasOwn(answer as object, key));
}

/** Runs with a clock that is far ahead: a handler that looks at it comes to something else. */
export function withClockAhead<T>(run: () => T): T {
  const real = globalThis.Date;
  const ahead = (): number => real.now() + AHEAD_MS;
  globalThis.Date = new Proxy(real, {
    construct: (target, given: unknown[], made) => Reflect.construct(target, given.length === 0 ? [ahead()] : given, made),
    apply: () => new real(ahead()).toString(),
    get: (target, key) => (key === 'now' ? ahead : Reflect.get(target, key)),
  });
  try {
    return run();
  } finally {
    globalThis.Date = real;
  }
}
