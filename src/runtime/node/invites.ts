/** Who may come in, as applications decide it: invites, and putting a member out for good. */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { trustErrorOf } from '../../trust/errors.ts';
import { issueInvite } from '../../trust/invite.ts';
import type { TrustCommand } from '../../trust/ledger.ts';
import { INVITE_TTL_MAX_MS, INVITE_USES_MAX } from '../../trust/limits.ts';
import { MEMBER_ROLES } from '../../trust/roles.ts';
import { formatRoomLink } from '../../trust/room-link.ts';
import type { CallOptions, Invite, InviteTerms } from '../api/api.ts';
import { awaitCall, checkCallOptions } from '../api/call-options.ts';
import { INVITE_TERM_NAMES } from '../api/names.ts';
import { requireInteger } from '../ports/require-integer.ts';
import { requireKnown, requireOneOf, shown } from '../ports/require-known.ts';
import type { ConsensusNode } from './consensus-node.ts';

/** How long an invite can be used unless said otherwise, in ms. */
const INVITE_MS: number = 24 * 60 * 60 * 1000;

const INVITE_ID = /^[0-9a-f]{32}$/;

/** Settles when the decision is applied here. Errors: those of the ledger, not-authorized, and those of a write. */
function decided(consensus: ConsensusNode, command: TrustCommand, options: CallOptions): Promise<void> {
  checkCallOptions(options);
  const { signal, timeoutMs = consensus.options.tuning.callTimeoutMs } = options;
  return awaitCall<void>(signal, (resolve, reject) => {
    consensus.decide(command, timeoutMs).then(resolve, reject);
    return () =>
      reject(new RaftError('aborted', 'The call was aborted; the decision may still be made.', { mayHaveApplied: true }));
  });
}

/** Errors: invalid-argument, and those of `decided`. */
export async function invite(consensus: ConsensusNode, terms: InviteTerms, options: CallOptions): Promise<Invite> {
  requireKnown('invite', terms, INVITE_TERM_NAMES);
  checkCallOptions(options);
  const { role = 'voter', uses = 1, expiresInMs = INVITE_MS } = terms;
  requireOneOf('role', role, MEMBER_ROLES);
  requireInteger('uses', uses, 1, INVITE_USES_MAX);
  requireInteger('expiresInMs', expiresInMs, 1, INVITE_TTL_MAX_MS);
  const { gate } = consensus.trust;
  if (gate === undefined) throw new RaftError('invalid-argument', 'A node whose links prove nothing cannot invite.');
  if (gate.access.open)
    throw new RaftError('invalid-argument', 'An open room needs no invites: everybody who knows its name may come in.');
  const { room, rendezvous: at } = gate.access;
  const nowMs = consensus.options.clock.wallMs();
  const expiresAt = Math.floor(nowMs) + expiresInMs;
  const issued = await issueInvite(gate.identity, consensus.trust.clusterId, { role, uses, expiresMs: expiresAt }, nowMs);
  const { inviteId: id, ticket, welcomeKey, token } = issued;
  await decided(consensus, { kind: 'invite', ticket, welcomeKey }, options);
  return { id, role, uses, expiresAt, link: formatRoomLink({ kind: 'invite', room, token, at }) };
}

/** Errors: invalid-argument, and those of `decided`. */
export async function revokeInvite(consensus: ConsensusNode, inviteId: string, options: CallOptions): Promise<void> {
  if (typeof inviteId !== 'string' || !INVITE_ID.test(inviteId))
    throw new RaftError('invalid-argument', `An invite's id is 32 hex digits, got ${shown(inviteId)}.`);
  await decided(consensus, { kind: 'revoke-invite', inviteId }, options);
}

/** Resolves with the room's new link. Errors: invalid-argument, busy, those of storage, and those of `decided`. */
export async function rotateSecret(consensus: ConsensusNode, options: CallOptions): Promise<string> {
  checkCallOptions(options);
  const { secret } = consensus.duties;
  const role = consensus.trust.roleOf(consensus.id);
  if (role !== 'voter') throw trustErrorOf('not-authorized', `a ${role ?? 'stranger'} does not change the secret`);
  const { made, command } = await secret.make();
  try {
    await decided(consensus, command, options);
  } catch (error) {
    if (RaftError.is(error) && !error.mayHaveApplied) secret.forget(made);
    throw error;
  }
  await secret.inForce(made.epoch);
  return consensus.trust.roomLink ?? '';
}

/** Puts an identity out for good; it is taken out of the configuration by the caller. */
export function putOut(consensus: ConsensusNode, node: NodeId, options: CallOptions): Promise<void> {
  return decided(consensus, { kind: 'revoke-member', node }, options);
}
