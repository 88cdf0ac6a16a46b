/**
 * The writes of this node that have no answer yet, kept in the node's own database so that a reload or a
 * crash in the middle of one does not forget it (§6.3). One record per flush, not per write: a record costs
 * storage ten times what its bytes do. Of what this node, leading, has put into its own log only the numbers are
 * kept: the log has the bytes, and holds them until a later leader says otherwise, to whom they are then sent.
 */
import { pack, unpackStored } from '../../codec/pack.ts';
import type { Entry } from '../../core/types.ts';
import { decodeEnvelope } from '../../state/envelope.ts';
import type { WriteBatch } from '../../storage/storage.ts';

/** A write as it was sent: enough to send it again after a reload, with the same number. */
export interface SavedWrite {
  readonly session: number;
  readonly sequence: number;
  /** The caller's idempotency key, or ''. */
  readonly key: string;
  /** Wall time in ms when it was first sent. */
  readonly since: number;
  /** Wall time in ms after which it is not sent again; 0 for the journal's own limit. */
  readonly expiresAt: number;
  /** The whole envelope. */
  readonly data: Uint8Array;
  /** This node's own log has the data: only the number is stored beside it. */
  readonly inLog: boolean;
  /** Where it is stored; undefined until it is. The journal's own to set. */
  record: JournalRecord | undefined;
}

/** One stored record. */
interface JournalRecord {
  readonly key: string;
  /** Its writes that have no answer yet. */
  open: number;
}

const KEY_PREFIX = 'outbox/';
/**
 * Answered writes stay in storage so long for a transaction that takes their removal along, in ms; found there after a crash
 * they are sent once more, and answered from the session. A transaction of their own would hold up the next write.
 */
export const JOURNAL_LINGER_MS = 250;
/** Records that linger at most; more are removed at once. */
const JOURNAL_LINGER_MAX = 1_000;
/** A write found after a reload is given up when it is older than this, in ms: its intent is stale. */
export const JOURNAL_AGE_MS_MAX: number = 10 * 60 * 1000;

export class WriteJournal {
  #added: SavedWrite[] = [];
  readonly #finished: string[] = [];
  #lingersSinceMs = 0;
  #next: number;
  readonly #boot: number;

  constructor(bootCount: number) {
    this.#boot = bootCount;
    this.#next = 0;
  }

  /**
   * Reads what an earlier life of this node left; `uncommitted` are the entries of its log that may not be committed, asked
   * for only when they are needed. Unreadable records are dropped: they promised nothing. Errors: those of `uncommitted`.
   */
  async load(
    records: ReadonlyMap<string, Uint8Array>,
    nowMs: number,
    uncommitted: () => Promise<readonly Entry[]>,
  ): Promise<SavedWrite[]> {
    const all: SavedWrite[] = [];
    let entries: readonly Entry[] | undefined;
    for (const [key, value] of records) {
      if (!key.startsWith(KEY_PREFIX)) continue;
      const { writes, inLog } = decodeRecord(value);
      if (inLog.length > 0) entries ??= await uncommitted();
      for (const run of inLog) writes.push(...findInLog(run, entries ?? []));
      const fresh = writes.filter((write) => nowMs <= (write.expiresAt || write.since + JOURNAL_AGE_MS_MAX));
      if (fresh.length === 0) this.#finished.push(key);
      keepIn({ key, open: 0 }, fresh);
      for (const write of fresh) all.push(write);
    }
    return all;
  }

  add(write: SavedWrite): void {
    this.#added.push(write);
  }

  /** The write has its answer, or was given up. */
  remove(write: SavedWrite): void {
    const { record } = write;
    if (record === undefined) {
      this.#added = this.#added.filter((other) => other !== write);
      return;
    }
    write.record = undefined;
    record.open--;
    if (record.open === 0) this.#finished.push(record.key);
  }

  #lingers(nowMs: number): boolean {
    const { length } = this.#finished;
    return length === 0 || (length < JOURNAL_LINGER_MAX && nowMs - this.#lingersSinceMs < JOURNAL_LINGER_MS);
  }

  /** What must be stored now, or undefined. Losing it in a power cut loses the retry, never the write. */
  flush(nowMs: number): WriteBatch | undefined {
    if (this.#finished.length === 0) this.#lingersSinceMs = nowMs;
    if (this.#added.length === 0 && this.#lingers(nowMs)) return undefined;
    this.#lingersSinceMs = nowMs;
    // A record that is done is written over by the next: one operation less for the disk.
    const key = this.#added.length === 0 ? '' : (this.#finished.pop() ?? `${KEY_PREFIX}${this.#boot}/${this.#next++}`);
    const deleteRecords = this.#finished.splice(0);
    if (this.#added.length === 0) return { deleteRecords, sync: false };
    const writes = this.#added;
    this.#added = [];
    keepIn({ key, open: 0 }, writes);
    return { putRecords: [[key, encodeWrites(writes)]], deleteRecords, sync: false };
  }
}

function keepIn(record: JournalRecord, writes: readonly SavedWrite[]): void {
  record.open = writes.length;
  for (const write of writes) write.record = record;
}

/** Writes of one session that the log has: [session, first sequence, last sequence, since]. */
type RunInLog = readonly [session: number, first: number, last: number, since: number];
type Row =
  | RunInLog
  | readonly [session: number, sequence: number, key: string, since: number, expiresAt: number, data: Uint8Array];

function encodeWrites(writes: readonly SavedWrite[]): Uint8Array {
  const rows: Row[] = [];
  let run: [number, number, number, number] | undefined;
  for (const { session, sequence, key, since, expiresAt, data, inLog } of writes) {
    if (!inLog) rows.push([session, sequence, key, since, expiresAt, data]);
    else if (run !== undefined && run[0] === session && run[2] + 1 === sequence) run[2] = sequence;
    else {
      run = [session, sequence, sequence, since];
      rows.push(run);
    }
  }
  return pack(rows);
}

function decodeRecord(bytes: Uint8Array): { readonly writes: SavedWrite[]; readonly inLog: RunInLog[] } {
  const writes: SavedWrite[] = [];
  const inLog: RunInLog[] = [];
  try {
    for (const row of unpackStored(bytes) as readonly Row[]) {
      if (row.length === 4) {
        inLog.push(row);
        continue;
      }
      const [session, sequence, key, since, expiresAt, data] = row;
      writes.push({ session, sequence, key, since, expiresAt, data: data.slice(), inLog: false, record: undefined });
    }
  } catch {
    return { writes: [], inLog: [] };
  }
  return { writes, inLog };
}

/** What is not among the entries that may be uncommitted needs no help: it is committed, and applied as the log is. */
function findInLog([session, first, last, since]: RunInLog, entries: readonly Entry[]): SavedWrite[] {
  const found: SavedWrite[] = [];
  for (const { type, data } of entries) {
    if (type !== 'normal' || data.length === 0) continue;
    const envelope = decodeEnvelope(data);
    if ((envelope.kind !== 'command' && envelope.kind !== 'trust') || envelope.session !== session) continue;
    const { sequence, key, notAfter } = envelope.kind === 'command' ? envelope : { ...envelope, key: '', notAfter: 0 };
    if (sequence < first || sequence > last) continue;
    found.push({ session, sequence, key, since, expiresAt: notAfter, data, inLog: true, record: undefined });
  }
  return found;
}
