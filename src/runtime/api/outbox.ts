/** Writes that are kept on this device until the cluster has taken them: made while alone, or without a majority. */
import type { Index } from '../../core/types.ts';
import type { Command, Handlers, ResultOf } from '../../state/types.ts';
import type { PendingWrite } from './calls.ts';
import type { Registration } from './registration.ts';

export interface OutboxOptions {
  /** An idempotency key of the caller's own, under which `watch` finds the write after a reload. At most 64 characters. Default: a random one. */
  readonly id?: string;
  /** Give up for good (never applied later) if it is not in the log by then, in ms from now. Default: a day. */
  readonly expiresMs?: number;
  /** Apply only if no other member's command has taken effect after this index; else `state-changed`. */
  readonly ifVersion?: Index;
}

export interface OutboxWrite<R> {
  readonly id: string;
  /** Resolves when it is on this device's disk; rejects when the write has ended before. */
  readonly stored: Promise<void>;
  /**
   * The command's own result once it is committed, however long that takes. Rejects with the reason when it came to nothing, and with
   * `stopped` when this node stops before: the write is kept all the same, and the next life of this node sends it.
   */
  readonly done: Promise<R>;
  /** As `outbox.cancel`. */
  cancel(): Promise<boolean>;
}

/** A kept write that has no answer yet. */
export interface OutboxEntry extends PendingWrite {
  /** `sent`: it may be in a log already. */
  readonly state: 'waiting' | 'sent';
  /** It is on this device's disk. */
  readonly stored: boolean;
  readonly ifVersion: Index | undefined;
}

/** What is the same for every machine. */
export interface OutboxView {
  /** In the order of the calls, those found after a reload first. The same array as long as nothing has changed in it. */
  pending(): readonly OutboxEntry[];
  /** Calls back when `pending()` has changed. Errors: busy. */
  subscribe(listener: (pending: readonly OutboxEntry[]) => void, options?: { readonly signal?: AbortSignal }): Registration;
  /**
   * How a write ends, of this life of the node or an earlier one; also of the last 1,000 that have ended in this one.
   * Rejects with `outcome-unknown` for an id that is not known here: it may have ended before.
   */
  watch(id: string): Promise<unknown>;
  /**
   * True when the write is off the disk, was never sent, and so is never applied. False when it may be applied all the same, or is not known.
   */
  cancel(id: string): Promise<boolean>;
}

export interface Outbox<S, C extends Handlers<S>> extends OutboxView {
  /** Keeps a command until it is applied, exactly once. Errors thrown: busy, stopped, removed, and those of `propose` that are known at the call. */
  add<const T extends Command<C>>(command: T, options?: OutboxOptions): OutboxWrite<ResultOf<C, T>>;
}

export interface ByteOutbox extends OutboxView {
  /** Keeps a command until it is applied, exactly once. Errors thrown: busy, stopped, removed, and those of `propose` that are known at the call. */
  add(command: Uint8Array, options?: OutboxOptions): OutboxWrite<Uint8Array>;
}
