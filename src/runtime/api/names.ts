/** The names that calls of a node know, beside the types of api.ts: the compiler keeps both the same. */
import type { Names } from '../ports/require-known.ts';
import type { InviteTerms, Membership, RaftEvents } from './api.ts';
import type { CallOptions } from './basics.ts';
import type { ProposeOptions, ReadOptions, StopOptions } from './calls.ts';
import type { OutboxOptions } from './outbox.ts';

export const CALL_OPTION_NAMES: Names<CallOptions> = { signal: true, timeoutMs: true };
export const PROPOSE_OPTION_NAMES: Names<ProposeOptions> = {
  ...CALL_OPTION_NAMES,
  id: true,
  forward: true,
  expectedTerm: true,
  ifVersion: true,
  expiresMs: true,
};
export const OUTBOX_OPTION_NAMES: Names<OutboxOptions> = { id: true, expiresMs: true, ifVersion: true };
export const READ_OPTION_NAMES: Names<ReadOptions> = { ...CALL_OPTION_NAMES, consistency: true };
export const LISTEN_OPTION_NAMES: Names<{ signal: AbortSignal }> = { signal: true };
export const CHANGES_OPTION_NAMES: Names<{ from: number; signal: AbortSignal }> = { ...LISTEN_OPTION_NAMES, from: true };
export const DESCRIBE_RANGE_NAMES: Names<{ from: number; to: number; last: number }> = { from: true, to: true, last: true };
export const CHANGE_OPTION_NAMES: Names<CallOptions & { ifVersion: number }> = { ...CALL_OPTION_NAMES, ifVersion: true };
/** Of a member that is to be added, and of a configuration that is to come: not options, but looked at as these are. */
export const NEW_MEMBER_NAMES: Names<Parameters<Membership['add']>[0]> = {
  id: true,
  suffrage: true,
  priority: true,
  name: true,
  meta: true,
};
export const NEXT_CONFIG_NAMES: Names<Parameters<Membership['change']>[0]> = { voters: true, learners: true };
export const INVITE_TERM_NAMES: Names<InviteTerms> = { role: true, uses: true, expiresInMs: true };
export const STOP_OPTION_NAMES: Names<StopOptions> = { transfer: true, leave: true, timeoutMs: true };
export const CONSISTENCIES: readonly string[] = ['linearizable', 'lease', 'local'];

export const EVENT_NAMES: Names<RaftEvents> = {
  role: true,
  leader: true,
  config: true,
  commit: true,
  apply: true,
  snapshot: true,
  peer: true,
  signaling: true,
  'quorum-lost': true,
  'quorum-restored': true,
  copies: true,
  diverged: true,
  removed: true,
  'room-link': true,
  autopilot: true,
  fault: true,
  fatal: true,
  write: true,
  rollback: true,
};
