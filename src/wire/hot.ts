/**
 * The messages that follow every command, written and read by hand: appends and heartbeats, and their answers. The bytes
 * are the MessagePack that docs/WIRE.md says, as for all others, and any of them can be read by the general way
 * (codec.ts, validate.ts): the reader here takes the plain forms only and leaves everything it does not know to that, so
 * there is one place that judges what is malformed.
 */
import { decodeRun, rememberedRun, rememberRun, runBytes, writeRun } from '../codec/entries.ts';
import { RUN_REMEMBERED_BYTES_MAX } from '../codec/limits.ts';
import { out, reserve, written } from '../codec/slab.ts';
import { RaftError } from '../core/errors.ts';
import type { AppendRequest, AppendResponse, Entry, HeartbeatRequest, HeartbeatResponse, Message } from '../core/types.ts';
import { MESSAGE_BYTES_MAX, MESSAGE_ENTRIES_MAX } from './limits.ts';
import type { RaftEnvelope } from './peer-message.ts';
import { IMPLIED, KINDS, RAFT_TYPES } from './tables.ts';
import { appendOf } from './validate.ts';

const RAFT = KINDS.indexOf('raft');
const APPEND_REQUEST = RAFT_TYPES['append-request'];
const APPEND_RESPONSE = RAFT_TYPES['append-response'];
const HEARTBEAT_REQUEST = RAFT_TYPES['heartbeat-request'];
const HEARTBEAT_RESPONSE = RAFT_TYPES['heartbeat-response'];

/** Bytes of everything but a run: at most 10 numbers of 9 bytes, and the tokens of an array and a binary. */
const HEAD_BYTES_MAX = 100;

const ARRAY = 0x90;
const NIL = 0xc0;
const FALSE = 0xc2;
const TRUE = 0xc3;
const BIN_8 = 0xc4;
const UINT_8 = 0xcc;

/** The last append encoded, and what it was made from. One object that is written again: it is asked for with every append. */
interface RememberedAppend {
  group: number;
  term: number;
  prevIndex: number;
  prevTerm: number;
  commit: number;
  count: number;
  first: Entry | undefined;
  last: Entry | undefined;
  encoded: Uint8Array | undefined;
}
const remembered: RememberedAppend = {
  group: 0,
  term: 0,
  prevIndex: 0,
  prevTerm: 0,
  commit: 0,
  count: 0,
  first: undefined,
  last: undefined,
  encoded: undefined,
};

/** Both ends implied by the link. undefined for a type that is not among the hot ones. Errors: too-large. */
export function encodeHot(group: number, message: Message): Uint8Array | undefined {
  switch (message.type) {
    case 'append-request':
      return encodeAppendOnce(group, message);
    case 'append-response':
      return encodeAppendResponse(group, message);
    case 'heartbeat-request':
    case 'heartbeat-response':
      return encodeHeartbeat(group, message);
    default:
      return undefined;
  }
}

/** Followers that keep pace are sent the same append, one after the other: it is encoded for the first of them. */
function encodeAppendOnce(group: number, m: AppendRequest): Uint8Array {
  const { entries } = m;
  const first = entries[0];
  const last = entries[entries.length - 1];
  const r = remembered;
  if (
    r.encoded !== undefined &&
    r.first === first &&
    r.last === last &&
    r.count === entries.length &&
    r.commit === m.commit &&
    r.prevIndex === m.prevIndex &&
    r.prevTerm === m.prevTerm &&
    r.term === m.term &&
    r.group === group
  ) {
    return r.encoded;
  }
  const encoded = encodeAppend(group, m);
  const keep = encoded.length <= RUN_REMEMBERED_BYTES_MAX;
  r.encoded = keep ? encoded : undefined;
  r.first = keep ? first : undefined;
  r.last = keep ? last : undefined;
  r.count = entries.length;
  r.commit = m.commit;
  r.prevIndex = m.prevIndex;
  r.prevTerm = m.prevTerm;
  r.term = m.term;
  r.group = group;
  return encoded;
}

/** The run is written in its place after the head: its bytes are copied once, from the entries. */
function encodeAppend(group: number, m: AppendRequest): Uint8Array {
  const { entries } = m;
  const known = rememberedRun(entries);
  const length = known === undefined ? runBytes(entries) : known.length;
  if (length + HEAD_BYTES_MAX > MESSAGE_BYTES_MAX) {
    throw new RaftError('too-large', `an append with ${length} bytes of entries; a message has at most ${MESSAGE_BYTES_MAX}`);
  }
  reserve(HEAD_BYTES_MAX + length);
  const { bytes, at: start } = out;
  let at = writeHead(bytes, start, 10, group, APPEND_REQUEST, m.term);
  at = writeCount(bytes, at, m.prevIndex);
  at = writeCount(bytes, at, m.prevTerm);
  at = writeCount(bytes, at, m.commit);
  if (entries.length === 0) {
    bytes[at] = NIL;
    return written(start, at + 1);
  }
  at = writeSize(bytes, at, BIN_8, length);
  if (known !== undefined) bytes.set(known, at);
  else {
    writeRun(entries, bytes, at);
    rememberRun(entries, bytes, at, length);
  }
  return written(start, at + length);
}

function encodeAppendResponse(group: number, m: AppendResponse): Uint8Array {
  reserve(HEAD_BYTES_MAX);
  const { bytes, at: start } = out;
  let at = writeHead(bytes, start, 11, group, APPEND_RESPONSE, m.term);
  at = writeCount(bytes, at, m.index);
  bytes[at] = m.reject ? TRUE : FALSE;
  at = writeCount(bytes, at + 1, m.hintIndex);
  at = writeCount(bytes, at, m.hintTerm);
  return written(start, writeCount(bytes, at, m.commit));
}

function encodeHeartbeat(group: number, m: HeartbeatRequest | HeartbeatResponse): Uint8Array {
  reserve(HEAD_BYTES_MAX);
  const { bytes, at: start } = out;
  let at: number;
  if (m.type === 'heartbeat-request') {
    at = writeHead(bytes, start, 8, group, HEARTBEAT_REQUEST, m.term);
    at = writeCount(bytes, at, m.commit);
  } else {
    at = writeHead(bytes, start, 7, group, HEARTBEAT_RESPONSE, m.term);
  }
  return written(start, writeCount(bytes, at, m.round));
}

// A position goes in and the next comes out: kept in a register, where `out.at` would be read and written for every byte.

function writeHead(bytes: Uint8Array, start: number, parts: number, group: number, type: number, term: number): number {
  bytes[start] = ARRAY + parts;
  bytes[start + 1] = RAFT;
  const at = writeCount(bytes, start + 2, group);
  bytes[at] = type;
  bytes[at + 1] = IMPLIED;
  bytes[at + 2] = IMPLIED;
  return writeCount(bytes, at + 3, term);
}

/** A whole number from 0, in the shortest form. */
function writeCount(bytes: Uint8Array, at: number, value: number): number {
  if (value >= 0x80) return writeSize(bytes, at, UINT_8, value);
  bytes[at] = value;
  return at + 1;
}

/** A token that is followed by 1, 2, 4 (or, of a number, 8) bytes: the four tokens stand side by side in MessagePack. */
function writeSize(bytes: Uint8Array, start: number, token: number, value: number): number {
  let at = start;
  if (value < 0x100) {
    bytes[at++] = token;
  } else if (value < 0x10000) {
    bytes[at++] = token + 1;
    bytes[at++] = value >>> 8;
  } else {
    if (value < 0x100000000) {
      bytes[at++] = token + 2;
    } else {
      const high = Math.floor(value / 0x100000000);
      bytes[at++] = token + 3;
      bytes[at++] = high >>> 24;
      bytes[at++] = high >>> 16;
      bytes[at++] = high >>> 8;
      bytes[at++] = high;
    }
    bytes[at++] = value >>> 24;
    bytes[at++] = value >>> 16;
    bytes[at++] = value >>> 8;
  }
  bytes[at++] = value;
  return at;
}

// What the reader reads, and where it is. Module state instead of an object per message; nobody calls out while reading.
let source: Uint8Array = new Uint8Array(0);
let place = 0;

/** What a field is when it is not in a plain form: the message is left to the general way. */
const OTHER = -1;

/** undefined for whatever is not a hot message in its plain form. Errors: message-invalid. */
export function decodeHot(bytes: Uint8Array, from: string, to: string): RaftEnvelope | undefined {
  const parts = (bytes[0] as number) - ARRAY;
  if (bytes.length < 8 || parts < 7 || parts > 11 || bytes[1] !== RAFT) return undefined;
  source = bytes;
  place = 2;
  const group = readCount();
  const type = bytes[place++];
  if (bytes[place++] !== IMPLIED || bytes[place++] !== IMPLIED) return undefined;
  const term = readCount();
  if (group < 0 || term < 1) return undefined;
  let message: Message | undefined;
  if (type === APPEND_REQUEST && parts === 10) message = readAppend(from, to, term);
  else if (type === APPEND_RESPONSE && parts === 11) message = readAppendResponse(from, to, term);
  else if (type === HEARTBEAT_REQUEST && parts === 8) message = readHeartbeat(from, to, term);
  else if (type === HEARTBEAT_RESPONSE && parts === 7) message = readHeartbeatResponse(from, to, term);
  return message === undefined ? undefined : { kind: 'raft', group, message };
}

function readAppend(from: string, to: string, term: number): AppendRequest | undefined {
  const prevIndex = readCount();
  const prevTerm = readCount();
  const commit = readCount();
  if (prevIndex < 0 || prevTerm < 0 || commit < 0) return undefined;
  const token = source[place++] as number;
  if (token === NIL) {
    return place === source.length ? appendOf(from, to, term, prevIndex, prevTerm, commit, []) : undefined;
  }
  const wide = token - BIN_8;
  if (!(wide >= 0 && wide <= 2) || readBytes(1 << wide) !== source.length - place) return undefined;
  return appendOf(from, to, term, prevIndex, prevTerm, commit, decodeRun(source, place, MESSAGE_ENTRIES_MAX));
}

function readAppendResponse(from: string, to: string, term: number): AppendResponse | undefined {
  const index = readCount();
  const reject = source[place++];
  const hintIndex = readCount();
  const hintTerm = readCount();
  const commit = readCount();
  if (index < 0 || hintIndex < 0 || hintTerm < 0 || commit < 0) return undefined;
  if ((reject !== FALSE && reject !== TRUE) || place !== source.length) return undefined;
  return { type: 'append-response', from, to, term, index, reject: reject === TRUE, hintIndex, hintTerm, commit };
}

function readHeartbeat(from: string, to: string, term: number): HeartbeatRequest | undefined {
  const commit = readCount();
  const round = readCount();
  if (commit < 0 || round < 0 || place !== source.length) return undefined;
  return { type: 'heartbeat-request', from, to, term, commit, round };
}

function readHeartbeatResponse(from: string, to: string, term: number): HeartbeatResponse | undefined {
  const round = readCount();
  return round < 0 || place !== source.length ? undefined : { type: 'heartbeat-response', from, to, term, round };
}

function readCount(): number {
  const token = source[place++] as number;
  if (token < 0x80) return token;
  const wide = token - UINT_8;
  return wide >= 0 && wide <= 3 ? readBytes(1 << wide) : OTHER;
}

/**
 * Most significant first. OTHER beyond what is exact, and past the end. Up to four bytes without a loop or a
 * multiplication: an index takes so many, and a product would be a floating-point number on its way.
 */
function readBytes(count: number): number {
  if (place + count > source.length) return OTHER;
  if (count === 1) return source[place++] as number;
  const at = place;
  place = at + count;
  const high = ((source[at] as number) << 8) | (source[at + 1] as number);
  if (count === 2) return high;
  const value = ((high << 16) | ((source[at + 2] as number) << 8) | (source[at + 3] as number)) >>> 0;
  if (count === 4) return value;
  const wide = value * 0x100000000 + readLow(at + 4);
  return wide <= Number.MAX_SAFE_INTEGER ? wide : OTHER;
}

function readLow(at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) value = value * 256 + (source[i] as number);
  return value;
}
