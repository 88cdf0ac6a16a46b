/**
 * A frame: what is appended to a file in one piece. It takes whole sectors, so that appending never rewrites what is durable,
 * and each of its sectors bears a tag that is never zero:
 *
 *   first sector  tag:4  length:4  seq:8  flushedSeq:8  bodyCrc:4  headerCrc:4  body …
 *   the others    tag:4  body …
 *
 * A disk that loses power in the middle of a write leaves each sector as it was (zeros, or beyond the end) or as it was to
 * be. So a frame of which a sector is absent was torn, and nobody was told that it is durable; a frame whose sectors are all
 * there and that does not match its checksum was damaged later, and is refused. `flushedSeq` is the last frame that was
 * durable for certain when this one was written: one that is absent before it was lost later, too.
 */
import { crc32 } from '../../codec/crc32.ts';

export const SECTOR_BYTES = 512;
const HEADER_BYTES = 32;
const TAG_BYTES = 4;
const LENGTH_AT = 4;
const SEQ_AT = 8;
const FLUSHED_AT = 16;
const BODY_CRC_AT = 24;
const HEADER_CRC_AT = 28;
const FIRST_BYTES: number = SECTOR_BYTES - HEADER_BYTES;
const NEXT_BYTES: number = SECTOR_BYTES - TAG_BYTES;
/** Longest body: one entry of the greatest size and much beside it. A longer one is not ours. */
export const FRAME_BODY_BYTES_MAX: number = 256 * 1024 * 1024;

export interface FrameHead {
  readonly seq: number;
  readonly flushedSeq: number;
  /** Bytes of the body. */
  readonly length: number;
}

export type FoundFrame =
  | (FrameHead & { readonly kind: 'frame'; readonly body: Uint8Array; readonly end: number })
  /** Never written, or torn. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly what: string };

/** Bytes on the disk of a frame with so many bytes of body. */
export function frameBytes(length: number): number {
  const more = Math.max(0, length - FIRST_BYTES);
  return SECTOR_BYTES * (1 + Math.ceil(more / NEXT_BYTES));
}

/** `checksum` false where the body is checked by what its reader knows: it is 0, then. */
export function encodeFrame(seq: number, flushedSeq: number, body: Uint8Array, checksum = true): Uint8Array {
  const bytes = new Uint8Array(frameBytes(body.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, tagOf(seq, 0), true);
  view.setUint32(LENGTH_AT, body.length, true);
  view.setFloat64(SEQ_AT, seq, true);
  view.setFloat64(FLUSHED_AT, flushedSeq, true);
  view.setUint32(BODY_CRC_AT, checksum ? crc32(body) : 0, true);
  view.setUint32(HEADER_CRC_AT, crc32(bytes.subarray(0, HEADER_CRC_AT)), true);
  bytes.set(body.subarray(0, FIRST_BYTES), HEADER_BYTES);
  let sector = 1;
  for (let at = FIRST_BYTES; at < body.length; at += NEXT_BYTES) {
    view.setUint32(sector * SECTOR_BYTES, tagOf(seq, sector), true);
    bytes.set(body.subarray(at, at + NEXT_BYTES), sector * SECTOR_BYTES + TAG_BYTES);
    sector += 1;
  }
  return bytes;
}

/** Tells a sector of this frame from one of another frame, or of another place in it. Never 0. */
function tagOf(seq: number, sector: number): number {
  const mixed = (Math.imul(seq | 0, 0x9e3779b1) ^ Math.imul(sector + 1, 0x85ebca6b)) >>> 0;
  return mixed === 0 ? 1 : mixed;
}

/** The head of a frame whose first sector starts at `at`; undefined when there is none, or it is damaged. */
export function readHead(bytes: Uint8Array, at: number): FrameHead | undefined {
  if (at + HEADER_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES);
  if (view.getUint32(HEADER_CRC_AT, true) !== crc32(bytes.subarray(at, at + HEADER_CRC_AT))) return undefined;
  const seq = view.getFloat64(SEQ_AT, true);
  const length = view.getUint32(LENGTH_AT, true);
  if (view.getUint32(0, true) !== tagOf(seq, 0) || length > FRAME_BODY_BYTES_MAX) return undefined;
  return { seq, flushedSeq: view.getFloat64(FLUSHED_AT, true), length };
}

/** What stands at an offset of a file's bytes. */
export function findFrame(bytes: Uint8Array, at: number): FoundFrame {
  if (isAbsent(bytes, at)) return { kind: 'absent' };
  const head = readHead(bytes, at);
  if (head === undefined) return { kind: 'damaged', what: `the header at ${at} does not match its checksum` };
  const end = at + frameBytes(head.length);
  let whole = true;
  for (let sector = 1; at + sector * SECTOR_BYTES < end; sector += 1) {
    const start = at + sector * SECTOR_BYTES;
    if (isAbsent(bytes, start)) whole = false;
    else if (new DataView(bytes.buffer, bytes.byteOffset + start, TAG_BYTES).getUint32(0, true) !== tagOf(head.seq, sector)) {
      return { kind: 'damaged', what: `the sector at ${start} is of something else` };
    }
  }
  if (!whole) return { kind: 'absent' };
  const body = bodyRange(bytes.subarray(at, end), 0, head.length);
  if (new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(BODY_CRC_AT, true) !== crc32(body)) {
    return { kind: 'damaged', what: `frame ${head.seq} at ${at} does not match its checksum` };
  }
  return { kind: 'frame', ...head, body, end };
}

/** Zeros, or not all of it within the file. */
function isAbsent(bytes: Uint8Array, at: number): boolean {
  if (at + SECTOR_BYTES > bytes.length) return true;
  for (let i = at; i < at + SECTOR_BYTES; i += 1) if (bytes[i] !== 0) return false;
  return true;
}

/**
 * Whether something after an absent frame shows that it was durable once: a later frame that was written knowing of it.
 * `seq`: of the absent one.
 */
export function isMissedLater(bytes: Uint8Array, at: number, seq: number): boolean {
  for (let start = at; start + SECTOR_BYTES <= bytes.length; start += SECTOR_BYTES) {
    const head = readHead(bytes, start);
    if (head !== undefined && head.flushedSeq >= seq && head.seq > seq) return true;
  }
  return false;
}

/** Where a part of the body lies within its frame: the sectors to read. */
export function sectorsOf(bodyAt: number, length: number): { readonly from: number; readonly to: number } {
  const last = Math.max(bodyAt, bodyAt + length - 1);
  return { from: sectorWith(bodyAt) * SECTOR_BYTES, to: (sectorWith(last) + 1) * SECTOR_BYTES };
}

function sectorWith(bodyAt: number): number {
  return bodyAt < FIRST_BYTES ? 0 : 1 + Math.floor((bodyAt - FIRST_BYTES) / NEXT_BYTES);
}

/** Part of a body out of the sectors that hold it. `sectors` starts with the sector that holds `bodyAt`. */
export function bodyRange(sectors: Uint8Array, bodyAt: number, length: number): Uint8Array<ArrayBuffer> {
  const part = new Uint8Array(length);
  const base = sectorWith(bodyAt);
  let at = bodyAt;
  while (at < bodyAt + length) {
    const sector = sectorWith(at);
    const sectorBody = sector === 0 ? 0 : FIRST_BYTES + (sector - 1) * NEXT_BYTES;
    const inSector = (sector === 0 ? HEADER_BYTES : TAG_BYTES) + at - sectorBody;
    const take = Math.min(SECTOR_BYTES - inSector, bodyAt + length - at);
    const start = (sector - base) * SECTOR_BYTES + inSector;
    part.set(sectors.subarray(start, start + take), at - bodyAt);
    at += take;
  }
  return part;
}
