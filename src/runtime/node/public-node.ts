/** The public node: promises, signals and timeouts over the runtime. See api.ts for what each call means. */
import { RaftError } from '../../core/errors.ts';
import type { NodeId, Term } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import { commandIn } from '../../state/envelope.ts';
import type { Machine } from '../../state/state-machine.ts';
import { TypedMachine } from '../../state/typed-machine.ts';
import type { Change, Command, Handlers, Queries, ResultOf } from '../../state/types.ts';
import type {
  Admin,
  Applied,
  CallOptions,
  ClusterConfig,
  Forecast,
  Membership,
  NodeRole,
  NodeStatus,
  Outbox,
  PendingWrite,
  Presence,
  ProposeOptions,
  RaftEvents,
  RaftNode,
  ReadOptions,
  StopOptions,
  TraceEvent,
} from '../api/api.ts';
import { awaitCall, checkCallOptions } from '../api/call-options.ts';
import { CHANGES_OPTION_NAMES, LISTEN_OPTION_NAMES, READ_OPTION_NAMES, STOP_OPTION_NAMES } from '../api/names.ts';
import type { ExpectedState, OptimisticWrite } from '../api/optimistic.ts';
import type { Registration } from '../api/registration.ts';
import type { AppliedWrite } from '../client/pending-write.ts';
import { requireInteger } from '../ports/require-integer.ts';
import { requireFunction, requireKnown, requireText, shown } from '../ports/require-known.ts';
import type { Recording } from '../record/recording.ts';
import { checkConsistency, typeOf } from './call-checks.ts';
import type { NodeParts } from './node-parts.ts';
import { ExpectedView, OptimisticCall } from './optimistic.ts';
import { NodeOutbox } from './public-outbox.ts';
import { WriteDesk } from './write-desk.ts';

/** `ready` says what hinders a node that has not caught up with a leader after so long, in ms: a page should show more than a spinner. */
export const READY_TIMEOUT_MS = 30_000;
/** Commands of one batch. */
export const BATCH_MAX = 1_000;

export class Node<S, C extends Handlers<S>, Q extends Queries<S>> implements RaftNode<S, C, Q> {
  readonly membership: Membership;
  readonly admin: Admin;
  readonly expected: ExpectedState<S>;
  readonly outbox: Outbox<S, C>;
  readonly ready: Promise<void>;
  readonly #parts: NodeParts;
  readonly #machine: Machine;
  readonly #desk: WriteDesk;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.#machine = parts.application.state.machine;
    this.membership = parts.membership;
    this.admin = parts.admin;
    this.expected = new ExpectedView(parts);
    this.#desk = new WriteDesk(parts);
    this.outbox = new NodeOutbox<S, C>(parts, this.#desk);
    this.ready = this.whenReady({ timeoutMs: READY_TIMEOUT_MS });
    // Whoever does not wait for it must not be punished for it.
    this.ready.catch(() => {});
  }

  async whenReady(options: CallOptions = {}): Promise<void> {
    checkCallOptions(options);
    try {
      const { view, application } = this.#parts;
      await application.waiters.until(() => view.hasCaughtUp, { timeoutMs: Number.POSITIVE_INFINITY, ...options });
    } catch (error) {
      throw RaftError.is(error, 'timeout') ? this.#parts.view.notReady() : error;
    }
  }

  get presence(): Presence {
    return this.#parts.presence;
  }
  get id(): NodeId {
    return this.#parts.view.id;
  }
  get clusterId(): string {
    return this.#parts.view.clusterId;
  }
  get room(): string {
    return this.#parts.room;
  }
  get roomLink(): string | undefined {
    return this.#parts.roomLink;
  }
  get role(): NodeRole {
    return this.#parts.view.role;
  }
  get term(): Term {
    return this.#parts.view.term;
  }
  get leaderId(): NodeId | undefined {
    const { leaderId } = this.#parts.view;
    return leaderId === NO_NODE ? undefined : leaderId;
  }
  get status(): NodeStatus {
    return this.#parts.view.status();
  }
  forecast(): Forecast {
    return this.#parts.view.forecast();
  }
  get config(): ClusterConfig {
    return this.membership.current;
  }

  // ---- writes

  propose<const T extends Command<C>>(command: T, options: ProposeOptions = {}): Promise<ResultOf<C, T>> {
    return this.#write(command, options, options?.id ?? '', (result) => result as ResultOf<C, T>);
  }

  proposeDetailed<const T extends Command<C>>(command: T, options: ProposeOptions = {}): Promise<Applied<ResultOf<C, T>>> {
    return this.#write(command, options, options?.id ?? '', (result, { index, term, replayed }) => ({
      result: result as ResultOf<C, T>,
      index,
      term,
      replayed,
    }));
  }

  async batch<const T extends readonly Command<C>[]>(
    commands: T,
    options: ProposeOptions = {},
  ): Promise<{ -readonly [I in keyof T]: ResultOf<C, T[I]> }> {
    if (!Array.isArray(commands))
      throw new RaftError('invalid-argument', `batch takes an array of commands, got ${shown(commands)}.`);
    if (commands.length > BATCH_MAX)
      throw new RaftError('invalid-argument', `A batch holds at most ${BATCH_MAX} commands, got ${commands.length}.`);
    // All are encoded before the first is sent: one that cannot be takes the others with it.
    const encoded = commands.map((command) => this.#desk.encode(command));
    const keyOf = (i: number): string => (options.id === undefined ? '' : `${options.id}#${i}`);
    const results = await Promise.all(
      encoded.map(
        (bytes, i) => new Promise<unknown>((resolve, reject) => this.#desk.submit(bytes, options, keyOf(i), resolve, reject)),
      ),
    );
    return results as { -readonly [I in keyof T]: ResultOf<C, T[I]> };
  }

  /** One promise per write, and nothing else: this is the path that every command takes. */
  #write<R>(
    command: Command<C>,
    options: ProposeOptions,
    key: string,
    pick: (result: unknown, applied: AppliedWrite) => R,
  ): Promise<R> {
    return new Promise((resolve, reject) =>
      this.#desk.submit(this.#desk.encode(command), options, key, (result, applied) => resolve(pick(result, applied)), reject),
    );
  }

  optimistic<const T extends Command<C>>(command: T, options: ProposeOptions = {}): OptimisticWrite<ResultOf<C, T>> {
    const bytes = this.#desk.encode(command);
    return new OptimisticCall<ResultOf<C, T>>(this.#parts, bytes, options, (given, resolve, reject) =>
      this.#desk.submit(bytes, given, given?.id ?? '', resolve, reject),
    );
  }

  pending(): readonly PendingWrite[] {
    return this.#parts.application.writes.list((command) => this.#machine.decode(command));
  }

  cancel(id: string): boolean {
    return this.#parts.application.writes.cancel(id);
  }

  // ---- reads

  async read<T>(select: (state: Readonly<S>) => T, options: ReadOptions = {}): Promise<T> {
    requireFunction('select', select);
    await this.#confirm(options);
    return this.peek(select);
  }

  // biome-ignore lint/suspicious/noExplicitAny: the interface says the arguments exactly; here they are one list
  async query(name: string, ...rest: any[]): Promise<any> {
    const machine = this.#machine;
    requireText('query', name);
    if (!(machine instanceof TypedMachine)) throw new RaftError('unknown-command', 'This state machine has no queries.');
    const takesInput = machine.queryTakesInput(name);
    await this.#confirm((rest[takesInput ? 1 : 0] ?? {}) as ReadOptions);
    return machine.query(name, rest[0]);
  }

  /** Waits until the state may be read at the consistency asked for. */
  async #confirm(options: ReadOptions): Promise<void> {
    checkCallOptions(options, READ_OPTION_NAMES);
    this.#parts.view.assertRunning();
    checkConsistency(options.consistency);
    const { consistency = 'linearizable', ...call } = options;
    if (consistency === 'local') return;
    if (typeof consistency === 'object' && 'atLeast' in consistency) return this.waitFor(consistency.atLeast, call);
    if (consistency !== 'linearizable') {
      const fresh = this.#parts.view.isFresh(consistency);
      if (fresh === true || (fresh !== false && (await fresh))) return;
    }
    await this.#confirmByQuorum(options);
  }

  #confirmByQuorum(options: CallOptions): Promise<void> {
    const { application, clock, tuning } = this.#parts;
    const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? tuning.callTimeoutMs);
    return awaitCall<void>(options.signal, (resolve, reject) => {
      const read = {
        deadlineMs,
        done: (error: RaftError | undefined): void => (error === undefined ? resolve() : reject(error)),
      };
      application.reads.submit(read);
      return () => {
        if (application.reads.drop(read)) reject(new RaftError('aborted', 'The call was aborted.', { mayHaveApplied: false }));
      };
    });
  }

  peek<T>(select: (state: Readonly<S>) => T): T {
    requireFunction('select', select);
    return this.#machine.publish(select(this.#machine.view as Readonly<S>));
  }

  subscribe<T>(
    select: (state: Readonly<S>) => T,
    listener: (value: T, meta: { readonly index: number }) => void,
    options: { readonly signal?: AbortSignal } = {},
  ): Registration {
    requireFunction('select', select);
    requireFunction('listener', listener);
    requireKnown('subscribe', options, LISTEN_OPTION_NAMES);
    return this.#parts.application.subscriptions.add(
      select as (state: unknown) => unknown,
      listener as (value: unknown, meta: { readonly index: number }) => void,
      options.signal,
    );
  }

  async *changes(options: { readonly from?: number; readonly signal?: AbortSignal } = {}): AsyncIterable<Change<C>> {
    requireKnown('changes', options, CHANGES_OPTION_NAMES);
    if (options.from !== undefined) requireInteger('from', options.from, 0, Number.MAX_SAFE_INTEGER);
    for await (const record of this.#parts.application.feed.iterate(options.from, options.signal)) {
      const { index, data } = record.entry;
      const input = this.#machine.decode(commandIn(data));
      const change = { input, result: this.#machine.answer(record.outcome), index };
      yield (input instanceof Uint8Array ? change : { type: typeOf(input), ...change }) as unknown as Change<C>;
    }
  }

  async barrier(options: CallOptions = {}): Promise<number> {
    await this.#confirm(options);
    return this.#parts.view.appliedIndex;
  }

  async waitFor(index: number, options: CallOptions = {}): Promise<void> {
    requireInteger('index', index, 0, Number.MAX_SAFE_INTEGER);
    await this.until((status) => status.appliedIndex >= index, options);
  }

  async until(predicate: (status: NodeStatus, state: Readonly<S>) => boolean, options: CallOptions = {}): Promise<void> {
    checkCallOptions(options);
    requireFunction('predicate', predicate);
    const { view, application } = this.#parts;
    view.assertRunning();
    const holds = (): boolean => predicate(this.status, this.#machine.view as Readonly<S>);
    if (holds()) return;
    await application.waiters.until(holds, options);
  }

  // ---- events

  on<K extends keyof RaftEvents>(
    type: K,
    listener: (event: RaftEvents[K]) => void,
    options: { readonly signal?: AbortSignal } = {},
  ): Registration {
    requireKnown('on', options, LISTEN_OPTION_NAMES);
    return this.#parts.emitter.on(type, listener, options.signal);
  }

  whileLeader(
    run: (lease: { readonly term: Term; readonly signal: AbortSignal }) => void | Promise<void>,
    options: { readonly signal?: AbortSignal } = {},
  ): Registration {
    requireFunction('run', run);
    requireKnown('whileLeader', options, LISTEN_OPTION_NAMES);
    return this.#parts.application.leaderWork.add(run, options.signal);
  }

  trace(listener: (event: TraceEvent) => void, options: { readonly signal?: AbortSignal } = {}): Registration {
    requireFunction('listener', listener);
    requireKnown('trace', options, LISTEN_OPTION_NAMES);
    return this.#parts.trace(listener, options.signal);
  }

  record(): Recording {
    const { recorder } = this.#parts;
    if (recorder === undefined)
      throw new RaftError('invalid-argument', 'Recording begins with the node: open it with the option `record`.');
    return recorder;
  }

  // ---- the end

  async stop(options: StopOptions = {}): Promise<void> {
    requireKnown('stop', options, STOP_OPTION_NAMES);
    const { leave = false, transfer = true, timeoutMs = 2_000 } = options;
    checkCallOptions({ timeoutMs });
    const { view } = this.#parts;
    if (view.ended === undefined && leave) await this.membership.leave({ timeoutMs }).catch(() => {});
    if (view.ended === undefined && transfer && view.isLeader) {
      // The heir of a pair goes on alone only when this node has acknowledged an entry of its term (docs/CORE.md, A3): a barrier is one.
      const handedOver = this.admin.transferLeadership(undefined, { timeoutMs });
      await handedOver.then(() => this.barrier({ timeoutMs })).catch(() => {});
    }
    await this.#parts.stop(leave ? 'leave' : 'stop');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
