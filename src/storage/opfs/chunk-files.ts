/**
 * Snapshot chunks: one file for each snapshot, each chunk a frame of it, durable before its write resolves. A deleted chunk's
 * file goes with its last chunk: when the process dies before, the others are back, as garbage that is cleared away again.
 */
import { RaftError } from '../../core/errors.ts';
import type { Operation, StoredRecord } from '../packed/medium.ts';
import { CHUNKS_PER_SNAPSHOT } from '../packed/snapshots.ts';
import { bodyRange, encodeFrame, frameBytes, readHead, SECTOR_BYTES } from './frames.ts';
import type { OpenFiles } from './open-files.ts';
import { readRange, writeWhole } from './sync-file.ts';

/** The number of the chunk, before its bytes. */
const NUMBER_BYTES = 8;

interface ChunkPlace {
  readonly frameAt: number;
  /** Of the chunk. */
  readonly length: number;
}

interface ChunkFile {
  readonly places: Map<number, ChunkPlace>;
  end: number;
  seq: number;
  /** A write or flush failed: it takes no more chunks. */
  broken: boolean;
}

export class ChunkFiles {
  readonly #files: OpenFiles;
  readonly #byId = new Map<number, ChunkFile>();

  private constructor(files: OpenFiles) {
    this.#files = files;
  }

  static async open(files: OpenFiles): Promise<ChunkFiles> {
    const chunks = new ChunkFiles(files);
    for (const name of await files.folder.names()) {
      const id = /^chunks-(\d+)$/.exec(name)?.[1];
      if (id !== undefined) chunks.#byId.set(Number(id), await walk(files, name));
    }
    return chunks;
  }

  async commit(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations) {
      if (operation.kind === 'put') await this.#put(Number(operation.key), operation.value);
      else if (operation.kind === 'delete') await this.#deleteRange(Number(operation.key), Number(operation.key) + 1);
      else await this.#deleteRange(operation.from, operation.to);
    }
  }

  async #put(key: number, value: Uint8Array): Promise<void> {
    const id = Math.floor(key / CHUNKS_PER_SNAPSHOT);
    const number = key % CHUNKS_PER_SNAPSHOT;
    const file = await this.#files.get(chunksName(id));
    const known = this.#byId.get(id) ?? { places: new Map(), end: 0, seq: 1, broken: false };
    this.#byId.set(id, known);
    if (known.broken) throw new RaftError('storage', `Snapshot ${id} could not be written before.`);
    const body = new Uint8Array(NUMBER_BYTES + value.length);
    new DataView(body.buffer).setFloat64(0, number, true);
    body.set(value, NUMBER_BYTES);
    known.broken = true;
    writeWhole(file, encodeFrame(known.seq, known.seq - 1, body, false), known.end);
    file.flush();
    known.broken = false;
    known.places.set(number, { frameAt: known.end, length: value.length });
    known.end += frameBytes(body.length);
    known.seq += 1;
  }

  async #deleteRange(from: number, to: number): Promise<void> {
    for (const [id, { places }] of this.#byId) {
      const base = id * CHUNKS_PER_SNAPSHOT;
      if (base >= to || base + CHUNKS_PER_SNAPSHOT <= from) continue;
      for (const number of places.keys()) if (base + number >= from && base + number < to) places.delete(number);
      if (places.size > 0) continue;
      await this.#files.remove(chunksName(id));
      this.#byId.delete(id);
    }
  }

  /** The bytes as they are: the snapshot's record has their checksum. */
  async get(key: number): Promise<Uint8Array | undefined> {
    const id = Math.floor(key / CHUNKS_PER_SNAPSHOT);
    const place = this.#byId.get(id)?.places.get(key % CHUNKS_PER_SNAPSHOT);
    if (place === undefined) return undefined;
    const file = await this.#files.get(chunksName(id));
    const sectors = readRange(file, place.frameAt, frameBytes(NUMBER_BYTES + place.length));
    return bodyRange(sectors, NUMBER_BYTES, place.length);
  }

  async scan(key: number, limit: number): Promise<readonly StoredRecord[]> {
    const keys = this.#sorted();
    const start = Math.max(
      0,
      keys.findLastIndex((stored) => stored <= key),
    );
    const records: StoredRecord[] = [];
    for (const stored of keys.slice(start, start + limit)) {
      records.push({ key: stored, value: (await this.get(stored)) ?? new Uint8Array(0) });
    }
    return records;
  }

  keys(from: number, to: number, limit: number): readonly number[] {
    return this.#sorted()
      .filter((key) => key >= from && key < to)
      .slice(0, limit);
  }

  #sorted(): number[] {
    const keys: number[] = [];
    for (const [id, { places }] of this.#byId) {
      // A file of which no chunk can be read is shown all the same: to be cleared away, or missed by the snapshot in force.
      if (places.size === 0) keys.push(id * CHUNKS_PER_SNAPSHOT);
      for (const number of places.keys()) keys.push(id * CHUNKS_PER_SNAPSHOT + number);
    }
    return keys.sort((a, b) => a - b);
  }
}

/** Reads the heads of the frames only. What comes after a bad one was never told to be durable, or is found missing. */
async function walk(files: OpenFiles, name: string): Promise<ChunkFile> {
  const file = await files.get(name);
  const size = file.getSize();
  const found: ChunkFile = { places: new Map(), end: 0, seq: 1, broken: false };
  while (found.end < size) {
    const sector = readRange(file, found.end, SECTOR_BYTES);
    const head = readHead(sector, 0);
    if (head === undefined || head.seq !== found.seq || head.length < NUMBER_BYTES || found.end + frameBytes(head.length) > size)
      break;
    const body = bodyRange(sector, 0, NUMBER_BYTES);
    found.places.set(new DataView(body.buffer).getFloat64(0, true), { frameAt: found.end, length: head.length - NUMBER_BYTES });
    found.end += frameBytes(head.length);
    found.seq += 1;
  }
  // Ids are used once: a file of before is read, and never written to again. One that was emptied is of a store that was deleted.
  found.broken = size > 0;
  return found;
}

function chunksName(id: number): string {
  return `chunks-${id}`;
}
