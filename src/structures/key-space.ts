/** Keys with revisions, transactions and a history to watch, as etcd has them. */
import type { StateMachine } from '../state/types.ts';
import { requireRoom, requireText, requireWhole, TEXT_CHARS_MAX } from './input.ts';
import type { BareQuery, Handler, Query } from './part.ts';

/** Keys of one key space. */
export const KEYS_MAX = 100_000;
/** Comparisons, and operations, of one transaction. */
export const TRANSACTION_MAX = 128;
/** Changes that are kept for watchers: who is further behind is told to look at everything. */
export const HISTORY_MAX = 1_024;
/** Entries of one answer to a range. */
export const RANGE_MAX = 1_000;

export type KeyEntry<T> = {
  readonly value: T;
  /** Revision at which the key came to be. */
  readonly created: number;
  /** Revision of its last change. */
  readonly modified: number;
  /** How often it was written since it came to be, from 1. */
  readonly version: number;
};
export type KeyChange<T> = { readonly revision: number; readonly key: string; readonly entry: KeyEntry<T> | undefined };
export type KeyState<T> = { revision: number; readonly entries: Map<string, KeyEntry<T>>; readonly history: KeyChange<T>[] };

/** A key that is not there has version, created and modified 0. */
export type Compare = {
  readonly key: string;
  readonly target: 'version' | 'created' | 'modified';
  readonly is: '=' | '!=' | '<' | '>';
  readonly to: number;
};
export type Operation<T> = { readonly put: string; readonly value: T } | { readonly delete: string } | { readonly get: string };
export type Transaction<T> = {
  readonly compare?: readonly Compare[];
  /** Done when all comparisons hold. */
  readonly success?: readonly Operation<T>[];
  /** Done when one does not. */
  readonly failure?: readonly Operation<T>[];
};
export type Transacted<T> = {
  /** Whether all comparisons held: `success` was done, otherwise `failure`. */
  readonly succeeded: boolean;
  readonly revision: number;
  /** Of each operation the entry that it found, before it changed it. */
  readonly found: readonly (KeyEntry<T> | undefined)[];
};
export type KeyCommands<T> = {
  readonly put: Handler<KeyState<T>, { readonly key: string; readonly value: T }, number>;
  readonly delete: Handler<KeyState<T>, { readonly key: string }, boolean>;
  readonly transact: Handler<KeyState<T>, Transaction<T>, Transacted<T>>;
};
export type KeyQueries<T> = {
  readonly get: Query<KeyState<T>, string, KeyEntry<T> | undefined>;
  /** In the order of the keys. */
  readonly range: Query<
    KeyState<T>,
    { readonly prefix: string; readonly limit?: number },
    readonly (KeyEntry<T> & { readonly key: string })[]
  >;
  readonly revision: BareQuery<KeyState<T>, number>;
};

/**
 * Guarantee: a transaction compares and changes at one place in the one order, so that of all that compare with one revision at most
 * one succeeds; each one that changes something has a revision of its own, larger than all before.
 */
export function keySpace<T>(): StateMachine<KeyState<T>, KeyCommands<T>, KeyQueries<T>> {
  const commit = (state: KeyState<T>, operations: readonly Operation<T>[]): readonly (KeyEntry<T> | undefined)[] => {
    const revision = state.revision + 1;
    const found = operations.map((operation) => perform(state, operation, revision));
    if (state.history.at(-1)?.revision === revision) state.revision = revision;
    if (state.history.length > HISTORY_MAX) state.history.splice(0, state.history.length - HISTORY_MAX);
    return found;
  };
  return {
    initial: () => ({ revision: 0, entries: new Map(), history: [] }),
    commands: {
      /** Answers the revision. */
      put: (state, { key, value }) => {
        commit(state, [{ put: key, value }]);
        return state.revision;
      },
      /** Answers whether the key was there. */
      delete: (state, { key }) => commit(state, [{ delete: key }])[0] !== undefined,
      transact: (state, { compare = [], success = [], failure = [] }) => {
        for (const given of [compare, success, failure]) requireFew(given);
        const succeeded = compare.every((one) => holds(state, one));
        const found = commit(state, succeeded ? success : failure);
        return { succeeded, revision: state.revision, found };
      },
    },
    queries: {
      get: ({ entries }, key) => entries.get(key),
      range: ({ entries }, { prefix, limit = RANGE_MAX }) =>
        [...entries]
          .filter(([key]) => key.startsWith(prefix))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .slice(0, Math.max(0, Math.min(limit, RANGE_MAX)))
          .map(([key, entry]) => ({ key, ...entry })),
      revision: ({ revision }) => revision,
    },
  };
}

function requireFew(given: unknown): void {
  if (!Array.isArray(given)) throw new TypeError('A transaction has lists of comparisons and operations.');
  requireWhole(given.length, 'The length of a list', 0, TRANSACTION_MAX);
}

function holds<T>({ entries }: KeyState<T>, { key, target, is, to }: Compare): boolean {
  requireWhole(to, 'to', 0);
  if (target !== 'version' && target !== 'created' && target !== 'modified')
    throw new TypeError('target is version, created or modified.');
  const actual = entries.get(requireText(key, 'key'))?.[target] ?? 0;
  if (is === '=') return actual === to;
  if (is === '!=') return actual !== to;
  if (is === '<') return actual < to;
  if (is === '>') return actual > to;
  throw new TypeError('is must be =, !=, < or >.');
}

/** Answers what was there. Errors: TypeError, RangeError. */
function perform<T>(state: KeyState<T>, operation: Operation<T>, revision: number): KeyEntry<T> | undefined {
  const { entries, history } = state;
  const [key, kind] =
    'put' in operation ? [operation.put, 'put'] : 'delete' in operation ? [operation.delete, 'delete'] : [operation.get, 'get'];
  const before = entries.get(requireText(key, `A key of 1 to ${TEXT_CHARS_MAX} characters`));
  if (kind === 'get' || (kind === 'delete' && before === undefined)) return before;
  if (!('put' in operation)) {
    entries.delete(key);
    history.push({ revision, key, entry: undefined });
    return before;
  }
  if (before === undefined) requireRoom(entries.size, KEYS_MAX, 'keys');
  const entry = {
    value: operation.value,
    created: before?.created ?? revision,
    modified: revision,
    version: (before?.version ?? 0) + 1,
  };
  entries.set(key, entry);
  history.push({ revision, key, entry });
  return before;
}

/** What a watcher is told: changes in their order, or that it has missed some and must look at everything. */
export type KeyEvent<T> =
  | { readonly kind: 'change'; readonly revision: number; readonly key: string; readonly entry: KeyEntry<T> | undefined }
  | { readonly kind: 'missed'; readonly revision: number };

/** What of a node is needed to watch. */
interface Watched<S> {
  peek<R>(select: (state: Readonly<S>) => R): R;
  subscribe<R>(select: (state: Readonly<S>) => R, listener: (value: R) => void): () => void;
}

/**
 * Tells of every change of keys with a prefix, each once and in order, from a revision on (default: from now). `part` picks the key
 * space out of the node's state. Answers how to end it.
 */
export function watchKeys<S, T>(
  node: Watched<S>,
  part: (state: Readonly<S>) => Readonly<KeyState<T>>,
  options: { readonly prefix?: string; readonly after?: number },
  listener: (event: KeyEvent<T>) => void,
): () => void {
  const { prefix = '' } = options;
  let seen = options.after ?? node.peek((state) => part(state).revision);
  const look = (): void => {
    const { revision, history } = node.peek((state) => ({ revision: part(state).revision, history: part(state).history }));
    const from = seen;
    seen = Math.max(seen, revision);
    // Full, it may begin in the middle of a transaction.
    if (history.length >= HISTORY_MAX && (history[0]?.revision ?? 0) > from) return listener({ kind: 'missed', revision });
    for (const change of history)
      if (change.revision > from && change.key.startsWith(prefix)) listener({ kind: 'change', ...change });
  };
  const end = node.subscribe((state) => part(state).revision, look);
  look();
  return end;
}
