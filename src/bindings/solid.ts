/** Solid: accessors over a node, which end with the owner they were made under. */
import { type Accessor, createSignal, getOwner, onCleanup } from 'solid-js';
import { RaftError } from '../core/errors.ts';
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
