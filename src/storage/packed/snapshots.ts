/** Snapshots of one store: staged in chunks beside the one in force, read in chunks, cleared away when replaced. */
import { crc32 } from '../../codec/crc32.ts';
import { RaftError } from '../../core/errors.ts';
import type { SnapshotMeta } from '../../core/types.ts';
import { Digest } from '../digest.ts';
import { Rechunker } from '../rechunk.ts';
import { StagedSet } from '../staged.ts';
import type { SnapshotWriter, StagedSnapshot, StoredSnapshot } from '../storage.ts';
import type { Durability, Medium } from './medium.ts';
import type { SnapshotRecord } from './meta.ts';

/** Keys set apart for the chunks of one snapshot; with 1 MiB chunks, a TiB. */
export const CHUNKS_PER_SNAPSHOT: number = 2 ** 20;
/** Chunk writes under way before write() makes its caller wait. */
const CHUNKS_IN_FLIGHT_MAX = 2;
/** Chunks deleted per step, so that a step stays short. */
const CHUNKS_PER_DELETE = 8;

export class Snapshots {
  readonly #medium: Medium;
  readonly #durability: Durability;
  #nextId: number;
  /** What finish() handed out and write() may be given. */
  readonly #staged = new WeakMap<StagedSnapshot, SnapshotRecord>();
  /** On their way into force: their write is called and not durable yet. */
  readonly #taken = new Set<number>();
  /** By id: those that no write has taken yet. */
  readonly #waiting = new StagedSet<number>();
  /** Snapshots whose chunks must stay: staged or being so, on their way into force, in force, being read. By id, how many times. */
  readonly #held = new Map<number, number>();
  /** On the disk. */
  #inForce: SnapshotRecord | undefined;

  private constructor(medium: Medium, durability: Durability, nextId: number, inForce: SnapshotRecord | undefined) {
    this.#medium = medium;
    this.#durability = durability;
    this.#nextId = nextId;
    this.#inForce = inForce;
    if (inForce !== undefined) this.#hold(inForce.id);
  }

  static async open(medium: Medium, durability: Durability, current: SnapshotRecord | undefined): Promise<Snapshots> {
    const last = await medium.scan('chunks', Number.MAX_SAFE_INTEGER, 1);
    const highest = Math.max(current?.id ?? 0, Math.floor((last[0]?.key ?? 0) / CHUNKS_PER_SNAPSHOT));
    return new Snapshots(medium, durability, highest + 1, current);
  }

  /** After a failure: what the disk says is in force. Snapshots on their way are forgone. */
  restart(inForce: SnapshotRecord | undefined): void {
    for (const id of this.#taken) if (id !== inForce?.id) this.#release(id);
    this.#taken.clear();
    if (this.#inForce?.id === inForce?.id) return;
    if (this.#inForce !== undefined) this.#release(this.#inForce.id);
    if (inForce !== undefined && !this.#held.has(inForce.id)) this.#hold(inForce.id);
    this.#inForce = inForce;
  }

  stage(meta: SnapshotMeta): SnapshotWriter {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#hold(id);
    const writer = new ChunkWriter(this.#medium, this.#durability, id, meta, {
      finished: (record) => {
        const handle: StagedSnapshot = { meta, bytes: record.bytes, digest: record.digest };
        this.#staged.set(handle, record);
        this.#waiting.add(id, () => {
          if (this.discard(handle)) this.#delete(id).catch(() => undefined);
        });
        return handle;
      },
      dropped: () => {
        this.#waiting.delete(id);
        this.#release(id);
        return this.#delete(id);
      },
    });
    this.#waiting.add(id, () => {
      writer.abort().catch(() => undefined);
    });
    return writer;
  }

  /** Lets go of a staged snapshot that nobody will take; clearing deletes its chunks. False for one taken or discarded before. */
  discard(staged: StagedSnapshot): boolean {
    const record = this.#staged.get(staged);
    if (record === undefined) return false;
    this.#staged.delete(staged);
    this.#waiting.delete(record.id);
    this.#release(record.id);
    return true;
  }

  /** The record of a staged snapshot, which is now on its way into force. Errors: invalid-argument. */
  take(staged: StagedSnapshot): SnapshotRecord {
    const record = this.#staged.get(staged);
    if (record === undefined) throw new RaftError('invalid-argument', 'The snapshot was not staged by this store, or was used.');
    this.#staged.delete(staged);
    this.#waiting.delete(record.id);
    this.#taken.add(record.id);
    return record;
  }

  /** A taken snapshot will never be in force: another came before it was written. */
  forgo(record: SnapshotRecord): void {
    this.#taken.delete(record.id);
    this.#release(record.id);
  }

  /** A taken snapshot is durably in force; the one before is to be cleared away. */
  enterForce(record: SnapshotRecord): void {
    this.#taken.delete(record.id);
    if (this.#inForce !== undefined) this.#release(this.#inForce.id);
    this.#inForce = record;
  }

  knows(staged: StagedSnapshot): boolean {
    return this.#staged.has(staged);
  }

  stored(record: SnapshotRecord): StoredSnapshot {
    const { meta, bytes, digest } = record;
    return { meta, bytes, digest, chunks: (from = 0) => this.#read(record, from) };
  }

  async *#read(record: SnapshotRecord, from: number): AsyncGenerator<Uint8Array, void> {
    this.#hold(record.id);
    try {
      const digest = new Digest();
      for (let n = from; n < record.checksums.length; n += 1) {
        const chunk = await this.#medium.get('chunks', record.id * CHUNKS_PER_SNAPSHOT + n);
        const what = `Chunk ${n} of the snapshot at ${record.meta.index}`;
        if (chunk === undefined && record.id !== this.#inForce?.id) {
          throw new RaftError('index-compacted', `The snapshot at ${record.meta.index} was replaced by a newer one.`);
        }
        if (chunk === undefined) throw new RaftError('corrupt', `${what} is missing.`);
        if (crc32(chunk) !== record.checksums[n]) throw new RaftError('corrupt', `${what} does not match its checksum.`);
        if (from === 0) digest.update(chunk);
        yield chunk;
      }
      if (from === 0 && digest.hex() !== record.digest) {
        throw new RaftError('corrupt', `The snapshot at ${record.meta.index} does not match its digest.`);
      }
    } finally {
      this.#release(record.id);
    }
  }

  /** Deletes the chunks of every snapshot that nobody needs, a few at a time. */
  async clear(step: (work: () => Promise<void>) => Promise<void>): Promise<void> {
    let from = 0;
    for (;;) {
      const [key] = await this.#medium.keys('chunks', from, this.#nextId * CHUNKS_PER_SNAPSHOT, 1);
      if (key === undefined) return;
      const id = Math.floor(key / CHUNKS_PER_SNAPSHOT);
      if (this.#held.has(id)) from = (id + 1) * CHUNKS_PER_SNAPSHOT;
      else await step(() => this.#deleteChunks(key, Math.min(key + CHUNKS_PER_DELETE, (id + 1) * CHUNKS_PER_SNAPSHOT)));
    }
  }

  #delete(id: number): Promise<void> {
    return this.#deleteChunks(id * CHUNKS_PER_SNAPSHOT, (id + 1) * CHUNKS_PER_SNAPSHOT);
  }
  #deleteChunks(from: number, to: number): Promise<void> {
    return this.#medium.commit([{ kind: 'delete-range', table: 'chunks', from, to }], 'relaxed');
  }

  #hold(id: number): void {
    this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
  }
  #release(id: number): void {
    const left = (this.#held.get(id) ?? 1) - 1;
    if (left > 0) this.#held.set(id, left);
    else this.#held.delete(id);
  }
}

interface ChunkWriterEnd {
  finished(record: SnapshotRecord): StagedSnapshot;
  dropped(): Promise<void>;
}

class ChunkWriter implements SnapshotWriter {
  readonly #medium: Medium;
  readonly #durability: Durability;
  readonly #id: number;
  readonly #meta: SnapshotMeta;
  readonly #end: ChunkWriterEnd;
  readonly #rechunker = new Rechunker();
  readonly #digest = new Digest();
  readonly #checksums: number[] = [];
  readonly #inFlight: Promise<void>[] = [];
  #bytes = 0;
  #ended = false;

  constructor(medium: Medium, durability: Durability, id: number, meta: SnapshotMeta, end: ChunkWriterEnd) {
    this.#medium = medium;
    this.#durability = durability;
    this.#id = id;
    this.#meta = meta;
    this.#end = end;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#requireOpen();
    this.#digest.update(chunk);
    this.#bytes += chunk.length;
    for (const full of this.#rechunker.push(chunk)) {
      this.#store(full);
      if (this.#inFlight.length > CHUNKS_IN_FLIGHT_MAX) await this.#inFlight.shift();
    }
  }

  #store(chunk: Uint8Array<ArrayBuffer>): void {
    const key = this.#id * CHUNKS_PER_SNAPSHOT + this.#checksums.length;
    this.#checksums.push(crc32(chunk));
    const stored = this.#medium.commit([{ kind: 'put', table: 'chunks', key, value: chunk }], this.#durability);
    stored.catch(() => undefined);
    this.#inFlight.push(stored);
  }

  async finish(expectedDigest?: string): Promise<StagedSnapshot> {
    this.#requireOpen();
    this.#ended = true;
    const last = this.#rechunker.flush();
    if (last !== undefined) this.#store(last);
    const digest = this.#digest.hex();
    try {
      await Promise.all(this.#inFlight);
      if (expectedDigest !== undefined && expectedDigest !== digest) {
        throw new RaftError('corrupt', `The snapshot at ${this.#meta.index} has digest ${digest}, not ${expectedDigest}.`);
      }
    } catch (error) {
      await this.#end.dropped().catch(() => undefined);
      throw error;
    }
    return this.#end.finished({ id: this.#id, meta: this.#meta, bytes: this.#bytes, digest, checksums: this.#checksums });
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await Promise.allSettled(this.#inFlight);
    await this.#end.dropped();
  }

  #requireOpen(): void {
    if (this.#ended) throw new RaftError('invalid-argument', 'This snapshot was finished or aborted already.');
  }
}
