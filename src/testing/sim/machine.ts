/** The state machine of simulated runs: registers, lists and counters, as the models of the checker know them. */
import type { StateMachine } from '../../state/types.ts';
import type { Value } from '../history/models.ts';

export interface ObjectsState {
  registers: Record<string, Value>;
  lists: Record<string, Value[]>;
  counters: Record<string, number>;
}

export type ObjectsCommand =
  | { readonly type: 'write'; readonly key: string; readonly value: Value }
  | { readonly type: 'cas'; readonly key: string; readonly expected: Value; readonly next: Value }
  | { readonly type: 'append'; readonly key: string; readonly value: Value }
  | { readonly type: 'add'; readonly key: string; readonly amount: number };

type CommandOf<T extends ObjectsCommand['type']> = Extract<ObjectsCommand, { readonly type: T }>;

const commands = {
  write: (state: ObjectsState, { key, value }: CommandOf<'write'>): null => {
    state.registers[key] = value;
    return null;
  },
  cas: (state: ObjectsState, { key, expected, next }: CommandOf<'cas'>): boolean => {
    if ((state.registers[key] ?? null) !== expected) return false;
    state.registers[key] = next;
    return true;
  },
  append: (state: ObjectsState, { key, value }: CommandOf<'append'>): number => {
    const list = state.lists[key] ?? [];
    list.push(value);
    state.lists[key] = list;
    return list.length;
  },
  add: (state: ObjectsState, { key, amount }: CommandOf<'add'>): number => {
    const sum = (state.counters[key] ?? 0) + amount;
    state.counters[key] = sum;
    return sum;
  },
};

export const objectsMachine: StateMachine<ObjectsState, typeof commands, Record<never, never>> = {
  initial: () => ({ registers: {}, lists: {}, counters: {} }),
  commands,
};

/** What a read of a key answers. */
export function readObject(state: ObjectsState, key: string): Value | readonly Value[] {
  if (key.startsWith('list:')) return [...(state.lists[key] ?? [])];
  if (key.startsWith('counter:')) return state.counters[key] ?? 0;
  return state.registers[key] ?? null;
}
