/** Messages that this node sends and hears, for those who watch. */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { PeerMessage } from '../../wire/peer-message.ts';
import type { TraceEvent } from '../api/api.ts';
import { type Registration, registration } from '../api/registration.ts';
import { describePeerMessage } from '../peers/trace-text.ts';

/** Listeners of traces at once; one more is refused with `busy`. */
export const TRACERS_MAX = 100;

export class Traces {
  readonly #switch: (on: boolean) => void;
  readonly #onListenerError: (error: unknown) => void;
  readonly #tracers = new Set<(event: TraceEvent) => void>();

  /** @param turn turns the watching of messages on and off. */
  constructor(turn: (on: boolean) => void, onListenerError: (error: unknown) => void) {
    this.#switch = turn;
    this.#onListenerError = onListenerError;
  }

  /** Errors: busy. */
  add(listener: (event: TraceEvent) => void, signal?: AbortSignal): Registration {
    if (this.#tracers.size >= TRACERS_MAX) throw new RaftError('busy', `There are ${TRACERS_MAX} listeners of traces.`);
    // Wrapped, so that the same function can listen twice.
    const tracer = (event: TraceEvent): void => listener(event);
    this.#tracers.add(tracer);
    if (this.#tracers.size === 1) this.#switch(true);
    return registration(() => {
      if (this.#tracers.delete(tracer) && this.#tracers.size === 0) this.#switch(false);
    }, signal);
  }

  onTrace(at: number, direction: 'sent' | 'received', peer: NodeId, message: PeerMessage): void {
    const kind = message.kind === 'raft' ? message.message.type : message.kind;
    // Who only counts messages must not pay for words: an append may have hundreds of entries.
    let words: string | undefined;
    const event: TraceEvent = {
      at,
      direction,
      peer,
      kind,
      get text() {
        words ??= describePeerMessage(message);
        return words;
      },
    };
    this.tell(event);
  }

  tell(event: TraceEvent): void {
    for (const tracer of [...this.#tracers]) {
      try {
        tracer(event);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }
}
