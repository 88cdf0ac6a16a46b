/** A part of a composed machine as an object with its own words: `seats.claim({ name, owner })`. */

import type { StateMachine } from '../state/types.ts';
import type { Composed, Parts } from './compose.ts';

type InputOf<F> = F extends (state: never, input: infer I, ...rest: never) => unknown ? I : never;
type OutputOf<F> = F extends (...rest: never) => infer O ? O : never;
type Given<F> = unknown extends InputOf<F> ? [] : [input: InputOf<F>];
type CommandsOf<P> = P extends StateMachine<never, infer C, never> | { readonly commands: infer C } ? C : never;
type QueriesOf<P> = P extends { readonly queries?: infer Q } ? NonNullable<Q> : never;

/** What a handle needs of a node; every RaftNode has it. */
interface Handled {
  propose(command: never, options?: never): Promise<unknown>;
  query(name: never, ...rest: never[]): Promise<unknown>;
}

/** Every command of the part as a method; its queries, linearizable, under `ask`. */
export type Handle<P> = {
  readonly [K in keyof CommandsOf<P>]: (...given: Given<CommandsOf<P>[K]>) => Promise<OutputOf<CommandsOf<P>[K]>>;
} & {
  readonly ask: { readonly [K in keyof QueriesOf<P>]: (...given: Given<QueriesOf<P>[K]>) => Promise<OutputOf<QueriesOf<P>[K]>> };
};

/** One part of a composed machine on a node. Errors of its methods: those of `propose` and `query`. */
export function use<P extends Parts, N extends keyof P & string>(node: Handled, machine: Composed<P>, name: N): Handle<P[N]> {
  const prefix = `${name}.`;
  const namesIn = (table: object | undefined): string[] =>
    Object.keys(table ?? {}).flatMap((full) => (full.startsWith(prefix) ? [full.slice(prefix.length)] : []));
  const propose = node.propose.bind(node) as (command: object) => Promise<unknown>;
  const query = node.query.bind(node) as (full: string, ...given: unknown[]) => Promise<unknown>;
  const commands = namesIn(machine.commands).map((command) => [
    command,
    (input: object = {}) => propose({ ...input, type: prefix + command }),
  ]);
  const ask = namesIn(machine.queries).map((asked) => [asked, (...given: unknown[]) => query(prefix + asked, ...given)]);
  return Object.freeze({ ...Object.fromEntries(commands), ask: Object.freeze(Object.fromEntries(ask)) }) as Handle<P[N]>;
}
