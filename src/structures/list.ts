/** A list whose items have ids: what two people move at once is never twice there, nor lost. */
import type { StateMachine } from '../state/types.ts';
import { requireRoom, requireWhole } from './input.ts';
import type { BareQuery, Handler, Query } from './part.ts';

/** Items of one list: a move shifts what lies between. */
export const LIST_ITEMS_MAX = 10_000;

export type ListState<T> = { lastId: number; readonly order: number[]; readonly values: Map<number, T> };
/** Where an item goes: before or after another, or to the end. Not both. */
export type ListPlace = { readonly before?: number; readonly after?: number };
export type ListItem<T> = { readonly id: number; readonly value: T };
export type ListCommands<T> = {
  readonly insert: Handler<ListState<T>, ListPlace & { readonly value: T }, number | undefined>;
  readonly set: Handler<ListState<T>, { readonly id: number; readonly value: T }, boolean>;
  readonly move: Handler<ListState<T>, ListPlace & { readonly id: number }, boolean>;
  readonly delete: Handler<ListState<T>, { readonly id: number }, boolean>;
};
export type ListQueries<T> = {
  readonly get: Query<ListState<T>, number, T | undefined>;
  readonly items: BareQuery<ListState<T>, readonly ListItem<T>[]>;
  readonly size: BareQuery<ListState<T>, number>;
};

/** Guarantee: all members see the same items in the same order, and an item that several move at once is where the last one put it. */
export function list<T>(): StateMachine<ListState<T>, ListCommands<T>, ListQueries<T>> {
  return {
    initial: () => ({ lastId: 0, order: [], values: new Map() }),
    commands: {
      /** Answers the item's id; undefined, and nothing changes, when the one to stand beside is gone. */
      insert: (state, { value, ...place }) => {
        const at = placeIn(state.order, place);
        if (at === undefined) return undefined;
        requireRoom(state.order.length, LIST_ITEMS_MAX, 'items');
        state.lastId += 1;
        state.order.splice(at, 0, state.lastId);
        state.values.set(state.lastId, value);
        return state.lastId;
      },
      /** Answers whether the item was there. */
      set: ({ values }, { id, value }) => {
        if (!values.has(requireWhole(id, 'id', 1))) return false;
        values.set(id, value);
        return true;
      },
      /** Answers whether it is in its new place now: not when it, or the one to stand beside, is gone. */
      move: ({ order }, { id, ...place }) => {
        const from = order.indexOf(requireWhole(id, 'id', 1));
        const to = placeIn(order, place);
        if (from < 0 || to === undefined) return false;
        if (place.before === id || place.after === id) return true;
        order.splice(from, 1);
        order.splice(to > from ? to - 1 : to, 0, id);
        return true;
      },
      /** Answers whether the item was there. */
      delete: ({ order, values }, { id }) => {
        if (!values.delete(requireWhole(id, 'id', 1))) return false;
        order.splice(order.indexOf(id), 1);
        return true;
      },
    },
    queries: {
      get: ({ values }, id) => values.get(id),
      items: ({ order, values }) => order.map((id) => ({ id, value: values.get(id) as T })),
      size: ({ order }) => order.length,
    },
  };
}

/** Undefined when the item to stand beside is not there. Errors: TypeError. */
function placeIn(order: readonly number[], { before, after }: ListPlace): number | undefined {
  if (before !== undefined && after !== undefined) throw new TypeError('before and after are two places; name one.');
  if (before === undefined && after === undefined) return order.length;
  const at = order.indexOf(requireWhole(before ?? after, before === undefined ? 'after' : 'before', 1));
  if (at < 0) return undefined;
  return before === undefined ? at + 1 : at;
}
