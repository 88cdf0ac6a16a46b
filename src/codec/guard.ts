/**
 * Looks through untrusted MessagePack without decoding it, and refuses what must never reach the decoder:
 * lengths that lie, more values than a message has, nesting that overflows the stack, keys that are not strings, and extension types (records
 * compile code, others build RegExp and Error objects or follow pointers). Allocates nothing.
 */
import { RaftError } from '../core/errors.ts';
import { ENCODED_VALUE_DEPTH_MAX } from './limits.ts';

/** The one extension of ours: types that MessagePack lacks, inside application values. */
export const TAGGED_EXTENSION = 0x54;
const UNDEFINED_EXTENSION = 0x00;
const TIMESTAMP_EXTENSION = 0xff;

/** `none`: no extension at all. `values`: undefined, timestamps and our own. */
export type AllowedExtensions = 'none' | 'values';

/** What `guard` saw: for decoding without looking twice. Valid until its next call. */
export const seen: {
  /** How many binary values, at any depth. */
  binaries: number;
  /** Where the last item of the outermost array begins; 0 when the value is none or empty. */
  lastItemAt: number;
} = { binaries: 0, lastItemAt: 0 };

/** Items still to be read at each depth. Shared: the guard never calls out. */
const pending: Float64Array = new Float64Array(ENCODED_VALUE_DEPTH_MAX + 2);
const isMap: Uint8Array = new Uint8Array(ENCODED_VALUE_DEPTH_MAX + 2);

function refuse(what: string): never {
  throw new RaftError('message-invalid', `encoded value: ${what}`);
}

/**
 * The position after the first value in `bytes`. Errors: message-invalid.
 * @param depthMax at most ENCODED_VALUE_DEPTH_MAX
 * @param itemsMax how many values arrays and maps may hold, all together; keys of maps are counted too
 */
export function guard(bytes: Uint8Array, depthMax: number, extensions: AllowedExtensions, itemsMax: number): number {
  const end = bytes.length;
  let at = 0;
  let depth = 0;
  let itemsLeft = itemsMax;
  pending[0] = 1;
  isMap[0] = 0;
  seen.binaries = 0;
  seen.lastItemAt = 0;
  for (;;) {
    while (pending[depth] === 0) {
      if (depth === 0) return at;
      depth--;
    }
    const left = pending[depth] as number;
    if (at >= end) refuse('ends early');
    const token = bytes[at++] as number;
    if (isMap[depth] === 1 && left % 2 === 0 && !(token >= 0xa0 && token < 0xc0) && !(token >= 0xd9 && token <= 0xdb)) {
      refuse('a key is not a string');
    }
    pending[depth] = left - 1;
    if (depth === 1 && left === 1) seen.lastItemAt = at - 1;
    if (token < 0x80 || token >= 0xe0) continue;
    let items = -1;
    let map = 0;
    if (token < 0x90) {
      items = (token & 0x0f) * 2;
      map = 1;
    } else if (token < 0xa0) items = token & 0x0f;
    else if (token < 0xc0) at += token & 0x1f;
    else if (token >= 0xdc && token <= 0xdf) {
      const wide = token === 0xdd || token === 0xdf;
      items = lengthAt(bytes, at, wide ? 4 : 2);
      at += wide ? 4 : 2;
      if (token >= 0xde) {
        items *= 2;
        map = 1;
      }
    } else if (token === 0xd4 && extensions === 'values' && bytes[at] === TAGGED_EXTENSION) {
      at += 2;
      items = 1;
    } else {
      if (token >= 0xc4 && token <= 0xc6) seen.binaries++;
      at = skipScalar(bytes, at, token, extensions);
    }
    if (at > end) refuse('ends early');
    if (items > 0) {
      if (items > end - at) refuse('a length is larger than the message');
      itemsLeft -= items;
      if (itemsLeft < 0) refuse('too many values');
      if (++depth > depthMax) refuse('too deeply nested');
      pending[depth] = items;
      isMap[depth] = map;
    }
  }
}

/** Position after a value that holds no others. */
function skipScalar(bytes: Uint8Array, at: number, token: number, extensions: AllowedExtensions): number {
  switch (token) {
    case 0xc0: // nil, false, true
    case 0xc2:
    case 0xc3:
      return at;
    case 0xc4: // bin
    case 0xd9: // str
      return at + 1 + lengthAt(bytes, at, 1);
    case 0xc5:
    case 0xda:
      return at + 2 + lengthAt(bytes, at, 2);
    case 0xc6:
    case 0xdb:
      return at + 4 + lengthAt(bytes, at, 4);
    case 0xcc: // 8 bit
    case 0xd0:
      return at + 1;
    case 0xcd:
    case 0xd1:
      return at + 2;
    case 0xca: // 32 bit
    case 0xce:
    case 0xd2:
      return at + 4;
    case 0xcb: // 64 bit
    case 0xcf:
    case 0xd3:
      return at + 8;
    default:
      return extensions === 'values' ? skipExtension(bytes, at, token) : refuse('holds a type that is not allowed');
  }
}

function skipExtension(bytes: Uint8Array, at: number, token: number): number {
  const type = bytes[token === 0xc7 ? at + 1 : at];
  if (token === 0xd4 && (type === UNDEFINED_EXTENSION || type === TIMESTAMP_EXTENSION)) return at + 2;
  if (token === 0xd6 && type === TIMESTAMP_EXTENSION) return at + 5;
  if (token === 0xd7 && type === TIMESTAMP_EXTENSION) return at + 9;
  if (token === 0xc7 && bytes[at] === 12 && type === TIMESTAMP_EXTENSION) return at + 14;
  return refuse('holds a type that is not allowed');
}

function lengthAt(bytes: Uint8Array, at: number, width: 1 | 2 | 4): number {
  if (at + width > bytes.length) refuse('ends early');
  let length = 0;
  for (let i = 0; i < width; i++) length = length * 256 + (bytes[at + i] as number);
  return length;
}
