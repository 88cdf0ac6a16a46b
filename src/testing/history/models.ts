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
