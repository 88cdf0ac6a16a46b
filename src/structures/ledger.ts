/** Accounts of whole numbers: money in cents, points, tickets left. */
import type { StateMachine } from '../state/types.ts';
import { requireRoom, requireText, requireWhole } from './input.ts';
import type { BareQuery, Handler, Query } from './part.ts';

/** Accounts with something on them. */
export const ACCOUNTS_MAX = 100_000;

/** `total` is the sum of all accounts: that it is a safe integer keeps every balance one. An empty account is not kept. */
export type LedgerState = { total: number; readonly accounts: Map<string, number> };
type Booking = { readonly account: string; readonly amount: number };
export type LedgerCommands = {
  readonly deposit: Handler<LedgerState, Booking, number>;
  readonly withdraw: Handler<LedgerState, Booking, boolean>;
  readonly transfer: Handler<LedgerState, { readonly from: string; readonly to: string; readonly amount: number }, boolean>;
};
export type LedgerQueries = {
  readonly balance: Query<LedgerState, string, number>;
  readonly total: BareQuery<LedgerState, number>;
};

/** Guarantee: no account is ever below zero, and a transfer changes no sum. */
export function ledger(): StateMachine<LedgerState, LedgerCommands, LedgerQueries> {
  return {
    initial: () => ({ total: 0, accounts: new Map() }),
    commands: {
      /** Answers the account's new balance. */
      deposit: (state, { account, amount }) => {
        requireWhole(amount, 'amount', 1);
        state.total = requireWhole(state.total + amount, 'The sum of all accounts', 0);
        return put(state, requireText(account, 'account'), amount);
      },
      /** Answers whether there was enough; otherwise nothing changes. */
      withdraw: (state, { account, amount }) => {
        if (!take(state, requireText(account, 'account'), requireWhole(amount, 'amount', 1))) return false;
        state.total -= amount;
        return true;
      },
      /** Answers whether there was enough; otherwise nothing changes. */
      transfer: (state, { from, to, amount }) => {
        requireText(to, 'to');
        if (!take(state, requireText(from, 'from'), requireWhole(amount, 'amount', 1))) return false;
        put(state, to, amount);
        return true;
      },
    },
    queries: { balance: ({ accounts }, account) => accounts.get(account) ?? 0, total: ({ total }) => total },
  };
}

function put({ accounts }: LedgerState, account: string, amount: number): number {
  const before = accounts.get(account);
  if (before === undefined) requireRoom(accounts.size, ACCOUNTS_MAX, 'accounts');
  const after = (before ?? 0) + amount;
  accounts.set(account, after);
  return after;
}

function take({ accounts }: LedgerState, account: string, amount: number): boolean {
  const before = accounts.get(account) ?? 0;
  if (before < amount) return false;
  if (before === amount) accounts.delete(account);
  else accounts.set(account, before - amount);
  return true;
}
