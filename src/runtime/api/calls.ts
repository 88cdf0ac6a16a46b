/** What a node is called with, and what its calls answer. */
import type { Index, Term } from '../../core/types.ts';
import type { CallOptions } from './basics.ts';

export interface ProposeOptions extends CallOptions {
  /** An idempotency key of the caller's own: the same key is applied once, also over reloads. At most 64 characters. */
  readonly id?: string;
  /** Send it to the leader when this node is not it. Default true; otherwise `not-leader`. */
  readonly forward?: boolean;
  /** Apply only if the leader's term is still this one; else `term-mismatch`. */
  readonly expectedTerm?: Term;
  /** Apply only if no other member's command has taken effect after this index; else `state-changed`. */
  readonly ifVersion?: Index;
  /** Give up for good (never applied later) if it is not in the log by then, in ms from now. */
  readonly expiresMs?: number;
}

/** A command's result with its place in the one order. */
export interface Applied<T> {
  readonly result: T;
  readonly index: Index;
  readonly term: Term;
  /** It had been applied before (a retry found its first result). */
  readonly replayed: boolean;
}

/** How a node ends. */
export interface StopOptions {
  /** Hand leadership on first, when it leads. Default true. */
  readonly transfer?: boolean;
  /** Leave the cluster first. Default false. */
  readonly leave?: boolean;
  /** For each of the two, in ms. Default 2,000. */
  readonly timeoutMs?: number;
}

export type ReadConsistency = 'linearizable' | 'lease' | 'local' | { readonly atLeast: Index } | { readonly maxStaleMs: number };
export interface ReadOptions extends CallOptions {
  readonly consistency?: ReadConsistency;
}

/** A write of this node that has no answer yet. */
export interface PendingWrite {
  readonly id: string;
  /** As it was given; bytes come as `{ type: 'bytes', bytes }`. */
  readonly command: { readonly type: string; readonly [field: string]: unknown };
  readonly since: number;
  readonly expiresAt: number | undefined;
  readonly attempts: number;
}
