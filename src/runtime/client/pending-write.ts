/** What a write is on its way from the call to its answer; and how what is known of it is told. */
import { RaftError } from '../../core/errors.ts';
import type { Index, Term } from '../../core/types.ts';
import { commandIn } from '../../state/envelope.ts';
import type { StoredOutcome } from '../../state/sessions.ts';
import type { Outcome } from '../../state/state-machine.ts';
import type { MemberRole } from '../../trust/roles.ts';
import type { PendingWrite } from '../api/api.ts';
import type { SavedWrite } from './write-journal.ts';

export interface WriteRequest {
  readonly command: Uint8Array;
  /** A decision about who may come in, by this role of the caller's; undefined for a command of the machine. */
  readonly decidesAs?: MemberRole | undefined;
  readonly key: string;
  readonly forward: boolean;
  readonly expectedTerm: Term;
  /** Apply only if no other member's command has taken effect after it. */
  readonly ifVersion?: Index | undefined;
  /** Wall ms after which it must not be applied; 0 for never. */
  readonly notAfter: number;
  /** Monotonic ms at which the caller is told to stop waiting. */
  readonly deadlineMs: number;
  readonly done: (result: WriteResult) => void;
  /** A kept write has a record of its own on disk (kept-writes.ts), and none in the journal. */
  readonly kept?: KeptWrite | undefined;
}

/** What is asked of the record behind a kept write. */
export interface KeptWrite {
  /** Whether the number that it is to be sent under is on disk; otherwise it is stored, and the node is woken when that is done. */
  mayGo(session: number, sequence: number, data: Uint8Array): boolean;
  /** The session of its number had expired before its only copy came: it was certainly not applied. */
  renumber(): void;
}

/** What became of a write that the log has: an `Applied` command is one. */
export interface AppliedWrite {
  readonly kind: 'command' | 'trust';
  readonly outcome: Outcome;
  readonly index: number;
  readonly term: number;
  readonly replayed: boolean;
}
export type WriteResult = AppliedWrite | { readonly kind: 'failed'; readonly error: RaftError };

/** A write whose bytes are fixed, under a session. */
interface Numbered {
  readonly session: number;
  readonly data: Uint8Array;
}

interface NumberedStage extends Numbered {
  readonly kind: 'numbered';
}

/** How far a write has come, and what is known of it by then. */
export type WriteStage =
  /** Called, and without a session yet; or the one that it had is gone, and it was certainly not applied. */
  | { readonly kind: 'unnumbered' }
  /** To be sent to whoever leads: for the first time, or because who led has refused it. */
  | NumberedStage
  /** On its way to a leader, or in a log, under this leadership; sent again when that ends. */
  | SentStage;

export interface SentStage extends Numbered {
  readonly kind: 'sent';
  readonly under: string;
}

export interface Pending {
  readonly request: WriteRequest;
  readonly sequence: number;
  /** Wall ms of the call. */
  readonly since: number;
  stage: WriteStage;
  /** How often it was sent and not refused: as many copies of it may be in a log. */
  attempts: number;
  /** Its record in the journal, from when it was first sent. */
  saved: SavedWrite | undefined;
}

/** 0 without one. */
export function sessionOf({ stage }: Pending): number {
  return stage.kind === 'unnumbered' ? 0 : stage.session;
}

/** `decode` makes of a command's bytes what the caller had given (Machine.decode). */
export function describePending(write: Pending, decode: (command: Uint8Array) => unknown): PendingWrite {
  return {
    id: idOf(write),
    command: write.request.decidesAs === undefined ? asCommand(decode(write.request.command)) : { type: 'trust' },
    since: write.since,
    expiresAt: write.request.notAfter === 0 ? undefined : write.request.notAfter,
    attempts: write.attempts,
  };
}

function asCommand(value: unknown): PendingWrite['command'] {
  if (value instanceof Uint8Array) return { type: 'bytes', bytes: value };
  const typed = typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
  return typed ? (value as PendingWrite['command']) : { type: '' };
}

/** What pending() calls it and cancel() takes. */
export function idOf(write: Pending): string {
  return write.request.key === '' ? `${sessionOf(write)}/${write.sequence}` : write.request.key;
}

/** A write found after a reload: in the journal, then nobody waits for it; or kept, then `asked` says who does. */
export function inheritedWrite(saved: SavedWrite, asked: Partial<WriteRequest> = {}): Pending {
  const { session, sequence, key, since, expiresAt, data } = saved;
  const request: WriteRequest = {
    command: commandIn(data),
    key,
    forward: true,
    expectedTerm: 0,
    notAfter: expiresAt,
    deadlineMs: Number.POSITIVE_INFINITY,
    done: () => {},
    ...asked,
  };
  const kept = request.kept === undefined ? saved : undefined;
  return { request, sequence, since, stage: { kind: 'numbered', session, data }, attempts: 1, saved: kept };
}

/** Refused before it was ever sent. */
export function refusedBusy(pendingMax: number): WriteResult {
  return {
    kind: 'failed',
    error: new RaftError('busy', `${pendingMax} writes of this node are waiting.`, { retryAfterMs: 100 }),
  };
}

export function toResult(stored: StoredOutcome): WriteResult {
  return { kind: 'command', outcome: stored.outcome, index: stored.index, term: stored.term, replayed: true };
}

/**
 * A leader's refusal as the caller hears it: an earlier copy whose fate is not known may still be applied, and so may one
 * in the journal's storage, of which the next life of this node would send a copy if this one ended before the record goes.
 */
export function refusedError(error: RaftError, write: Pending): RaftError {
  const { code, message, leaderHint, retryAfterMs } = error;
  const mayHaveApplied = write.attempts > 0 || write.saved?.record !== undefined;
  return new RaftError(code, message, { cause: error, leaderHint, retryAfterMs, mayHaveApplied });
}
