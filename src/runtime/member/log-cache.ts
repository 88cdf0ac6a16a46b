/**
 * The durable part of the log as the core reads it: synchronous, from a bounded cache of its end, and fetched from storage in
 * the background when a slow follower needs older entries. This is the node's one cache of what is durable: before it in the
 * core are only entries that are not, and a store may keep a few behind it, of the same objects, until they are packed.
 */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, LogReader, SnapshotMeta, Term } from '../../core/types.ts';
import type { LoadedState, NodeStore } from '../../storage/storage.ts';

/** Entries kept in memory behind the end of the log, in bytes of data; older ones are read from storage. */
export const LOG_CACHE_BYTES_MAX: number = 16 * 1024 * 1024;
/** The same in entries. */
export const LOG_CACHE_ENTRIES_MAX = 65_536;
/** Counted for an entry beside its data, in bytes. */
const ENTRY_OVERHEAD_BYTES = 64;
/** Bytes asked of storage at once for a slow follower. */
const FETCH_BYTES = 1024 * 1024;
/** Ranges read back from storage and kept for the followers that asked. */
const FETCHED_RANGES_MAX = 8;

interface FetchedRange {
  readonly from: Index;
  readonly entries: readonly Entry[];
}

export class LogView implements LogReader {
  readonly #store: NodeStore;
  readonly #onFetched: () => void;
  readonly #onFault: (error: unknown) => void;
  #first: Index;
  #last: Index;
  #meta: SnapshotMeta | undefined;
  /** The end of the log: contiguous, up to `last`. */
  #cache: Entry[];
  #cacheBytes = 0;
  #fetched: FetchedRange[] = [];
  readonly #fetching = new Set<Index>();
  /** Counts truncations and resets: an answer to an older question is dropped. */
  #generation = 0;

  constructor(store: NodeStore, loaded: LoadedState, onFetched: () => void, onFault: (error: unknown) => void) {
    this.#store = store;
    this.#onFetched = onFetched;
    this.#onFault = onFault;
    this.#first = loaded.firstIndex;
    this.#last = loaded.lastIndex;
    this.#meta = loaded.snapshot;
    this.#cache = [...loaded.tail];
    for (const entry of this.#cache) this.#cacheBytes += entryBytes(entry);
  }

  firstIndex(): Index {
    return this.#first;
  }

  lastIndex(): Index {
    return this.#last;
  }

  term(index: Index): Term | 'compacted' | 'unavailable' {
    if (index === 0) return 0;
    const cached = this.#cache[index - this.#cacheFirst()];
    if (cached !== undefined) return cached.term;
    if (this.#meta !== undefined && index === this.#meta.index) return this.#meta.term;
    if (index < this.#first - 1) return 'compacted';
    return this.#store.term(index) ?? (index < this.#first ? 'compacted' : 'unavailable');
  }

  entries(from: Index, to: Index, maxBytes: number): readonly Entry[] | 'compacted' | 'unavailable' {
    if (from < this.#first) return 'compacted';
    if (from >= this.#cacheFirst()) return sliceWithin(this.#cache, from - this.#cacheFirst(), to - this.#cacheFirst(), maxBytes);
    const range = this.#fetched.find((candidate) => from >= candidate.from && from < candidate.from + candidate.entries.length);
    if (range !== undefined) return sliceWithin(range.entries, from - range.from, to - range.from, maxBytes);
    this.#fetch(from);
    return 'unavailable';
  }

  /** The same from memory only, asking nothing of storage; undefined when it is not all there. */
  peek(from: Index, to: Index, maxBytes: number): readonly Entry[] | undefined {
    return from >= this.#cacheFirst()
      ? sliceWithin(this.#cache, from - this.#cacheFirst(), to - this.#cacheFirst(), maxBytes)
      : undefined;
  }

  /** The entries in [from, to] from memory or storage, at most `maxBytes` of them. Errors: index-compacted, corrupt, storage. */
  async read(from: Index, to: Index, maxBytes: number): Promise<readonly Entry[]> {
    const cached = this.peek(from, to + 1, maxBytes);
    if (cached !== undefined) return cached;
    const entries: Entry[] = [];
    for (let next = from; next <= to; ) {
      const some = await this.#store.entries(next, to + 1, maxBytes);
      for (const entry of some) entries.push(entry);
      next += some.length;
      if (some.length === 0) break;
    }
    return entries;
  }

  snapshot(): SnapshotMeta | 'unavailable' {
    return this.#meta ?? 'unavailable';
  }

  /** Entries that are durable now, replacing what the log held from the first one's index. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined) return;
    if (first.index <= this.#last) this.#truncateFrom(first.index);
    if (this.#cache.length === 0 || first.index === this.#last + 1) {
      for (const entry of entries) {
        this.#cache.push(entry);
        this.#cacheBytes += entryBytes(entry);
      }
    }
    this.#last = last.index;
    this.#trim();
  }

  /** A snapshot of this node's own state is durable; the log stays. */
  setSnapshot(meta: SnapshotMeta): void {
    this.#meta = meta;
  }

  /** A leader's snapshot is durable and replaces the log. */
  reset(meta: SnapshotMeta): void {
    this.#generation++;
    this.#meta = meta;
    this.#cache = [];
    this.#cacheBytes = 0;
    this.#fetched = [];
    this.#first = meta.index + 1;
    this.#last = meta.index;
  }

  /** Entries up to `index` are gone from now on; storage drops them in the background. */
  compactedTo(index: Index): void {
    if (index < this.#first) return;
    this.#first = index + 1;
    const drop = Math.min(this.#cache.length, Math.max(0, this.#first - this.#cacheFirst()));
    if (drop > 0) this.#dropFront(drop);
    this.#fetched = this.#fetched.filter((range) => range.from >= this.#first);
  }

  #cacheFirst(): Index {
    return this.#last + 1 - this.#cache.length;
  }

  #truncateFrom(index: Index): void {
    this.#generation++;
    const keep = Math.max(0, index - this.#cacheFirst());
    for (let i = keep; i < this.#cache.length; i++) this.#cacheBytes -= entryBytes(this.#cache[i]);
    this.#cache.length = Math.min(this.#cache.length, keep);
    this.#last = index - 1;
    this.#fetched = [];
  }

  /** Lets the cache grow to twice its bound before it is cut, so that cutting costs little per entry. */
  #trim(): void {
    if (this.#cacheBytes <= 2 * LOG_CACHE_BYTES_MAX && this.#cache.length <= 2 * LOG_CACHE_ENTRIES_MAX) return;
    let bytes = this.#cacheBytes;
    let drop = 0;
    while (drop < this.#cache.length - 1 && (bytes > LOG_CACHE_BYTES_MAX || this.#cache.length - drop > LOG_CACHE_ENTRIES_MAX)) {
      bytes -= entryBytes(this.#cache[drop++]);
    }
    this.#dropFront(drop);
  }

  #dropFront(count: number): void {
    for (let i = 0; i < count; i++) this.#cacheBytes -= entryBytes(this.#cache[i]);
    this.#cache = this.#cache.slice(count);
  }

  /** One past the last entry in storage: that is ahead of `last` while a write that truncates is in flight. */
  #storedEnd(from: Index): Index {
    let end = this.#last + 1;
    while (end > from + 1 && this.#store.term(end - 1) === undefined) end--;
    return end;
  }

  #fetch(from: Index): void {
    if (this.#fetching.has(from)) return;
    this.#fetching.add(from);
    const generation = this.#generation;
    const to = this.#storedEnd(from);
    this.#store.entries(from, to, FETCH_BYTES).then(
      (entries) => {
        this.#fetching.delete(from);
        if (generation !== this.#generation) return this.#onFetched();
        if (this.#fetched.length >= FETCHED_RANGES_MAX) this.#fetched.shift();
        this.#fetched.push({ from, entries });
        this.#onFetched();
      },
      (error: unknown) => {
        this.#fetching.delete(from);
        // A snapshot of the leader's replaces the log in storage before it does so here, when it is durable.
        const replaced = RaftError.is(error, 'index-compacted');
        const gone = replaced || from < this.#first || this.#store.term(to - 1) === undefined;
        if (gone || generation !== this.#generation) this.#onFetched();
        else this.#onFault(error);
      },
    );
  }
}

function entryBytes(entry: Entry | undefined): number {
  return entry === undefined ? 0 : entry.data.length + ENTRY_OVERHEAD_BYTES;
}

/** At least one entry, then as many as fit: an array of its own, since the cache goes on growing and being cut. */
function sliceWithin(entries: readonly Entry[], from: number, to: number, maxBytes: number): readonly Entry[] {
  let bytes = 0;
  let end = from;
  const limit = Math.min(to, entries.length);
  while (end < limit) {
    bytes += entryBytes(entries[end]);
    if (end > from && bytes > maxBytes) break;
    end++;
  }
  return entries.slice(from, end);
}

/** Bytes read at once. */
const READ_BYTES = 1024 * 1024;

/** The entries that storage holds past the commit index it knows. There are not many: the core bounds them. Errors: corrupt, storage. */
export async function uncommittedEntries(store: NodeStore, loaded: LoadedState): Promise<readonly Entry[]> {
  const all: Entry[] = [];
  let from = Math.max(loaded.firstIndex, loaded.hardState.commit + 1);
  while (from <= loaded.lastIndex) {
    const run = await store.entries(from, loaded.lastIndex + 1, READ_BYTES);
    for (const entry of run) all.push(entry);
    from += run.length;
  }
  return all;
}
