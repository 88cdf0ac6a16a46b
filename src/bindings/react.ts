/** React 19 or later: hooks over a node. All of them are safe under StrictMode, and on a server, where there is no node yet. */
import { use, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { BaseNode, ExpectedState, ExpectedWrite, NodeStatus, Present } from '../index.ts';
import { holdNode, type Opening } from './opening.ts';
import {
  type Leadership,
  leaderOf,
  pendingOf,
  presenceOf,
  type Readable,
  type Readiness,
  readyOf,
  type StateNode,
  stateOf,
  statusOf,
} from './readable.ts';

export type { Leadership, Opening, Readiness };

type Maybe<N> = N | undefined;

/** Any readable, and what to show where there is none. */
function useReadable<T>(readable: Readable<T> | undefined, fallback: T): T {
  const subscribe = useCallback((changed: () => void) => readable?.subscribe(changed) ?? (() => {}), [readable]);
  const get = (): T => (readable === undefined ? fallback : readable.get());
  return useSyncExternalStore(subscribe, get, get);
}

/** A value out of the state, optimistic writes included. `fallback` is shown where there is no node: on a server, before it is open. */
export function useRaft<S, T>(node: StateNode<S>, select: (state: Readonly<S>) => T): T;
export function useRaft<S, T, F>(node: Maybe<StateNode<S>>, select: (state: Readonly<S>) => T, fallback: F): T | F;
export function useRaft<S, T>(node: Maybe<StateNode<S>>, select: (state: Readonly<S>) => T, fallback?: T): T | undefined {
  const shown = useRef<{ readonly value: T } | undefined>(undefined);
  // A selector written in place is another one each time: what it gives is compared with what was shown.
  const readable = useMemo(() => (node === undefined ? undefined : stateOf(node, select, shown.current)), [node, select]);
  const value = useReadable<T | undefined>(readable, fallback);
  useEffect(() => {
    if (readable !== undefined) shown.current = { value: value as T };
  }, [readable, value]);
  return value;
}

const noStatus = undefined;

/** What the node says of itself; undefined where there is none. Select what is shown: it changes often. */
export function useStatus<T>(
  node: Maybe<Pick<BaseNode<unknown>, 'on' | 'status'>>,
  select: (status: NodeStatus) => T,
): T | undefined {
  const latest = useRef(select);
  useEffect(() => {
    latest.current = select;
  });
  const readable = useMemo(() => (node === undefined ? undefined : statusOf(node, (status) => latest.current(status))), [node]);
  return useReadable<T | undefined>(readable, noStatus);
}

const NOBODY: Leadership = { leaderId: undefined, isLeader: false };

export function useLeader(node: Maybe<Pick<BaseNode<unknown>, 'on' | 'status'>>): Leadership {
  const readable = useMemo(() => (node === undefined ? undefined : leaderOf(node)), [node]);
  return useReadable(readable, NOBODY);
}

const NO_ONE: readonly Present[] = [];

/** Who is here beside this node, and what they show; and how to show something. */
export function usePresence<P = unknown>(
  node: Maybe<Pick<BaseNode<unknown>, 'presence'>>,
): readonly [others: readonly Present<P>[], show: (state: P | undefined, ttlMs?: number) => void] {
  const readable = useMemo(() => (node === undefined ? undefined : presenceOf(node)), [node]);
  const others = useReadable(readable, NO_ONE) as readonly Present<P>[];
  const show = useCallback(
    (state: P | undefined, ttlMs?: number) => node?.presence.set(state, ttlMs === undefined ? {} : { ttlMs }),
    [node],
  );
  return [others, show];
}

const NO_WRITES: readonly ExpectedWrite[] = [];

/** This node's optimistic writes without an answer. */
export function usePending<S>(node: Maybe<{ readonly expected?: ExpectedState<S> }>): readonly ExpectedWrite[] {
  const readable = useMemo(() => (node === undefined ? undefined : pendingOf(node)), [node]);
  return useReadable(readable, NO_WRITES);
}

const WAITING: Readiness = { kind: 'waiting' };

/** Whether the node has caught up, or what hinders it. */
export function useReadiness(node: Maybe<Pick<BaseNode<unknown>, 'ready' | 'whenReady'>>): Readiness {
  const readable = useMemo(() => (node === undefined ? undefined : readyOf(node)), [node]);
  return useReadable(readable, WAITING);
}

/** Suspends until the node has caught up with a leader; what hinders it for too long goes to the error boundary. */
export function useReady(node: Pick<BaseNode<unknown>, 'ready'>): void {
  use(node.ready);
}

const OPENING: Opening<never> = { kind: 'opening', node: undefined, error: undefined };

/**
 * Opens a node for as long as a component wants it: useNode('a-room', () => raft.enter('a-room', machine)). Components that name the same
 * key share it.
 */
export function useNode<N extends { stop(): Promise<void> }>(key: string, open: () => Promise<N>): Opening<N> {
  const [state, setState] = useState<Readable<Opening<N>> | undefined>(undefined);
  const how = useRef(open);
  useEffect(() => {
    how.current = open;
  });
  useEffect(() => {
    const hold = holdNode(key, () => how.current());
    setState(hold.state);
    return () => {
      setState(undefined);
      hold.release();
    };
  }, [key]);
  return useReadable<Opening<N>>(state, OPENING);
}

export interface CommandState<A extends readonly unknown[], R> {
  /** Runs it. Resolves with undefined when it failed: the error is in `error`. */
  readonly run: (...given: A) => Promise<R | undefined>;
  /** How many are on their way. */
  readonly pending: number;
  /** Of the last that failed, until the next is run. */
  readonly error: unknown;
}

/** A call with its progress: useCommand((seat: string) => node.propose({ type: 'book', seat })). */
export function useCommand<A extends readonly unknown[], R>(call: (...given: A) => Promise<R>): CommandState<A, R> {
  const [state, setState] = useState<{ readonly pending: number; readonly error: unknown }>({ pending: 0, error: undefined });
  const latest = useRef(call);
  useEffect(() => {
    latest.current = call;
  });
  const run = useCallback(async (...given: A): Promise<R | undefined> => {
    setState(({ pending }) => ({ pending: pending + 1, error: undefined }));
    try {
      const result = await latest.current(...given);
      setState(({ pending, error }) => ({ pending: pending - 1, error }));
      return result;
    } catch (error) {
      setState(({ pending }) => ({ pending: pending - 1, error }));
      return undefined;
    }
  }, []);
  return { run, ...state };
}
