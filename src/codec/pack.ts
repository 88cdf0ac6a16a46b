/**
 * Values to bytes and back: the only file that knows msgpackr.
 *  - `pack`, `unpack`, `unpackStored`: what tabraft itself says and stores: null, booleans, numbers, strings, Uint8Array, arrays,
 *    plain objects. The decoder refuses everything else before it looks at it.
 *  - `packValue`, `unpackValue`: what applications put into commands, results and state: the same and undefined, Date,
 *    bigint, Map, Set, ArrayBuffer and typed arrays. The bytes are the same in every engine.
 *
 * Bytes that come out of here are exact copies, never views on a pool: they may be stored, transferred and kept.
 * (`msgpackr/pack` is the build without native code: Node and browsers decode alike, also what is malformed.)
 */
import { addExtension, Packr, RESET_BUFFER_MODE } from 'msgpackr/pack';
import { RaftError } from '../core/errors.ts';
import { guard, seen, TAGGED_EXTENSION } from './guard.ts';
import {
  BULK_BYTES_MIN,
  COMMAND_DEPTH_MAX,
  ENCODED_VALUE_DEPTH_MAX,
  MESSAGE_DEPTH_MAX,
  MESSAGE_ITEMS_MAX,
  POOL_BYTES,
  POOL_BYTES_MAX,
  READ_BYTES_MAX,
  SMALL_BYTES_MAX,
} from './limits.ts';
import { fromTagged, Tagged, toPackable } from './value.ts';

/** Options shared by both: no records (they compile code), no toJSON (a field of that name is data). */
const shared = {
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: false,
  structuredClone: false,
  useToJSON: false,
  variableMapSize: true,
};
const messages = new Packr({ ...shared, int64AsType: 'number', encodeUndefinedAsNil: true });
const values = new Packr({ ...shared, int64AsType: 'bigint' });

messages.useBuffer(makePool());
addExtension({ Class: Tagged, type: TAGGED_EXTENSION, write: (tagged: Tagged) => tagged.parts, read: fromTagged });

/** msgpackr goes on allocating pools of this size by itself. In Node it needs a Buffer. */
function makePool(): Uint8Array {
  return typeof Buffer === 'undefined' ? new Uint8Array(POOL_BYTES) : Buffer.allocUnsafeSlow(POOL_BYTES);
}

function exactCopy(packr: Packr, view: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(view.length);
  bytes.set(view);
  if (view.buffer.byteLength > POOL_BYTES_MAX) {
    packr.useBuffer(makePool());
  }
  return bytes;
}

/** Encodes what tabraft says itself. undefined becomes null. */
export function pack(value: unknown): Uint8Array {
  return exactCopy(messages, messages.pack(value, RESET_BUFFER_MODE));
}

/**
 * Encodes a message for the wire: an array of at most 15 parts. Unlike `pack` the result may be a view on a pool that is
 * never written again: fit for sending, not for structured cloning. A last part of bulk bytes is copied once.
 */
export function packMessage(parts: readonly unknown[]): Uint8Array {
  const last = parts[parts.length - 1];
  if (!(last instanceof Uint8Array) || last.length <= BULK_BYTES_MIN) return messages.pack(parts);
  const head = messages.pack(parts.slice(0, -1), RESET_BUFFER_MODE);
  const bytes = new Uint8Array(head.length + 5 + last.length);
  bytes.set(head);
  bytes[0] = (head[0] as number) + 1; // one part more: the array's length is in the low four bits
  let at = head.length;
  bytes[at++] = 0xc6; // bin 32
  for (const shift of [24, 16, 8, 0]) bytes[at++] = last.length >>> shift;
  bytes.set(last, at);
  return bytes;
}

/**
 * Decodes untrusted bytes. Uint8Arrays in the result are views on `bytes`. Errors: message-invalid, also for more than
 * MESSAGE_ITEMS_MAX values.
 */
export function unpack(bytes: Uint8Array): unknown {
  return decode(messages, bytes, whole(bytes, guard(bytes, MESSAGE_DEPTH_MAX, 'none', MESSAGE_ITEMS_MAX)));
}

/** Decodes what this node has packed and stored itself, of any number of values. Errors: message-invalid. */
export function unpackStored(bytes: Uint8Array): unknown {
  return decode(messages, bytes, whole(bytes, guard(bytes, MESSAGE_DEPTH_MAX, 'none', ANY_ITEMS)));
}

/** Of an application's values and of stored ones: how many there are is bounded by their bytes. */
const ANY_ITEMS: number = Number.MAX_SAFE_INTEGER;

/** Small messages are decoded in one place, whose DataView msgpackr keeps: making one per message costs more than the copy. */
const small: Uint8Array = new Uint8Array(SMALL_BYTES_MAX);

/** Like `unpack`, quicker for what `packMessage` makes. Errors: message-invalid. */
export function unpackMessage(bytes: Uint8Array): unknown {
  whole(bytes, guard(bytes, MESSAGE_DEPTH_MAX, 'none', MESSAGE_ITEMS_MAX));
  const { binaries, lastItemAt } = seen;
  if (binaries === 0 && bytes.length <= SMALL_BYTES_MAX) {
    small.set(bytes);
    return decodeSmall(messages, bytes.length);
  }
  const first = bytes[0] as number;
  const width = BINARY_HEADER_BYTES[(bytes[lastItemAt] as number) - 0xc4];
  const isFlat = binaries === 1 && width !== undefined && first > 0x90 && first <= 0x9f && lastItemAt <= SMALL_BYTES_MAX;
  if (!isFlat) return decode(messages, bytes, bytes.length);
  for (let i = 1; i < lastItemAt; i++) small[i] = bytes[i] as number;
  small[0] = first - 1;
  const parts = decodeSmall(messages, lastItemAt);
  const at = lastItemAt + width;
  if (Array.isArray(parts)) parts.push(new Uint8Array(bytes.buffer, bytes.byteOffset + at, bytes.length - at));
  return parts;
}

/** Of binary of up to 8, 16 and 32 bits of length. */
const BINARY_HEADER_BYTES: readonly number[] = [2, 3, 5];

function decodeSmall(packr: Packr, length: number): unknown {
  try {
    return packr.unpack(small, length);
  } catch (cause) {
    throw new RaftError('message-invalid', 'encoded value: cannot be decoded', { cause });
  }
}

/**
 * Encodes an application's value. Errors: invalid-argument, which names the place: a function, a symbol, a class
 * instance, a cycle or nesting deeper than VALUE_DEPTH_MAX. -0 becomes 0; strings are UTF-8, so an unpaired surrogate
 * may become U+FFFD.
 */
export function packValue(value: unknown): Uint8Array {
  return exactCopy(values, values.pack(toPackable(value), RESET_BUFFER_MODE));
}

/**
 * Decodes an application's value. The result is the caller's own, to change as it likes: `bytes` are the log's, or a
 * session's, and stay as they are. Whoever gives the bytes away gets Uint8Arrays as views on them. Errors: message-invalid.
 */
export function unpackValue(bytes: Uint8Array, given: 'kept' | 'given away' = 'kept'): unknown {
  return unpackTo(ENCODED_VALUE_DEPTH_MAX, bytes, given);
}

function unpackTo(depthMax: number, bytes: Uint8Array, given: 'kept' | 'given away'): unknown {
  whole(bytes, guard(bytes, depthMax, 'values', ANY_ITEMS));
  if (seen.binaries > 0 && given === 'kept') return decode(values, bytes.slice(), bytes.length);
  if (seen.binaries > 0 || bytes.length > SMALL_BYTES_MAX) return decode(values, bytes, bytes.length);
  small.set(bytes);
  return decodeSmall(values, bytes.length);
}

/** Encodes a command: a value that can be read back as one. Errors: invalid-argument. */
export function packCommand(value: unknown): Uint8Array {
  const bytes = packValue(value);
  try {
    guard(bytes, COMMAND_DEPTH_MAX, 'values', ANY_ITEMS);
  } catch (cause) {
    throw new RaftError('invalid-argument', `The command is nested more than ${COMMAND_DEPTH_MAX} levels deep.`, { cause });
  }
  return bytes;
}

/** Decodes a command that anybody may have put into the log; the result is the caller's own. Errors: message-invalid. */
export function unpackCommand(bytes: Uint8Array): unknown {
  return unpackTo(COMMAND_DEPTH_MAX, bytes, 'kept');
}

function whole(bytes: Uint8Array, end: number): number {
  if (end !== bytes.length) throw new RaftError('message-invalid', 'encoded value: bytes left over');
  return end;
}

/**
 * What was read last, whole: the commands of a message or a segment lie in one buffer and are read one after the other.
 * msgpackr keeps a DataView on what it reads, which costs more to make than most commands to read.
 */
let read: Uint8Array = new Uint8Array(0);
/** `read.buffer`, kept: asking a view for it is a call out of JavaScript. */
let readBuffer: ArrayBufferLike = read.buffer;
const place: { start: number; end: number } = { start: 0, end: 0 };

/** Through a view of our own: msgpackr leaves a field on what it reads, and hands out Buffers where it is given one. */
function decode(packr: Packr, bytes: Uint8Array, end: number): unknown {
  const { buffer, byteOffset } = bytes;
  try {
    // A large buffer is not kept alive for the sake of the next call.
    if (buffer.byteLength > READ_BYTES_MAX) return packr.unpack(new Uint8Array(buffer, byteOffset, end));
    if (readBuffer !== buffer) {
      read = new Uint8Array(buffer);
      readBuffer = buffer;
    }
    place.start = byteOffset;
    place.end = byteOffset + end;
    return packr.unpack(read, place);
  } catch (cause) {
    throw new RaftError('message-invalid', 'encoded value: cannot be decoded', { cause });
  }
}
