/**
 * A snapshot's bytes: frames of a 4-byte little-endian length and that many bytes, so that however storage
 * and links cut the stream into chunks, what was written as one piece is read as one piece.
 */
import { RaftError } from '../core/errors.ts';

/** Longest frame, in bytes: a longer one means the stream is damaged. */
export const FRAME_BYTES_MAX: number = 256 * 1024 * 1024;

export async function* writeFrames(
  header: Uint8Array,
  rest: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  yield frame(header);
  for await (const chunk of rest) yield frame(chunk);
}

function frame(bytes: Uint8Array): Uint8Array {
  const framed = new Uint8Array(4 + bytes.length);
  new DataView(framed.buffer).setUint32(0, bytes.length, true);
  framed.set(bytes, 4);
  return framed;
}

/** Errors: corrupt when the stream ends inside a frame. */
export async function* readFrames(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const pending = new Pending();
  for await (const chunk of chunks) {
    pending.push(chunk);
    for (let next = pending.take(); next !== undefined; next = pending.take()) yield next;
  }
  if (pending.length > 0) throw new RaftError('corrupt', 'The snapshot ends inside a frame.');
}

class Pending {
  length = 0;
  #chunks: Uint8Array[] = [];
  #wanted: number | undefined;

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  /** The next whole frame, if there is one. */
  take(): Uint8Array | undefined {
    if (this.#wanted === undefined) {
      if (this.length < 4) return undefined;
      const head = this.#read(4);
      this.#wanted = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
      if (this.#wanted > FRAME_BYTES_MAX) throw new RaftError('corrupt', `The snapshot holds a frame of ${this.#wanted} bytes.`);
    }
    if (this.length < this.#wanted) return undefined;
    const bytes = this.#read(this.#wanted);
    this.#wanted = undefined;
    return bytes;
  }

  #read(count: number): Uint8Array {
    const out = new Uint8Array(count);
    let at = 0;
    while (at < count) {
      const first = this.#chunks[0];
      if (first === undefined) break;
      const part = first.subarray(0, count - at);
      out.set(part, at);
      at += part.length;
      if (part.length === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(part.length);
    }
    this.length -= count;
    return out;
  }
}
