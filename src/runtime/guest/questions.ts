/** Questions of a client on their way to a member: asked again of the next when one is gone, until their time is over. */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { type ClientQuestion, type ClientValue, decodeClientValue, encodeClientQuestion } from '../../wire/client-bodies.ts';
import type { Clock } from '../ports/clock.ts';
import type { Hosts } from './hosts.ts';

/** Questions of one client that wait; more are refused with `busy`. */
const QUESTIONS_MAX = 10_000;
/** A member that has not answered for so long is left for another, in ms: longer than it keeps a watch waiting. */
const WATCH_ANSWER_MS = 25_000;
const QUERY_ANSWER_MS = 5_000;

export interface Asked {
  /** Made when it is sent: what was seen meanwhile counts. */
  readonly question: () => ClientQuestion;
  readonly deadlineMs: number;
  readonly done: (value: ClientValue | RaftError) => void;
}

type Call = (
  host: NodeId,
  body: Uint8Array,
  timeoutMs: number,
  done: (body: Uint8Array, error: RaftError | undefined) => void,
) => void;

export class Questions {
  readonly #hosts: Hosts;
  readonly #clock: Clock;
  readonly #call: Call;
  /** Each with the member that was asked; undefined while it waits for one. */
  readonly #open = new Map<Asked, NodeId | undefined>();

  constructor(hosts: Hosts, clock: Clock, call: Call) {
    this.#hosts = hosts;
    this.#clock = clock;
    this.#call = call;
  }

  ask(asked: Asked): void {
    if (this.#open.size >= QUESTIONS_MAX)
      return asked.done(new RaftError('busy', `${QUESTIONS_MAX} questions of this client wait.`, { retryAfterMs: 100 }));
    this.#open.set(asked, undefined);
    this.pump();
  }

  /** Nobody waits for it any more; false when it has its answer. */
  drop(asked: Asked): boolean {
    return this.#open.delete(asked);
  }

  /** Sends what waits for a member, or for one that this client has left. */
  pump(): void {
    for (const [asked, askedOf] of this.#open) {
      const { host } = this.#hosts;
      if (host === undefined) return;
      if (askedOf !== host) this.#send(asked, host);
    }
  }

  #send(asked: Asked, host: NodeId): void {
    this.#open.set(asked, host);
    const question = asked.question();
    const longest = question.kind === 'watch' ? WATCH_ANSWER_MS : QUERY_ANSWER_MS;
    const timeoutMs = Math.max(1, Math.min(longest, asked.deadlineMs - this.#clock.monotonicMs()));
    this.#call(host, encodeClientQuestion(question), timeoutMs, (body, error) => this.#onAnswer(asked, host, body, error));
  }

  #onAnswer(asked: Asked, host: NodeId, body: Uint8Array, error: RaftError | undefined): void {
    if (!this.#open.has(asked)) return;
    const value = error ?? valueIn(body);
    // It was asked of another meanwhile.
    if (RaftError.is(value) && this.#open.get(asked) !== host) return;
    if (RaftError.is(value) && this.#hosts.failed(host, value)) {
      // At the next tick, or of the next member at once.
      if (this.#open.get(asked) === host) this.#open.set(asked, undefined);
      return;
    }
    this.#open.delete(asked);
    if (!RaftError.is(value)) this.#hosts.answered(host);
    asked.done(value);
  }

  tick(): void {
    const now = this.#clock.monotonicMs();
    for (const asked of [...this.#open.keys()]) {
      if (asked.deadlineMs > now || !this.#open.delete(asked)) continue;
      const { host } = this.#hosts;
      const text = host === undefined ? 'No member could be reached in time.' : 'The question was not answered in time.';
      asked.done(new RaftError(host === undefined ? 'no-leader' : 'timeout', text, { mayHaveApplied: false }));
    }
    this.pump();
  }

  stop(error: RaftError): void {
    const all = [...this.#open.keys()];
    this.#open.clear();
    for (const { done } of all) done(error);
  }
}

function valueIn(body: Uint8Array): ClientValue | RaftError {
  try {
    return decodeClientValue(body);
  } catch (error) {
    return RaftError.is(error) ? error : new RaftError('message-invalid', String(error));
  }
}
