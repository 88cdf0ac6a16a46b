/**
 * The digest of a snapshot's state: MurmurHash3 (x86, 128 bits), fed in pieces of any size. Synchronous, the same in
 * every engine, and fast. It finds accidents, not forgeries: whoever can send a snapshot can send its digest.
 */
const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;
const BLOCK_BYTES = 16;

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function finalMix(x: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

export class Digest {
  #h1 = 0;
  #h2 = 0;
  #h3 = 0;
  #h4 = 0;
  #bytes = 0;
  /** Fewer than a block, waiting for more. */
  readonly #rest = new Uint8Array(BLOCK_BYTES);
  #restBytes = 0;

  update(bytes: Uint8Array): this {
    this.#bytes += bytes.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(BLOCK_BYTES - this.#restBytes, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < BLOCK_BYTES) return this;
      this.#blocks(this.#rest, 0, BLOCK_BYTES);
      this.#restBytes = 0;
    }
    const end = at + ((bytes.length - at) & ~(BLOCK_BYTES - 1));
    this.#blocks(bytes, at, end);
    this.#rest.set(bytes.subarray(end));
    this.#restBytes = bytes.length - end;
    return this;
  }

  #blocks(bytes: Uint8Array, from: number, to: number): void {
    let [h1, h2, h3, h4] = [this.#h1, this.#h2, this.#h3, this.#h4];
    for (let at = from; at < to; at += BLOCK_BYTES) {
      h1 ^= Math.imul(rotate(Math.imul(word(bytes, at), C1), 15), C2);
      h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
      h2 ^= Math.imul(rotate(Math.imul(word(bytes, at + 4), C2), 16), C3);
      h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
      h3 ^= Math.imul(rotate(Math.imul(word(bytes, at + 8), C3), 17), C4);
      h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
      h4 ^= Math.imul(rotate(Math.imul(word(bytes, at + 12), C4), 18), C1);
      h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
    }
    [this.#h1, this.#h2, this.#h3, this.#h4] = [h1, h2, h3, h4];
  }

  /** 32 hex digits. Ends the digest: feed it no more. */
  hex(): string {
    const rest = this.#rest.fill(0, this.#restBytes);
    let h1 = this.#h1 ^ Math.imul(rotate(Math.imul(word(rest, 0), C1), 15), C2);
    let h2 = this.#h2 ^ Math.imul(rotate(Math.imul(word(rest, 4), C2), 16), C3);
    let h3 = this.#h3 ^ Math.imul(rotate(Math.imul(word(rest, 8), C3), 17), C4);
    let h4 = this.#h4 ^ Math.imul(rotate(Math.imul(word(rest, 12), C4), 18), C1);
    h1 ^= this.#bytes;
    h2 ^= this.#bytes;
    h3 ^= this.#bytes;
    h4 ^= this.#bytes;
    h1 = (h1 + h2 + h3 + h4) | 0;
    [h2, h3, h4] = [(h2 + h1) | 0, (h3 + h1) | 0, (h4 + h1) | 0];
    [h1, h2, h3, h4] = [finalMix(h1), finalMix(h2), finalMix(h3), finalMix(h4)];
    h1 = (h1 + h2 + h3 + h4) | 0;
    [h2, h3, h4] = [(h2 + h1) | 0, (h3 + h1) | 0, (h4 + h1) | 0];
    return [h1, h2, h3, h4].map((h) => (h >>> 0).toString(16).padStart(8, '0')).join('');
  }
}

export function digestOf(chunks: Iterable<Uint8Array>): string {
  const digest = new Digest();
  for (const chunk of chunks) digest.update(chunk);
  return digest.hex();
}
