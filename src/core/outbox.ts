/**
 * The only way a message leaves, in two lanes: `now`, also while a write is in flight, and `afterPersist`, for what
 * promises that something is durable (Figure 3.1: "updated on stable storage before responding").
 */
import type { AppendResponse, Message } from './types.ts';

const NOTHING: readonly Message[] = Object.freeze([]);

export class Outbox {
  #now: Message[] = [];
  #afterPersist: Message[] = [];

  get empty(): boolean {
    return this.#now.length === 0 && this.#afterPersist.length === 0;
  }

  now(message: Message): void {
    this.#now.push(message);
  }

  afterPersist(message: Message): void {
    this.#afterPersist.push(message);
  }

  /** As afterPersist, but takes the place of an acknowledgement just before it that this one includes. */
  afterPersistMerged(message: AppendResponse): void {
    const last = this.#afterPersist[this.#afterPersist.length - 1];
    if (last !== undefined && includes(message, last)) this.#afterPersist[this.#afterPersist.length - 1] = message;
    else this.#afterPersist.push(message);
  }

  takeNow(): readonly Message[] {
    if (this.#now.length === 0) return NOTHING;
    const taken = this.#now;
    this.#now = [];
    return taken;
  }

  takeAfterPersist(): readonly Message[] {
    if (this.#afterPersist.length === 0) return NOTHING;
    const taken = this.#afterPersist;
    this.#afterPersist = [];
    return taken;
  }
}

function includes(message: AppendResponse, earlier: Message): boolean {
  return (
    earlier.type === 'append-response' &&
    earlier.to === message.to &&
    earlier.term === message.term &&
    !earlier.reject &&
    !message.reject &&
    earlier.index <= message.index
  );
}
