/** One number for a whole run: two runs of one seed must come to the same, in every engine. */

/** A double as the words that hold it: the same everywhere, and far cheaper than its digits. */
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

export class TraceHash {
  #a = 0x811c9dc5;
  #b = 0x01234567;

  add(text: string): void {
    for (let i = 0; i < text.length; i += 1) this.#mix(text.charCodeAt(i) + i);
  }

  /** A message that arrived: when, from whom, for whom, and all its bytes (a cluster's random id is in some that are not Raft's). */
  addMessage(timeMs: number, from: string, to: string, bytes: Uint8Array, whole: boolean): void {
    double[0] = timeMs;
    this.#mix(words[0] as number);
    this.#mix(words[1] as number);
    this.add(from);
    this.add(to);
    if (whole) {
      let a = this.#a;
      for (let i = 0; i < bytes.length; i += 1) a = Math.imul(a ^ (bytes[i] as number), 0x01000193);
      this.#a = a;
    }
    this.#mix(bytes.length);
  }

  #mix(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193);
    this.#b = Math.imul(this.#b ^ word, 0x85ebca6b) + 1;
  }

  get value(): string {
    return (this.#a >>> 0).toString(16).padStart(8, '0') + (this.#b >>> 0).toString(16).padStart(8, '0');
  }
}
