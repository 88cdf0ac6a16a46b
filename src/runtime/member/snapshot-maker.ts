/**
 * This node's own snapshots (ch. 5): taken when enough has been applied since the last, stored beside the
 * running log, then the log behind it is dropped, less what slow followers may still need.
 */
import type { RaftError } from '../../core/errors.ts';
import type { SnapshotMeta } from '../../core/types.ts';
import type { NodeStore, StagedSnapshot } from '../../storage/storage.ts';
import type { SnapshotInfo } from '../api/api.ts';
import type { Application } from '../ports/seam.ts';
import type { LogView } from './log-cache.ts';
import { storageErrorOf } from './storage-error.ts';

export interface MakerOptions {
  readonly snapshotEveryEntries: number;
  readonly keepEntries: number;
}

export class SnapshotMaker {
  readonly #store: NodeStore;
  readonly #view: LogView;
  readonly #application: Pick<Application, 'snapshot'>;
  readonly #options: MakerOptions;
  readonly #onMade: (info: SnapshotInfo) => void;
  readonly #onFault: (error: RaftError) => void;
  #running: Promise<SnapshotInfo> | undefined;
  /** Index of the snapshot in force. */
  #latest: number;
  /** The same, or of a newer one that is being written. */
  #newest: number;

  constructor(
    parts: { readonly store: NodeStore; readonly view: LogView; readonly application: Pick<Application, 'snapshot'> },
    options: MakerOptions,
    latest: number,
    hooks: { readonly onMade: (info: SnapshotInfo) => void; readonly onFault: (error: RaftError) => void },
  ) {
    this.#store = parts.store;
    this.#view = parts.view;
    this.#application = parts.application;
    this.#options = options;
    this.#latest = latest;
    this.#newest = latest;
    this.#onMade = hooks.onMade;
    this.#onFault = hooks.onFault;
  }

  get snapshotIndex(): number {
    return this.#latest;
  }

  /**
   * A leader's snapshot is about to be written: one of this node's own that is still being made is older, and written
   * after it would bring the older state back.
   */
  superseded(index: number): void {
    this.#newest = Math.max(this.#newest, index);
  }

  /** A leader's snapshot replaced what was here. */
  installed(index: number): void {
    this.#latest = index;
  }

  /** Takes one if it is due. `meta` is made only then: it must describe the state at this very moment. */
  maybe(applied: number, meta: () => SnapshotMeta): void {
    if (this.#running !== undefined || applied - this.#latest < this.#options.snapshotEveryEntries) return;
    this.#take(meta()).catch((error: unknown) => this.#onFault(storageErrorOf(error)));
  }

  /** Takes one now; one under way is waited for first. Errors: quota, storage. */
  async takeNow(meta: () => SnapshotMeta): Promise<SnapshotInfo> {
    if (this.#running !== undefined) await this.#running.catch(() => undefined);
    return this.#take(meta());
  }

  /** Another member's snapshot, of something that is applied here, stands for this node's own. Errors: quota, storage. */
  async adopt(staged: StagedSnapshot): Promise<SnapshotInfo> {
    // What is being made may read the snapshot in force.
    if (this.#running !== undefined) await this.#running.catch(() => undefined);
    return this.#keepRunning(this.#put(staged));
  }

  /** A staged snapshot that is of no use any more leaves the disk. */
  discard(staged: StagedSnapshot): void {
    this.#store.discardStaged(staged).catch(() => {});
  }

  #take(meta: SnapshotMeta): Promise<SnapshotInfo> {
    // The stream is opened now, so that it holds the state of now.
    return this.#keepRunning(this.#save(meta, this.#application.snapshot()));
  }

  #keepRunning(work: Promise<SnapshotInfo>): Promise<SnapshotInfo> {
    const running = work.finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #save(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<SnapshotInfo> {
    const writer = await this.#store.stageSnapshot(meta);
    let staged: StagedSnapshot;
    try {
      for await (const chunk of chunks) await writer.write(chunk);
      staged = await writer.finish();
    } catch (error) {
      await writer.abort().catch(() => {});
      throw error;
    }
    return this.#put(staged);
  }

  async #put(staged: StagedSnapshot): Promise<SnapshotInfo> {
    const { meta } = staged;
    const info: SnapshotInfo = { index: meta.index, term: meta.term, bytes: staged.bytes, digest: staged.digest };
    if (meta.index <= this.#newest) {
      await this.#store.discardStaged(staged).catch(() => {});
      return info;
    }
    this.#newest = meta.index;
    await this.#store.write({ snapshot: { staged, keepLogAfter: true } });
    if (meta.index < this.#newest) return info;
    this.#latest = meta.index;
    this.#view.setSnapshot(meta);
    this.#onMade(info);
    await this.compact(meta.index - this.#options.keepEntries);
    return info;
  }

  /** Drops the log up to an index, never past the snapshot; answers how far it went. */
  async compact(upTo: number): Promise<number> {
    const index = Math.min(upTo, this.#latest);
    if (index < this.#view.firstIndex()) return this.#view.firstIndex() - 1;
    this.#view.compactedTo(index);
    await this.#store.compact(index);
    return index;
  }
}
