/** Solid: accessors over a node, which end with the owner they were made under. */
import { type Accessor, createSignal, getOwner, onCleanup } from 'solid-js';
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

/** Any readable as an accessor. Errors: invalid-argument without an owner, where nobody would end it. */
function createReadable<T>(readable: Readable<T>, onEnd: () => void = () => {}): Accessor<T> {
  if (getOwner() === null)
    throw new RaftError('invalid-argument', 'Call it in a component, or in createRoot: it ends with that.');
  const [value, setValue] = createSignal(readable.get());
  const end = readable.subscribe(() => void setValue(() => readable.get()));
  onCleanup(() => {
    end();
    onEnd();
  });
  return value;
}

/** A value out of the state, optimistic writes included. */
export function createRaft<S, T>(node: StateNode<S>, select: (state: Readonly<S>) => T): Accessor<T> {
  return createReadable(stateOf(node, select));
}

export function createStatus<T>(node: Pick<BaseNode<unknown>, 'on' | 'status'>, select: (status: NodeStatus) => T): Accessor<T> {
  return createReadable(statusOf(node, select));
}

export function createLeader(node: Pick<BaseNode<unknown>, 'on' | 'status'>): Accessor<Leadership> {
  return createReadable(leaderOf(node));
}

/** Who is here beside this node; `node.presence.set` shows something. */
export function createPresence<P = unknown>(node: Pick<BaseNode<unknown>, 'presence'>): Accessor<readonly Present<P>[]> {
  return createReadable(presenceOf(node)) as Accessor<readonly Present<P>[]>;
}

export function createPending<S>(node: { readonly expected?: ExpectedState<S> }): Accessor<readonly ExpectedWrite[]> {
  return createReadable(pendingOf(node));
}

export function createReadiness(node: Pick<BaseNode<unknown>, 'ready' | 'whenReady'>): Accessor<Readiness> {
  return createReadable(readyOf(node));
}

/** Opens a node for as long as the owner lives; whoever names the same key shares it. */
export function createNode<N extends { stop(): Promise<void> }>(key: string, open: () => Promise<N>): Accessor<Opening<N>> {
  const hold = holdNode(key, open);
  return createReadable(hold.state, hold.release);
}

export interface CommandAccessors<A extends readonly unknown[], R> {
  /** Runs it. Resolves with undefined when it failed: the error is in `error`. */
  readonly run: (...given: A) => Promise<R | undefined>;
  /** How many are on their way. */
  readonly pending: Accessor<number>;
  /** Of the last that failed, until the next is run. */
  readonly error: Accessor<unknown>;
}

/** A call with its progress: createCommand((seat: string) => node.propose({ type: 'book', seat })). */
export function createCommand<A extends readonly unknown[], R>(call: (...given: A) => Promise<R>): CommandAccessors<A, R> {
  const command = commandOf(call);
  const pending = createReadable(partOf(command, (progress) => progress.pending));
  return { run: command.run, pending, error: createReadable(partOf(command, ({ error }) => error)) };
}
