/** The second message of an end: who it is, sealed with the session's keys; and the check of the peer's. */
import { sameBytes } from '../bytes.ts';
import { trustError, trustErrorOf } from '../errors.ts';
import { idOf } from '../identity.ts';
import { seal, sign, unseal, verify } from '../primitives.ts';
import { type Admission, admit, type ClusterRelation } from './admission.ts';
import { clusterTagOf, signedByInvite, signedByNode } from './keys.ts';
import { decodeProof, encodeClaims, encodeProof, headerOf, messageOf, otherEnd, type Proof } from './messages.ts';
import type { HandshakeOptions } from './offer.ts';
import type { Session } from './session.ts';

/** Each key seals two messages at most: the proof has the number 0, a refusal 1. */
const PROOF_COUNT = 0;
const NOTHING: Uint8Array = new Uint8Array(0);

export async function makeProof(options: HandshakeOptions, session: Session): Promise<Uint8Array> {
  const { identity, end, clusterId, epoch, clock, invite } = options;
  const { keys, ground, resumed } = session;
  const { publicKey } = identity;
  const clusterTag = clusterId === '' ? NOTHING : await clusterTagOf(keys.clusterTagKey, end, clusterId);
  const claims = { publicKey, clusterTag, epoch, wallMs: wholeMs(clock.wallMs()) };
  const [signature, inviteSignature] = await Promise.all([
    resumed ? NOTHING : sign(identity.privateKey, signedByNode(keys.transcriptHash, end, encodeClaims(claims))),
    ground === 'invite' && invite !== undefined
      ? sign(invite.inviteKey, signedByInvite(keys.transcriptHash, end, publicKey))
      : NOTHING,
  ]);
  const body = encodeProof({ ...claims, signature, inviteSignature });
  return messageOf('proof', await seal(keys.seal[end], PROOF_COUNT, headerOf('proof'), body));
}

/** A clock that says nothing sensible says nothing: 0. */
function wholeMs(wallMs: number): number {
  const whole = Math.floor(wallMs);
  return Number.isSafeInteger(whole) && whole > 0 ? whole : 0;
}

export interface CheckedProof {
  readonly proof: Proof;
  readonly admission: Admission;
  readonly cluster: ClusterRelation;
  /** This node's wall clock minus the peer's, in ms; 0 when one of them does not know. */
  readonly skewMs: number;
}

/** Errors: proof-failed, message-invalid, and those of `admit`. */
export async function checkProof(options: HandshakeOptions, session: Session, sealed: Uint8Array): Promise<CheckedProof> {
  const { end, clusterId, clock, secret, standing } = options;
  const { keys, peer, resumed } = session;
  const body = await unseal(keys.seal[otherEnd(end)], PROOF_COUNT, headerOf('proof'), sealed);
  if (body === undefined) throw trustError('proof-failed');
  const proof = decodeProof(body);
  if ((await idOf(proof.publicKey)) !== peer.from) throw trustErrorOf('proof-failed', 'its id is not that of its key');
  // A session to resume is known by the two identities that made it, and by nobody else: it stands for the signature.
  if (!resumed) {
    const signed = signedByNode(keys.transcriptHash, otherEnd(end), encodeClaims(proof));
    if (!(await verify(proof.publicKey, proof.signature, signed)))
      throw trustErrorOf('proof-failed', 'its signature does not fit');
  }
  const cluster = await clusterRelation(options, session, proof);
  const { transcriptHash } = keys;
  const { ground } = session;
  const applicant = {
    id: peer.from,
    hello: peer,
    proof,
    ground,
    secret,
    cluster,
    clusterId,
    end,
    transcriptHash,
  };
  const admission = await admit(applicant, standing);
  const own = wholeMs(clock.wallMs());
  return { proof, admission, cluster, skewMs: own === 0 || proof.wallMs === 0 ? 0 : own - proof.wallMs };
}

async function clusterRelation({ end, clusterId }: HandshakeOptions, { keys }: Session, proof: Proof): Promise<ClusterRelation> {
  if (proof.clusterTag.length === 0) return 'none';
  if (clusterId === '') return 'some';
  const expected = await clusterTagOf(keys.clusterTagKey, otherEnd(end), clusterId);
  return sameBytes(expected, proof.clusterTag) ? 'same' : 'other';
}
