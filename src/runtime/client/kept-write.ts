/** One write of the outbox, from its call to its end: what of it is on disk, and whether it may go. */
import { RaftError } from '../../core/errors.ts';
import type { KeptRecord, Place } from './kept-record.ts';
import type { KeptWrite, Pending, WriteResult } from './pending-write.ts';

/** Callers that wait for one kept write; more are refused with `busy`. */
const WAITERS_MAX = 10_000;

type Waiter = (result: WriteResult) => void;

export class Kept implements KeptWrite {
  readonly record: KeptRecord;
  /** Once the writes have it. */
  pending: Pending | undefined;
  /** The number that it shall be sent under. */
  #place: Place | undefined;
  /** The envelope that the record on disk holds. */
  #placeOnDisk: Uint8Array | undefined;
  /** Whether its record is on disk: `maybe` while that is written, or when nobody can say. */
  onDisk: 'no' | 'maybe' | 'yes';
  /** The record on disk is not the one of now. */
  dirty: boolean;
  /** Its end, which is told when its record is gone. */
  end: WriteResult | undefined;
  readonly #onChange: () => void;
  readonly #waiters: Waiter[] = [];
  readonly #storedWaiters: { readonly resolve: () => void; readonly reject: (error: RaftError) => void }[] = [];

  constructor(record: KeptRecord, found: boolean, onChange: () => void) {
    this.record = record;
    this.#place = record.place;
    this.#placeOnDisk = record.place?.data;
    this.onDisk = found ? 'yes' : 'no';
    this.dirty = !found;
    this.#onChange = onChange;
  }

  /** As it is to be stored now. */
  now(): KeptRecord {
    return { ...this.record, place: this.#place };
  }

  stored({ place }: KeptRecord): void {
    this.onDisk = 'yes';
    this.#placeOnDisk = place?.data;
    for (const { resolve } of this.#storedWaiters.splice(0)) resolve();
  }

  mayGo(session: number, sequence: number, data: Uint8Array): boolean {
    if (this.#placeOnDisk === data) return true;
    if (this.#place?.data !== data) {
      this.#place = { session, sequence, data };
      this.dirty = true;
      this.#onChange();
    }
    return false;
  }

  renumber(): void {
    this.#place = undefined;
    this.#placeOnDisk = undefined;
    this.dirty = true;
    this.#onChange();
  }

  whenStored(): Promise<void> {
    if (this.onDisk === 'yes') return Promise.resolve();
    return new Promise((resolve, reject) => this.#storedWaiters.push({ resolve, reject }));
  }

  /** Errors: busy. */
  whenEnded(done: Waiter): void {
    if (this.#waiters.length >= WAITERS_MAX) throw new RaftError('busy', `${WAITERS_MAX} callers wait for this write already.`);
    this.#waiters.push(done);
  }

  tell(result: WriteResult): void {
    for (const { reject } of this.#storedWaiters.splice(0)) {
      reject(
        result.kind === 'failed' ? result.error : new RaftError('aborted', 'The write has ended.', { mayHaveApplied: false }),
      );
    }
    for (const done of this.#waiters.splice(0)) done(result);
  }
}
