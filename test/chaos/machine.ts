/** What the clients of a chaos run write to: registers, lists and counters, by the models of tabraft/testing. */
import type { Value } from '../../src/testing/history/models.ts';

/** What opens the room of a run, in base64url: it is no secret, but the proof of every link is as it is with one. */
export const SECRET: string = 'A'.repeat(43);

export interface Store {
  readonly registers: Record<string, Value>;
  readonly lists: Record<string, Value[]>;
  readonly counters: Record<string, number>;
}

export interface Machine {
  readonly initial: () => Store;
  readonly commands: {
    readonly write: (store: Store, input: { readonly key: string; readonly value: Value }) => void;
    readonly cas: (store: Store, input: { readonly key: string; readonly expected: Value; readonly next: Value }) => boolean;
    readonly append: (store: Store, input: { readonly key: string; readonly value: Value }) => number;
    readonly add: (store: Store, input: { readonly key: string; readonly by: number }) => number;
  };
}

export const machine: Machine = {
  initial: () => ({ registers: {}, lists: {}, counters: {} }),
  commands: {
    write: (store, { key, value }) => {
      store.registers[key] = value;
    },
    cas: (store, { key, expected, next }) => {
      if ((store.registers[key] ?? null) !== expected) return false;
      store.registers[key] = next;
      return true;
    },
    append: (store, { key, value }) => {
      store.lists[key] ??= [];
      return store.lists[key].push(value);
    },
    add: (store, { key, by }) => {
      const sum = (store.counters[key] ?? 0) + by;
      store.counters[key] = sum;
      return sum;
    },
  },
};

/** What a read of this key answers, as the model of the key has it. */
export function readKey(store: Readonly<Store>, key: string): unknown {
  if (key.startsWith('list:')) return [...(store.lists[key] ?? [])];
  if (key.startsWith('counter:')) return store.counters[key] ?? 0;
  return store.registers[key] ?? null;
}
