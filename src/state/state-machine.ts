/**
 * PORT: what the log drives. `Machine` is what the runtime applies entries to; people write either a typed
 * `StateMachine` (types.ts, made into a Machine by typed-machine.ts) or the three functions of a `ByteMachine`.
 */
import type { Index, NodeId, Term } from '../core/types.ts';
import type { TrustErrorCode } from '../trust/errors.ts';

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

/**
 * What a command came to, the same on every member. Values are primitives, or `packed` bytes of anything
 * else, so that what was answered can never change afterwards.
 */
export type Outcome =
  | { readonly kind: 'value'; readonly value: string | number | boolean | null | undefined }
  | { readonly kind: 'packed'; readonly bytes: Uint8Array }
  | { readonly kind: 'error'; readonly code: OutcomeCode; readonly message: string };
export type OutcomeCode =
  | TrustErrorCode
  | 'not-a-member'
  | 'membership-mismatch'
  | 'busy'
  | 'handler-failed'
  | 'unknown-command'
  | 'term-mismatch'
  | 'state-changed'
  | 'timeout'
  | 'session-expired'
  | 'outcome-unknown';

/** What the runtime drives. All of it deterministic. */
export interface Machine {
  /** Version of the commands it understands. Entries of a newer one stop the node with `version-mismatch`. */
  readonly version: number;
  /** What commands change. */
  readonly state: unknown;
  /** The same as selectors see it: in a development build whoever tries to change it is told. */
  readonly view: unknown;
  apply(command: Uint8Array, context: ApplyContext): Outcome;
  /** The whole state at this moment; later applies must not change what it yields. */
  snapshot(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  restore(chunks: AsyncIterable<Uint8Array>, version: number): Promise<void>;
  /** Another machine of the same kind in its initial state; undefined when there is no way to make one. */
  fresh(): Machine | undefined;
  /** Back to the state before the first entry. */
  reset(): void | Promise<void>;
  /** A value out of the state as its reader may keep it: it does not change, and nobody who has it can change the state. */
  publish<T>(value: T): T;
  /** Where to tell of a mistake that will be noticed later only; a development build looks for them. */
  onMisuse?(tell: (mistake: string) => void): void;
  /** The command as a value, for logs and `changes()`; undefined when it cannot be read. */
  decode(command: Uint8Array): unknown;
  /** An outcome as the value its caller gets; a fresh copy on every call. Throws the RaftError of an error. */
  answer(outcome: Outcome): unknown;
}

/** The minimal state machine: bytes in, bytes out. */
export interface ByteMachine {
  readonly version?: number;
  apply(command: Uint8Array, context: ApplyContext): Uint8Array;
  snapshot(): Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  restore(chunks: AsyncIterable<Uint8Array>): void | Promise<void>;
  /** Back to the state before the first entry. Without it the machine restores what it saved when it was opened. */
  reset?(): void;
}
