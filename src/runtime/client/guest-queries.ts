/** What clients ask of the state of this member: once, or again and again until the answer is another. */
import { packValue, unpackValue } from '../../codec/pack.ts';
import { RaftError } from '../../core/errors.ts';
import { type Index, NO_BYTES } from '../../core/types.ts';
import { digestOf } from '../../state/digest.ts';
import type { ReplicatedState } from '../../state/replicated-state.ts';
import { TypedMachine } from '../../state/typed-machine.ts';
import { type ClientQuery, type ClientValue, encodeClientValue } from '../../wire/client-bodies.ts';
import { CALL_BODY_BYTES_MAX } from '../../wire/limits.ts';
import type { GuestReply } from './guest-reply.ts';

/** Around a value in an answer, in bytes. */
const AROUND_BYTES = 64;
/** A watch whose value stays the same is answered so after this long, in ms: a client that has gone is not kept for ever. */
export const WATCH_MS = 20_000;
/** Questions that wait at one member for the state to move on; one more is refused with `busy`. */
const PARKED_MAX = 4_096;

interface Parked {
  readonly query: ClientQuery;
  /** Of a watch: the value that it has seen. */
  readonly seen: number | undefined;
  readonly deadlineMs: number;
  readonly reply: GuestReply;
}

export class GuestQueries {
  readonly #state: ReplicatedState;
  readonly #soon: (run: () => void) => void;
  readonly #parked = new Set<Parked>();
  #applied: Index = 0;
  #scheduled = false;

  constructor(state: ReplicatedState, soon: (run: () => void) => void) {
    this.#state = state;
    this.#soon = soon;
  }

  /** Answers now, or as soon as the state has come so far and (of a watch) the value is another. */
  ask(query: ClientQuery, seen: number | undefined, deadlineMs: number, reply: GuestReply): void {
    const parked = { query, seen, deadlineMs, reply };
    if (this.#answered(parked)) return;
    if (this.#parked.size >= PARKED_MAX)
      return reply(NO_BYTES, new RaftError('busy', `${PARKED_MAX} questions wait here.`, { retryAfterMs: 1_000 }));
    this.#parked.add(parked);
  }

  #answered({ query, seen, reply }: Parked): boolean {
    if (this.#applied < query.atLeast) return false;
    try {
      const value = this.#valueOf(query);
      if (value.digest === seen) return false;
      reply(encodeClientValue(value));
    } catch (error) {
      reply(NO_BYTES, RaftError.is(error) ? error : new RaftError('handler-failed', String(error), { mayHaveApplied: false }));
    }
    return true;
  }

  /** Errors: unknown-command, too-large, and whatever the query throws. */
  #valueOf({ name, input }: ClientQuery): ClientValue {
    const { machine } = this.#state;
    if (!(machine instanceof TypedMachine)) throw new RaftError('unknown-command', 'This state machine has no queries.');
    const bytes = packValue(machine.query(name, unpackValue(input)));
    if (bytes.length > CALL_BODY_BYTES_MAX - AROUND_BYTES)
      throw new RaftError('too-large', `An answer takes at most ${CALL_BODY_BYTES_MAX} bytes, this one takes ${bytes.length}.`);
    return { index: this.#applied, digest: digestOf([bytes]), bytes };
  }

  /** One look per burst of applied entries, however many there were. */
  onAppliedTo(index: Index): void {
    this.#applied = index;
    if (this.#parked.size === 0 || this.#scheduled) return;
    this.#scheduled = true;
    this.#soon(() => {
      this.#scheduled = false;
      for (const parked of [...this.#parked]) if (this.#answered(parked)) this.#parked.delete(parked);
    });
  }

  stop(error: RaftError): void {
    const all = [...this.#parked];
    this.#parked.clear();
    for (const { reply } of all) reply(NO_BYTES, error);
  }

  expire(nowMs: number): void {
    for (const parked of [...this.#parked]) {
      const { seen, deadlineMs, reply, query } = parked;
      if (deadlineMs > nowMs) continue;
      this.#parked.delete(parked);
      if (seen === undefined || this.#applied < query.atLeast)
        reply(NO_BYTES, new RaftError('timeout', 'This member did not catch up in time.', { mayHaveApplied: false }));
      else reply(encodeClientValue({ index: this.#applied, digest: seen, bytes: undefined }));
    }
  }
}
