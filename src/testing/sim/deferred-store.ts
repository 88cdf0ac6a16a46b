/** A store that is still being opened: its identity is known, everything else waits. */
import type { Entry, Index, SnapshotMeta, Term } from '../../core/types.ts';
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
import type { Scheduler } from './scheduler.ts';

export class DeferredStore implements NodeStore {
  readonly identity: NodeIdentity;
  readonly identityKey: IdentityKey;
  readonly #opened: Promise<NodeStore>;
  readonly #scheduler: Scheduler;
  #store: NodeStore | undefined;

  /** `opened` resolves to undefined for a database that lost its identity. */
  constructor(identity: NodeIdentity, opened: Promise<NodeStore | undefined>, scheduler: Scheduler) {
    this.identity = identity;
    this.#scheduler = scheduler;
    this.#opened = opened.then((store) => {
      if (store === undefined) throw new Error('The disk holds no identity.');
      this.#store = store;
      return store;
    });
    this.#opened.catch(() => undefined);
    this.identityKey = {
      needsExtractable: true,
      load: async () => (await this.#ready()).identityKey.load(),
      save: async (pair) => (await this.#ready()).identityKey.save(pair),
    };
  }

  async load(): Promise<LoadedState> {
    return (await this.#ready()).load();
  }

  async write(batch: WriteBatch): Promise<void> {
    this.#scheduler.stir();
    await (this.#store ?? (await this.#opened)).write(batch);
  }

  term(index: Index): Term | undefined {
    return this.#store?.term(index);
  }

  async entries(from: Index, to: Index, maxBytes: number): Promise<readonly Entry[]> {
    return (await this.#ready()).entries(from, to, maxBytes);
  }

  async compact(index: Index): Promise<void> {
    await (await this.#ready()).compact(index);
  }

  async stageSnapshot(meta: SnapshotMeta): Promise<SnapshotWriter> {
    const writer = await (await this.#ready()).stageSnapshot(meta);
    const stir = <T>(work: Promise<T>): Promise<T> => {
      this.#scheduler.stir();
      return work;
    };
    return {
      write: (chunk) => stir(writer.write(chunk)),
      finish: (digest) => stir(writer.finish(digest)),
      abort: () => stir(writer.abort()),
    };
  }

  async discardStaged(staged: StagedSnapshot): Promise<void> {
    await (await this.#ready()).discardStaged(staged);
  }

  async snapshot(): Promise<StoredSnapshot | undefined> {
    return (await this.#ready()).snapshot();
  }

  async estimate(): Promise<StorageEstimate | undefined> {
    return (await this.#ready()).estimate();
  }

  async wipe(): Promise<void> {
    await (await this.#ready()).wipe();
  }

  async close(): Promise<void> {
    await (await this.#ready()).close();
  }

  #ready(): Promise<NodeStore> {
    this.#scheduler.stir();
    return this.#opened;
  }
}
