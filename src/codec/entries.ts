/**
 * The binary form of a run of log entries, shared by the wire and by storage.
 *
 *   run    = version:1 byte, first index, count, first term, first time, then each entry
 *   entry  = header, [term step], [time step], payload
 *   header = payload length * 8 + conf * 1 + (term differs) * 2 + (time differs) * 4
 *
 * Numbers are varints (7 bits per byte, least first); a time step is zigzag. A run is contiguous, so only the first
 * index is written; a first index of 0 means a run of proposals, which have none. Terms never fall inside a run: the
 * form cannot say it. The payload of a conf entry is its packed change.
 */
import { RaftError } from '../core/errors.ts';
import { type Entry, makeEntry, NO_BYTES } from '../core/types.ts';
import { packChange, unpackChange } from './conf-change.ts';
import { ENTRY_BYTES_MAX, ENTRY_TIME_MAX, RUN_REMEMBERED_BYTES_MAX, RUNS_REMEMBERED_MAX } from './limits.ts';

const RUN_VERSION = 1;
const CONF = 1;
const TERM_DIFFERS = 2;
const TIME_DIFFERS = 4;

// Where the encoder writes and the decoder reads. Module state instead of an object per run: this is the hot path,
// and neither direction calls out before it is done.
let bytes: Uint8Array = NO_BYTES;
let at = 0;

/**
 * Encodes a contiguous run, or a run of proposals (all of index 0). Errors: invalid-argument when the run is neither or
 * its terms fall; too-large for an entry above ENTRY_BYTES_MAX. The result is an exact copy.
 */
export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  const encoded = new Uint8Array(runBytes(entries));
  writeRun(entries, encoded, 0);
  return encoded;
}

/** Writes a run that `runBytes` has measured, and so checked, into `target` from `start` on. */
export function writeRun(entries: readonly Entry[], target: Uint8Array, start: number): void {
  const first = entries[0];
  bytes = target;
  at = start;
  bytes[at++] = RUN_VERSION;
  let term = first === undefined ? 0 : first.term;
  let time = first === undefined ? 0 : first.time;
  writeNumber(first === undefined ? 0 : first.index);
  writeNumber(entries.length);
  writeNumber(term);
  writeNumber(time);
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as Entry;
    const payload = entry.type === 'conf' ? packChange(entry) : entry.data;
    writeNumber(header(entry, payload.length, term, time));
    if (entry.term !== term) writeNumber(entry.term - term);
    if (entry.time !== time) writeNumber(zigzag(entry.time - time));
    term = entry.term;
    time = entry.time;
    bytes.set(payload, at);
    at += payload.length;
  }
  bytes = NO_BYTES;
}

/**
 * Decodes a run. The entries' `data` are views on `input` (and so are the contexts of a change): who keeps an entry keeps
 * the whole input, who stores it elsewhere copies it. Errors: message-invalid.
 */
export function decodeEntries(input: Uint8Array): Entry[] {
  return decodeRun(input, 0, Number.MAX_SAFE_INTEGER);
}

/** Decodes the run that `input` holds from `start` to its end; one of more than `entriesMax` is refused unread. */
export function decodeRun(input: Uint8Array, start: number, entriesMax: number): Entry[] {
  bytes = input;
  at = start + 1;
  if (input[start] !== RUN_VERSION) refuse('unknown version');
  const first = readNumber();
  const count = readNumber();
  let term = readNumber();
  let time = readNumber();
  if (count > input.length - at) refuse('count larger than the bytes');
  if (count > entriesMax) refuse('too many entries');
  if (first + count > Number.MAX_SAFE_INTEGER) refuse('index out of range');
  if (first === 0 && term !== 0) refuse('a proposal with a term');
  const { buffer, byteOffset } = input;
  const entries: Entry[] = new Array(count);
  for (let i = 0; i < count; i++) {
    const head = readNumber();
    const flags = head & 7;
    const length = (head - flags) / 8;
    if ((flags & TERM_DIFFERS) !== 0) term = inRange(term + readNumber());
    if ((flags & TIME_DIFFERS) !== 0) time = time + unzigzag(readNumber());
    if (!isTime(time)) refuse('a time out of range');
    if (first === 0 && term !== 0) refuse('a proposal with a term');
    if (length > input.length - at) refuse('payload ends early');
    const payload = length === 0 ? NO_BYTES : new Uint8Array(buffer, byteOffset + at, length);
    at += length;
    const index = first === 0 ? 0 : first + i;
    entries[i] =
      (flags & CONF) === 0
        ? makeEntry(index, term, 'normal', time, payload, undefined)
        : makeEntry(index, term, 'conf', time, NO_BYTES, unpackChange(payload));
  }
  if (at !== input.length) refuse('bytes left over');
  bytes = NO_BYTES;
  return entries;
}

/** Of the last few runs encoded: where their bytes are. The slots are written again and again, since every append fills one. */
interface RememberedRun {
  first: Entry | undefined;
  last: Entry | undefined;
  count: number;
  bytes: Uint8Array;
  start: number;
  length: number;
  /** The view on those bytes, once somebody asked for it. */
  encoded: Uint8Array | undefined;
}
const remembered: readonly RememberedRun[] = Array.from({ length: RUNS_REMEMBERED_MAX }, () => {
  return { first: undefined, last: undefined, count: 0, bytes: NO_BYTES, start: 0, length: 0, encoded: undefined };
});
let oldest = 0;

/**
 * `encodeEntries`, remembered for the last few runs: a leader sends the same run to every follower and writes it to its
 * own disk. A run is known by the identity of its first and last entry and its length; entries are immutable and whatever
 * replaces one in the middle of a log also replaces the last. The result is shared, and may be a view on the message that
 * carried the run: nobody may change, transfer or structured-clone it.
 */
export function encodeEntriesOnce(entries: readonly Entry[]): Uint8Array {
  const known = rememberedRun(entries);
  if (known !== undefined) return known;
  const encoded = encodeEntries(entries);
  rememberRun(entries, encoded, 0, encoded.length);
  return rememberedRun(entries) ?? encoded;
}

/** The encoding of a run that was encoded lately. */
export function rememberedRun(entries: readonly Entry[]): Uint8Array | undefined {
  const count = entries.length;
  if (count === 0) return undefined;
  const first = entries[0];
  const last = entries[count - 1];
  for (let i = 0; i < RUNS_REMEMBERED_MAX; i++) {
    const run = remembered[i] as RememberedRun;
    if (run.last !== last || run.first !== first || run.count !== count) continue;
    run.encoded ??= new Uint8Array(run.bytes.buffer, run.bytes.byteOffset + run.start, run.length);
    return run.encoded;
  }
  return undefined;
}

/** From now on `length` bytes of `target` from `start` on, which nobody will change, are the encoding of this run. */
export function rememberRun(entries: readonly Entry[], target: Uint8Array, start: number, length: number): void {
  const first = entries[0];
  if (first === undefined || first.index === 0 || length > RUN_REMEMBERED_BYTES_MAX) return;
  const run = remembered[oldest] as RememberedRun;
  oldest = (oldest + 1) % RUNS_REMEMBERED_MAX;
  run.first = first;
  run.last = entries[entries.length - 1];
  run.count = entries.length;
  run.bytes = target;
  run.start = start;
  run.length = length;
  run.encoded = undefined;
}

/** Bytes that an entry takes in a run, at most: for filling a message or a segment up to a limit. */
export function entryBytesBound(entry: Entry): number {
  return entry.type === 'conf' ? 24 + packChange(entry).length : 24 + entry.data.length;
}

/** The exact size of a run encoded, and the check that it is one. Errors: as `encodeEntries`. */
export function runBytes(entries: readonly Entry[]): number {
  const first = entries[0];
  if (first === undefined) return 5;
  let term = first.term;
  let time = first.time;
  let total = 1 + numberBytes(first.index) + numberBytes(entries.length) + numberBytes(term) + numberBytes(time);
  if (
    !isTime(time) ||
    !Number.isSafeInteger(term) ||
    term < 0 ||
    !Number.isSafeInteger(first.index) ||
    first.index < 0 ||
    (first.index === 0 && term > 0)
  ) {
    throw new RaftError('invalid-argument', 'entries: index, term and time are whole numbers from 0, a proposal has term 0');
  }
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as Entry;
    const length = entry.type === 'conf' ? packChange(entry).length : entry.data.length;
    if (entry.index !== (first.index === 0 ? 0 : first.index + i))
      throw new RaftError('invalid-argument', 'entries: not contiguous');
    if (length > ENTRY_BYTES_MAX) throw new RaftError('too-large', `an entry of ${length} bytes; at most ${ENTRY_BYTES_MAX}`);
    total += numberBytes(header(entry, length, term, time)) + length;
    if (entry.term !== term) {
      if (!(entry.term > term)) throw new RaftError('invalid-argument', 'entries: a term falls');
      total += numberBytes(entry.term - term);
      term = entry.term;
    }
    if (entry.time !== time) {
      if (!isTime(entry.time)) throw new RaftError('invalid-argument', 'entries: time is a whole number from 0');
      total += numberBytes(zigzag(entry.time - time));
      time = entry.time;
    }
  }
  return total;
}

function header(entry: Entry, length: number, term: number, time: number): number {
  return (
    length * 8 +
    (entry.type === 'conf' ? CONF : 0) +
    (entry.term !== term ? TERM_DIFFERS : 0) +
    (entry.time !== time ? TIME_DIFFERS : 0)
  );
}

function numberBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  let count = 3;
  for (let rest = value / 0x200000; rest >= 1; rest /= 128) count++;
  return count;
}

function writeNumber(value: number): void {
  let rest = value;
  while (rest >= 0x80000000) {
    bytes[at++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
}

function readNumber(): number {
  let byte = bytes[at++];
  if (byte === undefined) refuse('ends early');
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  // Most of the rest take two bytes: not worth a loop, and a product would be a floating-point number on its way.
  byte = bytes[at++];
  if (byte === undefined) refuse('ends early');
  if (byte < 0x80) return value | (byte << 7);
  value |= (byte & 0x7f) << 7;
  let scale = 128 * 128;
  do {
    byte = bytes[at++];
    if (byte === undefined) refuse('ends early');
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (value > Number.MAX_SAFE_INTEGER || scale > 2 ** 63) refuse('a number out of range');
  } while (byte >= 0x80);
  return value;
}

function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2;
}

function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}

function isTime(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < ENTRY_TIME_MAX;
}

function inRange(value: number): number {
  return Number.isSafeInteger(value) && value >= 0 ? value : refuse('a number out of range');
}

function refuse(what: string): never {
  bytes = NO_BYTES;
  throw new RaftError('message-invalid', `encoded entries: ${what}`);
}
