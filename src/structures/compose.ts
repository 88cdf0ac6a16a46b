/** Several machines in one cluster, each with its own state: commands and queries are named `part.command`. */
import { RaftError } from '../core/errors.ts';
import type { ApplyContext } from '../state/state-machine.ts';
import type { Handlers, Queries, StateMachine } from '../state/types.ts';

/** How a part may be named: what stands before the dot. */
const PART_NAME = /^[a-z][A-Za-z0-9_-]{0,31}$/;
/** What the whole has once: a part that has its own gives it to `options`. */
const OF_THE_WHOLE = ['snapshot', 'restore', 'version', 'migrate'] as const;

export interface Part {
  readonly initial: () => unknown;
  readonly commands: Handlers<never>;
  readonly queries?: Queries<never>;
  readonly describe?: (command: { readonly type: string }) => string;
}
export interface Parts {
  readonly [name: string]: Part;
}

type PartQueries<P extends Part> = P['queries'] extends infer Q | undefined ? NonNullable<Q> : Record<never, never>;
type CommandName<P> = {
  [N in keyof P & string]: P[N] extends Part ? `${N}.${keyof P[N]['commands'] & string}` : never;
}[keyof P & string];
type QueryName<P> = {
  [N in keyof P & string]: P[N] extends Part ? `${N}.${keyof PartQueries<P[N]> & string}` : never;
}[keyof P & string];
type CommandOf<P, K> = K extends `${infer N extends keyof P & string}.${infer C}`
  ? P[N] extends Part
    ? C extends keyof P[N]['commands']
      ? P[N]['commands'][C]
      : never
    : never
  : never;
type QueryOf<P, K> = K extends `${infer N extends keyof P & string}.${infer C}`
  ? P[N] extends Part
    ? C extends keyof PartQueries<P[N]>
      ? PartQueries<P[N]>[C]
      : never
    : never
  : never;
type InputOf<F> = F extends (state: never, input: infer I, ...rest: never) => unknown ? I : never;
type OutputOf<F> = F extends (...rest: never) => infer O ? O : never;

export type ComposedState<P extends Parts> = { [N in keyof P]: ReturnType<P[N]['initial']> };
export type ComposedCommands<P extends Parts> = {
  readonly [K in CommandName<P>]: (
    state: ComposedState<P>,
    input: InputOf<CommandOf<P, K>>,
    context: ApplyContext,
  ) => OutputOf<CommandOf<P, K>>;
};
export type ComposedQueries<P extends Parts> = {
  readonly [K in QueryName<P>]: (state: Readonly<ComposedState<P>>, input: InputOf<QueryOf<P, K>>) => OutputOf<QueryOf<P, K>>;
};
export type Composed<P extends Parts> = StateMachine<ComposedState<P>, ComposedCommands<P>, ComposedQueries<P>>;

export interface ComposeOptions<P extends Parts> {
  /** Raise it when a part's commands change their meaning. A part that is new in this version begins with its initial state. */
  readonly version?: number;
  readonly migrate?: (old: unknown, fromVersion: number) => ComposedState<P>;
}

/**
 * One machine of several. Guarantee: a part is what it would be alone in the cluster; all parts share one order.
 * Errors: invalid-argument.
 */
export function compose<const P extends Parts>(parts: P, options: ComposeOptions<P> = {}): Composed<P> {
  const names = Object.keys(parts);
  const commands: Record<string, unknown> = {};
  const queries: Record<string, unknown> = {};
  for (const name of names) {
    const part = partOf(parts, name);
    for (const [command, handler] of Object.entries<(...rest: never[]) => unknown>(part.commands))
      commands[`${name}.${command}`] = (state: Record<string, never>, input: never, context: never) =>
        handler(state[name] as never, input, context);
    for (const [query, ask] of Object.entries<(...rest: never[]) => unknown>(part.queries ?? {}))
      queries[`${name}.${query}`] = narrowed(name, ask);
  }
  const initial = (): ComposedState<P> =>
    Object.fromEntries(names.map((name) => [name, partOf(parts, name).initial()])) as ComposedState<P>;
  return {
    initial,
    commands: commands as ComposedCommands<P>,
    queries: queries as ComposedQueries<P>,
    restore: (saved: ComposedState<P>) => ({ ...initial(), ...saved }),
    describe: (command) => described(parts, command),
    ...(options.version === undefined ? {} : { version: options.version }),
    ...(options.migrate === undefined ? {} : { migrate: options.migrate }),
  };
}

function partOf(parts: Parts, name: string): Part {
  const part = parts[name];
  if (part === undefined || !PART_NAME.test(name))
    throw new RaftError('invalid-argument', `A part must be named with 1 to 32 letters, digits, _ or -, a small letter first.`);
  const own = OF_THE_WHOLE.find((field) => Object.hasOwn(part, field));
  if (own !== undefined)
    throw new RaftError('invalid-argument', `The part ${name} has its own ${own}; only the composed machine may have one.`);
  return part;
}

/** Whether a query takes an input is seen by the number of its parameters: that stays as it is. */
function narrowed(name: string, ask: (...rest: never[]) => unknown): unknown {
  return ask.length > 1
    ? (state: Record<string, never>, input: never) => ask(state[name] as never, input)
    : (state: Record<string, never>) => ask(state[name] as never);
}

function described(parts: Parts, command: { readonly type: string }): string {
  const dot = command.type.indexOf('.');
  const name = command.type.slice(0, dot);
  const part = dot > 0 && Object.hasOwn(parts, name) ? parts[name] : undefined;
  return part?.describe?.({ ...command, type: command.type.slice(dot + 1) }) ?? JSON.stringify(command, shown);
}

/** JSON has no word for these two. */
function shown(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  return value instanceof Uint8Array ? `${value.length} bytes` : value;
}
