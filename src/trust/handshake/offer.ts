/** The first message of an end: what it could be known by. */
import type { NodeId } from '../../core/types.ts';
import { fromHex } from '../bytes.ts';
import type { Identity } from '../identity.ts';
import type { PreparedInvite } from '../invite.ts';
import { generateAgreementKey, KEY_BYTES, randomBytes } from '../primitives.ts';
import type { ResumeCache } from '../resume.ts';
import type { PreparedSecret } from '../secret.ts';
import type { Standing } from './admission.ts';
import { type ChannelBinding, type Resumption, tagOf } from './keys.ts';
import { type End, encodeHello, type Hello, type HelloHead, TRUST_VERSION_MAX, TRUST_VERSION_MIN } from './messages.ts';

/** Time, as the runtime's clock gives it. */
export interface TrustClock {
  monotonicMs(): number;
  wallMs(): number;
  after(delayMs: number, run: () => void): { stop(): void };
}

export interface HandshakeOptions {
  readonly identity: Identity;
  /** Which end of the link this node is. On links without a dialler (a relay) the smaller id is. */
  readonly end: End;
  /** Who signaling says is at the other end; '' when the link was accepted from nobody known. */
  readonly peer: NodeId;
  /** The room's name. */
  readonly room: string;
  /** Undefined on links without encryption of their own: their frames are sealed by the keys of the handshake. */
  readonly binding: ChannelBinding | undefined;
  /** The room's secret as this node knows it; undefined for who came with an invite. */
  readonly secret: PreparedSecret | undefined;
  /** Only while this node is no member yet. */
  readonly invite: PreparedInvite | undefined;
  readonly resume: ResumeCache;
  readonly standing: Standing;
  /** '' for a node of no cluster. */
  readonly clusterId: string;
  readonly epoch: number;
  readonly clock: TrustClock;
}

export interface Offer {
  readonly hello: Hello;
  readonly message: Uint8Array;
  /** Private half of the key of this link. */
  readonly agreementKey: CryptoKey;
  readonly remembered: Resumption | undefined;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** Errors: insecure-context. */
export async function makeOffer(options: HandshakeOptions): Promise<Offer> {
  const { identity, end, peer, secret, invite, resume, clock } = options;
  const { publicKey: ephemeral, privateKey: agreementKey } = await generateAgreementKey();
  const head: HelloHead = {
    versionMin: TRUST_VERSION_MIN,
    versionMax: TRUST_VERSION_MAX,
    end,
    nonce: randomBytes(KEY_BYTES),
    ephemeral,
    from: identity.id,
    to: peer,
  };
  const remembered = peer === '' ? undefined : resume.get(peer, clock.monotonicMs());
  const [secretTag, resumeTag] = await Promise.all([
    secret === undefined ? NOTHING : tagOf(secret.tagKey, 'secret', head),
    remembered === undefined ? NOTHING : tagOf(remembered.tagKey, 'resume', head),
  ]);
  const hello = { ...head, secretTag, resumeTag, inviteId: invite === undefined ? NOTHING : fromHex(invite.inviteId) };
  return { hello, message: encodeHello(hello), agreementKey, remembered };
}
