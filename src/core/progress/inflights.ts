/**
 * Appends sent to one follower and not answered: a ring of (last index, bytes), oldest first. Full when either limit is
 * reached; the message that reaches the limit in bytes may exceed it, so that any entry can be sent.
 */
import type { Index } from '../types.ts';

const RING_MIN = 8;

export class Inflights {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #last: Index[] = [];
  #bytes: number[] = [];
  #start = 0;
  #count = 0;
  #total = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#total;
  }

  get full(): boolean {
    return this.#count >= this.#maxMessages || this.#total >= this.#maxBytes;
  }

  /** An append whose last entry is `last`: the indexes added only grow. */
  add(last: Index, bytes: number): void {
    if (this.#count === this.#last.length) this.#grow();
    const at = (this.#start + this.#count) % this.#last.length;
    this.#last[at] = last;
    this.#bytes[at] = bytes;
    this.#count++;
    this.#total += bytes;
  }

  /** Everything up to `index` was answered. */
  freeTo(index: Index): void {
    const size = this.#last.length;
    while (this.#count > 0) {
      const last = this.#last[this.#start] as Index;
      if (last > index) return;
      this.#total -= this.#bytes[this.#start] as number;
      this.#start = this.#start + 1 === size ? 0 : this.#start + 1;
      this.#count--;
    }
  }

  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#total = 0;
  }

  #grow(): void {
    const size = this.#last.length;
    const last = new Array<Index>(Math.max(RING_MIN, size * 2)).fill(0);
    const bytes = new Array<number>(last.length).fill(0);
    for (let i = 0; i < size; i++) {
      last[i] = this.#last[(this.#start + i) % size] as Index;
      bytes[i] = this.#bytes[(this.#start + i) % size] as number;
    }
    this.#last = last;
    this.#bytes = bytes;
    this.#start = 0;
  }
}
