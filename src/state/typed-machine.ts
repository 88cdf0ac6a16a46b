/** Makes a Machine of what people write: typed handlers over a state, or three functions over bytes. */
import { collected } from '../codec/join.ts';
import { packValue, unpackCommand, unpackValue } from '../codec/pack.ts';
import { RaftError } from '../core/errors.ts';
import { IS_DEVELOPMENT } from './development.ts';
import { Draft } from './draft.ts';
import { EntryContext } from './entry-context.ts';
import { initialOf } from './initial.ts';
import { type Performance, Rehearsals, withClockAhead } from './rehearsal.ts';
import type { ApplyContext, ByteMachine, Machine, Outcome } from './state-machine.ts';
import type { Handlers, Queries, StateMachine } from './types.ts';

/** Longest message of a failed handler that is kept as its outcome, in characters. */
const FAILURE_MESSAGE_MAX = 256;
/** A state saved as one value is cut into chunks of this size, in bytes. */
const STATE_CHUNK_BYTES = 256 * 1024;

/** A machine without queries. */
export type NoQueries = Record<never, never>;

interface Define<S> {
  <C extends Handlers<S>, Q extends Queries<S>>(machine: StateMachine<S, C, Q> & { readonly queries: Q }): StateMachine<S, C, Q>;
  <C extends Handlers<S>>(machine: StateMachine<S, C, NoQueries>): StateMachine<S, C, NoQueries>;
}

/** Says a machine's types once: `defineStateMachine<State>()({ initial, commands, queries })`. */
export function defineStateMachine<S>(): Define<S> {
  return <M>(machine: M): M => machine;
}

/** How a snapshot of a typed machine begins: whether one value follows, or the machine's own chunks. */
const ONE_VALUE: Uint8Array = Uint8Array.of(1);
const OWN_CHUNKS: Uint8Array = Uint8Array.of(2);

/** One command of a preview. */
export interface Step {
  readonly command: Uint8Array;
  readonly context: EntryContext;
}

export class TypedMachine<S, C extends Handlers<S>, Q extends Queries<S>> implements Machine {
  readonly version: number;
  readonly #definition: StateMachine<S, C, Q>;
  readonly #draft: Draft<S>;
  #rehearsals: Rehearsals | undefined;

  /** Errors: invalid-argument for what cannot be a state machine. */
  constructor(definition: StateMachine<S, C, Q>) {
    this.#definition = definition;
    this.version = definition.version ?? 1;
    this.#draft = new Draft(initialOf(definition), IS_DEVELOPMENT);
  }

  onMisuse(tell: (mistake: string) => void): void {
    if (IS_DEVELOPMENT) this.#rehearsals = new Rehearsals(tell);
  }

  get state(): S {
    return this.#draft.state;
  }

  get view(): S {
    return this.#draft.view;
  }

  publish<T>(value: T): T {
    return this.#draft.publish(value);
  }

  apply(command: Uint8Array, context: ApplyContext): Outcome {
    const value = this.decode(command);
    const type = commandType(value);
    const handler =
      type !== undefined && Object.hasOwn(this.#definition.commands, type) ? this.#definition.commands[type] : undefined;
    if (handler === undefined)
      return { kind: 'error', code: 'unknown-command', message: `There is no command named ${String(type)}.` };
    const rehearsals = this.#rehearsals;
    if (!IS_DEVELOPMENT || rehearsals === undefined || type === undefined || !rehearsals.isDue(type))
      return this.#run({ type, handler, value, context });
    const rehearsed = this.#rehearse(type, handler, command, context);
    const outcome = this.#run({ type, handler, value, context });
    if (rehearsed !== undefined) rehearsals.compare(type, rehearsed, { outcome, state: this.publish(this.state) });
    return outcome;
  }

  /** What it answers is packed before its changes are kept: an answer that cannot be packed is a failure like any other. */
  #run(call: HandlerCall<S>): Outcome {
    try {
      return this.#draft.run(callHandler<S>, call);
    } catch (error) {
      return failureOf(error);
    }
  }

  /** Runs a handler and takes everything back; undefined where that cannot be done. */
  #rehearse(type: string, handler: Handlers<S>[string], command: Uint8Array, context: ApplyContext): Performance | undefined {
    if (!(context instanceof EntryContext)) return undefined;
    const before = this.publish(this.state);
    let state: unknown = before;
    let isWhole = true;
    const outcome = orFailure(() =>
      withClockAhead(() => {
        const seen = this.#draft.rehearse((draft) => answered(type, handler(draft, this.decode(command), context.again())));
        isWhole = seen !== undefined;
        state = seen?.state ?? before;
        return seen?.result ?? NOTHING;
      }),
    );
    if (!isWhole) return undefined;
    if (outcome.kind === 'packed') this.#rehearsals?.lookForReducer(type, before, state, unpackValue(outcome.bytes));
    return { outcome, state };
  }

  /**
   * What the state would be after these commands, and what each would answer; nothing is changed. Undefined for a state that cannot
   * be rehearsed upon: with instances of classes in it, or a value that is changed as a whole.
   */
  preview(steps: readonly Step[]): { readonly state: S; readonly outcomes: readonly Outcome[] } | undefined {
    const seen = this.#draft.rehearse((state) =>
      steps.map(({ command, context }) => orFailure(() => this.#draft.step(() => this.#perform(state, command, context)))),
    );
    return seen === undefined ? undefined : { state: seen.state, outcomes: seen.result };
  }

  #perform(state: S, command: Uint8Array, context: EntryContext): Outcome {
    const value = this.decode(command);
    const type = commandType(value);
    const handler = type === undefined ? undefined : this.#definition.commands[type];
    return answered(type, handler?.(state, value, context.again()));
  }

  query(name: string, input: unknown): unknown {
    const queries = this.#definition.queries;
    const query = queries !== undefined && Object.hasOwn(queries, name) ? queries[name] : undefined;
    if (query === undefined) throw new RaftError('unknown-command', `There is no query named ${name}.`);
    return this.publish(query(this.view, input));
  }

  /** Whether a query is called with an input before its options. Errors: unknown-command. */
  queryTakesInput(name: string): boolean {
    const queries = this.#definition.queries;
    const query = queries !== undefined && Object.hasOwn(queries, name) ? queries[name] : undefined;
    if (query === undefined) throw new RaftError('unknown-command', `There is no query named ${name}.`);
    return query.length > 1;
  }

  hasCommand(type: string): boolean {
    return Object.hasOwn(this.#definition.commands, type);
  }

  commandNames(): readonly string[] {
    return Object.keys(this.#definition.commands);
  }

  describe(command: unknown): string {
    const type = commandType(command);
    if (this.#definition.describe !== undefined && type !== undefined)
      return this.#definition.describe(command as { readonly type: string });
    return JSON.stringify(command, jsonValue) ?? String(command);
  }

  *ownChunks(saved: Iterable<Uint8Array>): Iterable<Uint8Array> {
    yield OWN_CHUNKS;
    yield* saved;
  }

  snapshot(): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
    const saved = this.#definition.snapshot === undefined ? this.state : this.#definition.snapshot(this.state);
    if (isAsyncIterable(saved)) return prefixed(OWN_CHUNKS, saved);
    if (isChunkIterator(saved)) return this.ownChunks(saved);
    return cut(packValue(saved));
  }

  async restore(chunks: AsyncIterable<Uint8Array>, version: number): Promise<void> {
    const iterator = chunks[Symbol.asyncIterator]();
    const first = await iterator.next();
    const form = first.done === true ? undefined : first.value[0];
    const rest: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => iterator };
    const saved: unknown = form === OWN_CHUNKS[0] ? rest : unpackValue(await collected(rest), 'given away');
    const current =
      version === this.version || this.#definition.migrate === undefined ? saved : this.#definition.migrate(saved, version);
    const restore = this.#definition.restore as ((saved: unknown) => S | Promise<S>) | undefined;
    if (restore === undefined) this.#draft.replace(current as S, this.#definition.migrate === undefined ? 'own' : 'shared');
    else this.#draft.replace(await restore(current));
  }

  reset(): void {
    this.#draft.replace(initialOf(this.#definition));
  }

  fresh(): Machine {
    return new TypedMachine(this.#definition);
  }

  decode(command: Uint8Array): unknown {
    try {
      return unpackCommand(command);
    } catch {
      return undefined;
    }
  }

  answer(outcome: Outcome): unknown {
    return answerOf(outcome, unpackValue);
  }
}

/** Wraps a ByteMachine; what readers see as state is the machine itself. */
export class BytesMachine implements Machine {
  readonly version: number;
  readonly state: ByteMachine;

  /** What the machine saves before its first command; undefined until then. */
  #initial: readonly Uint8Array[] = [];
  #hasApplied = false;

  constructor(machine: ByteMachine) {
    this.state = machine;
    this.version = machine.version ?? 1;
  }

  /** Keeps the state before the first command, to come back to. Call before anything is applied. Errors: handler-failed. */
  async keepInitial(): Promise<void> {
    if (this.state.reset !== undefined) return;
    const saved = this.snapshot();
    const chunks: Uint8Array[] = [];
    for await (const chunk of saved) chunks.push(chunk.slice());
    this.#initial = chunks;
  }

  apply(command: Uint8Array, context: ApplyContext): Outcome {
    this.#hasApplied = true;
    try {
      return { kind: 'packed', bytes: checkBytes(this.state.apply(command, context)) };
    } catch (error) {
      return { kind: 'error', code: 'handler-failed', message: failureText(error) };
    }
  }

  snapshot(): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
    const saved = this.state.snapshot();
    return saved instanceof Uint8Array ? [saved] : saved;
  }

  async restore(chunks: AsyncIterable<Uint8Array>, _version: number): Promise<void> {
    this.#hasApplied = true;
    await this.state.restore(chunks);
  }

  get view(): ByteMachine {
    return this.state;
  }

  publish<T>(value: T): T {
    return value;
  }

  /** Without a `reset` of its own it takes back what it was when it was opened. */
  async reset(): Promise<void> {
    if (this.state.reset !== undefined) return this.state.reset();
    if (!this.#hasApplied) return;
    await this.state.restore(replay(this.#initial));
    this.#hasApplied = false;
  }

  fresh(): undefined {
    return undefined;
  }

  decode(command: Uint8Array): unknown {
    return command;
  }

  answer(outcome: Outcome): unknown {
    return answerOf(outcome, (bytes) => bytes.slice());
  }
}

function checkBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError('apply must return a Uint8Array.');
}

async function* replay(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}

/** What most commands that only change something come to: one object for all of them. */
const NOTHING: Outcome = { kind: 'value', value: undefined };

export function toOutcome(value: unknown): Outcome {
  switch (typeof value) {
    case 'undefined':
      return NOTHING;
    case 'string':
    case 'number':
    case 'boolean':
      return { kind: 'value', value };
    default:
      return value === null ? { kind: 'value', value } : { kind: 'packed', bytes: packValue(value) };
  }
}

function answerOf(outcome: Outcome, unpack: (bytes: Uint8Array) => unknown): unknown {
  if (outcome.kind === 'value') return outcome.value;
  if (outcome.kind === 'packed') return unpack(outcome.bytes);
  throw new RaftError(outcome.code, outcome.message, { mayHaveApplied: outcome.code === 'outcome-unknown' });
}

function orFailure(run: () => Outcome): Outcome {
  try {
    return run();
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(error: unknown): Outcome {
  return { kind: 'error', code: 'handler-failed', message: failureText(error) };
}

/** One command as its handler is called with it. */
interface HandlerCall<S> {
  readonly type: string | undefined;
  readonly handler: Handlers<S>[string];
  readonly value: unknown;
  readonly context: ApplyContext;
}

/** Not a closure: this runs once for every command at every member. */
function callHandler<S>(state: S, { type, handler, value, context }: HandlerCall<S>): Outcome {
  return answered(type, handler(state, value, context));
}

/** A handler is over when it returns: what a promise did later would differ from member to member. */
function answered(type: string | undefined, value: unknown): Outcome {
  if (typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function') {
    if ('catch' in value && typeof value.catch === 'function') value.catch(() => {});
    throw new TypeError(`The handler '${type}' returned a promise; handlers must be synchronous (not async).`);
  }
  return toOutcome(value);
}

function commandType(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  return typeof value.type === 'string' ? value.type : undefined;
}

function failureText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.slice(0, FAILURE_MESSAGE_MAX);
}

function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return value;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** A generator of chunks, as opposed to a state that happens to be iterable (a Map, an array, bytes). */
function isChunkIterator(value: unknown): value is Iterable<Uint8Array> {
  return (
    typeof value === 'object' && value !== null && Symbol.iterator in value && 'next' in value && typeof value.next === 'function'
  );
}

async function* prefixed(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield first;
  yield* rest;
}

function* cut(bytes: Uint8Array): Iterable<Uint8Array> {
  yield ONE_VALUE;
  for (let at = 0; at < bytes.length; at += STATE_CHUNK_BYTES) yield bytes.subarray(at, at + STATE_CHUNK_BYTES);
}
