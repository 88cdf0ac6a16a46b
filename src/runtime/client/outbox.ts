/**
 * Kept writes: each has a record on disk from its call to its end, and goes out by the node's ordinary writes as soon as somebody
 * leads. The order is what makes it happen once over reloads: its number is on disk before it is sent, and its record is gone before
 * anybody is told that it will never be applied.
 */
import { RaftError } from '../../core/errors.ts';
import type { WriteBatch } from '../../storage/storage.ts';
import type { OutboxEntry } from '../api/outbox.ts';
import { type Registration, registration } from '../api/registration.ts';
import type { Clock } from '../ports/clock.ts';
import { encodeKept, type KeptRecord, keptKey, readKept } from './kept-record.ts';
import { Kept } from './kept-write.ts';
import { describePending, type WriteResult } from './pending-write.ts';
import type { Writes } from './writes.ts';

/** Kept writes of one node without an answer, and the bytes of their commands: what is kept for an application that never reaches anybody. */
export const OUTBOX_WRITES_MAX = 1_000;
export const OUTBOX_BYTES_MAX: number = 16 * 1024 * 1024;
/** A kept write that is not said to expire otherwise is given up after a day, in ms: its intent is stale. */
export const OUTBOX_EXPIRES_MS: number = 24 * 60 * 60 * 1000;
/** Ends that are remembered for those who ask late; the oldest go first. */
const ENDED_MAX = 1_000;
/** Listeners of one node's outbox; more are refused with `busy`. */
const LISTENERS_MAX = 10_000;
/** A disk that failed is tried again after so long, in ms. */
const STORE_RETRY_MS = 2_000;

export interface OutboxParts {
  readonly writes: Pick<Writes, 'keep' | 'keepOn' | 'giveUp'>;
  readonly bootCount: number;
  readonly clock: Clock;
  /** Stores records. Errors: quota, storage. */
  readonly store: (batch: WriteBatch) => Promise<void>;
  /** Something is on disk now that the writes wait for. */
  readonly wake: () => void;
  readonly onFault: (error: RaftError) => void;
  readonly onListenerError: (error: unknown) => void;
}

export type OutboxListener = (pending: readonly OutboxEntry[]) => void;

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #open = new Map<string, Kept>();
  /** Records that have to go; with each the write that is ended by that, if anybody waits for it. */
  readonly #leaving = new Map<string, Kept | undefined>();
  readonly #ended = new Map<string, WriteResult>();
  readonly #listeners = new Set<OutboxListener>();
  #decode: (command: Uint8Array) => unknown = (command) => command;
  #shown: readonly OutboxEntry[] = [];
  #bytes = 0;
  #nextKey = 0;
  #storing = false;
  #scheduled = false;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** How commands are shown (Machine.decode). */
  showAs(decode: (command: Uint8Array) => unknown): void {
    this.#decode = decode;
  }

  /** Goes on with what an earlier life has kept. */
  inherit(records: ReadonlyMap<string, Uint8Array>): void {
    const { found, unreadable } = readKept(records);
    for (const key of unreadable) this.#leaving.set(key, undefined);
    if (unreadable.length > 0)
      this.#parts.onFault(new RaftError('corrupt', `${unreadable.length} kept writes could not be read, and are dropped.`));
    for (const record of found) {
      if (this.#open.has(record.id)) this.#leaving.set(record.key, undefined);
      else this.#begin(record, true);
    }
    this.#later();
  }

  /** Errors: busy, stopped, invalid-argument (the id is another write's). */
  add(command: Uint8Array, id: string, expiresMs: number, ifVersion: number | undefined): Kept {
    if (this.#stopped) throw new RaftError('stopped', 'The outbox has ended with the membership of this node: open it again.');
    const same = this.#open.get(id);
    if (same !== undefined) {
      if (isSame(same.record.command, command)) return same;
      throw new RaftError('invalid-argument', `There is another write with the id ${id} in the outbox.`);
    }
    if (this.#open.size >= OUTBOX_WRITES_MAX || this.#bytes + command.length > OUTBOX_BYTES_MAX)
      throw new RaftError('busy', `The outbox holds at most ${OUTBOX_WRITES_MAX} writes and ${OUTBOX_BYTES_MAX} bytes.`, {
        retryAfterMs: 1_000,
      });
    const since = this.#parts.clock.wallMs();
    const key = keptKey(this.#parts.bootCount, this.#nextKey++);
    const expiresAt = Math.ceil(since + expiresMs);
    const kept = this.#begin({ key, id, command, since, expiresAt, ifVersion, place: undefined }, false);
    this.#later();
    return kept;
  }

  #begin(record: KeptRecord, found: boolean): Kept {
    const kept = new Kept(record, found, () => this.#later());
    this.#open.set(record.id, kept);
    this.#bytes += record.command.length;
    const { writes } = this.#parts;
    const { command, place, expiresAt: notAfter, ifVersion, since, id: key } = record;
    const deadlineMs = Number.POSITIVE_INFINITY;
    const done = (result: WriteResult): void => this.#onDone(kept, result);
    const asked = { command, key, forward: true, expectedTerm: 0, notAfter, ifVersion, deadlineMs, done, kept };
    kept.pending =
      place === undefined
        ? writes.keep(asked)
        : writes.keepOn({ ...place, key, since, expiresAt: notAfter, inLog: false, record: undefined }, asked);
    return kept;
  }

  #onDone(kept: Kept, result: WriteResult): void {
    if (this.#stopped) return;
    kept.end = result;
    kept.dirty = false;
    if (kept.onDisk !== 'no') this.#leaving.set(kept.record.key, kept);
    // That it will never be applied is true only when the next life of this node cannot find it.
    if (kept.onDisk === 'no' || result.kind !== 'failed' || result.error.mayHaveApplied) this.#settle(kept, result);
    this.#later();
  }

  #settle(kept: Kept, result: WriteResult): void {
    const { id, command } = kept.record;
    if (this.#open.get(id) !== kept) return;
    this.#open.delete(id);
    this.#bytes -= command.length;
    this.#ended.delete(id);
    this.#ended.set(id, result);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= ENDED_MAX) break;
      this.#ended.delete(oldest);
    }
    kept.tell(result);
  }

  /** Calls back once, with how the write ends. False for an id that is not known. */
  watch(id: string, done: (result: WriteResult) => void): boolean {
    const kept = this.#open.get(id);
    const ended = this.#ended.get(id);
    if (kept !== undefined) kept.whenEnded(done);
    else if (ended !== undefined) done(ended);
    return kept !== undefined || ended !== undefined;
  }

  /** Calls back with whether the write is certainly never applied. */
  cancel(id: string, done: (never: boolean) => void): void {
    const kept = this.#open.get(id);
    if (kept?.pending === undefined) return done(false);
    kept.whenEnded((result) => done(result.kind === 'failed' && !result.error.mayHaveApplied));
    this.#parts.writes.giveUp(kept.pending, 'aborted', 'The write was cancelled.');
  }

  pending(): readonly OutboxEntry[] {
    const now = [...this.#open.values()].filter(({ end }) => end === undefined).map((kept) => this.#entryOf(kept));
    const before = this.#shown;
    const isAsBefore = now.length === before.length && now.every((entry, i) => isShownAs(entry, before[i]));
    if (!isAsBefore) this.#shown = now;
    return this.#shown;
  }

  #entryOf(kept: Kept): OutboxEntry {
    const { record, pending, onDisk } = kept;
    if (pending === undefined) throw new RaftError('invariant', 'A kept write was shown before it began.');
    const { since, expiresAt, ifVersion } = record;
    const { id, command, attempts } = describePending(pending, this.#decode);
    const state = attempts > 0 ? 'sent' : 'waiting';
    return { id, command, since, expiresAt, attempts, state, stored: onDisk === 'yes', ifVersion };
  }

  /** Errors: busy. */
  listen(listener: OutboxListener, signal?: AbortSignal): Registration {
    if (this.#listeners.size >= LISTENERS_MAX) throw new RaftError('busy', `There are ${LISTENERS_MAX} listeners of the outbox.`);
    const wrapped: OutboxListener = (pending) => listener(pending);
    this.pending();
    this.#listeners.add(wrapped);
    return registration(() => void this.#listeners.delete(wrapped), signal);
  }

  #tellListeners(): void {
    if (this.#listeners.size === 0) return;
    const before = this.#shown;
    const pending = this.pending();
    if (pending === before) return;
    for (const listener of [...this.#listeners]) {
      try {
        listener(pending);
      } catch (error) {
        this.#parts.onListenerError(error);
      }
    }
  }

  /** After the present burst of calls: one transaction for all of them. */
  #later(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#parts.clock.soon(() => {
      this.#scheduled = false;
      if (!this.#storing) this.flush();
      this.#tellListeners();
    });
  }

  /** Stores what has changed. Called by itself, and before a node stops on purpose. */
  flush(): void {
    if (this.#stopped || this.#parts.clock.monotonicMs() < this.#retryAtMs) return;
    const changed = [...this.#open.values()].filter(({ dirty }) => dirty);
    const leaving = [...this.#leaving];
    if (changed.length === 0 && leaving.length === 0) return;
    const put = changed.map((kept) => [kept, kept.now()] as const);
    for (const kept of changed) {
      kept.dirty = false;
      if (kept.onDisk === 'no') kept.onDisk = 'maybe';
    }
    this.#leaving.clear();
    this.#storing = true;
    const batch = {
      putRecords: put.map(([, record]) => [record.key, encodeKept(record)] as const),
      deleteRecords: leaving.map(([key]) => key),
    };
    this.#parts.store(batch).then(
      () => this.#onStored(put, leaving),
      (error: unknown) => this.#onUnstored(put, leaving, error),
    );
  }

  #onStored(put: readonly (readonly [Kept, KeptRecord])[], leaving: readonly (readonly [string, Kept | undefined])[]): void {
    this.#storing = false;
    for (const [kept, record] of put) kept.stored(record);
    for (const [, kept] of leaving) if (kept?.end !== undefined) this.#settle(kept, kept.end);
    if (put.length > 0) this.#parts.wake();
    this.#later();
  }

  /** The disk may come back: it is tried again. A disk that is full keeps what it has, and what is new on it is refused. */
  #onUnstored(
    put: readonly (readonly [Kept, KeptRecord])[],
    leaving: readonly (readonly [string, Kept | undefined])[],
    cause: unknown,
  ): void {
    this.#storing = false;
    if (this.#stopped) return;
    this.#retryAtMs = this.#parts.clock.monotonicMs() + STORE_RETRY_MS;
    for (const [key, kept] of leaving) this.#leaving.set(key, kept);
    for (const [kept] of put) {
      if (kept.end !== undefined) continue;
      kept.dirty = true;
      if (RaftError.is(cause, 'quota') && kept.onDisk !== 'yes') this.#refuse(kept, cause);
    }
  }

  #refuse(kept: Kept, cause: RaftError): void {
    const { pending } = kept;
    if (pending === undefined) return;
    // A write that failed has had no effect.
    kept.onDisk = 'no';
    this.#parts.writes.giveUp(pending, 'quota', cause.message);
  }

  /** Ends what has expired without ever having been sent, and tries the disk again. Call on every tick. */
  tick(): void {
    const now = this.#parts.clock.wallMs();
    for (const { pending, record, end } of [...this.#open.values()]) {
      if (pending === undefined || end !== undefined || pending.attempts > 0 || record.expiresAt > now) continue;
      this.#parts.writes.giveUp(pending, 'timeout', 'The write expired before it could be sent.');
    }
    if (this.#open.size > 0 || this.#leaving.size > 0) this.#later();
  }

  /** The records stay: the next life of this node finds them. Whoever waits is told. */
  stop(code: 'stopped' | 'removed', text: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    const error = new RaftError(code, `${text} The write is kept on this device.`, { mayHaveApplied: true });
    for (const kept of [...this.#open.values()]) kept.tell({ kind: 'failed', error });
    this.#open.clear();
    this.#listeners.clear();
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function isShownAs(a: OutboxEntry, b: OutboxEntry | undefined): boolean {
  return b !== undefined && a.id === b.id && a.since === b.since && a.attempts === b.attempts && a.stored === b.stored;
}
