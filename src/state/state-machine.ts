/**
 * PORT: what the log drives. Two layers:
 *  - `Machine`: three functions over bytes, what the runtime applies entries to;
 *  - `StateMachine`: typed commands and queries, what people write (see define.ts, which turns it into a Machine).
 */
import type { Index, NodeId, Term } from '../core/types.ts';

/** What a handler may know of the outside: everything in it comes from the log, so that every member sees the same. */
export interface ApplyContext {
  readonly index: Index;
  readonly term: Term;
  /** Log time in ms since the epoch: the leader's clock, never going back. */
  readonly now: number;
  /** Numbers in [0, 1) from a generator seeded by the entry: the same on every member. */
  readonly random: () => number;
  /** The node whose session wrote the command. */
  readonly proposer: NodeId;
}

/** The minimal state machine: bytes in, bytes out. All of it deterministic. */
export interface Machine {
  /** Version of the commands it understands. Entries of a newer one stop the node with `version-mismatch`. */
  readonly version: number;
  apply(command: Uint8Array, context: ApplyContext): Uint8Array;
  /** The whole state at this moment; later applies must not change what it yields. */
  snapshot(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  restore(chunks: AsyncIterable<Uint8Array>, version: number): Promise<void>;
}
