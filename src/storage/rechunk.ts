/**
 * Bytes of one snapshot chunk, but for the last: large enough that a chunk costs little over its bytes, small enough to
 * be held in memory. The same everywhere, so that chunk number n means the same bytes on every member.
 */
export const SNAPSHOT_CHUNK_BYTES: number = 1024 * 1024;

/** Cuts a stream of pieces of any size into chunks of exactly SNAPSHOT_CHUNK_BYTES. Copies what it is given. */
export class Rechunker {
  #chunk: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #used = 0;

  /** The chunks that became full. */
  push(bytes: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const full: Uint8Array<ArrayBuffer>[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#used === this.#chunk.length) this.#grow(bytes.length - at);
      const take = Math.min(this.#chunk.length - this.#used, bytes.length - at);
      this.#chunk.set(bytes.subarray(at, at + take), this.#used);
      this.#used += take;
      at += take;
      if (this.#used === SNAPSHOT_CHUNK_BYTES) full.push(this.#take());
    }
    return full;
  }

  /** What is left, if anything. */
  flush(): Uint8Array<ArrayBuffer> | undefined {
    return this.#used === 0 ? undefined : this.#take();
  }

  /** Doubles, so that a small snapshot does not cost a whole chunk. */
  #grow(wanted: number): void {
    const bytes = Math.min(SNAPSHOT_CHUNK_BYTES, Math.max(this.#chunk.length * 2, wanted, 1024));
    const larger = new Uint8Array(bytes);
    larger.set(this.#chunk.subarray(0, this.#used));
    this.#chunk = larger;
  }

  #take(): Uint8Array<ArrayBuffer> {
    const chunk = this.#used === this.#chunk.length ? this.#chunk : this.#chunk.slice(0, this.#used);
    this.#chunk = new Uint8Array(0);
    this.#used = 0;
    return chunk;
  }
}
