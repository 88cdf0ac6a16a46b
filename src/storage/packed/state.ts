/** What opening reads: the small records, and of the log only its last segment. */
import { RaftError } from '../../core/errors.ts';
import type { Entry, HardState, Index } from '../../core/types.ts';
import type { ClusterIdentity, LoadedState } from '../storage.ts';
import type { Medium } from './medium.ts';
import {
  FORMAT_VERSION,
  type HeadRecord,
  type IdentityRecord,
  type LogRecord,
  readHead,
  readMeta,
  type SnapshotRecord,
  unseal,
} from './meta.ts';
import { decodeSegment } from './segment.ts';
import { TermIndex } from './term-index.ts';
import { upgrade } from './upgrade.ts';

export interface StoreState {
  readonly identity: IdentityRecord;
  readonly cluster: ClusterIdentity | undefined;
  readonly hardState: HardState;
  readonly snapshot: SnapshotRecord | undefined;
  readonly generation: number;
  readonly mergedTo: number;
  readonly terms: TermIndex;
  /** Of `tail`, those that are in the head record. */
  readonly headTail: readonly Entry[];
  readonly tail: readonly Entry[];
  readonly records: ReadonlyMap<string, Uint8Array>;
}

/**
 * undefined for a database that nothing was ever written to. One of an older format is upgraded, in one transaction.
 * Errors: corrupt, storage-newer, storage.
 */
export async function readState(medium: Medium): Promise<StoreState | undefined> {
  const [meta, stored, last] = await Promise.all([
    medium.all('meta'),
    medium.all('records'),
    medium.scan('log', Number.MAX_SAFE_INTEGER, 1),
  ]);
  const format = readMeta(meta, 'format');
  if (format === undefined) {
    if (meta.size === 0 && last.length === 0 && stored.size === 0) return undefined;
    throw new RaftError('corrupt', "The stored record 'format' is missing.");
  }
  if (format < FORMAT_VERSION) {
    await upgrade(medium, meta, last[0], format);
    return readState(medium);
  }
  if (format > FORMAT_VERSION) {
    throw new RaftError(
      'storage-newer',
      `The database has format ${format}, written by a newer version of tabraft; this one knows format ${FORMAT_VERSION}.`,
    );
  }
  const identity = readMeta(meta, 'identity');
  const log = readMeta(meta, 'log');
  if (identity === undefined) throw new RaftError('corrupt', "The stored record 'identity' is missing.");
  if (log === undefined) throw new RaftError('corrupt', "The stored record 'log' is missing.");
  const head = readHead(meta);
  if (head === undefined) throw new RaftError('corrupt', "The stored record 'head' is missing.");
  const snapshot = readMeta(meta, 'snapshot');
  const end = last[0] === undefined ? undefined : decodeSegment(last[0].key, last[0].value);
  const alive = end !== undefined && end.generation === log.generation && end.last >= log.firstIndex;
  const tailFirst = head.tail[0]?.index ?? head.lastIndex + 1;
  const segmentsEnd = alive ? end.last : log.firstIndex - 1;
  const terms = TermIndex.from(log, head.lastIndex);
  requireWhole(head, segmentsEnd, tailFirst);
  const hidden = alive ? end.entries.slice(0, Math.max(0, tailFirst - end.first)) : [];
  const tail = [...hidden, ...head.tail].filter(({ index }) => index >= log.firstIndex);
  requireConsistent(head, snapshot, terms, tail);
  return {
    identity,
    cluster: readMeta(meta, 'cluster'),
    hardState: head.hardState,
    snapshot,
    generation: log.generation,
    mergedTo: log.mergedTo,
    terms,
    headTail: head.tail,
    tail,
    records: readRecords(stored),
  };
}

function broken(what: string): never {
  throw new RaftError('corrupt', `The database contradicts itself: ${what}.`);
}

/** No entry is missing between the segments and the tail, nor after them. */
function requireWhole(head: HeadRecord, segmentsEnd: Index, tailFirst: Index): void {
  if (tailFirst > segmentsEnd + 1 || (head.tail.length === 0 && segmentsEnd !== head.lastIndex)) {
    broken(`entries were written up to ${tailFirst - 1}, the log ends at ${segmentsEnd}`);
  }
}

function requireConsistent(
  head: HeadRecord,
  snapshot: SnapshotRecord | undefined,
  terms: TermIndex,
  tail: readonly Entry[],
): void {
  for (const { index, term } of tail) if (terms.term(index) !== term) broken(`the term of entry ${index}`);
  const { commit } = head.hardState;
  if (commit > terms.lastIndex) broken(`entry ${commit} is committed, the log ends at ${terms.lastIndex}`);
  const needed = terms.firstIndex - 1;
  if (needed > 0 && snapshot === undefined) broken(`the log starts at ${terms.firstIndex} and there is no snapshot`);
  if (snapshot !== undefined && snapshot.meta.index < needed)
    broken(`the log starts after the snapshot at ${snapshot.meta.index}`);
}

function readRecords(stored: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  for (const key of [...stored.keys()].sort()) {
    try {
      records.set(key, unseal(stored.get(key) ?? new Uint8Array(0)).slice());
    } catch (cause) {
      throw new RaftError('corrupt', `The stored record '${key}' of the owner is damaged.`, { cause });
    }
  }
  return records;
}

export function loadedState(state: StoreState): LoadedState {
  return {
    cluster: state.cluster,
    hardState: state.hardState,
    snapshot: state.snapshot?.meta,
    snapshotBytes: state.snapshot?.bytes ?? 0,
    firstIndex: state.terms.firstIndex,
    lastIndex: state.terms.lastIndex,
    tail: state.tail,
    records: state.records,
  };
}

export function logRecordOf(state: StoreState): LogRecord {
  return { ...state.terms.state(), generation: state.generation, mergedTo: state.mergedTo };
}
