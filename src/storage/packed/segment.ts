/**
 * A segment: the record in which a run of log entries is stored.
 *
 *   version:1  crc32:4 over all that follows  generation:4  first:8  count:4  prevTerm:8  run of entries
 *
 * Numbers are little-endian, the 8-byte ones doubles. The key of the record is `first`. `generation` tells the log that
 * a received snapshot replaced from the one after it; `prevTerm` (the term of the entry before) ties a segment to its
 * neighbour, so that a swapped or missing one is noticed.
 */
import { crc32 } from '../../codec/crc32.ts';
import { decodeEntries, encodeEntries, encodeEntriesOnce, entryBytesBound } from '../../codec/entries.ts';
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, Term } from '../../core/types.ts';

const SEGMENT_VERSION = 1;
const HEADER_BYTES = 29;
const CRC_AT = 1;
const CHECKED_FROM = 5;

/**
 * Most bytes of a segment, unless a single entry is larger. IndexedDB's backends keep values from 64 KiB on in a file
 * of their own, which costs two more syncs per write; below that, larger is better.
 */
export const SEGMENT_BYTES_MAX = 60_000;

export interface Segment {
  readonly generation: number;
  readonly first: Index;
  readonly last: Index;
  readonly prevTerm: Term;
  readonly entries: readonly Entry[];
}

export interface EncodedSegment {
  readonly first: Index;
  readonly last: Index;
  readonly value: Uint8Array<ArrayBuffer>;
}

/** Packs contiguous entries into as few segments as the size limit allows. */
export function encodeSegments(entries: readonly Entry[], prevTerm: Term, generation: number): EncodedSegment[] {
  const segments: EncodedSegment[] = [];
  let start = 0;
  let bytes = HEADER_BYTES;
  let before = prevTerm;
  for (let i = 0; i < entries.length; i += 1) {
    const entry = entries[i];
    if (entry === undefined) break;
    const more = entryBytesBound(entry);
    if (i > start && bytes + more > SEGMENT_BYTES_MAX) {
      const run = entries.slice(start, i);
      segments.push(encodeSegment(encodeEntries(run), run, before, generation));
      before = run.at(-1)?.term ?? before;
      start = i;
      bytes = HEADER_BYTES;
    }
    bytes += more;
  }
  if (start === entries.length) return segments;
  const run = start === 0 ? entries : entries.slice(start);
  // A whole batch is what the leader also sends: encoded once for its followers and its disk.
  segments.push(encodeSegment(start === 0 ? encodeEntriesOnce(run) : encodeEntries(run), run, before, generation));
  return segments;
}

function encodeSegment(encoded: Uint8Array, run: readonly Entry[], prevTerm: Term, generation: number): EncodedSegment {
  const value = new Uint8Array(HEADER_BYTES + encoded.length);
  const view = new DataView(value.buffer);
  const first = run[0]?.index ?? 0;
  value[0] = SEGMENT_VERSION;
  view.setUint32(5, generation, true);
  view.setFloat64(9, first, true);
  view.setUint32(17, run.length, true);
  view.setFloat64(21, prevTerm, true);
  value.set(encoded, HEADER_BYTES);
  view.setUint32(CRC_AT, crc32(value.subarray(CHECKED_FROM)), true);
  return { first, last: first + run.length - 1, value };
}

/** Errors: corrupt, saying which segment and what is wrong with it; storage-newer. */
export function decodeSegment(key: number, value: Uint8Array): Segment {
  const refuse = (what: string, cause?: unknown): never => {
    throw new RaftError('corrupt', `The log segment that starts at ${key} ${what}.`, { index: key, cause });
  };
  if (value.length < HEADER_BYTES) refuse('is cut short');
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const fits = view.getUint32(CRC_AT, true) === crc32(value.subarray(CHECKED_FROM));
  // One of a later version has its checksum elsewhere, or counts it otherwise: where ours fits, its version is what was damaged.
  if ((value[0] ?? 0) > SEGMENT_VERSION && !fits) {
    throw new RaftError('storage-newer', `The log segment that starts at ${key} was written by a newer version of tabraft.`);
  }
  if (value[0] !== SEGMENT_VERSION) refuse('has a version that never was');
  if (!fits) refuse('does not match its checksum');
  const generation = view.getUint32(5, true);
  const first = view.getFloat64(9, true);
  const count = view.getUint32(17, true);
  const prevTerm = view.getFloat64(21, true);
  if (first !== key) refuse(`says that it starts at ${first}`);
  let entries: readonly Entry[] = [];
  try {
    entries = decodeEntries(value.subarray(HEADER_BYTES));
  } catch (error) {
    refuse('cannot be decoded', error);
  }
  if (entries.length !== count || count === 0 || entries[0]?.index !== first) refuse('does not hold the entries it names');
  return { generation, first, last: first + count - 1, prevTerm, entries };
}
