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
  const first = entries[0];
  const changes = encodeChanges(entries);
  bytes = new Uint8Array(encodedBytes(entries, changes));
  at = 1;
  bytes[0] = RUN_VERSION;
  writeNumber(first === undefined ? 0 : first.index);
  writeNumber(entries.length);
  let term = first === undefined ? 0 : first.term;
  let time = first === undefined ? 0 : first.time;
  writeNumber(term);
  writeNumber(time);
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as Entry;
    const payload = entry.type === 'conf' ? (changes?.get(i) ?? NO_BYTES) : entry.data;
    writeNumber(header(entry, payload.length, term, time));
    if (entry.term !== term) writeNumber(entry.term - term);
    if (entry.time !== time) writeNumber(zigzag(entry.time - time));
    term = entry.term;
    time = entry.time;
    bytes.set(payload, at);
    at += payload.length;
  }
  const done = bytes;
  bytes = NO_BYTES;
  return done;
}

/**
 * Decodes a run. The entries' `data` are views on `input` (and so are the contexts of a change): who keeps an entry keeps
 * the whole input, who stores it elsewhere copies it. Errors: message-invalid.
 */
export function decodeEntries(input: Uint8Array): Entry[] {
  bytes = input;
  at = 1;
  const entries: Entry[] = [];
  if (input[0] !== RUN_VERSION) refuse('unknown version');
  const first = readNumber();
  const count = readNumber();
  let term = readNumber();
  let time = readNumber();
  if (count > input.length - at) refuse('count larger than the bytes');
  if (first + count > Number.MAX_SAFE_INTEGER) refuse('index out of range');
  if (first === 0 && term !== 0) refuse('a proposal with a term');
  for (let i = 0; i < count; i++) {
    const head = readNumber();
    const flags = head & 7;
    const length = (head - flags) / 8;
    if ((flags & TERM_DIFFERS) !== 0) term = inRange(term + readNumber());
    if ((flags & TIME_DIFFERS) !== 0) time = time + unzigzag(readNumber());
    if (!isTime(time)) refuse('a time out of range');
    if (first === 0 && term !== 0) refuse('a proposal with a term');
    if (length > input.length - at) refuse('payload ends early');
    const payload = length === 0 ? NO_BYTES : new Uint8Array(input.buffer, input.byteOffset + at, length);
    at += length;
    const index = first === 0 ? 0 : first + i;
    entries.push(
      (flags & CONF) === 0
        ? makeEntry(index, term, 'normal', time, payload, undefined)
        : makeEntry(index, term, 'conf', time, NO_BYTES, unpackChange(payload)),
    );
  }
  if (at !== input.length) refuse('bytes left over');
  bytes = NO_BYTES;
  return entries;
}

interface RememberedRun {
  readonly first: Entry;
  readonly last: Entry;
  readonly count: number;
  readonly encoded: Uint8Array;
}
const remembered: RememberedRun[] = [];
let oldest = 0;

/**
 * `encodeEntries`, remembered for the last few runs: a leader sends the same run to every follower and writes it to its
 * own disk. A run is known by the identity of its first and last entry and its length; entries are immutable and whatever
 * replaces one in the middle of a log also replaces the last. The result is shared: nobody may change or transfer it.
 */
export function encodeEntriesOnce(entries: readonly Entry[]): Uint8Array {
  const count = entries.length;
  const first = entries[0];
  const last = entries[count - 1];
  if (first === undefined || last === undefined || first.index === 0) return encodeEntries(entries);
  for (let i = 0; i < remembered.length; i++) {
    const run = remembered[i] as RememberedRun;
    if (run.first === first && run.last === last && run.count === count) return run.encoded;
  }
  const encoded = encodeEntries(entries);
  if (encoded.length <= RUN_REMEMBERED_BYTES_MAX) {
    remembered[oldest] = { first, last, count, encoded };
    oldest = (oldest + 1) % RUNS_REMEMBERED_MAX;
  }
  return encoded;
}

/** Bytes that an entry takes in a run, at most: for filling a message or a segment up to a limit. */
export function entryBytesBound(entry: Entry): number {
  return entry.type === 'conf' ? 24 + packChange(entry).length : 24 + entry.data.length;
}

function encodeChanges(entries: readonly Entry[]): Map<number, Uint8Array> | undefined {
  let changes: Map<number, Uint8Array> | undefined;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as Entry;
    if (entry.type !== 'conf') continue;
    changes ??= new Map();
    changes.set(i, packChange(entry));
  }
  return changes;
}

/** The exact size, and the check that the run is one. */
function encodedBytes(entries: readonly Entry[], changes: ReadonlyMap<number, Uint8Array> | undefined): number {
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
    const length = entry.type === 'conf' ? (changes?.get(i)?.length ?? 0) : entry.data.length;
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
  let scale = 128;
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
