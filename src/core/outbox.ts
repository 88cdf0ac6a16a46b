/**
 * The only way a message leaves, in two lanes: `now`, also while a write is in flight, and `afterPersist`, for what
 * promises that something is durable (Figure 3.1: "updated on stable storage before responding").
 */
import type { AppendResponse, Message } from './types.ts';

/** Slots of a lane's buffer that are kept for the next messages. */
const LANE_KEPT_MESSAGES = 64;
const NOTHING: readonly Message[] = Object.freeze([]);

/**
 * One lane. The buffer is kept and what is taken is an exact copy: an array grown from nothing for every Ready would cost
 * more than the messages in it.
 */
class Lane {
  readonly #buffer: (Message | undefined)[] = [];
  #count = 0;

  get empty(): boolean {
    return this.#count === 0;
  }

  get last(): Message | undefined {
    return this.#count === 0 ? undefined : this.#buffer[this.#count - 1];
  }

  push(message: Message): void {
    this.#buffer[this.#count++] = message;
  }

  replaceLast(message: Message): void {
    this.#buffer[this.#count - 1] = message;
  }

  take(): readonly Message[] {
    const count = this.#count;
    if (count === 0) return NOTHING;
    const buffer = this.#buffer as Message[];
    // One message and two are most of what there is, and made at half the cost of a slice.
    const taken =
      count === 1 ? [buffer[0] as Message] : count === 2 ? [buffer[0] as Message, buffer[1] as Message] : buffer.slice(0, count);
    // Nothing is kept alive that has left; after a burst the buffer goes too.
    if (count > LANE_KEPT_MESSAGES) this.#buffer.length = 0;
    else for (let i = 0; i < count; i++) this.#buffer[i] = undefined;
    this.#count = 0;
    return taken;
  }
}

export class Outbox {
  readonly #now: Lane = new Lane();
  readonly #afterPersist: Lane = new Lane();

  get empty(): boolean {
    return this.#now.empty && this.#afterPersist.empty;
  }

  now(message: Message): void {
    this.#now.push(message);
  }

  afterPersist(message: Message): void {
    this.#afterPersist.push(message);
  }

  /** As afterPersist, but takes the place of an acknowledgement just before it that this one includes. */
  afterPersistMerged(message: AppendResponse): void {
    const { last } = this.#afterPersist;
    if (last !== undefined && includes(message, last)) this.#afterPersist.replaceLast(message);
    else this.#afterPersist.push(message);
  }

  takeNow(): readonly Message[] {
    return this.#now.take();
  }

  takeAfterPersist(): readonly Message[] {
    return this.#afterPersist.take();
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
