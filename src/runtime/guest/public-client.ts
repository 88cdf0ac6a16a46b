/** The public client: promises, signals and timeouts over the client's runtime. See api/client.ts for what each call means. */
import { packValue, unpackValue } from '../../codec/pack.ts';
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { TypedMachine } from '../../state/typed-machine.ts';
import type { Command, Handlers, Queries, ResultOf } from '../../state/types.ts';
import { NOTHING_SEEN } from '../../wire/client-bodies.ts';
import type { CallOptions } from '../api/basics.ts';
import { checkCallOptions } from '../api/call-options.ts';
import type { Applied, PendingWrite, ProposeOptions } from '../api/calls.ts';
import type { ClientNode, ClientQueryOptions } from '../api/client.ts';
import { LISTEN_OPTION_NAMES, READ_OPTION_NAMES } from '../api/names.ts';
import { type Registration, registration } from '../api/registration.ts';
import type { AppliedWrite } from '../client/pending-write.ts';
import { checkProposeOptions, encodeCommandValue, refuseInHandler, requireCommand, withId } from '../node/call-checks.ts';
import { READY_TIMEOUT_MS } from '../node/public-node.ts';
import { requireFunction, requireKnown, requireOneOf, requireText } from '../ports/require-known.ts';
import type { ClientRuntime } from './client-runtime.ts';
import type { Asked } from './questions.ts';

type Listener = (value: unknown, meta: { readonly index: number }) => void;

export class Client<S, C extends Handlers<S>, Q extends Queries<S>> implements ClientNode<S, C, Q> {
  readonly ready: Promise<void>;
  readonly #runtime: ClientRuntime;
  readonly #machine: TypedMachine<S, C, Q>;
  readonly #commandBytesMax: number;

  constructor(runtime: ClientRuntime, machine: TypedMachine<S, C, Q>, commandBytesMax: number) {
    this.#runtime = runtime;
    this.#machine = machine;
    this.#commandBytesMax = commandBytesMax;
    this.ready = this.whenReady({ timeoutMs: READY_TIMEOUT_MS });
    // Whoever does not wait for it must not be punished for it.
    this.ready.catch(() => {});
  }

  get id(): NodeId {
    return this.#runtime.parts.id;
  }
  get room(): string {
    return this.#runtime.parts.room;
  }
  get member(): NodeId | undefined {
    return this.#runtime.ended === undefined ? this.#runtime.hosts.host : undefined;
  }

  async whenReady(options: CallOptions = {}): Promise<void> {
    checkCallOptions(options);
    await this.#runtime.whenHosted(options.timeoutMs ?? Number.POSITIVE_INFINITY, options.signal);
  }

  propose<const T extends Command<C>>(command: T, options: ProposeOptions = {}): Promise<ResultOf<C, T>> {
    return this.#write(command, options, (result) => result as ResultOf<C, T>);
  }

  proposeDetailed<const T extends Command<C>>(command: T, options: ProposeOptions = {}): Promise<Applied<ResultOf<C, T>>> {
    return this.#write(command, options, (result, { index, term, replayed }) => ({
      result: result as ResultOf<C, T>,
      index,
      term,
      replayed,
    }));
  }

  #write<R>(command: Command<C>, options: ProposeOptions, pick: (result: unknown, applied: AppliedWrite) => R): Promise<R> {
    return new Promise((resolve, reject) => {
      const key = options?.id ?? '';
      checkProposeOptions(options, key);
      const bytes = this.#encode(command);
      refuseInHandler();
      this.#requireRunning();
      const { signal, expiresMs, expectedTerm = 0, ifVersion, timeoutMs } = options;
      const { clock, callTimeoutMs } = this.#runtime.parts;
      let onAbort = (): void => {};
      const write = this.#runtime.writes.submit({
        command: bytes,
        key,
        forward: true,
        expectedTerm,
        ifVersion,
        notAfter: expiresMs === undefined ? 0 : Math.ceil(clock.wallMs() + expiresMs),
        deadlineMs: clock.monotonicMs() + (timeoutMs ?? callTimeoutMs),
        done: (result) => {
          signal?.removeEventListener('abort', onAbort);
          if (result.kind === 'failed') return reject(withId(result.error, key));
          try {
            resolve(pick(this.#machine.answer(result.outcome), result));
          } catch (error) {
            reject(error);
          }
        },
      });
      if (signal === undefined || write === undefined) return;
      onAbort = () => this.#runtime.writes.giveUp(write, 'aborted', 'The call was aborted.');
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Errors: unknown-command, invalid-argument, too-large. */
  #encode(command: unknown): Uint8Array {
    requireCommand(this.#machine, command);
    const bytes = encodeCommandValue(command, this.#machine);
    if (bytes.length <= this.#commandBytesMax) return bytes;
    throw new RaftError('too-large', `A command takes at most ${this.#commandBytesMax} bytes, this one takes ${bytes.length}.`);
  }

  // biome-ignore lint/suspicious/noExplicitAny: the interface says the arguments exactly; here they are one list
  async query(name: string, ...rest: any[]): Promise<any> {
    requireText('query', name);
    const takesInput = this.#machine.queryTakesInput(name);
    const options = (rest[takesInput ? 1 : 0] ?? {}) as ClientQueryOptions;
    checkCallOptions(options, READ_OPTION_NAMES);
    const { consistency = 'linearizable', timeoutMs, signal } = options;
    requireOneOf('consistency', consistency, ['linearizable', 'local']);
    this.#requireRunning();
    const input = packInput(takesInput ? rest[0] : undefined);
    const { clock, callTimeoutMs } = this.#runtime.parts;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        signal?.removeEventListener('abort', onAbort);
        act();
      };
      const asked: Asked = {
        question: () => ({
          kind: 'query',
          name,
          input,
          atLeast: this.#runtime.seen,
          linearizable: consistency === 'linearizable',
        }),
        deadlineMs: clock.monotonicMs() + (timeoutMs ?? callTimeoutMs),
        done: (answer) => {
          if (RaftError.is(answer)) return settle(() => reject(answer));
          this.#runtime.saw(answer.index);
          const { bytes } = answer;
          settle(() => resolve(bytes === undefined ? undefined : unpackValue(bytes)));
        },
      };
      const onAbort = (): void => {
        if (this.#runtime.questions.drop(asked))
          reject(new RaftError('aborted', 'The call was aborted.', { mayHaveApplied: false }));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#runtime.questions.ask(asked);
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above
  watch(name: string, ...rest: any[]): Registration {
    requireText('query', name);
    const takesInput = this.#machine.queryTakesInput(name);
    const [listener, options = {}] = rest.slice(takesInput ? 1 : 0) as [Listener, { readonly signal?: AbortSignal }?];
    requireFunction('listener', listener);
    requireKnown('watch', options, LISTEN_OPTION_NAMES);
    this.#requireRunning();
    return this.#watch(name, packInput(takesInput ? rest[0] : undefined), listener, options.signal);
  }

  #watch(name: string, input: Uint8Array, listener: Listener, signal: AbortSignal | undefined): Registration {
    const runtime = this.#runtime;
    let seen = NOTHING_SEEN;
    let shownAt = 0;
    const asked: Asked = {
      question: () => ({ kind: 'watch', name, input, atLeast: runtime.seen, seen }),
      deadlineMs: Number.POSITIVE_INFINITY,
      done: (answer) => {
        if (RaftError.is(answer)) {
          if (answer.code !== 'stopped') runtime.parts.onFault(answer);
          return;
        }
        // Of a member that was asked before this one answered.
        if (answer.index < shownAt) return runtime.questions.ask(asked);
        shownAt = answer.index;
        runtime.saw(answer.index);
        const isNew = answer.bytes !== undefined && answer.digest !== seen;
        seen = answer.digest;
        // Asked on before the listener, which may end it.
        runtime.questions.ask(asked);
        if (answer.bytes === undefined || !isNew) return;
        try {
          listener(unpackValue(answer.bytes), { index: answer.index });
        } catch (error) {
          runtime.parts.onFault(new RaftError('handler-failed', `A listener failed: ${String(error)}`, { cause: error }));
        }
      },
    };
    runtime.questions.ask(asked);
    return registration(() => void runtime.questions.drop(asked), signal);
  }

  pending(): readonly PendingWrite[] {
    return this.#runtime.writes.list((command) => this.#machine.decode(command));
  }

  cancel(id: string): boolean {
    return this.#runtime.writes.cancel(id);
  }

  /** Errors: stopped. */
  #requireRunning(): void {
    const { ended } = this.#runtime;
    if (ended !== undefined) throw new RaftError('stopped', ended.message, { cause: ended, mayHaveApplied: false });
  }

  stop(): Promise<void> {
    return this.#runtime.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Errors: invalid-argument for what cannot be sent. */
function packInput(input: unknown): Uint8Array {
  try {
    return packValue(input);
  } catch (error) {
    throw RaftError.is(error)
      ? error
      : new RaftError('invalid-argument', `The query's input cannot be encoded: ${String(error)}`, { cause: error });
  }
}
