/**
 * What a file medium knows without reading: the small tables whole, and of each log segment where it lies. Writer: the
 * medium, with each transaction that is on the disk.
 */
import type { Operation } from '../packed/medium.ts';
import type { PlacedOperation } from './transaction.ts';

/** Where a value lies: in the body of the frame that starts at `frameAt` of journal file `file`. */
export interface Place {
  readonly file: number;
  readonly frameAt: number;
  readonly bodyAt: number;
  readonly length: number;
}

export class FileTables {
  readonly meta: Map<string, Uint8Array<ArrayBuffer>> = new Map();
  readonly records: Map<string, Uint8Array<ArrayBuffer>> = new Map();
  readonly #places = new Map<number, Place>();
  /** Ascending. */
  #keys: number[] = [];

  get segments(): number {
    return this.#keys.length;
  }

  apply(placed: readonly PlacedOperation[], file: number, frameAt: number): void {
    for (const { operation, valueAt } of placed) {
      if (operation.table !== 'log') this.#applySmall(operation);
      else if (operation.kind === 'put') {
        this.put(Number(operation.key), { file, frameAt, bodyAt: valueAt, length: operation.value.length });
      } else if (operation.kind === 'delete') this.#deleteRange(Number(operation.key), Number(operation.key) + 1);
      else this.#deleteRange(operation.from, operation.to);
    }
  }

  #applySmall(operation: Operation): void {
    if (operation.kind === 'delete-range') return;
    const table = operation.table === 'meta' ? this.meta : this.records;
    // Copies: the caller may reuse its bytes.
    if (operation.kind === 'put') table.set(String(operation.key), operation.value.slice());
    else table.delete(String(operation.key));
  }

  put(key: number, place: Place): void {
    if (!this.#places.has(key)) this.#keys.splice(this.#floor(key) + 1, 0, key);
    this.#places.set(key, place);
  }

  #deleteRange(from: number, to: number): void {
    const start = this.#floor(from - 1) + 1;
    let end = start;
    while (end < this.#keys.length && (this.#keys[end] ?? to) < to) end += 1;
    for (const key of this.#keys.splice(start, end - start)) this.#places.delete(key);
  }

  place(key: number): Place | undefined {
    return this.#places.get(key);
  }

  /** Keys from the greatest not above `key` on, at most `limit`. */
  from(key: number, limit: number): readonly number[] {
    const start = Math.max(0, this.#floor(key));
    return this.#keys.slice(start, start + limit);
  }

  /** Keys from `from` up to but not including `to`, at most `limit`. */
  between(from: number, to: number, limit: number): readonly number[] {
    const start = this.#floor(from - 1) + 1;
    return this.#keys.slice(start, start + limit).filter((key) => key < to);
  }

  *entries(): Iterable<readonly [key: number, place: Place]> {
    for (const key of this.#keys) {
      const place = this.#places.get(key);
      if (place !== undefined) yield [key, place];
    }
  }

  /** A frame was written again elsewhere. */
  relocate(from: { file: number; frameAt: number }, to: { file: number; frameAt: number }): void {
    for (const [key, place] of this.#places) {
      if (place.file === from.file && place.frameAt === from.frameAt) this.#places.set(key, { ...place, ...to });
    }
  }

  /** Numbers of the journal files that hold a segment. */
  filesInUse(): Set<number> {
    const used = new Set<number>();
    for (const { file } of this.#places.values()) used.add(file);
    return used;
  }

  /** Position of the greatest key not above `key`; -1 when there is none. */
  #floor(key: number): number {
    let low = -1;
    let high = this.#keys.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#keys[middle] ?? Number.POSITIVE_INFINITY) <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
