/** Why somebody is not let in, as sentences for people: one for each code, the same wherever it is raised. */
import { RaftError } from '../core/errors.ts';

export type TrustErrorCode =
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
  | 'protocol-mismatch'
  | 'message-invalid';

const SENTENCES: Readonly<Record<TrustErrorCode, string>> = {
  'wrong-secret':
    "The room's secret is not the one the others have: the link is incomplete, or the secret was changed. Ask for a new link.",
  'not-admitted':
    'One of the two is no member the other knows of, and neither shares a secret nor an invite with it. A member that has heard less of the log lets it in later.',
  'proof-failed':
    'The other end could not prove who it is: what was said was altered on the way, or somebody sits in the middle.',
  'proof-timeout': 'The other end did not prove who it is in time.',
  'invite-invalid': 'This is no invite of this room. Ask for a new one, and copy the whole link.',
  'invite-expired': 'The invite has expired. Ask for a new one.',
  'invite-used': 'The invite was used as often as it may be. Ask for a new one.',
  'invite-revoked': 'The invite was taken back. Ask for a new one.',
  'member-revoked': 'This identity was put out of the room. Somebody inside has to invite it under a new one.',
  'insecure-context':
    'This page has no WebCrypto, which browsers give to secure pages only: open it over https (or from localhost).',
  'clock-skew': "This device's clock and the others' are more than ten minutes apart. Set the clock.",
  'not-authorized': 'This member may not do that.',
  'protocol-mismatch': 'The other side speaks a version of the proof that this one does not. Reload to get the newer code.',
  'message-invalid': 'What the other end said is no part of the proof.',
};

export function trustError<C extends TrustErrorCode>(code: C, cause?: unknown): RaftError<C> {
  return new RaftError(code, SENTENCES[code], { cause });
}

/** The same with a text that knows more. */
export function trustErrorOf<C extends TrustErrorCode>(code: C, more: string): RaftError<C> {
  return new RaftError(code, `${SENTENCES[code]} (${more})`);
}

/**
 * What a peer may be told when it is turned away. The position is part of the protocol: append only. Never a text: people are
 * shown our own sentences.
 */
export const REFUSAL_CODES: readonly TrustErrorCode[] = [
  'message-invalid',
  'protocol-mismatch',
  'wrong-secret',
  'not-admitted',
  'proof-failed',
  'invite-invalid',
  'invite-expired',
  'invite-used',
  'invite-revoked',
  'member-revoked',
];
