/** What a peer says before it is proven: held in order, within a budget, until the handshake or the link takes it. */
import type { RaftError } from '../../core/errors.ts';
import { trustErrorOf } from '../errors.ts';
import { PROOF_BYTES_MAX, PROOF_MESSAGES_MAX } from '../limits.ts';

interface Waiter {
  resolve(message: Uint8Array): void;
  reject(error: RaftError): void;
}

export class Inbox {
  readonly #messages: Uint8Array[] = [];
  #bytes = 0;
  #count = 0;
  #waiter: Waiter | undefined;
  #ended: RaftError | undefined;

  /** Takes a copy. Errors: message-invalid when the budget is spent. */
  push(message: Uint8Array): void {
    this.#bytes += message.length;
    this.#count++;
    if (this.#bytes > PROOF_BYTES_MAX || this.#count > PROOF_MESSAGES_MAX) {
      throw trustErrorOf('message-invalid', 'it said too much before it proved anything');
    }
    const waiter = this.#waiter;
    // A link sends empty frames to wake a channel: they say nothing.
    if (message.length === 0) return;
    this.#waiter = undefined;
    if (waiter === undefined) this.#messages.push(message.slice());
    else waiter.resolve(message.slice());
  }

  /** The next message, one asker at a time. Rejects when the handshake ends. */
  next(): Promise<Uint8Array> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** A message that has come already: behind the proof, the first of what the peer says as a proven one. */
  shift(): Uint8Array | undefined {
    return this.#messages.shift();
  }

  /** Nothing more will come: who waits hears so, once what has come is read. */
  end(error: RaftError): void {
    this.#ended ??= error;
    this.#waiter?.reject(error);
    this.#waiter = undefined;
  }
}
