/**
 * Messages cut into frames of at most FRAME_BYTES_MAX, and put together again. Two lanes share a link: what is urgent
 * overtakes bulk between any two pieces, within a lane the order holds. Small messages share a frame.
 *
 *   frame = pieces;  piece = flags: 1 byte, length: 2 bytes (big-endian), bytes
 *   flags = 1 (bulk) + 2 (first of its message) + 4 (last of its message)
 */
import { joined } from '../codec/join.ts';
import { RaftError } from '../core/errors.ts';
import { BULK_QUEUE_BYTES_MAX, FRAME_BYTES_MAX, MESSAGE_BYTES_MAX, URGENT_QUEUE_BYTES_MAX } from './limits.ts';

export type FrameLane = 'urgent' | 'bulk';

const BULK = 1;
const FIRST = 2;
const LAST = 4;
const PIECE_HEADER_BYTES = 3;
/** Bytes of a piece that is not the last of its message: a peer cannot make us hold a message as a million crumbs. */
const PIECE_BYTES_MIN = 1024;
/** Takes the place of a message that has left, until the queue is next moved together. */
const EMPTY: Uint8Array = new Uint8Array(0);

/** Messages of one lane that wait; `sent` bytes of the first have left. */
class LaneQueue {
  readonly flag: number;
  readonly bytesMax: number;
  queuedBytes = 0;
  #messages: Uint8Array[] = [];
  #head = 0;
  #sent = 0;

  constructor(flag: number, bytesMax: number) {
    this.flag = flag;
    this.bytesMax = bytesMax;
  }

  push(message: Uint8Array): boolean {
    if (message.length > MESSAGE_BYTES_MAX) return false;
    if (this.queuedBytes > 0 && this.queuedBytes + message.length > this.bytesMax) return false;
    this.#messages.push(message);
    this.queuedBytes += message.length;
    return true;
  }

  /** Writes pieces into `frame` from `at` while there is room; the position after them. */
  fill(frame: Uint8Array, start: number): number {
    let at = start;
    for (;;) {
      const message = this.#messages[this.#head];
      const room = frame.length - at - PIECE_HEADER_BYTES;
      if (message === undefined) return at;
      const length = Math.min(room, message.length - this.#sent);
      if (room < 0 || (length < PIECE_BYTES_MIN && length < message.length - this.#sent)) return at;
      const last = this.#sent + length === message.length;
      frame[at] = this.flag | (this.#sent === 0 ? FIRST : 0) | (last ? LAST : 0);
      frame[at + 1] = length >>> 8;
      frame[at + 2] = length & 0xff;
      frame.set(length === message.length ? message : message.subarray(this.#sent, this.#sent + length), at + PIECE_HEADER_BYTES);
      at += PIECE_HEADER_BYTES + length;
      this.#sent += length;
      this.queuedBytes -= length;
      if (last) this.#shift();
    }
  }

  #shift(): void {
    this.#sent = 0;
    this.#head++;
    if (this.#head < 64 || this.#head * 2 < this.#messages.length) {
      this.#messages[this.#head - 1] = EMPTY;
      return;
    }
    this.#messages = this.#messages.slice(this.#head);
    this.#head = 0;
  }
}

/** The sending side of one link. */
export class FrameWriter {
  readonly #urgent = new LaneQueue(0, URGENT_QUEUE_BYTES_MAX);
  readonly #bulk = new LaneQueue(BULK, BULK_QUEUE_BYTES_MAX);
  readonly #frame = new Uint8Array(FRAME_BYTES_MAX);

  /** Queues a message without copying it. False when the lane is full, or the message larger than MESSAGE_BYTES_MAX. */
  push(lane: FrameLane, message: Uint8Array): boolean {
    return this.#lane(lane).push(message);
  }

  /** The next frame, valid until the next call; undefined when nothing waits. */
  take(): Uint8Array | undefined {
    const end = this.#bulk.fill(this.#frame, this.#urgent.fill(this.#frame, 0));
    return end === 0 ? undefined : this.#frame.subarray(0, end);
  }

  queuedBytes(lane: FrameLane): number {
    return this.#lane(lane).queuedBytes;
  }

  #lane(lane: FrameLane): LaneQueue {
    return lane === 'bulk' ? this.#bulk : this.#urgent;
  }
}

/** The receiving side of one link. After an error it must not be used again: the link is closed. */
export class FrameReader {
  readonly #parts: [Uint8Array[], Uint8Array[]] = [[], []];
  readonly #partBytes: [number, number] = [0, 0];
  readonly #deliver: (message: Uint8Array) => void;

  constructor(deliver: (message: Uint8Array) => void) {
    this.#deliver = deliver;
  }

  /** Takes a frame in and delivers what it completes, as views on the frame where it can. Errors: message-invalid. */
  read(frame: Uint8Array): void {
    if (frame.length > FRAME_BYTES_MAX) refuse('longer than allowed');
    let at = 0;
    while (at < frame.length) {
      if (at + PIECE_HEADER_BYTES > frame.length) refuse('ends early');
      const flags = frame[at] as number;
      const length = (frame[at + 1] as number) * 256 + (frame[at + 2] as number);
      at += PIECE_HEADER_BYTES;
      if (flags > (BULK | FIRST | LAST)) refuse('unknown flags');
      if (at + length > frame.length) refuse('ends early');
      this.#piece(flags, new Uint8Array(frame.buffer, frame.byteOffset + at, length));
      at += length;
    }
  }

  #piece(flags: number, bytes: Uint8Array): void {
    const lane = (flags & BULK) === 0 ? 0 : 1;
    const parts = this.#parts[lane];
    if (((flags & FIRST) !== 0) !== (parts.length === 0)) refuse('a piece out of order');
    if ((flags & FIRST) !== 0 && (flags & LAST) !== 0) {
      this.#deliver(bytes);
      return;
    }
    if ((flags & LAST) === 0 && bytes.length < PIECE_BYTES_MIN) refuse('a piece too small');
    parts.push(bytes);
    this.#partBytes[lane] += bytes.length;
    if (this.#partBytes[lane] > MESSAGE_BYTES_MAX) refuse('a message larger than allowed');
    if ((flags & LAST) === 0) return;
    const message = joined(parts, this.#partBytes[lane]);
    this.#parts[lane] = [];
    this.#partBytes[lane] = 0;
    this.#deliver(message);
  }
}

function refuse(what: string): never {
  throw new RaftError('message-invalid', `frame: ${what}`);
}
