/** The types of a state machine made of typed commands and queries: what people write, and what calls of it look like. */
import type { ApplyContext } from './state-machine.ts';

/** Commands by name. A handler changes the state it is given and returns the caller's result. */
// biome-ignore lint/suspicious/noExplicitAny: a handler's input type is the handler's own; unknown would refuse every one of them
export type Handlers<S> = { readonly [name: string]: (state: S, input: any, context: ApplyContext) => unknown };
// biome-ignore lint/suspicious/noExplicitAny: as above
export type Queries<S> = { readonly [name: string]: (state: Readonly<S>, input: any) => unknown };

export interface StateMachine<S, C extends Handlers<S>, Q extends Queries<S>> {
  /** The state before the first entry. Must be the same on every member. */
  readonly initial: () => S;
  /**
   * Deterministic: time and randomness come from the context, nothing else from outside. A handler that
   * throws is a result (`handler-failed`), the same on every member; what it changed before stays.
   */
  readonly commands: C;
  readonly queries?: Q;
  /** The state as one plain value, or as chunks of bytes for a large one. Default: the state itself. */
  readonly snapshot?: (state: S) => AsyncIterable<Uint8Array> | Iterable<Uint8Array> | unknown;
  /** The inverse of snapshot. Chunks come as an async iterable when snapshot gave chunks. */
  readonly restore?: (saved: never) => S | Promise<S>;
  /** Raise it when a command's meaning changes. Default 1. */
  readonly version?: number;
  /** Turns a state saved by an older version into this version's. */
  readonly migrate?: (old: unknown, fromVersion: number) => S;
  /** One line about a command, for logs and panels. Default: its JSON. */
  readonly describe?: (command: { readonly type: string }) => string;
}

// biome-ignore lint/suspicious/noExplicitAny: infers from any handler
type Input<F> = F extends (state: any, input: infer I, ...rest: any[]) => unknown ? I : never;
// biome-ignore lint/suspicious/noExplicitAny: infers from any handler
type Output<F> = F extends (...args: any[]) => infer R ? Awaited<R> : never;

/** Every command as the value that `propose` takes: its name as `type`, beside the fields of its input. */
export type Command<C> = {
  [K in keyof C & string]: { readonly type: K } & (unknown extends Input<C[K]> ? unknown : OwnFields<Input<C[K]>>);
}[keyof C & string];
/** `type` is the command's name: a field of one's own that is called so would be lost. */
type OwnFields<I> = 'type' extends keyof I ? { readonly type: never } : I;
export type ResultOf<C, T> = T extends { readonly type: infer K extends keyof C } ? Output<C[K]> : never;
export type QueryArguments<F> =
  unknown extends Input<F> ? [] : undefined extends Input<F> ? [input?: Input<F>] : [input: Input<F>];
export type QueryResult<F> = Output<F>;
/** One applied command, as `changes()` tells it. */
export type Change<C> = {
  [K in keyof C & string]: {
    readonly type: K;
    readonly input: Input<C[K]>;
    readonly result: Output<C[K]>;
    readonly index: number;
  };
}[keyof C & string];
