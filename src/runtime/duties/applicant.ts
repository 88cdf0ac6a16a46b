/**
 * What a newcomer may come in as: its link's proof says by what it was let in, and with what key; what it says of itself counts for
 * no more than that. Judged by the member that it asks, and for invites once more by the leader, whose ledger counts.
 */
import { RaftError } from '../../core/errors.ts';
import type { ConfChangeStep, ConfState } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import { sameBytes } from '../../trust/bytes.ts';
import { trustError, trustErrorOf } from '../../trust/errors.ts';
import type { MemberRole } from '../../trust/roles.ts';
import { isSuccession } from '../../trust/succession.ts';
import type { JoinRequest } from '../../wire/bodies.ts';
import { contextOf, decodeMember, encodeMember } from '../member/configuration.ts';
import type { Trust } from '../standing/trust.ts';

const NO_PROOF: Uint8Array = new Uint8Array(0);

/** The request of a peer, as this member can vouch for it. Errors: member-revoked, not-admitted, invite-invalid, not-a-member. */
export function vouchedFor(request: JoinRequest, trust: Trust): JoinRequest {
  const { nodeId } = request;
  if (trust.isRevoked(nodeId)) throw trustError('member-revoked');
  if (trust.gate === undefined) return { ...request, inviteId: '' };
  const proven = trust.proofOf(nodeId);
  if (proven === undefined) throw new RaftError('not-a-member', 'The newcomer has not proven who it is.');
  const { admission, publicKey } = proven;
  // Its link was let in by something that no longer holds: it has to prove anew by what it can come in.
  if (admission.by === 'member' || admission.by === 'welcome') throw trustError('not-admitted');
  const own = decodeMember(request.context);
  const fields = { ...own, publicKey, reader: false };
  if (admission.by === 'secret') return { nodeId, context: encodeMember(fields), inviteId: '', secretEpoch: trust.secret.epoch };
  return { ...asRole({ nodeId, context: encodeMember(fields), inviteId: '' }, admission.role), inviteId: admission.inviteId };
}

/**
 * A member that has slept through a change of the secret does not bring in who knows the old one: the leader's ledger counts.
 * Errors: not-admitted, which passes when both have read the same log.
 */
export function requireSecretOf({ inviteId = '', secretEpoch = 0 }: JoinRequest, trust: Trust): void {
  if (inviteId === '' && trust.access === 'secret' && secretEpoch !== trust.secret.epoch) throw trustError('not-admitted');
}

/** The same in the role that an invite gives, whatever it asks for. */
export function asRole(request: JoinRequest, role: MemberRole | undefined): JoinRequest {
  if (role === undefined) throw trustErrorOf('invite-invalid', 'it gives no role');
  const own = decodeMember(request.context);
  if (role === 'voter') return { ...request, context: encodeMember({ ...own, reader: false }) };
  // In the place of a voter it would come to vote.
  const bounds = { wants: 'learner', reader: role === 'reader', replaces: NO_NODE, succession: NO_PROOF } as const;
  return { ...request, context: encodeMember({ ...own, ...bounds }) };
}

/**
 * In whose place it comes, as far as that is proven by the key of the one whose vote it asks for: without proof in nobody's, and
 * that one is replaced when the autopilot's time for it has come. What is proven is not kept. At once where there is nothing to look at.
 */
export function successorOf(request: JoinRequest, trust: Trust): JoinRequest | Promise<JoinRequest> {
  const own = decodeMember(request.context);
  const { replaces, succession, publicKey } = own;
  if (replaces === NO_NODE && succession.length === 0) return request;
  const inNobodysPlace = { ...request, context: encodeMember({ ...own, replaces: NO_NODE, succession: NO_PROOF }) };
  const { gate } = trust;
  if (gate === undefined || trust.isRevoked(replaces)) return inNobodysPlace;
  const proven = { ...request, context: encodeMember({ ...own, succession: NO_PROOF }) };
  return isSuccession(succession, gate.access.room, replaces, publicKey).then(
    (holds) => (holds ? proven : inNobodysPlace),
    () => inNobodysPlace,
  );
}

/** A change by hand says nothing of whose key a member has and in whose place it came: the configuration keeps what it knows. */
export function withOwnFacts(step: ConfChangeStep, conf: ConfState): ConfChangeStep {
  if (step.context === undefined) return step;
  const { publicKey, replaces } = contextOf(conf, step.id);
  const said = decodeMember(step.context);
  const isSo = said.replaces === replaces && said.succession.length === 0 && sameBytes(said.publicKey, publicKey);
  return isSo ? step : { ...step, context: encodeMember({ ...said, publicKey, replaces, succession: NO_PROOF }) };
}
