/// <reference lib="esnext.disposable" preserve="true" />
/** The public face of a client: it is no member, and reads, proposes and watches through any that is. */
import type { Index, NodeId } from '../../core/types.ts';
import type { Command, Handlers, Queries, QueryArguments, QueryResult, ResultOf } from '../../state/types.ts';
import type { CallOptions } from './basics.ts';
import type { Applied, PendingWrite, ProposeOptions } from './calls.ts';
import type { Registration } from './registration.ts';

export interface ClientQueryOptions extends CallOptions {
  /** `local`: as the member has applied it, possibly behind, never behind what this client has seen. Default `linearizable`. */
  readonly consistency?: 'linearizable' | 'local';
}

type WatchListener<F> = (value: QueryResult<F>, meta: { readonly index: Index }) => void;
type WatchOptions = { readonly signal?: AbortSignal };

/** As a query's, then who hears the value. */
export type WatchArguments<F> =
  QueryArguments<F> extends readonly []
    ? [listener: WatchListener<F>, options?: WatchOptions]
    : [input: QueryArguments<F>[0], listener: WatchListener<F>, options?: WatchOptions];

export interface ClientNode<S, C extends Handlers<S>, Q extends Queries<S>> extends AsyncDisposable {
  /** Its own for as long as it is open. Handlers see `client/` and this as `context.proposer`. */
  readonly id: NodeId;
  readonly room: string;
  /** The member through which it works now; undefined while it looks for one. */
  readonly member: NodeId | undefined;
  /** Resolves when a member takes it; rejects when it stops before, and with the reason when none has after READY_TIMEOUT_MS. */
  readonly ready: Promise<void>;
  /** Waits (again) for a member. Errors: signaling-unreachable, not-a-member, those of trust, timeout, aborted, stopped. */
  whenReady(options?: CallOptions): Promise<void>;
  /** The command's own result, after commit; once, over changes of member and of leader. Errors: as of a member's `propose`. */
  propose<const T extends Command<C>>(command: T, options?: ProposeOptions): Promise<ResultOf<C, T>>;
  proposeDetailed<const T extends Command<C>>(command: T, options?: ProposeOptions): Promise<Applied<ResultOf<C, T>>>;
  /** A named query, run where the state is. Errors: unknown-command, too-large, handler-failed, timeout, aborted, stopped, and those of trust. */
  query<K extends keyof Q & string>(
    name: K,
    ...rest: [...QueryArguments<Q[K]>, options?: ClientQueryOptions]
  ): Promise<QueryResult<Q[K]>>;
  /** Calls back with a query's value, and again when it has changed; values in between may be skipped. It ends when the query fails (`onFault`). */
  watch<K extends keyof Q & string>(name: K, ...rest: WatchArguments<Q[K]>): Registration;
  pending(): readonly PendingWrite[];
  cancel(id: string): boolean;
  stop(): Promise<void>;
}
