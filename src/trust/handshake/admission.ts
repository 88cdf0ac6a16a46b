/** Whether a peer that has proven who it is may come in, and as what. Asked anew on every link, also on resumed ones. */
import type { NodeId } from '../../core/types.ts';
import { sameBytes, toHex } from '../bytes.ts';
import { trustError } from '../errors.ts';
import { verifyTicket } from '../invite.ts';
import { type InviteView, inviteRefusal } from '../ledger.ts';
import { verify } from '../primitives.ts';
import type { MemberRole } from '../roles.ts';
import type { PreparedSecret } from '../secret.ts';
import { signedByInvite } from './keys.ts';
import { type End, type Hello, otherEnd, type Proof } from './messages.ts';

/** What this node knows of the cluster now. Read when it is needed, so that a change under way counts at once. */
export interface Standing {
  /** The public key that the configuration in force has for a member, empty where it has none; undefined for who is no member. */
  memberKey(id: NodeId): Uint8Array | undefined;
  /** Whether an identity was put out. */
  isRevoked(id: NodeId): boolean;
  /** An invite of the ledger, as it stands now. */
  invite(inviteId: string): InviteView | undefined;
}

export type Admission =
  /** Its key stands in the configuration in force. */
  | { readonly by: 'member' }
  /** It knows the room's secret. In an open room that is everybody who knows the name. `commitment`: which secret it was. */
  | { readonly by: 'secret'; readonly open: boolean; readonly commitment: Uint8Array }
  /** It came with an invite that can be used: the join it asks for is to be counted in the log, and this is its role. */
  | { readonly by: 'invite'; readonly inviteId: string; readonly role: MemberRole }
  /** This node came with an invite, and the peer knows what only members know of it. */
  | { readonly by: 'welcome' };

/** The peer's cluster, compared with this node's. `some`: it belongs to one, this node to none. */
export type ClusterRelation = 'none' | 'same' | 'other' | 'some';

/** Which key known before both ends use: each end comes to the same answer by itself, or their transcripts differ. */
export type Ground = 'secret' | 'invite' | 'membership';

export interface Applicant {
  readonly id: NodeId;
  readonly hello: Hello;
  readonly proof: Proof;
  readonly ground: Ground;
  /** The secret that both know, where it is the ground. */
  readonly secret: PreparedSecret | undefined;
  readonly cluster: ClusterRelation;
  readonly clusterId: string;
  /** Which end of the link this node is. */
  readonly end: End;
  readonly transcriptHash: Uint8Array;
}

/** Errors: member-revoked, not-admitted, proof-failed, invite-invalid, invite-expired, invite-used, invite-revoked. */
export async function admit(applicant: Applicant, standing: Standing): Promise<Admission> {
  const { id, proof, ground, cluster, secret, hello } = applicant;
  if (standing.isRevoked(id)) throw trustError('member-revoked');
  const known = standing.memberKey(id);
  // The id is its key already; a configuration that says another key is not to be guessed about.
  if (known !== undefined && known.length > 0 && !sameBytes(known, proof.publicKey)) throw trustError('proof-failed');
  if (known !== undefined && cluster !== 'other') return { by: 'member' };
  if (ground === 'secret' && secret !== undefined) return { by: 'secret', open: secret.open, commitment: secret.commitment };
  if (ground !== 'invite') throw trustError('not-admitted');
  return hello.inviteId.length === 0 ? { by: 'welcome' } : await admitInvited(applicant, standing);
}

/** The invite is the ledger's: what its bearer says of it counts for nothing. */
async function admitInvited(applicant: Applicant, standing: Standing): Promise<Admission> {
  const { id, hello, proof, clusterId, end, transcriptHash } = applicant;
  const inviteId = toHex(hello.inviteId);
  const view = standing.invite(inviteId);
  if (view === undefined) throw trustError('invite-invalid');
  const refused = inviteRefusal(view, id);
  if (refused !== undefined) throw trustError(refused);
  const signed = signedByInvite(transcriptHash, otherEnd(end), proof.publicKey);
  const [proven] = await Promise.all([
    verify(view.inviteKey, proof.inviteSignature, signed),
    verifyTicket(view.record.ticket, clusterId),
  ]);
  if (!proven) throw trustError('invite-invalid');
  return { by: 'invite', inviteId, role: view.role };
}
