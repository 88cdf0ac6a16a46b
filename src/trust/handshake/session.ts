/** From the two hellos to a session: what both ends have in common, and the keys that follow from it. */
import { toHex } from '../bytes.ts';
import { trustError, trustErrorOf } from '../errors.ts';
import { agree } from '../primitives.ts';
import type { Ground } from './admission.ts';
import { deriveKeys, hashTranscript, isTagOf, type SessionKeys, type SharedKeys } from './keys.ts';
import { decodeHello, type Hello, TRUST_VERSION_MAX, TRUST_VERSION_MIN } from './messages.ts';
import type { HandshakeOptions, Offer } from './offer.ts';

export interface Session {
  readonly peer: Hello;
  readonly version: number;
  readonly ground: Ground;
  readonly resumed: boolean;
  readonly keys: SessionKeys;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * @param message the peer's hello as it came
 * @param body the same without its header
 * Errors: message-invalid, protocol-mismatch, proof-failed, wrong-secret, not-admitted, invite-invalid.
 */
export async function agreeOnSession(
  options: HandshakeOptions,
  offer: Offer,
  message: Uint8Array,
  body: Uint8Array,
): Promise<Session> {
  const peer = readHello(options, body);
  const version = Math.min(TRUST_VERSION_MAX, peer.versionMax);
  const { ground, shared, resumed } = await commonGround(options, offer, peer);
  const agreed = await agree(offer.agreementKey, peer.ephemeral);
  if (agreed === undefined) throw trustErrorOf('message-invalid', 'its key is no key');
  const hellos =
    options.end === 'dialler' ? { dialler: offer.message, answerer: message } : { dialler: message, answerer: offer.message };
  const transcriptHash = await hashTranscript({ ...options, version, hellos });
  return { peer, version, ground, resumed, keys: await deriveKeys(transcriptHash, agreed, shared) };
}

/** A hello that can be an answer to this node's own, on this link. */
function readHello({ identity, end, peer }: HandshakeOptions, body: Uint8Array): Hello {
  if ((body[0] ?? 0) > TRUST_VERSION_MAX || (body[1] ?? TRUST_VERSION_MAX) < TRUST_VERSION_MIN)
    throw trustError('protocol-mismatch');
  const hello = decodeHello(body);
  if (hello.end === end) throw trustErrorOf('message-invalid', 'both ends say that they are the same end');
  if (hello.from === identity.id) throw trustErrorOf('proof-failed', 'it says that it is this node');
  if (peer !== '' && hello.from !== peer) throw trustErrorOf('proof-failed', 'it is not whom this node wanted to reach');
  if (hello.to !== '' && hello.to !== identity.id) throw trustErrorOf('proof-failed', 'it wanted to reach another node');
  return hello;
}

interface CommonGround {
  readonly ground: Ground;
  readonly resumed: boolean;
  readonly shared: SharedKeys;
}

async function commonGround(options: HandshakeOptions, offer: Offer, peer: Hello): Promise<CommonGround> {
  const { secret } = options;
  const { remembered } = offer;
  const [sameSecret, resumed] = await Promise.all([
    secret !== undefined && isTagOf(peer.secretTag, secret.tagKey, 'secret', peer),
    remembered !== undefined && isTagOf(peer.resumeTag, remembered.tagKey, 'resume', peer),
  ]);
  const resumedKey = resumed && remembered !== undefined ? remembered.psk : NOTHING;
  if (sameSecret && secret !== undefined) {
    return { ground: 'secret', resumed, shared: { resumed: resumedKey, secret: secret.psk, welcome: NOTHING } };
  }
  const welcome = welcomeKeyOf(options, offer, peer);
  if (welcome !== undefined) {
    return { ground: 'invite', resumed, shared: { resumed: resumedKey, secret: NOTHING, welcome } };
  }
  requireAcquaintance(options, offer, peer);
  return { ground: 'membership', resumed, shared: { resumed: resumedKey, secret: NOTHING, welcome: NOTHING } };
}

/** The key that an invite gives, when exactly one of the two came with one. */
function welcomeKeyOf({ invite, standing }: HandshakeOptions, offer: Offer, peer: Hello): Uint8Array | undefined {
  const mine = offer.hello.inviteId.length > 0;
  const theirs = peer.inviteId.length > 0;
  if (mine === theirs) return undefined;
  if (mine) return invite?.welcomeKey;
  const view = standing.invite(toHex(peer.inviteId));
  if (view === undefined) throw trustError('invite-invalid');
  return view.record.welcomeKey;
}

/** With nothing else in common, only who says that it is a member (or was one) is listened to any further. */
function requireAcquaintance({ standing }: HandshakeOptions, { hello }: Offer, peer: Hello): void {
  if (standing.memberKey(peer.from) !== undefined || standing.isRevoked(peer.from)) return;
  const bothHaveSecrets = hello.secretTag.length > 0 && peer.secretTag.length > 0;
  throw trustError(bothHaveSecrets ? 'wrong-secret' : 'not-admitted');
}
