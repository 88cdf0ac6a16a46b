/**
 * What every binding is made of: a value that can be read now and watched. `get` gives the same reference as long as the value says
 * the same; `subscribe` calls back after it may have changed and answers how to end that.
 */
import type { RaftError } from '../core/errors.ts';
import type { BaseNode, ExpectedState, ExpectedWrite, NodeStatus, Present } from '../index.ts';
import { sameValue } from '../state/same-value.ts';

export interface Readable<T> {
  get(): T;
  subscribe(changed: () => void): () => void;
}

/** What can be read of a node by selectors; a node over bytes has no expected state. */
export interface StateNode<S> {
  peek<T>(select: (state: Readonly<S>) => T): T;
  subscribe<T>(select: (state: Readonly<S>) => T, listener: (value: T) => void): () => void;
  readonly expected?: Pick<ExpectedState<S>, 'peek' | 'subscribe'>;
}

type Watched = Pick<BaseNode<unknown>, 'on' | 'status'>;

/**
 * A value out of the state, with this node's optimistic writes in it. What `select` makes anew each time is compared by what is in it.
 * `previous` is what was shown before, by an earlier selector: kept if it says the same.
 */
export function stateOf<S, T>(
  node: StateNode<S>,
  select: (state: Readonly<S>) => T,
  previous?: { readonly value: T },
): Readable<T> {
  const source = node.expected ?? node;
  let last = previous;
  return {
    get: () => {
      const value = source.peek(select);
      if (last === undefined || !sameValue(last.value, value)) last = { value };
      return last.value;
    },
    subscribe: (changed) => source.subscribe(select, changed),
  };
}

const STATUS_EVENTS = ['role', 'leader', 'config', 'commit', 'apply', 'signaling', 'peer', 'fatal', 'removed'] as const;

/** All that a node says of itself; changes often: select from it. */
export function statusOf<T = NodeStatus>(
  node: Watched,
  select: (status: NodeStatus) => T = (status) => status as T,
): Readable<T> {
  let last: { readonly value: T } | undefined;
  return {
    get: () => {
      const value = select(node.status);
      if (last === undefined || !sameValue(last.value, value)) last = { value };
      return last.value;
    },
    subscribe: (changed) => all(STATUS_EVENTS.map((type) => node.on(type, () => changed()))),
  };
}

export interface Leadership {
  readonly leaderId: string | undefined;
  readonly isLeader: boolean;
}

export function leaderOf(node: Watched): Readable<Leadership> {
  return statusOf(node, ({ leaderId, id }) => ({ leaderId, isLeader: leaderId === id }));
}

/** Who is here beside this node, and what they show. */
export function presenceOf(node: Pick<BaseNode<unknown>, 'presence'>): Readable<readonly Present[]> {
  return { get: () => node.presence.others, subscribe: (changed) => node.presence.subscribe(() => changed()) };
}

const NONE: readonly ExpectedWrite[] = [];

/** This node's optimistic writes without an answer. */
export function pendingOf<S>(node: { readonly expected?: ExpectedState<S> }): Readable<readonly ExpectedWrite[]> {
  const { expected } = node;
  // A new list after each change of it: what is told of is told of once.
  return {
    get: () => expected?.pending() ?? NONE,
    subscribe: (changed) => {
      let last = expected?.pending() ?? NONE;
      const look = (): void => {
        const next = expected?.pending() ?? NONE;
        if (next === last) return;
        last = next;
        changed();
      };
      return expected?.subscribe(() => expected.pending().map(({ id }) => id), look) ?? (() => {});
    },
  };
}

export type Readiness =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'ready' }
  /** What hinders it; the node goes on trying, and this becomes `ready` when it succeeds. */
  | { readonly kind: 'hindered'; readonly error: RaftError };

const WAITING: Readiness = { kind: 'waiting' };
const READY: Readiness = { kind: 'ready' };
const known: WeakMap<object, Readable<Readiness>> = new WeakMap();

export function readyOf(node: Pick<BaseNode<unknown>, 'ready' | 'whenReady'>): Readable<Readiness> {
  const before = known.get(node);
  if (before !== undefined) return before;
  const made = holding(WAITING);
  known.set(node, made);
  node.ready.then(
    () => made.set(READY),
    (error: RaftError) => {
      made.set({ kind: 'hindered', error });
      node.whenReady().then(
        () => made.set(READY),
        (later: RaftError) => made.set({ kind: 'hindered', error: later }),
      );
    },
  );
  return made;
}

/** A value that is set by hand. */
export function holding<T>(initial: T): Readable<T> & { set(value: T): void } {
  const listeners = new Set<() => void>();
  let value = initial;
  return {
    get: () => value,
    set: (next) => {
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe: (changed) => {
      // Wrapped, so that the same function can listen twice.
      const listener = (): void => changed();
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function all(ends: readonly (() => void)[]): () => void {
  return () => {
    for (const end of ends) end();
  };
}
