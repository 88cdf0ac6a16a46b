/** What single objects do, one operation at a time: what a linearizable history must be explained by. */
import type { Operation } from './history.ts';

export interface Model<S> {
  readonly name: string;
  readonly initial: S;
  /**
   * The state after the operation, or undefined when it could not have answered so. An operation whose outcome is
   * not known takes effect and may have answered anything.
   */
  step(state: S, operation: Operation): S | undefined;
  /** Equal states have equal keys. */
  keyOf(state: S): string;
  /** What the whole history tells of the states there can have been: false for one that cannot lead to all of its answers. */
  possible?(operations: readonly Operation[]): (state: S) => boolean;
  /** Of a call whose outcome is not known: whether anything that was read tells that it took effect. */
  seen?(operations: readonly Operation[]): (operation: Operation) => boolean;
}

function longestRead(operations: readonly Operation[]): readonly Value[] {
  let longest: readonly Value[] = [];
  for (const { kind, outcome, result } of operations) {
    if (kind === 'read' && outcome === 'ok' && Array.isArray(result) && result.length > longest.length) longest = result;
  }
  return longest;
}

export type Value = string | number | boolean | null;

/** Only what was answered can contradict. */
function answered(operation: Operation, expected: unknown): boolean {
  return operation.outcome !== 'ok' || same(operation.result, expected);
}

function same(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || JSON.stringify(a) === JSON.stringify(b);
}

/** `read` answers the value, `write` sets `input`, `cas` takes [expected, next] and answers whether it swapped. */
export const registerModel: Model<Value> = {
  name: 'register',
  initial: null,
  step(state, operation) {
    if (operation.kind === 'read') return answered(operation, state) ? state : undefined;
    if (operation.kind === 'write') return operation.input as Value;
    if (operation.kind !== 'cas') return undefined;
    const [expected, next] = operation.input as readonly [Value, Value];
    const swaps = same(state, expected);
    if (!answered(operation, swaps)) return undefined;
    return swaps ? next : state;
  },
  keyOf: (state) => JSON.stringify(state),
};

/** `append` adds `input` at the end and answers the new length, `read` answers the whole list. */
export const listModel: Model<readonly Value[]> = {
  name: 'append-list',
  initial: [],
  step(state, operation) {
    if (operation.kind === 'read') return answered(operation, state) ? state : undefined;
    if (operation.kind !== 'append') return undefined;
    return answered(operation, state.length + 1) ? [...state, operation.input as Value] : undefined;
  },
  keyOf: (state) => JSON.stringify(state),
  // A list only grows: each state it had is a beginning of the longest that was read, or has that for its beginning.
  possible(operations) {
    const longest = longestRead(operations);
    return (state) => {
      const last = Math.min(state.length, longest.length) - 1;
      // One element is added at a time: those before it were looked at when they were.
      return last < 0 || state.length > longest.length || same(state[last], longest[last]);
    };
  },
  seen(operations) {
    const read = new Set(longestRead(operations));
    return ({ input }) => read.has(input as Value);
  },
};

/** `add` adds `input` and answers the sum, `read` answers the sum. */
export const counterModel: Model<number> = {
  name: 'counter',
  initial: 0,
  step(state, operation) {
    const next = operation.kind === 'add' ? state + (operation.input as number) : operation.kind === 'read' ? state : undefined;
    return next !== undefined && answered(operation, next) ? next : undefined;
  },
  keyOf: (state) => String(state),
};

/** Looks for the model by the first word of the key: `list:a`, `counter:b`; everything else is a register. */
export function modelOfKey(key: string): Model<unknown> {
  if (key.startsWith('list:')) return listModel as Model<unknown>;
  if (key.startsWith('counter:')) return counterModel as Model<unknown>;
  return registerModel as Model<unknown>;
}
