/** Svelte: stores over a node, by Svelte's own contract (`$store` in a component). Nothing is imported from Svelte. */
import type { BaseNode, ExpectedState, ExpectedWrite, NodeStatus, Present } from '../index.ts';
import { commandOf, type Progress } from './command.ts';
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

export type { Leadership, Opening, Progress, Readiness };

export interface Store<T> {
  /** Calls back at once, and after each change. */
  subscribe(run: (value: T) => void): () => void;
}

function storeOf<T>(readable: Readable<T>): Store<T> {
  return {
    subscribe: (run) => {
      const end = readable.subscribe(() => run(readable.get()));
      run(readable.get());
      return end;
    },
  };
}

/** A value out of the state, optimistic writes included. */
export function raftStore<S, T>(node: StateNode<S>, select: (state: Readonly<S>) => T): Store<T> {
  return storeOf(stateOf(node, select));
}

export function statusStore<T>(node: Pick<BaseNode<unknown>, 'on' | 'status'>, select: (status: NodeStatus) => T): Store<T> {
  return storeOf(statusOf(node, select));
}

export function leaderStore(node: Pick<BaseNode<unknown>, 'on' | 'status'>): Store<Leadership> {
  return storeOf(leaderOf(node));
}

/** Who is here beside this node; `node.presence.set` shows something. */
export function presenceStore<P = unknown>(node: Pick<BaseNode<unknown>, 'presence'>): Store<readonly Present<P>[]> {
  return storeOf(presenceOf(node)) as Store<readonly Present<P>[]>;
}

export function pendingStore<S>(node: { readonly expected?: ExpectedState<S> }): Store<readonly ExpectedWrite[]> {
  return storeOf(pendingOf(node));
}

export function readyStore(node: Pick<BaseNode<unknown>, 'ready' | 'whenReady'>): Store<Readiness> {
  return storeOf(readyOf(node));
}

/** A node that is open while somebody subscribes; whoever names the same key shares it. */
export function nodeStore<N extends { stop(): Promise<void> }>(key: string, open: () => Promise<N>): Store<Opening<N>> {
  return {
    subscribe: (run) => {
      const hold = holdNode(key, open);
      const end = storeOf(hold.state).subscribe(run);
      return () => {
        end();
        hold.release();
      };
    },
  };
}

export interface CommandStore<A extends readonly unknown[], R> extends Store<Progress> {
  /** Runs it. Resolves with undefined when it failed: the error is in the store's `error`. */
  readonly run: (...given: A) => Promise<R | undefined>;
}

/** A call with its progress: commandStore((seat: string) => node.propose({ type: 'book', seat })), then `$book.pending`. */
export function commandStore<A extends readonly unknown[], R>(call: (...given: A) => Promise<R>): CommandStore<A, R> {
  const command = commandOf(call);
  return { run: command.run, subscribe: storeOf(command).subscribe };
}
