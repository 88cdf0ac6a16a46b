/**
 * The form of a trace (docs/RECORDING.md): a header, then records of one byte and its fields, in the order in which
 * things happened. Numbers are varints as in codec/entries.ts; bytes and texts carry their length before them.
 *
 *   trace = magic, version, flags, record*, END reason
 *
 * A call into the core is followed by what the core asked for during it, then by what became of it.
 */
import { RaftError } from '../../core/errors.ts';

export const TRACE_MAGIC = 0x54425254;
export const TRACE_VERSION = 1;
/** Header flag: commands are zeros of their length. */
export const FLAG_REDACTED = 1;

/** What a record says besides a call. A number here is part of the format. */
export const OP = {
  end: 0,
  open: 1,
  bounds: 2,
  draw: 3,
  term: 4,
  entries: 5,
  snapshot: 6,
  threw: 7,
  hash: 8,
} as const;

/** The calls, each with the number CALL_BASE + its place. A place is part of the format: append only. */
export const CALLS = [
  'tick',
  'setTime',
  'step',
  'campaign',
  'propose',
  'proposeConfChange',
  'applyConfChange',
  'readIndex',
  'transferLeader',
  'forgetLeader',
  'reportUnreachable',
  'reportSnapshot',
  'reportSnapshotProgress',
  'ready',
  'persisted',
  'applied',
  'advance',
  'onEntriesFetched',
  'resumeAfterPause',
  'setPriority',
  'setCheckQuorum',
  'setElectionTimeoutRange',
  'setElectionTimeout',
  'hasUnappliedConfChange',
  'goAlone',
  'giveProxyVote',
  'persistedDeciding',
] as const;
export type CallName = (typeof CALLS)[number];
export const CALL_BASE = 16;

/** How a question to the log was answered, before the count of entries or the term. */
export const ANSWER = { compacted: 0, unavailable: 1, known: 2, inline: 3 } as const;

const FIRST_BYTES = 4096;

export class TraceWriter {
  #bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  number(value: number): void {
    this.#room(9);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Whole numbers below zero too. */
  signed(value: number): void {
    this.number(value < 0 ? -value * 2 - 1 : value * 2);
  }

  bytes(value: Uint8Array): void {
    this.number(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  text(value: string): void {
    this.bytes(new TextEncoder().encode(value));
  }

  /** Takes back everything after `length`. */
  cut(length: number): void {
    this.#length = length;
  }

  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Reads what a TraceWriter wrote; every method throws `corrupt` when the bytes end or make no sense. */
export class TraceReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next record's byte, left where it is. */
  peek(): number {
    return this.#bytes[this.#at] ?? refuse();
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? refuse();
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) refuse();
      if (byte < 0x80) return value;
      if (scale > 2 ** 56) refuse();
    }
  }

  signed(): number {
    const value = this.number();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  bytes(): Uint8Array {
    const length = this.number();
    if (length > this.#bytes.length - this.#at) refuse();
    const value = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }
}

function refuse(): never {
  throw new RaftError('corrupt', 'The trace is malformed or ends early.');
}
