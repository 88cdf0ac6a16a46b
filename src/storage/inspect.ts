/** What is in a store, in a form for people and for JSON. Works over any store, of a running node or of a dead one. */
import { applyChange } from '../core/conf/changer.ts';
import { EMPTY_CONF } from '../core/conf/conf-change.ts';
import { describeEntry } from '../core/describe.ts';
import type { ConfState, Entry, EntryType, HardState, Index, Term } from '../core/types.ts';
import type { ClusterIdentity, NodeIdentity, NodeStore } from './storage.ts';

/** Bytes of entries read at once while a log is walked. */
const WALK_BYTES = 1024 * 1024;
const LINES_DEFAULT = 50;

/** What describing needs of a store. */
export type ReadableStore = Pick<NodeStore, 'identity' | 'load' | 'entries' | 'snapshot'>;

export interface LogLine {
  readonly index: Index;
  readonly term: Term;
  readonly type: EntryType;
  /** The leader's clock, ms since the epoch; 0 when not known. */
  readonly time: number;
  readonly bytes: number;
  readonly text: string;
}
export interface LogRange {
  readonly from?: Index | undefined;
  /** Inclusive. */
  readonly to?: Index | undefined;
  /** How many, when `from` is not given: the last 50 by default. */
  readonly last?: number | undefined;
}

export async function describeLog(store: ReadableStore, range: LogRange = {}): Promise<LogLine[]> {
  const { firstIndex, lastIndex } = await store.load();
  const to = Math.min(range.to ?? lastIndex, lastIndex);
  const from = Math.max(range.from ?? to + 1 - (range.last ?? LINES_DEFAULT), firstIndex);
  const lines: LogLine[] = [];
  for await (const entry of walk(store, from, to)) {
    const { index, term, type, time, data } = entry;
    lines.push({ index, term, type, time, bytes: data.length, text: describeEntry(entry) });
  }
  return lines;
}

/** Entries [from, to], whatever their number. */
export async function* walk(store: Pick<NodeStore, 'entries'>, from: Index, to: Index): AsyncGenerator<Entry, void> {
  let at = from;
  while (at <= to) {
    const entries = await store.entries(at, to + 1, WALK_BYTES);
    yield* entries;
    at += entries.length;
  }
}

export interface StoreMetadata {
  readonly identity: NodeIdentity;
  readonly cluster: ClusterIdentity | undefined;
  readonly hardState: HardState;
  readonly snapshot: { readonly index: Index; readonly term: Term; readonly bytes: number; readonly digest: string } | undefined;
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  /** Their content may be keys: only names and sizes are told. */
  readonly records: ReadonlyArray<{ readonly key: string; readonly bytes: number }>;
}

export async function describeMetadata(store: ReadableStore): Promise<StoreMetadata> {
  const { cluster, hardState, firstIndex, lastIndex, records } = await store.load();
  const snapshot = await store.snapshot();
  return {
    identity: store.identity,
    cluster,
    hardState,
    snapshot: snapshot && {
      index: snapshot.meta.index,
      term: snapshot.meta.term,
      bytes: snapshot.bytes,
      digest: snapshot.digest,
    },
    firstIndex,
    lastIndex,
    records: [...records].map(([key, value]) => ({ key, bytes: value.length })),
  };
}

export interface StoreMembership {
  /** Committed as far as this store knows. */
  readonly committed: ConfState;
  /** With all changes in the log: the one in force when they are appended (§4.1). */
  readonly latest: ConfState;
}

/** The configuration, from the snapshot and the changes after it. */
export async function describeMembers(store: ReadableStore): Promise<StoreMembership> {
  const { hardState, snapshot, firstIndex, lastIndex } = await store.load();
  let latest = snapshot?.conf ?? EMPTY_CONF;
  let committed = latest;
  for await (const entry of walk(store, Math.max(firstIndex, (snapshot?.index ?? 0) + 1), lastIndex)) {
    if (entry.change !== undefined) {
      const changed = applyChange(latest, entry.change);
      // A change that cannot be made is refused by every member alike.
      if ('conf' in changed) latest = changed.conf;
    }
    if (entry.index <= hardState.commit) committed = latest;
  }
  return { committed, latest };
}

export interface StoreCheck {
  readonly entries: number;
  readonly snapshotBytes: number;
}

/** Reads everything. Errors: corrupt, naming the first thing that is wrong. */
export async function checkStore(store: ReadableStore): Promise<StoreCheck> {
  const { firstIndex, lastIndex } = await store.load();
  let entries = 0;
  for await (const _ of walk(store, firstIndex, lastIndex)) entries += 1;
  let snapshotBytes = 0;
  for await (const chunk of (await store.snapshot())?.chunks() ?? []) snapshotBytes += chunk.length;
  return { entries, snapshotBytes };
}
