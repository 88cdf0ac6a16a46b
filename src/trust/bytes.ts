/**
 * Bytes with one meaning: fields of fixed width or with their length before them, so that two different lists of fields never
 * have the same bytes. Everything that is hashed, signed or said before the proof is written here.
 */
import { RaftError } from '../core/errors.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function malformed(what: string): never {
  throw new RaftError('message-invalid', `trust: ${what}`);
}

export class ByteWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** Bytes whose number the reader knows. */
  fixed(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return this;
  }

  u8(value: number): this {
    return this.fixed(Uint8Array.of(value));
  }

  u16(value: number): this {
    return this.fixed(Uint8Array.of(value >>> 8, value & 0xff));
  }

  /** A safe integer from 0, in eight bytes. */
  u64(value: number): this {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
    return this.fixed(bytes);
  }

  /** At most 65,535 bytes, with their length. */
  bytes(bytes: Uint8Array): this {
    if (bytes.length > 0xffff) malformed('a field is too long');
    return this.u16(bytes.length).fixed(bytes);
  }

  text(text: string): this {
    return this.bytes(encoder.encode(text));
  }

  done(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

/** Reads untrusted bytes. Every method: message-invalid. Results are copies. */
export class ByteReader {
  readonly #whole: Uint8Array;
  #at = 0;

  constructor(whole: Uint8Array) {
    this.#whole = whole;
  }

  fixed(length: number): Uint8Array {
    if (this.#at + length > this.#whole.length) malformed('a message ends early');
    this.#at += length;
    return this.#whole.slice(this.#at - length, this.#at);
  }

  u8(): number {
    return this.fixed(1)[0] as number;
  }

  u16(): number {
    return this.u8() * 256 + this.u8();
  }

  u64(): number {
    const bytes = this.fixed(8);
    const value = new DataView(bytes.buffer).getBigUint64(0);
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? malformed('a number is too large') : Number(value);
  }

  bytes(max: number): Uint8Array {
    const length = this.u16();
    return length > max ? malformed('a field is too long') : this.fixed(length);
  }

  /** Empty, or exactly `length` bytes. */
  optional(length: number): Uint8Array {
    const bytes = this.bytes(length);
    return bytes.length === 0 || bytes.length === length ? bytes : malformed('a field has the wrong length');
  }

  text(bytesMax: number): string {
    try {
      return decoder.decode(this.bytes(bytesMax));
    } catch {
      return malformed('a text is not UTF-8');
    }
  }

  /** What has been read so far. */
  read(): Uint8Array {
    return this.#whole.slice(0, this.#at);
  }

  end(): void {
    if (this.#at !== this.#whole.length) malformed('a message has bytes left over');
  }
}

/** In a time that depends on the length only. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) malformed('not hexadecimal');
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
