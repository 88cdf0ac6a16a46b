/** What was unpacked, taken apart with a check of every type: plain errors, which the caller turns into a code. */

/** An array of fields whose types are checked as they are taken. */
export class Fields {
  readonly #values: readonly unknown[];
  constructor(value: unknown) {
    if (!Array.isArray(value)) throw new Error('it is not an array');
    this.#values = value;
  }
  number(at: number): number {
    const value = this.#values[at];
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw new Error(`field ${at} is not a number`);
    return value;
  }
  string(at: number): string {
    const value = this.#values[at];
    if (typeof value !== 'string') throw new Error(`field ${at} is not text`);
    return value;
  }
  bytes(at: number): Uint8Array {
    const value = this.#values[at];
    if (!(value instanceof Uint8Array)) throw new Error(`field ${at} is not bytes`);
    return value;
  }
  fields(at: number): Fields {
    return new Fields(this.#values[at]);
  }
  array(at: number): readonly unknown[] {
    const value = this.#values[at];
    if (!Array.isArray(value)) throw new Error(`field ${at} is not an array`);
    return value;
  }
  numbers(at: number): number[] {
    const inner = this.fields(at);
    return this.array(at).map((_, i) => inner.number(i));
  }
  isNull(at: number): boolean {
    return this.#values[at] === null;
  }
}
