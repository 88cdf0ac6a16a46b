/**
 * Application values before and after msgpackr: checks that a value can be sent at all, and gives the types
 * MessagePack lacks one form that is the same in every engine (msgpackr's own differs between Node and browsers).
 */
import { RaftError } from '../core/errors.ts';
import { VALUE_DEPTH_MAX } from './limits.ts';

/** A value of a type that MessagePack lacks: [kind, what it is made of]. */
export class Tagged {
  readonly parts: readonly [kind: number, content: unknown];
  constructor(kind: number, content: unknown) {
    this.parts = [kind, content];
  }
}

const MAP = 0;
const SET = 1;
/** A bigint of more than 64 bits, as text. Smaller ones have a form of their own. */
const BIG = 2;
const BUFFER = 3;
/** Kinds from here on: typed arrays in the order of TYPED_ARRAYS. Bytes are little-endian. */
const TYPED = 16;
const TYPED_ARRAYS = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

const INT64_MIN: bigint = -(2n ** 63n);
const UINT64_MAX: bigint = 2n ** 64n - 1n;

function refuse(path: readonly string[], what: string): never {
  const place = path.length === 0 ? 'the value' : path.join('.');
  throw new RaftError('invalid-argument', `cannot be encoded: ${place} is ${what}`);
}

/** The same value where possible, else a copy in which Tagged stands for what MessagePack lacks. Errors: invalid-argument. */
export function toPackable(value: unknown): unknown {
  return convert(value, []);
}

function convert(value: unknown, path: string[]): unknown {
  if (typeof value === 'object') return value === null ? null : convertObject(value, path);
  if (typeof value === 'function' || typeof value === 'symbol') refuse(path, `a ${typeof value}`);
  if (typeof value === 'bigint' && (value < INT64_MIN || value > UINT64_MAX)) return new Tagged(BIG, value.toString());
  return value;
}

function convertObject(value: object, path: string[]): unknown {
  if (path.length >= VALUE_DEPTH_MAX) refuse(path.slice(0, 4), `nested more than ${VALUE_DEPTH_MAX} deep, or a cycle`);
  if (Array.isArray(value)) return convertArray(value, path);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || Object.getPrototypeOf(prototype) === null)
    return convertRecord(value as Record<string, unknown>, path);
  if (value instanceof Uint8Array) return value;
  if (value instanceof Date) return value;
  if (value instanceof Map) return new Tagged(MAP, convertArray([...value.entries()].flat(1), path));
  if (value instanceof Set) return new Tagged(SET, convertArray([...value], path));
  if (value instanceof ArrayBuffer) return new Tagged(BUFFER, new Uint8Array(value));
  for (let kind = 0; kind < TYPED_ARRAYS.length; kind++) {
    const type = TYPED_ARRAYS[kind];
    if (type !== undefined && value instanceof type) {
      return new Tagged(TYPED + kind, new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    }
  }
  const name: unknown = value.constructor?.name;
  return refuse(path, `an instance of ${typeof name === 'string' ? name : 'a class'}`);
}

function convertArray(value: readonly unknown[], path: string[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < value.length; i++) {
    const before = value[i];
    if (typeof before === 'string' || typeof before === 'number') continue;
    path.push(String(i));
    const after = convert(before, path);
    path.pop();
    if (after === before) continue;
    copy ??= [...value];
    copy[i] = after;
  }
  return copy ?? value;
}

function convertRecord(value: Readonly<Record<string, unknown>>, path: string[]): Readonly<Record<string, unknown>> {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    if (key === '__proto__') refuse([...path, key], 'a key that is not allowed');
    const before = value[key];
    if (typeof before === 'string' || typeof before === 'number') continue;
    path.push(key);
    const after = convert(before, path);
    path.pop();
    if (after === before) continue;
    copy ??= { ...value };
    copy[key] = after;
  }
  return copy ?? value;
}

/** The value that Tagged parts stand for. Throws on anything malformed; the caller makes that a coded error. */
export function fromTagged(parts: unknown): unknown {
  if (!Array.isArray(parts) || parts.length !== 2) throw new TypeError('not a tagged value');
  const kind: unknown = parts[0];
  const content: unknown = parts[1];
  if (kind === MAP && Array.isArray(content) && content.length % 2 === 0) {
    const map = new Map<unknown, unknown>();
    for (let i = 0; i < content.length; i += 2) map.set(content[i], content[i + 1]);
    return map;
  }
  if (kind === SET && Array.isArray(content)) return new Set(content);
  if (kind === BIG && typeof content === 'string' && /^-?\d+$/.test(content)) return BigInt(content);
  if (!(content instanceof Uint8Array)) throw new TypeError('not a tagged value');
  const buffer = new Uint8Array(content).buffer;
  if (kind === BUFFER) return buffer;
  const type = typeof kind === 'number' ? TYPED_ARRAYS[kind - TYPED] : undefined;
  if (type === undefined) throw new TypeError('not a tagged value');
  return new type(buffer);
}
