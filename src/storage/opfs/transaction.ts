/**
 * A transaction as bytes:
 *
 *   count:4  then for each operation  kind:1  table:1  key  and for put: length:4  value, for delete-range: to:8
 *
 * A key is a double in `log`, and length:2 with UTF-8 in `meta` and `records`. Decoding checks every length: the frame's
 * checksum has shown that these are the bytes that were written, but a build with a fault may have written them.
 */
import type { Key, Operation, Table } from '../packed/medium.ts';

/** Tables that a journal holds, by their number. Snapshot chunks have files of their own. */
const JOURNAL_TABLES: readonly Table[] = ['meta', 'log', 'records'];
const PUT = 1;
const DELETE = 2;
const DELETE_RANGE = 3;
const OPERATION_BYTES_MIN = 4;

/** A put remembers where in the body its value lies. */
export interface PlacedOperation {
  readonly operation: Operation;
  readonly valueAt: number;
}

interface Encodable {
  readonly operation: Operation;
  /** As bytes, of a text key. */
  readonly text: Uint8Array | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeTransaction(operations: readonly Operation[]): {
  body: Uint8Array<ArrayBuffer>;
  placed: PlacedOperation[];
} {
  const parts = operations.map(
    (operation): Encodable => ({
      operation,
      text: 'key' in operation && typeof operation.key === 'string' ? encoder.encode(operation.key) : undefined,
    }),
  );
  const body = new Uint8Array(parts.reduce((bytes, part) => bytes + bytesOf(part), 4));
  const view = new DataView(body.buffer);
  view.setUint32(0, operations.length, true);
  let at = 4;
  const placed = parts.map((part) => {
    const { operation, text } = part;
    body[at] = operation.kind === 'put' ? PUT : operation.kind === 'delete' ? DELETE : DELETE_RANGE;
    body[at + 1] = JOURNAL_TABLES.indexOf(operation.table);
    at += 2;
    if (text === undefined) {
      view.setFloat64(at, Number(operation.kind === 'delete-range' ? operation.from : operation.key), true);
      at += 8;
    } else {
      view.setUint16(at, text.length, true);
      body.set(text, at + 2);
      at += 2 + text.length;
    }
    if (operation.kind === 'delete-range') {
      view.setFloat64(at, operation.to, true);
      at += 8;
    } else if (operation.kind === 'put') {
      view.setUint32(at, operation.value.length, true);
      body.set(operation.value, at + 4);
      at += 4 + operation.value.length;
    }
    return { operation, valueAt: operation.kind === 'put' ? at - operation.value.length : 0 };
  });
  return { body, placed };
}

function bytesOf({ operation, text }: Encodable): number {
  const key = text === undefined ? 8 : 2 + text.length;
  const more = operation.kind === 'put' ? 4 + operation.value.length : operation.kind === 'delete' ? 0 : 8;
  return 2 + key + more;
}

/** Errors: plain ones, which say what is wrong. */
export function decodeTransaction(body: Uint8Array): PlacedOperation[] {
  const reader = new Reader(body);
  const count = reader.uint32();
  if (count > body.length / OPERATION_BYTES_MIN) throw new Error(`it counts ${count} operations`);
  const placed = Array.from({ length: count }, () => reader.operation());
  if (!reader.ended) throw new Error('bytes are left over');
  return placed;
}

class Reader {
  readonly #body: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  }

  get ended(): boolean {
    return this.#at === this.#body.length;
  }

  /** Throws a RangeError when the body is over. */
  uint32(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  operation(): PlacedOperation {
    const kind = this.#byte();
    const table = JOURNAL_TABLES[this.#byte()];
    if (table === undefined) throw new Error('a table that never was');
    if (kind === DELETE_RANGE) {
      if (table !== 'log') throw new Error(`a range of ${table}`);
      return { operation: { kind: 'delete-range', table, from: this.#number(), to: this.#number() }, valueAt: 0 };
    }
    const key: Key = table === 'log' ? this.#number() : decoder.decode(this.#bytes(this.#uint16()));
    if (kind === DELETE) return { operation: { kind: 'delete', table, key }, valueAt: 0 };
    if (kind !== PUT) throw new Error(`an operation of kind ${kind}`);
    const value = this.#bytes(this.uint32());
    return { operation: { kind: 'put', table, key, value }, valueAt: this.#at - value.length };
  }

  #byte(): number {
    this.#at += 1;
    return this.#view.getUint8(this.#at - 1);
  }
  #uint16(): number {
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2, true);
  }
  #number(): number {
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8, true);
  }
  #bytes(length: number): Uint8Array<ArrayBuffer> {
    if (this.#at + length > this.#body.length) throw new Error('a value is cut short');
    this.#at += length;
    return this.#body.slice(this.#at - length, this.#at);
  }
}
