/**
 * Memory for messages on their way out. One message after the other is written into a slab, and what leaves is a view on
 * it: an allocation per message would cost more than writing the message. A slab is never written twice, so a view stays
 * as it is for as long as anybody holds it; it keeps its whole slab alive, and must not be structured-cloned.
 */
import { SLAB_BYTES, SLAB_MESSAGE_BYTES_MAX } from './limits.ts';

/** Where to write: `bytes` from `at`, and on. One object for all, since nobody calls out while writing. */
export const out: { bytes: Uint8Array; at: number } = { bytes: new Uint8Array(0), at: 0 };

/** The memory of `out.bytes`, which begins with it: asking the view for it is a call out of JavaScript, for every message. */
let memory: ArrayBufferLike = out.bytes.buffer;

let slab: Uint8Array = new Uint8Array(0);
let used = 0;

/** Makes room for so many bytes at `out.at`. */
export function reserve(bytesMax: number): void {
  if (bytesMax > SLAB_MESSAGE_BYTES_MAX) {
    out.bytes = allocate(bytesMax);
    memory = out.bytes.buffer;
    out.at = 0;
    return;
  }
  if (used + bytesMax > slab.length) {
    slab = allocate(SLAB_BYTES);
    used = 0;
  }
  if (out.bytes !== slab) {
    out.bytes = slab;
    memory = slab.buffer;
  }
  out.at = used;
}

/** What was written, from where `out.at` was to `end`. */
export function written(start: number, end: number): Uint8Array {
  if (out.bytes === slab) used = end;
  return new Uint8Array(memory, start, end - start);
}

/** A view on all of its memory. Not cleared where that can be had: every byte of a view was written. */
function allocate(bytes: number): Uint8Array {
  return typeof Buffer === 'undefined' ? new Uint8Array(bytes) : Buffer.allocUnsafeSlow(bytes);
}
