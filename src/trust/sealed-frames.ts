/**
 * Frames on a link without encryption of its own (a relay): sealed with AES-256-GCM, counted. Each direction has its own key;
 * the count is not sent, so a frame that was lost, repeated, moved or altered does not open, and ends the link.
 */
import { RaftError } from '../core/errors.ts';
import { ByteWriter } from './bytes.ts';
import { SEALED_MARK } from './handshake/messages.ts';
import { OPENING_BYTES_MAX, SEALED_FRAMES_MAX, SEALING_BYTES_MAX } from './limits.ts';
import { SEAL_BYTES, seal, unseal } from './primitives.ts';

export interface SealKeys {
  readonly send: CryptoKey;
  readonly receive: CryptoKey;
}

/** Bytes that sealing adds to a frame. */
export const SEALED_OVERHEAD_BYTES: number = 1 + SEAL_BYTES;

/** One direction: results in the order of the calls, however the engine schedules the work. */
class Direction {
  count: number;
  readonly #bytesMax: number;
  #bytes = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(count: number, bytesMax: number) {
    this.count = count;
    this.#bytesMax = bytesMax;
  }

  hasRoom(length: number): boolean {
    return this.#bytes === 0 || this.#bytes + length <= this.#bytesMax;
  }

  async inOrder(length: number, work: Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
    this.#bytes += length;
    const before = this.#last;
    const both = before.then(() => work);
    this.#last = both.catch(() => undefined);
    try {
      return await both;
    } finally {
      this.#bytes -= length;
    }
  }
}

export class SealedFrames {
  readonly #keys: SealKeys;
  readonly #header: Uint8Array;
  /** The counts of one lane never meet those of another under the same key. */
  readonly #base: number;
  readonly #out: Direction;
  readonly #in: Direction;
  #broken = false;

  /**
   * @param lane the number of its lane: frames of one are in order among themselves
   * @param from where the counts begin: 0 but in tests
   */
  constructor(keys: SealKeys, lane = 0, from = 0) {
    this.#keys = keys;
    this.#header = Uint8Array.of(SEALED_MARK + lane);
    this.#base = lane * SEALED_FRAMES_MAX;
    this.#out = new Direction(from, SEALING_BYTES_MAX);
    this.#in = new Direction(from, OPENING_BYTES_MAX);
  }

  /** Whether a frame of so many bytes would be sealed now, and not be refused as `busy`. */
  hasRoomFor(length: number): boolean {
    return this.#out.hasRoom(length);
  }

  /** Whether a sealed frame is of this lane. */
  isOwn(sealed: Uint8Array): boolean {
    return sealed[0] === this.#header[0];
  }

  /** Frames leave in the order of the calls. Errors: busy (nothing was sealed), link-failed when the keys are used up. */
  async sealFrame(frame: Uint8Array): Promise<Uint8Array> {
    if (this.#out.count >= SEALED_FRAMES_MAX)
      throw new RaftError('link-failed', 'The keys of this link are used up. Link again.');
    if (!this.#out.hasRoom(frame.length)) throw new RaftError('busy', 'Too many bytes are being sealed at once.');
    const count = this.#base + this.#out.count++;
    const sealed = await this.#out.inOrder(frame.length, seal(this.#keys.send, count, this.#header, frame));
    return new ByteWriter()
      .fixed(this.#header)
      .fixed(sealed ?? this.#header)
      .done();
  }

  /** Frames come in the order of the calls. Errors: message-invalid; then nothing of this link is opened any more. */
  async openFrame(sealed: Uint8Array): Promise<Uint8Array> {
    if (this.#broken || !this.isOwn(sealed) || this.#in.count >= SEALED_FRAMES_MAX || !this.#in.hasRoom(sealed.length))
      this.#refuse();
    const count = this.#base + this.#in.count++;
    const frame = await this.#in.inOrder(sealed.length, unseal(this.#keys.receive, count, this.#header, sealed.subarray(1)));
    // What was behind a frame that did not open is not given out either.
    return frame === undefined || this.#broken ? this.#refuse() : frame;
  }

  #refuse(): never {
    this.#broken = true;
    throw new RaftError('message-invalid', 'A sealed frame does not open: it was lost, repeated or altered on the way.');
  }
}
