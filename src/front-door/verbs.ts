/** The four ways into a room, the same for every environment. */
import type { ByteNode, RaftNode } from '../runtime/api/api.ts';
import type { EntryMode, NodeOptions } from '../runtime/api/options.ts';
import type { Runtime } from '../runtime/node/runtime.ts';
import type { ByteMachine } from '../state/state-machine.ts';
import type { Handlers, Queries, StateMachine } from '../state/types.ts';
import { checkCall } from './check-call.ts';
import { openNode } from './open-node.ts';

/** A state machine in either form. */
export type AnyMachine =
  | ByteMachine
  | { readonly initial: () => unknown; readonly commands: Handlers<never>; readonly queries?: Queries<never> };

/** The node that a machine makes. */
export type NodeOf<M> = M extends ByteMachine
  ? ByteNode<M>
  : M extends StateMachine<infer S, infer C, infer Q>
    ? C extends Handlers<S>
      ? Q extends Queries<S>
        ? RaftNode<S, C, Q>
        : never
      : never
    : never;

/** One signature for both forms: a mistake in one argument is told at that argument, and leaves the node's type as it is. */
export type Way<O> = <const M extends AnyMachine>(room: string, machine: M, options?: O) => Promise<NodeOf<M>>;

/** Each resolves as soon as the node has its identity; `node.ready` when it has caught up. Errors: see `openNode`. */
export interface Verbs<O> {
  /** Founds the room's cluster if it has none, else joins it, else goes on where this device left off. */
  readonly enter: Way<O>;
  /** Founds; `fatal` with `rejected` when the room has a cluster already. */
  readonly create: Way<O>;
  /** Joins; waits for a member to appear, and never founds. */
  readonly join: Way<O>;
  /** Goes on with an identity of this device; rejects with `rejected` when there is none. */
  readonly open: Way<O>;
}

/** What an environment makes of its options. */
export interface Prepared {
  readonly options: NodeOptions;
  readonly signal: AbortSignal | undefined;
  /** Called when the node runs. */
  readonly opened?: (engine: Runtime) => void;
}

/** `names` has every option of the environment. */
export function makeVerbs<O extends object>(
  names: { readonly [K in keyof Required<O>]: true },
  prepare: (mode: EntryMode, room: string, options: O | undefined) => Promise<Prepared>,
): Verbs<O> {
  const way = (mode: EntryMode): Way<O> => {
    async function enter<S, C extends Handlers<S>, Q extends Queries<S>>(
      room: string,
      machine: StateMachine<S, C, Q>,
      given?: O,
    ): Promise<RaftNode<S, C, Q>> {
      checkCall(room, machine, given, names);
      const { options, signal, opened } = await prepare(mode, room, given);
      const { node, engine } = await openNode(machine, options, signal);
      opened?.(engine);
      return node;
    }
    // Both forms of a machine take the same way; only the node's types differ.
    return enter as unknown as Way<O>;
  };
  return { enter: way('enter'), create: way('create'), join: way('join'), open: way('open') };
}
