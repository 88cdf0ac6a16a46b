/** What clients ask of the application side of a member: its state, and what becomes of what they have written. */
import { RaftError } from '../../core/errors.ts';
import { type Entry, type Index, NO_BYTES, type NodeId } from '../../core/types.ts';
import type { Applied, ReplicatedState } from '../../state/replicated-state.ts';
import type { ClientQuestion } from '../../wire/client-bodies.ts';
import type { Clock } from '../ports/clock.ts';
import type { Consensus } from '../ports/seam.ts';
import { GuestQueries, WATCH_MS } from './guest-queries.ts';
import type { GuestReply } from './guest-reply.ts';
import { GuestWrites } from './guest-writes.ts';
import type { Reads } from './reads.ts';

/** A client's call is answered after this long at the latest, in ms: it then asks this member again, or another. */
const GUEST_CALL_MS = 3_000;

export class GuestsSide {
  readonly #clock: Clock;
  readonly #reads: Pick<Reads, 'submit'>;
  readonly #consensus: Pick<Consensus, 'proposeFor'>;
  readonly #writes: GuestWrites;
  readonly #queries: GuestQueries;

  constructor(state: ReplicatedState, clock: Clock, reads: Pick<Reads, 'submit'>, consensus: Pick<Consensus, 'proposeFor'>) {
    this.#clock = clock;
    this.#reads = reads;
    this.#consensus = consensus;
    this.#writes = new GuestWrites(state);
    this.#queries = new GuestQueries(state, (run) => clock.soon(run));
  }

  /** Errors: timeout, busy, message-invalid, and those of the query or the proposal. */
  answer(client: NodeId, question: ClientQuestion): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#answer(client, question, (body, error) => (error === undefined ? resolve(body) : reject(error)));
    });
  }

  #answer(client: NodeId, question: ClientQuestion, reply: GuestReply): void {
    const now = this.#clock.monotonicMs();
    const deadlineMs = now + GUEST_CALL_MS;
    if (question.kind === 'watch') return this.#queries.ask(question, question.seen, now + WATCH_MS, reply);
    if (question.kind === 'propose') return this.#propose(client, question.data, deadlineMs, reply);
    if (!question.linearizable) return this.#queries.ask(question, undefined, deadlineMs, reply);
    const done = (error: RaftError | undefined): void =>
      error === undefined ? this.#queries.ask(question, undefined, deadlineMs, reply) : reply(NO_BYTES, error);
    this.#reads.submit({ deadlineMs, done });
  }

  #propose(client: NodeId, data: readonly Uint8Array[], deadlineMs: number, reply: GuestReply): void {
    const { propose, refuse } = this.#writes.begin(data, deadlineMs, reply);
    if (propose.length === 0) return;
    this.#consensus
      .proposeFor(client, propose)
      .catch((error: unknown) => refuse(RaftError.is(error) ? error : new RaftError('message-invalid', String(error))));
  }

  onOpened(applied: Index): void {
    this.#queries.onAppliedTo(applied);
  }

  onInstalled(applied: Index): void {
    this.#queries.onAppliedTo(applied);
  }

  onApplied(entry: Entry, applied: Applied): void {
    this.#writes.onApplied(entry, applied);
  }

  onAppliedTo(index: Index): void {
    this.#queries.onAppliedTo(index);
  }

  tick(): void {
    const now = this.#clock.monotonicMs();
    this.#writes.expire(now);
    this.#queries.expire(now);
  }

  stop(error: RaftError): void {
    this.#writes.stop(error);
    this.#queries.stop(error);
  }
}
