/** The four ways into a room, the same for every environment. */
import type { ByteNode, RaftNode } from '../runtime/api/api.ts';
import type { EntryMode, NodeOptions } from '../runtime/api/options.ts';
import type { Runtime } from '../runtime/node/runtime.ts';
import type { ByteMachine } from '../state/state-machine.ts';
import type { Handlers, Queries, StateMachine } from '../state/types.ts';
import { openNode } from './open-node.ts';

interface Way<O> {
  <M extends ByteMachine>(room: string, machine: M, options?: O): Promise<ByteNode<M>>;
  <S, C extends Handlers<S>, Q extends Queries<S>>(
    room: string,
    machine: StateMachine<S, C, Q>,
    options?: O,
  ): Promise<RaftNode<S, C, Q>>;
}

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

export function makeVerbs<O>(prepare: (mode: EntryMode, room: string, options: O | undefined) => Prepared): Verbs<O> {
  const way = (mode: EntryMode): Way<O> => {
    async function enter<S, C extends Handlers<S>, Q extends Queries<S>>(
      room: string,
      machine: StateMachine<S, C, Q>,
      given?: O,
    ): Promise<RaftNode<S, C, Q>> {
      const { options, signal, opened } = prepare(mode, room, given);
      const { node, engine } = await openNode(machine, options, signal);
      opened?.(engine);
      return node;
    }
    // Both forms of a machine take the same way; only the node's types differ.
    return enter as Way<O>;
  };
  return { enter: way('enter'), create: way('create'), join: way('join'), open: way('open') };
}
