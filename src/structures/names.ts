/** Names that belong to one owner each: seats, user names, rooms. */
import type { StateMachine } from '../state/types.ts';
import { requireRoom, requireText } from './input.ts';
import type { Handler, Query } from './part.ts';

/** Names that are taken at once. */
export const NAMES_MAX = 100_000;

export type NamesState = { readonly owners: Map<string, string> };
type Claim = { readonly name: string; readonly owner: string };
export type NamesCommands = {
  readonly claim: Handler<NamesState, Claim, boolean>;
  readonly release: Handler<NamesState, Claim, boolean>;
};
export type NamesQueries = { readonly owner: Query<NamesState, string, string | undefined> };

/** Guarantee: a name has at most one owner at a time. */
export function uniqueNames(): StateMachine<NamesState, NamesCommands, NamesQueries> {
  return {
    initial: () => ({ owners: new Map() }),
    commands: {
      /** Answers whether the name is the owner's now, also if it was before. */
      claim: ({ owners }, { name, owner }) => {
        requireText(owner, 'owner');
        const current = owners.get(requireText(name, 'name'));
        if (current !== undefined) return current === owner;
        requireRoom(owners.size, NAMES_MAX, 'names');
        owners.set(name, owner);
        return true;
      },
      /** Answers whether the name was the owner's until now. */
      release: ({ owners }, { name, owner }) =>
        owners.get(requireText(name, 'name')) === requireText(owner, 'owner') && owners.delete(name),
    },
    queries: { owner: ({ owners }, name) => owners.get(name) },
  };
}
