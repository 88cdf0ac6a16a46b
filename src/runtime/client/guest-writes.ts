/** What clients have written through this member and what is applied here of it: each batch is answered when all of it is. */
import { RaftError } from '../../core/errors.ts';
import { type Entry, NO_BYTES } from '../../core/types.ts';
import { readEnvelope } from '../../state/envelope.ts';
import type { Applied, ReplicatedState } from '../../state/replicated-state.ts';
import { type ClientWritten, encodeWritten } from '../../wire/client-bodies.ts';
import type { GuestReply } from './guest-reply.ts';

interface Batch {
  readonly keys: readonly string[];
  readonly written: (ClientWritten | undefined)[];
  readonly deadlineMs: number;
  readonly reply: GuestReply;
  left: number;
}

export class GuestWrites {
  readonly #state: ReplicatedState;
  readonly #batches = new Set<Batch>();
  /** By what they wait for. */
  readonly #waiting = new Map<string, Set<Batch>>();

  constructor(state: ReplicatedState) {
    this.#state = state;
  }

  /** Answers what is applied already, and gives back what has to be proposed. Errors: message-invalid. */
  begin(
    data: readonly Uint8Array[],
    deadlineMs: number,
    reply: GuestReply,
  ): { readonly propose: readonly Uint8Array[]; refuse(error: RaftError): void } {
    const keys = data.map(keyOf);
    const written = data.map((bytes) => this.#known(bytes));
    const batch: Batch = { keys, written, deadlineMs, reply, left: written.filter((one) => one === undefined).length };
    const refuse = (error: RaftError): void => {
      if (this.#end(batch)) reply(NO_BYTES, error);
    };
    this.#batches.add(batch);
    if (batch.left === 0) this.#answer(batch);
    for (const [i, key] of keys.entries()) {
      if (written[i] !== undefined) continue;
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting.add(batch));
    }
    return { propose: data.filter((_, i) => written[i] === undefined), refuse };
  }

  #known(bytes: Uint8Array): ClientWritten | undefined {
    const envelope = readEnvelope(bytes);
    if (envelope?.kind !== 'command') return undefined;
    const stored = this.#state.sessions.outcomeOf(envelope.session, envelope.sequence);
    return stored === undefined ? undefined : { kind: 'command', ...stored, replayed: true };
  }

  onApplied(_entry: Entry, applied: Applied): void {
    if (this.#waiting.size === 0) return;
    if (applied.kind === 'registered') {
      const { clientId, nonce, session } = applied;
      this.#tell(registerKey(clientId, nonce), { kind: 'registered', session });
    } else if (applied.kind === 'command') {
      const { session, sequence, index, term, replayed, outcome } = applied;
      this.#tell(commandKey(session, sequence), { kind: 'command', index, term, replayed, outcome });
    }
  }

  #tell(key: string, written: ClientWritten): void {
    for (const batch of [...(this.#waiting.get(key) ?? [])]) {
      for (const [i, other] of batch.keys.entries()) {
        if (other !== key || batch.written[i] !== undefined) continue;
        batch.written[i] = written;
        batch.left--;
      }
      if (batch.left === 0) this.#answer(batch);
    }
  }

  #answer(batch: Batch): void {
    if (!this.#end(batch)) return;
    try {
      batch.reply(encodeWritten(batch.written.filter((one) => one !== undefined)));
    } catch (error) {
      batch.reply(NO_BYTES, RaftError.is(error) ? error : new RaftError('too-large', String(error), { mayHaveApplied: true }));
    }
  }

  #end(batch: Batch): boolean {
    for (const key of batch.keys) {
      const waiting = this.#waiting.get(key);
      waiting?.delete(batch);
      if (waiting?.size === 0) this.#waiting.delete(key);
    }
    return this.#batches.delete(batch);
  }

  stop(error: RaftError): void {
    for (const batch of [...this.#batches]) if (this.#end(batch)) batch.reply(NO_BYTES, error);
  }

  /** The client asks again; what it then asks for is found by its number. */
  expire(nowMs: number): void {
    for (const batch of [...this.#batches]) {
      if (batch.deadlineMs > nowMs || !this.#end(batch)) continue;
      batch.reply(NO_BYTES, new RaftError('timeout', 'It was not applied here in time.'));
    }
  }
}

/** Errors: message-invalid for what no client writes. */
function keyOf(bytes: Uint8Array): string {
  const envelope = readEnvelope(bytes);
  if (envelope?.kind === 'register') return registerKey(envelope.clientId, envelope.nonce);
  if (envelope?.kind === 'command') return commandKey(envelope.session, envelope.sequence);
  throw new RaftError('message-invalid', 'A client writes commands, and nothing else.');
}

const registerKey = (clientId: string, nonce: string): string => `${clientId} ${nonce}`;
const commandKey = (session: number, sequence: number): string => `${session}/${sequence}`;
