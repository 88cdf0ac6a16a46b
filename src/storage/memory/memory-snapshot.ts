import { RaftError } from '../../core/errors.ts';
import type { SnapshotMeta } from '../../core/types.ts';
import { Digest } from '../digest.ts';
import { Rechunker } from '../rechunk.ts';
import type { SnapshotWriter, StagedSnapshot, StoredSnapshot } from '../storage.ts';
import type { MemorySnapshot } from './memory-disk.ts';

interface MemorySnapshotEnd {
  finished(snapshot: MemorySnapshot): StagedSnapshot;
  dropped(): void;
}

/** Gathers a snapshot's chunks; `finished` takes it when it is whole. */
export class MemorySnapshotWriter implements SnapshotWriter {
  readonly #meta: SnapshotMeta;
  readonly #end: MemorySnapshotEnd;
  readonly #rechunker = new Rechunker();
  readonly #digest = new Digest();
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;

  constructor(meta: SnapshotMeta, end: MemorySnapshotEnd) {
    this.#meta = meta;
    this.#end = end;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#requireOpen();
    this.#digest.update(chunk);
    this.#bytes += chunk.length;
    this.#chunks.push(...this.#rechunker.push(chunk));
  }

  async finish(expectedDigest?: string): Promise<StagedSnapshot> {
    this.#requireOpen();
    this.#ended = true;
    const last = this.#rechunker.flush();
    if (last !== undefined) this.#chunks.push(last);
    const digest = this.#digest.hex();
    if (expectedDigest !== undefined && expectedDigest !== digest) {
      this.#end.dropped();
      throw new RaftError('corrupt', `The snapshot at ${this.#meta.index} has digest ${digest}, not ${expectedDigest}.`);
    }
    return this.#end.finished({ meta: this.#meta, bytes: this.#bytes, digest, chunks: this.#chunks });
  }

  async abort(): Promise<void> {
    // What is finished belongs to whoever was given it.
    if (this.#ended) return;
    this.#ended = true;
    this.#chunks.length = 0;
    this.#end.dropped();
  }

  #requireOpen(): void {
    if (this.#ended) throw new RaftError('invalid-argument', 'This snapshot was finished or aborted already.');
  }
}

export function storedSnapshot(snapshot: MemorySnapshot): StoredSnapshot {
  const { meta, bytes, digest } = snapshot;
  async function* chunks(from = 0): AsyncGenerator<Uint8Array, void> {
    for (const chunk of snapshot.chunks.slice(from)) yield chunk;
  }
  return { meta, bytes, digest, chunks };
}
