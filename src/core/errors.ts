/**
 * The one error class of tabraft and its closed table of codes. docs/ERRORS.md has a heading for each
 * (a test compares them). Every caller's two questions are fields: may I retry, may it have happened.
 */
import type { Index, NodeId } from './types.ts';

interface CodeFacts {
  /** Trying the same call again later, unchanged, can succeed. */
  readonly retryable: boolean;
  /** The command may have been, or may yet be, applied. */
  readonly mayHaveApplied: boolean;
}

const no: CodeFacts = { retryable: false, mayHaveApplied: false };
const retry: CodeFacts = { retryable: true, mayHaveApplied: false };
const unknown: CodeFacts = { retryable: false, mayHaveApplied: true };

export type RaftErrorCode =
  | 'not-leader'
  | 'no-leader'
  | 'leadership-lost'
  | 'transfer-in-progress'
  | 'transfer-refused'
  | 'term-mismatch'
  | 'state-changed'
  | 'timeout'
  | 'aborted'
  | 'outcome-unknown'
  | 'busy'
  | 'too-large'
  | 'invalid-argument'
  | 'misuse'
  | 'not-open'
  | 'stopped'
  | 'removed'
  | 'rejected'
  | 'unknown-command'
  | 'handler-failed'
  | 'session-expired'
  | 'version-mismatch'
  | 'index-compacted'
  | 'no-quorum'
  | 'config-change-in-progress'
  | 'config-invalid'
  | 'membership-mismatch'
  | 'not-a-member'
  | 'not-a-voter'
  | 'identity-in-use'
  | 'cluster-mismatch'
  | 'epoch-mismatch'
  | 'node-mismatch'
  | 'wrong-secret'
  | 'not-admitted'
  | 'proof-failed'
  | 'proof-timeout'
  | 'invite-invalid'
  | 'invite-expired'
  | 'invite-used'
  | 'invite-revoked'
  | 'member-revoked'
  | 'insecure-context'
  | 'clock-skew'
  | 'not-authorized'
  | 'storage'
  | 'storage-unavailable'
  | 'storage-closed'
  | 'storage-newer'
  | 'storage-blocked'
  | 'quota'
  | 'corrupt'
  | 'signaling-unreachable'
  | 'signaling-refused'
  | 'room-invalid'
  | 'room-full'
  | 'webrtc-unavailable'
  | 'link-failed'
  | 'message-invalid'
  | 'protocol-mismatch'
  | 'peer-not-found'
  | 'log-conflict'
  | 'invariant';

export const ERROR_CODES: Readonly<Record<RaftErrorCode, CodeFacts>> = {
  // leadership
  'not-leader': retry,
  'no-leader': retry,
  'leadership-lost': retry,
  'transfer-in-progress': retry,
  'transfer-refused': retry,
  'term-mismatch': no,
  'state-changed': no,
  // calls
  timeout: unknown,
  aborted: unknown,
  'outcome-unknown': unknown,
  busy: retry,
  'too-large': no,
  'invalid-argument': no,
  misuse: no,
  'not-open': no,
  stopped: no,
  removed: no,
  rejected: no,
  'unknown-command': no,
  'handler-failed': no,
  'session-expired': unknown,
  'version-mismatch': no,
  'index-compacted': no,
  // membership
  'no-quorum': retry,
  'config-change-in-progress': retry,
  'config-invalid': no,
  'membership-mismatch': no,
  'not-a-member': retry,
  'not-a-voter': no,
  // identity and cluster
  'identity-in-use': no,
  'cluster-mismatch': no,
  'epoch-mismatch': no,
  'node-mismatch': no,
  // trust
  'wrong-secret': no,
  'not-admitted': retry,
  'proof-failed': retry,
  'proof-timeout': retry,
  'invite-invalid': no,
  'invite-expired': no,
  'invite-used': no,
  'invite-revoked': no,
  'member-revoked': no,
  'insecure-context': no,
  'clock-skew': no,
  'not-authorized': no,
  // storage
  storage: no,
  'storage-unavailable': no,
  'storage-closed': no,
  'storage-newer': no,
  'storage-blocked': retry,
  quota: retry,
  corrupt: no,
  // network and signaling
  'signaling-unreachable': retry,
  'signaling-refused': no,
  'room-invalid': no,
  'room-full': retry,
  'webrtc-unavailable': no,
  'link-failed': retry,
  'message-invalid': no,
  'protocol-mismatch': no,
  // the core's own
  'peer-not-found': no,
  'log-conflict': no,
  invariant: no,
};

export interface RaftErrorDetails {
  readonly cause?: unknown;
  readonly leaderHint?: NodeId | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly index?: Index | undefined;
  readonly id?: string | undefined;
  /** Overrides the table where the caller knows better. */
  readonly mayHaveApplied?: boolean | undefined;
}

export class RaftError<C extends RaftErrorCode = RaftErrorCode> extends Error {
  override readonly name: string = 'RaftError';
  readonly code: C;
  readonly retryable: boolean;
  readonly mayHaveApplied: boolean;
  readonly leaderHint: NodeId | undefined;
  readonly retryAfterMs: number | undefined;
  readonly index: Index | undefined;
  /** The idempotency key of the write that failed, if it had one: the same command under the same key is applied once. */
  readonly id: string | undefined;

  constructor(code: C, message: string, details: RaftErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const facts = ERROR_CODES[code];
    this.code = code;
    this.retryable = facts.retryable;
    this.mayHaveApplied = details.mayHaveApplied ?? facts.mayHaveApplied;
    this.leaderHint = details.leaderHint;
    this.retryAfterMs = details.retryAfterMs;
    this.index = details.index;
    this.id = details.id;
  }

  static is<K extends RaftErrorCode>(error: unknown, code?: K): error is RaftError<K> {
    return error instanceof RaftError && (code === undefined || error.code === code);
  }
}

export function isErrorCode(code: unknown): code is RaftErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
}
