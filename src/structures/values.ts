/** Values that many change at once: a counter, a register with compare-and-set, a map. */
import type { StateMachine } from '../state/types.ts';
import { requireRoom, requireText, requireWhole } from './input.ts';
import type { BareQuery, Handler, Query } from './part.ts';

/** Keys of one map: a snapshot of them is still written in one piece. */
export const MAP_KEYS_MAX = 100_000;

export type CounterState = { value: number };
export type CounterCommands = { readonly add: Handler<CounterState, { readonly amount: number }, number> };
export type CounterQueries = { readonly value: BareQuery<CounterState, number> };

/** Guarantee: every addition that was acknowledged is counted exactly once. */
export function counter(): StateMachine<CounterState, CounterCommands, CounterQueries> {
  return {
    initial: () => ({ value: 0 }),
    commands: {
      /** Adds a whole number, also a negative one. Answers the new value. */
      add: (state, { amount }) => {
        const step = requireWhole(amount, 'amount', -Number.MAX_SAFE_INTEGER);
        state.value = requireWhole(state.value + step, 'The sum', -Number.MAX_SAFE_INTEGER);
        return state.value;
      },
    },
    queries: { value: (state) => state.value },
  };
}

export type RegisterState<T> = { value: T | undefined; version: number };
export type RegisterAnswer = { readonly isSet: boolean; readonly version: number };
export type RegisterCommands<T> = {
  readonly set: Handler<RegisterState<T>, { readonly value: T }, RegisterAnswer>;
  readonly compareAndSet: Handler<RegisterState<T>, { readonly version: number; readonly value: T }, RegisterAnswer>;
};
export type RegisterQueries<T> = { readonly get: BareQuery<RegisterState<T>, RegisterState<T>> };

/** Guarantee: of all who compare and set against one version at most one succeeds. */
export function register<T>(): StateMachine<RegisterState<T>, RegisterCommands<T>, RegisterQueries<T>> {
  const write = (state: RegisterState<T>, value: T): RegisterAnswer => {
    state.value = value;
    state.version += 1;
    return { isSet: true, version: state.version };
  };
  return {
    initial: () => ({ value: undefined, version: 0 }),
    commands: {
      set: (state, { value }) => write(state, value),
      /** Sets the value if nobody set it since that version (0: never set). Answers the version that holds now. */
      compareAndSet: (state, { version, value }) =>
        requireWhole(version, 'version', 0) === state.version ? write(state, value) : { isSet: false, version: state.version },
    },
    queries: { get: (state) => ({ value: state.value, version: state.version }) },
  };
}

export type MapState<T> = { readonly entries: Map<string, T> };
export type MapCommands<T> = {
  readonly set: Handler<MapState<T>, { readonly key: string; readonly value: T }, boolean>;
  readonly delete: Handler<MapState<T>, { readonly key: string }, boolean>;
};
export type MapQueries<T> = {
  readonly get: Query<MapState<T>, string, T | undefined>;
  readonly has: Query<MapState<T>, string, boolean>;
  readonly size: BareQuery<MapState<T>, number>;
};

/** Guarantee: all members see every key's writes in one order, and the last one acknowledged stays. */
export function map<T>(): StateMachine<MapState<T>, MapCommands<T>, MapQueries<T>> {
  return {
    initial: () => ({ entries: new Map() }),
    commands: {
      /** Answers whether the key is new. */
      set: ({ entries }, { key, value }) => {
        const isNew = !entries.has(requireText(key, 'key'));
        if (isNew) requireRoom(entries.size, MAP_KEYS_MAX, 'keys');
        entries.set(key, value);
        return isNew;
      },
      /** Answers whether the key was there. */
      delete: ({ entries }, { key }) => entries.delete(requireText(key, 'key')),
    },
    queries: {
      get: ({ entries }, key) => entries.get(key),
      has: ({ entries }, key) => entries.has(key),
      size: ({ entries }) => entries.size,
    },
  };
}
