/** Writes that are shown before they are committed. */
import type { RaftError } from '../../core/errors.ts';
import type { Index } from '../../core/types.ts';
import type { Registration } from './registration.ts';

/** A write whose expected effect is shown already. */
export interface OptimisticWrite<R> {
  readonly id: string;
  /** What the handler answers on the state as it is here now; undefined when it throws. */
  readonly expected: R | undefined;
  /** The truth: the command's own result once it is committed. Rejects when it was rolled back, with the reason. */
  readonly done: Promise<R>;
  /** Rolls it back here; if it was sent already it may be applied all the same, and then that is the truth. */
  cancel(): void;
}

/** An optimistic write without its answer yet. */
export interface ExpectedWrite {
  readonly id: string;
  readonly command: { readonly type: string; readonly [field: string]: unknown };
  /** Wall time of the call, in ms since the epoch. */
  readonly since: number;
}

/** The state as it will be if all goes well: what is applied here, and this node's optimistic writes on it, in their order. */
export interface ExpectedState<S> {
  /** As `node.peek`, of the expected state. Errors: invalid-argument. */
  peek<T>(select: (state: Readonly<S>) => T): T;
  /** As `node.subscribe`, of the expected state. Errors: invalid-argument, busy. */
  subscribe<T>(
    select: (state: Readonly<S>) => T,
    listener: (value: T, meta: { readonly index: Index }) => void,
    options?: { readonly signal?: AbortSignal },
  ): Registration;
  /** The same array as long as nothing has changed in it. */
  pending(): readonly ExpectedWrite[];
}

/** An optimistic write is not shown any more, because it came to nothing. */
export interface Rollback {
  readonly id: string;
  readonly command: ExpectedWrite['command'];
  readonly error: RaftError;
}
