/** Answers to what the environment asks of the core: codes, never exceptions and never silence. */

import type { RaftError } from './errors.ts';
import type { ConfState, Index, Term } from './types.ts';

/** Why a proposal, read or transfer was not taken. */
export type RefusalReason =
  /** No leader is known: ask again. */
  | 'no-leader'
  /** There is a leader, it is somebody else, and forwarding is off. */
  | 'not-leader'
  /** Leadership is being handed over. */
  | 'transfer-in-progress'
  /** Too much is uncommitted, or too many reads wait. */
  | 'busy'
  /** One command above the limit. */
  | 'too-large'
  /** A change is in the log that this leader has not applied yet, or the configuration is joint. */
  | 'config-change-in-progress'
  /** The change cannot be applied to the configuration in force. */
  | 'config-invalid'
  /** This node is not in the configuration. */
  | 'removed'
  /** The target is not a member. */
  | 'peer-not-found'
  /** The target cannot lead: a learner or a witness. */
  | 'not-a-voter';

export type ProposeOutcome =
  /** In the leader's log, not committed yet: an entry at these indexes with another term means it was replaced. */
  | { readonly ok: true; readonly forwarded: false; readonly firstIndex: Index; readonly lastIndex: Index; readonly term: Term }
  /** On its way to the leader, which may drop it. */
  | { readonly ok: true; readonly forwarded: true }
  | { readonly ok: false; readonly reason: RefusalReason };

export type AskOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: RefusalReason };

/** `error` says why the change did nothing: the same on every member. */
export interface ApplyConfOutcome {
  readonly conf: ConfState;
  readonly error: RaftError | undefined;
}
