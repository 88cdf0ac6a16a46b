/**
 * Frames on a link without encryption of its own (a relay): sealed with AES-256-GCM, counted. Each direction has its own key;
 * the count is not sent, so a frame that was lost, repeated, moved or altered does not open, and ends the link.
 */
import { RaftError } from '../core/errors.ts';
import { ByteWriter } from './bytes.ts';
import { SEALED_MARK } from './handshake/messages.ts';
import { SEALED_FRAMES_MAX, SEALING_BYTES_MAX } from './limits.ts';
import { SEAL_BYTES, seal, unseal } from './primitives.ts';

export interface SealKeys {
  readonly send: CryptoKey;
  readonly receive: CryptoKey;
}

/** Bytes that sealing adds to a frame. */
export const SEALED_OVERHEAD_BYTES: number = 1 + SEAL_BYTES;

const HEADER: Uint8Array = Uint8Array.of(SEALED_MARK);

/** One direction: results in the order of the calls, however the engine schedules the work. */
class Lane {
  count: number;
  #bytes = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(count: number) {
    this.count = count;
  }

  hasRoom(length: number): boolean {
    return this.#bytes === 0 || this.#bytes + length <= SEALING_BYTES_MAX;
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
  readonly #out: Lane;
  readonly #in: Lane;
  #broken = false;

  /** @param from where the counts begin: 0 but in tests */
  constructor(keys: SealKeys, from = 0) {
    this.#keys = keys;
    this.#out = new Lane(from);
    this.#in = new Lane(from);
  }

  /** Frames leave in the order of the calls. Errors: busy (nothing was sealed), link-failed when the keys are used up. */
  async sealFrame(frame: Uint8Array): Promise<Uint8Array> {
    if (this.#out.count >= SEALED_FRAMES_MAX)
      throw new RaftError('link-failed', 'The keys of this link are used up. Link again.');
    if (!this.#out.hasRoom(frame.length)) throw new RaftError('busy', 'Too many bytes are being sealed at once.');
    const count = this.#out.count++;
    const sealed = await this.#out.inOrder(frame.length, seal(this.#keys.send, count, HEADER, frame));
    return new ByteWriter()
      .fixed(HEADER)
      .fixed(sealed ?? HEADER)
      .done();
  }

  /** Frames come in the order of the calls. Errors: message-invalid; then nothing of this link is opened any more. */
  async openFrame(sealed: Uint8Array): Promise<Uint8Array> {
    if (this.#broken || sealed[0] !== SEALED_MARK || this.#in.count >= SEALED_FRAMES_MAX || !this.#in.hasRoom(sealed.length))
      this.#refuse();
    const count = this.#in.count++;
    const frame = await this.#in.inOrder(sealed.length, unseal(this.#keys.receive, count, HEADER, sealed.subarray(1)));
    // What was behind a frame that did not open is not given out either.
    return frame === undefined || this.#broken ? this.#refuse() : frame;
  }

  #refuse(): never {
    this.#broken = true;
    throw new RaftError('message-invalid', 'A sealed frame does not open: it was lost, repeated or altered on the way.');
  }
}
