/**
 * The records of the `meta` table: crc32:4 over what follows, then a packed array. Written whole, read whole, and
 * never believed before the checksum and the shape are.
 */
import { snapshotMetaFrom, snapshotMetaParts } from '../../codec/conf-state.ts';
import { crc32 } from '../../codec/crc32.ts';
import { decodeEntries, encodeEntries } from '../../codec/entries.ts';
import { pack, unpackStored } from '../../codec/pack.ts';
import { RaftError } from '../../core/errors.ts';
import { type Entry, type HardState, type Index, NO_BYTES, type NodeId, type SnapshotMeta } from '../../core/types.ts';
import { Fields } from '../fields.ts';
import type { ClusterIdentity } from '../storage.ts';
import type { Operation } from './medium.ts';
import type { TermIndexState, TermRun } from './term-index.ts';

/**
 * Version of the layout of the whole database. 1: `hard` had no end of the log, so that a missing last segment went
 * unnoticed; 2: `head` has it, and the newest entries themselves; 3: the same records, and a promise: a store of it may have
 * given a vote to another to use, and holds the node's key pair, neither of which a build that knows 2 looks after.
 */
export const FORMAT_VERSION = 3;

/** Marks of a move (see move.ts): a store that was given up for another place, and one that is not a store yet. */
export const MOVED = 'moved';
export const MOVING = 'moving';

export interface IdentityRecord {
  readonly nodeId: NodeId;
  readonly room: string;
  readonly bootCount: number;
  readonly openedAtMs: number;
}
/**
 * Written with every transaction that changes any of it. A small append is nothing but this one record: its entries stay
 * in `tail`, behind the log's last segment, until there are enough of them for a segment.
 */
export interface HeadRecord {
  readonly hardState: HardState;
  readonly lastIndex: Index;
  /** Contiguous up to lastIndex; hides what segments hold from its first entry on. May be empty. */
  readonly tail: readonly Entry[];
}
export interface LogRecord extends TermIndexState {
  readonly generation: number;
  /** Segments that end at or before it are merged as far as they go. */
  readonly mergedTo: number;
}
export interface SnapshotRecord {
  readonly id: number;
  readonly meta: SnapshotMeta;
  readonly bytes: number;
  readonly digest: string;
  /** crc32 of each chunk. */
  readonly checksums: readonly number[];
}
export interface MetaRecords {
  readonly format: number;
  readonly identity: IdentityRecord;
  readonly cluster: ClusterIdentity;
  /** Of format 1. */
  readonly hard: HardState;
  readonly log: LogRecord;
  readonly snapshot: SnapshotRecord;
}
export type MetaName = keyof MetaRecords;

const encoders: { readonly [N in MetaName]: (value: MetaRecords[N]) => unknown } = {
  format: (version) => [version],
  identity: (r) => [r.nodeId, r.room, r.bootCount, r.openedAtMs],
  cluster: (r) => [r.clusterId, r.epoch],
  hard: (r) => [r.term, r.vote, r.commit],
  log: (r) => [r.generation, r.firstIndex, r.termBefore, r.mergedTo, r.runs.flat()],
  snapshot: (r) => [r.id, snapshotMetaParts(r.meta), r.bytes, r.digest, r.checksums],
};

const decoders: { readonly [N in MetaName]: (fields: Fields) => MetaRecords[N] } = {
  format: (f) => f.number(0),
  identity: (f) => ({ nodeId: f.string(0), room: f.string(1), bootCount: f.number(2), openedAtMs: f.number(3) }),
  cluster: (f) => ({ clusterId: f.string(0), epoch: f.number(1) }),
  hard: decodeHardState,
  log: decodeLog,
  snapshot: (f) => ({
    id: f.number(0),
    meta: snapshotMetaFrom(f.array(1)),
    bytes: f.number(2),
    digest: f.string(3),
    checksums: f.numbers(4),
  }),
};

export function putMeta<N extends MetaName>(name: N, value: MetaRecords[N]): Operation {
  return { kind: 'put', table: 'meta', key: name, value: seal(pack(encoders[name](value))) };
}

export function putHead({ hardState, lastIndex, tail }: HeadRecord): Operation {
  const run = tail.length === 0 ? NO_BYTES : encodeEntries(tail);
  const fields = [hardState.term, hardState.vote, hardState.commit, lastIndex, run];
  return { kind: 'put', table: 'meta', key: 'head', value: seal(pack(fields)) };
}

/** Errors: corrupt, naming the record. */
export function readMeta<N extends MetaName>(all: ReadonlyMap<string, Uint8Array>, name: N): MetaRecords[N] | undefined {
  return read(all, name, (body) => decoders[name](new Fields(unpackStored(body))));
}

/** Errors: corrupt. */
export function readHead(all: ReadonlyMap<string, Uint8Array>): HeadRecord | undefined {
  return read(all, 'head', (body) => {
    const fields = new Fields(unpackStored(body));
    const tail = fields.bytes(4);
    const entries = tail.length === 0 ? [] : decodeEntries(tail);
    const lastIndex = fields.number(3);
    if (tail.length > 0 && entries.at(-1)?.index !== lastIndex) throw new Error('its entries do not end where it says');
    return { hardState: decodeHardState(fields), lastIndex, tail: entries };
  });
}

function read<T>(all: ReadonlyMap<string, Uint8Array>, name: string, decode: (body: Uint8Array) => T): T | undefined {
  const stored = all.get(name);
  if (stored === undefined) return undefined;
  try {
    return decode(unseal(stored));
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : 'it cannot be decoded';
    throw new RaftError('corrupt', `The stored record '${name}' is damaged: ${what}.`, { cause });
  }
}

export function seal(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(4 + body.length);
  value.set(body, 4);
  new DataView(value.buffer).setUint32(0, crc32(body), true);
  return value;
}

export function unseal(value: Uint8Array): Uint8Array {
  if (value.length < 4) throw new Error('it is cut short');
  const body = value.subarray(4);
  const stored = new DataView(value.buffer, value.byteOffset, 4).getUint32(0, true);
  if (stored !== crc32(body)) throw new Error('it does not match its checksum');
  return body;
}

function decodeHardState(f: Fields): HardState {
  return { term: f.number(0), vote: f.string(1), commit: f.number(2) };
}

function decodeLog(f: Fields): LogRecord {
  const flat = f.numbers(4);
  const runs: TermRun[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) runs.push([flat[i] ?? 0, flat[i + 1] ?? 0]);
  return { generation: f.number(0), firstIndex: f.number(1), termBefore: f.number(2), mergedTo: f.number(3), runs };
}
