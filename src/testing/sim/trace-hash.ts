/** One number for a whole run: two runs of one seed must come to the same, in every engine. */

export class TraceHash {
  #a = 0x811c9dc5;
  #b = 0x01234567;

  add(text: string): void {
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      this.#a = Math.imul(this.#a ^ code, 0x01000193);
      this.#b = Math.imul(this.#b ^ (code + i), 0x85ebca6b) + 1;
    }
  }

  get value(): string {
    return (this.#a >>> 0).toString(16).padStart(8, '0') + (this.#b >>> 0).toString(16).padStart(8, '0');
  }
}
