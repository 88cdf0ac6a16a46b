/**
 * A store with a witness: keeps its own image of what the store has promised to be durable, tells the ghost, and
 * after a crash holds the store to its word.
 */
import type { Entry, Index, NodeId, SnapshotMeta, Term } from '../../core/types.ts';
import { MemoryImage } from '../../storage/memory/memory-disk.ts';
import type {
  IdentityKey,
  LoadedState,
  NodeIdentity,
  NodeStore,
  SnapshotWriter,
  StagedSnapshot,
  StorageEstimate,
  StoredSnapshot,
  WriteBatch,
} from '../../storage/storage.ts';
import type { Ghost } from './ghost.ts';
import type { CrashKind } from './sim-disk.ts';

/** What a disk has promised, over all its lives. */
export class Promises {
  /** Durable for certain. */
  readonly image: MemoryImage = new MemoryImage();
  /** Told to be done, but relaxed: gone if the machine dies. */
  told: WriteBatch[] = [];
  /** Asked for, not told to be done. */
  asked: WriteBatch[] = [];
  lastCrash: CrashKind = 'process';

  /** A cluster is there, or was asked for when the process died. */
  get mayHaveFounded(): boolean {
    return this.image.cluster !== undefined || [...this.told, ...this.asked].some(({ cluster }) => cluster !== undefined);
  }

  settle(batch: WriteBatch): void {
    this.told.push(batch);
    if (batch.sync === false) return;
    for (const told of this.told) applyTo(this.image, told);
    this.told = [];
  }
}

function applyTo(image: MemoryImage, batch: WriteBatch): void {
  const staged = batch.snapshot?.staged;
  image.apply(batch, staged === undefined ? undefined : { ...staged, chunks: [] });
}

export class ShadowStore implements NodeStore {
  readonly identity: NodeIdentity;
  readonly identityKey: IdentityKey;
  readonly #inner: NodeStore;
  readonly #promises: Promises;
  readonly #ghost: Ghost;
  #loaded = false;

  constructor(inner: NodeStore, promises: Promises, ghost: Ghost) {
    this.#inner = inner;
    this.#promises = promises;
    this.#ghost = ghost;
    this.identity = inner.identity;
    this.identityKey = inner.identityKey;
  }

  get #id(): NodeId {
    return this.identity.nodeId;
  }

  async load(): Promise<LoadedState> {
    const loaded = await this.#inner.load();
    if (!this.#loaded) this.#hold(loaded);
    this.#loaded = true;
    return loaded;
  }

  /**
   * I21, I22: what is found is what was promised, plus a first part of what had been asked for. From then on the
   * promise is what was found.
   */
  #hold(loaded: LoadedState): void {
    const { image, told, asked, lastCrash } = this.#promises;
    const certain = lastCrash === 'process' ? told.length : 0;
    const candidate = image.clone();
    const rest = [...told, ...asked];
    let fits = certain === 0 && matches(candidate, loaded);
    for (const [i, batch] of rest.entries()) {
      if (fits) break;
      applyTo(candidate, batch);
      fits = i + 1 >= certain && matches(candidate, loaded);
    }
    this.#ghost.evidence.check(
      'I21',
      fits,
      () =>
        `${this.#id} found ${describeLoaded(loaded)}; promised was ${describeImage(image)} and up to ${rest.length} writes more`,
    );
    applyAll(image, candidate);
    this.#promises.told = [];
    this.#promises.asked = [];
  }

  async write(batch: WriteBatch): Promise<void> {
    const promises = this.#promises;
    promises.asked.push(batch);
    this.#ghost.asked(batch);
    try {
      await this.#inner.write(batch);
    } catch (error) {
      promises.asked = promises.asked.filter((other) => other !== batch);
      throw error;
    }
    promises.asked = promises.asked.filter((other) => other !== batch);
    const { hardState, log } = promises.image;
    const { lastIndex } = log;
    promises.settle(batch);
    this.#ghost.written(this.#id, batch, hardState, lastIndex, promises.image);
  }

  term(index: Index): Term | undefined {
    return this.#inner.term(index);
  }

  entries(from: Index, to: Index, maxBytes: number): Promise<readonly Entry[]> {
    return this.#inner.entries(from, to, maxBytes);
  }

  async compact(index: Index): Promise<void> {
    this.#ghost.compacted(this.#id, index, this.#promises.image);
    await this.#inner.compact(index);
    this.#promises.image.log.compact(Math.min(index, this.#promises.image.snapshot?.meta.index ?? 0));
  }

  stageSnapshot(meta: SnapshotMeta): Promise<SnapshotWriter> {
    return this.#inner.stageSnapshot(meta);
  }

  discardStaged(staged: StagedSnapshot): Promise<void> {
    return this.#inner.discardStaged(staged);
  }

  snapshot(): Promise<StoredSnapshot | undefined> {
    return this.#inner.snapshot();
  }

  estimate(): Promise<StorageEstimate | undefined> {
    return this.#inner.estimate();
  }

  wipe(): Promise<void> {
    return this.#inner.wipe();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** Compaction may have been lost or done: only what is held by both is compared. */
function matches(image: MemoryImage, loaded: LoadedState): boolean {
  const { hardState, log, snapshot } = image;
  return (
    hardState.term === loaded.hardState.term &&
    hardState.vote === loaded.hardState.vote &&
    hardState.commit === loaded.hardState.commit &&
    (snapshot?.meta.index ?? 0) === (loaded.snapshot?.index ?? 0) &&
    (log.lastIndex === loaded.lastIndex || (log.lastIndex < log.firstIndex && loaded.lastIndex < loaded.firstIndex)) &&
    loaded.tail.every((entry) => entry.index < log.firstIndex || log.term(entry.index) === entry.term)
  );
}

function applyAll(image: MemoryImage, from: MemoryImage): void {
  image.hardState = from.hardState;
  image.cluster = from.cluster;
  image.snapshot = from.snapshot;
  image.log.copyFrom(from.log);
}

function describeLoaded({ hardState, snapshot, firstIndex, lastIndex }: LoadedState): string {
  return `term ${hardState.term} vote ${hardState.vote} commit ${hardState.commit} log ${firstIndex}-${lastIndex} snapshot ${snapshot?.index ?? 0}`;
}

function describeImage({ hardState, snapshot, log }: MemoryImage): string {
  return `term ${hardState.term} vote ${hardState.vote} commit ${hardState.commit} log ${log.firstIndex}-${log.lastIndex} snapshot ${snapshot?.meta.index ?? 0}`;
}
