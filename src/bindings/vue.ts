/** Vue 3: refs over a node, which end with the scope they were made in. */
import { getCurrentScope, onScopeDispose, type Ref, shallowRef } from 'vue';
import { RaftError } from '../core/errors.ts';
import type { BaseNode, ExpectedState, ExpectedWrite, NodeStatus, Present } from '../index.ts';
import { commandOf, partOf } from './command.ts';
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

/** Any readable as a ref. Errors: invalid-argument outside setup() and effect scopes, where nobody would end it. */
function useReadable<T>(readable: Readable<T>, onEnd: () => void = () => {}): Readonly<Ref<T>> {
  if (getCurrentScope() === undefined)
    throw new RaftError('invalid-argument', 'Call it in setup(), or in an effectScope: it ends with that.');
  const ref = shallowRef(readable.get());
  const end = readable.subscribe(() => {
    ref.value = readable.get();
  });
  onScopeDispose(() => {
    end();
    onEnd();
  });
  return ref;
}

/** A value out of the state, optimistic writes included. */
export function useRaft<S, T>(node: StateNode<S>, select: (state: Readonly<S>) => T): Readonly<Ref<T>> {
  return useReadable(stateOf(node, select));
}

export function useStatus<T>(
  node: Pick<BaseNode<unknown>, 'on' | 'status'>,
  select: (status: NodeStatus) => T,
): Readonly<Ref<T>> {
  return useReadable(statusOf(node, select));
}

export function useLeader(node: Pick<BaseNode<unknown>, 'on' | 'status'>): Readonly<Ref<Leadership>> {
  return useReadable(leaderOf(node));
}

/** Who is here beside this node; `node.presence.set` shows something. */
export function usePresence<P = unknown>(node: Pick<BaseNode<unknown>, 'presence'>): Readonly<Ref<readonly Present<P>[]>> {
  return useReadable(presenceOf(node)) as Readonly<Ref<readonly Present<P>[]>>;
}

export function usePending<S>(node: { readonly expected?: ExpectedState<S> }): Readonly<Ref<readonly ExpectedWrite[]>> {
  return useReadable(pendingOf(node));
}

export function useReadiness(node: Pick<BaseNode<unknown>, 'ready' | 'whenReady'>): Readonly<Ref<Readiness>> {
  return useReadable(readyOf(node));
}

/** Opens a node for as long as the scope lives; whoever names the same key shares it. */
export function useNode<N extends { stop(): Promise<void> }>(key: string, open: () => Promise<N>): Readonly<Ref<Opening<N>>> {
  const hold = holdNode(key, open);
  return useReadable(hold.state, hold.release);
}

export interface CommandRefs<A extends readonly unknown[], R> {
  /** Runs it. Resolves with undefined when it failed: the error is in `error`. */
  readonly run: (...given: A) => Promise<R | undefined>;
  /** How many are on their way. */
  readonly pending: Readonly<Ref<number>>;
  /** Of the last that failed, until the next is run. */
  readonly error: Readonly<Ref<unknown>>;
}

/** A call with its progress: useCommand((seat: string) => node.propose({ type: 'book', seat })). */
export function useCommand<A extends readonly unknown[], R>(call: (...given: A) => Promise<R>): CommandRefs<A, R> {
  const command = commandOf(call);
  const pending = useReadable(partOf(command, (progress) => progress.pending));
  return { run: command.run, pending, error: useReadable(partOf(command, ({ error }) => error)) };
}
