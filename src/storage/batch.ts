/** What must hold of a batch before a store takes it: a broken one is a fault of the caller, never of the disk. */
import { RaftError } from '../core/errors.ts';
import type { Entry, Index, Term } from '../core/types.ts';
import type { ClusterIdentity, StoreFault, WriteBatch } from './storage.ts';

/** What a store knows, as of the writes called. */
export interface LogView {
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  term(index: Index): Term | undefined;
}

/** Longest key of a record, in UTF-16 units. */
export const RECORD_KEY_LENGTH_MAX = 256;

/** Errors: invariant (the log would get a hole), invalid-argument (a record's key). */
export function requireBatch(batch: WriteBatch, log: LogView): void {
  const bounds = batch.snapshot === undefined ? log : boundsAfterSnapshot(batch, log);
  if (batch.entries !== undefined) requireEntries(batch.entries, bounds);
  for (const [key] of batch.putRecords ?? []) {
    if (key.length === 0 || key.length > RECORD_KEY_LENGTH_MAX) {
      throw new RaftError('invalid-argument', `A record's key has 1 to ${RECORD_KEY_LENGTH_MAX} characters.`);
    }
  }
}

/** Entries of a batch come after its snapshot. */
function boundsAfterSnapshot(batch: WriteBatch, log: LogView): Pick<LogView, 'firstIndex' | 'lastIndex'> {
  const { index, term } = batch.snapshot?.staged.meta ?? { index: 0, term: 0 };
  if (batch.snapshot?.keepLogAfter === true && log.term(index) === term) return log;
  return { firstIndex: index + 1, lastIndex: index };
}

function requireEntries(entries: readonly Entry[], log: Pick<LogView, 'firstIndex' | 'lastIndex'>): void {
  const first = entries[0];
  if (first === undefined) return;
  if (first.index < log.firstIndex || first.index > log.lastIndex + 1) {
    throw new RaftError('invariant', `Entry ${first.index} does not continue a log of ${log.firstIndex} to ${log.lastIndex}.`);
  }
  let expected = first.index;
  for (const entry of entries) {
    if (entry.index !== expected) {
      throw new RaftError('invariant', `Entry ${entry.index} stands where ${expected} is expected.`);
    }
    expected += 1;
  }
}

/** A store belongs to one cluster; its epoch only rises. Errors: cluster-mismatch, epoch-mismatch. */
export function requireCluster(wanted: ClusterIdentity | undefined, present: ClusterIdentity | undefined): void {
  if (wanted === undefined || present === undefined) return;
  if (wanted.clusterId !== present.clusterId) {
    throw new RaftError('cluster-mismatch', `This store belongs to cluster ${present.clusterId}, not to ${wanted.clusterId}.`);
  }
  if (wanted.epoch < present.epoch) {
    throw new RaftError('epoch-mismatch', `This store is of epoch ${present.epoch}; ${wanted.epoch} is over.`);
  }
}

export function failedStore(message: string, cause: unknown): RaftError {
  if (cause instanceof RaftError) return cause;
  const detail = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new RaftError('storage', `${message} (${detail})`, { cause });
}

/** A store's failure as its owner is told of it. */
export function faultOf(error: RaftError): StoreFault {
  const { code, message } = error;
  const known = code === 'quota' || code === 'storage-closed' || code === 'storage-newer' || code === 'corrupt';
  return { code: known ? code : 'storage', message, cause: error };
}
