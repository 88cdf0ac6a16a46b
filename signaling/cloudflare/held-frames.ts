/**
 * Frames of whoever relays more than its rate. An object cannot read more slowly, as the server in Node does, so it keeps what comes and
 * hands it on at the rate: links have so much on their way at the most, and wait for it. What goes beyond that is lost.
 */
import type { Bucket } from '../buckets.ts';
import type { ServerSocket } from './platform.ts';

/** Of one sender, in bytes: a few links with a full window each. */
export const HELD_BYTES_MAX: number = 4 * 1024 * 1024;
/** Of all senders of a room, in bytes: an object has 128 MB. */
export const HELD_TOTAL_BYTES_MAX: number = 32 * 1024 * 1024;

type Rate = Pick<Bucket, 'charge' | 'debtMs'>;

/** Between two looks at what may go on, at the least: ms. */
const LOOK_MS = 20;

interface Held {
  readonly frames: Uint8Array[];
  /** Place of the first that waits. */
  next: number;
  bytes: number;
  timer: ReturnType<typeof setTimeout>;
}

export class HeldFrames {
  readonly #deliver: (from: ServerSocket, frame: Uint8Array) => void;
  readonly #held = new Map<ServerSocket, Held>();
  #bytes = 0;

  constructor(deliver: (from: ServerSocket, frame: Uint8Array) => void) {
    this.#deliver = deliver;
  }

  /** At once, or in its turn. False: it is lost. */
  take(from: ServerSocket, frame: Uint8Array, rate: Rate): boolean {
    const held = this.#held.get(from);
    if (held === undefined && rate.debtMs(Date.now()) === 0) {
      this.#pass(from, frame, rate);
      return true;
    }
    const own = held?.bytes ?? 0;
    if (own + frame.length > HELD_BYTES_MAX || this.#bytes + frame.length > HELD_TOTAL_BYTES_MAX) return false;
    if (held === undefined)
      this.#held.set(from, { frames: [frame], next: 0, bytes: frame.length, timer: this.#later(from, rate) });
    else {
      held.frames.push(frame);
      held.bytes += frame.length;
    }
    this.#bytes += frame.length;
    return true;
  }

  /** Whose frames they were is gone. */
  forget(from: ServerSocket): void {
    const held = this.#held.get(from);
    if (held === undefined) return;
    clearTimeout(held.timer);
    this.#held.delete(from);
    this.#bytes -= held.bytes;
  }

  #later(from: ServerSocket, rate: Rate): Held['timer'] {
    return setTimeout(() => this.#release(from, rate), Math.max(LOOK_MS, rate.debtMs(Date.now())));
  }

  #release(from: ServerSocket, rate: Rate): void {
    const held = this.#held.get(from);
    while (held !== undefined && rate.debtMs(Date.now()) === 0) {
      const frame = held.frames[held.next];
      if (frame === undefined) return this.forget(from);
      held.next++;
      held.bytes -= frame.length;
      this.#bytes -= frame.length;
      this.#pass(from, frame, rate);
    }
    if (held !== undefined) held.timer = this.#later(from, rate);
  }

  /** A frame may be longer than what is left: what is missing is waited for afterwards. */
  #pass(from: ServerSocket, frame: Uint8Array, rate: Rate): void {
    rate.charge(frame.length);
    this.#deliver(from, frame);
  }
}
