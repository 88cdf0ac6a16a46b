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

/** Why a leader does not go on alone. */
export type AloneRefusal =
  /** The option `goesAlone` is off. */
  | 'switched-off'
  | 'not-leader'
  /** A quorum without this leader is possible, or there is nobody besides it. */
  | 'not-a-pair'
  /** The other voter has not acknowledged the seal: somebody else may have been elected, or may yet be. */
  | 'not-settled'
  /** A change is in the log that is not this leader's to decide alone. */
  | 'config-change-in-progress';

/** `index`: of the entry that is committed as soon as the next write is durable. */
export type AloneOutcome = { readonly ok: true; readonly index: Index } | { readonly ok: false; readonly reason: AloneRefusal };

export type AskOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: RefusalReason };

/** `error` says why the change did nothing: the same on every member. */
export interface ApplyConfOutcome {
  readonly conf: ConfState;
  readonly error: RaftError | undefined;
}
