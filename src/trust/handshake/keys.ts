/**
 * From two hellos to keys: the transcript, which both ends compute for themselves from what they sent and what they got, and
 * everything derived from it. Whoever changed a byte on the way, or stands between two channels, gives the ends two transcripts.
 */
import { ByteWriter, sameBytes } from '../bytes.ts';
import { hkdf, importMacKey, importSealKey, KEY_BYTES, mac, sha256 } from '../primitives.ts';
import { codeOfEnd, type End, encodeHead, type HelloHead, TAG_BYTES } from './messages.ts';

/** The certificates of the encrypted channel under the handshake; undefined for links that have none (a relay). */
export interface ChannelBinding {
  readonly own: Uint8Array;
  readonly peer: Uint8Array;
}

/** What two ends keep of a session that was proven, to resume it. Known to nobody else. */
export interface Resumption {
  readonly psk: Uint8Array;
  readonly tagKey: CryptoKey;
}

export interface Transcript {
  readonly room: string;
  readonly version: number;
  /** The whole messages, header and all. */
  readonly hellos: Readonly<Record<End, Uint8Array>>;
  readonly end: End;
  readonly binding: ChannelBinding | undefined;
}

/** Keys known in common before, in a fixed order: each one empty when it is not used. */
export interface SharedKeys {
  readonly resumed: Uint8Array;
  readonly secret: Uint8Array;
  readonly welcome: Uint8Array;
}

export interface SessionKeys {
  readonly transcriptHash: Uint8Array;
  /** Seals the one proof and the one refusal of each end. */
  readonly seal: Readonly<Record<End, CryptoKey>>;
  /** Seal frames, on links without encryption of their own. */
  readonly frames: Readonly<Record<End, Uint8Array>>;
  readonly clusterTagKey: CryptoKey;
  readonly resumption: Resumption;
}

/** A short proof of knowing a key without showing it, good for this hello only. */
export async function tagOf(key: CryptoKey, label: 'secret' | 'resume', head: HelloHead): Promise<Uint8Array> {
  const covered = new ByteWriter().text(`tabraft trust 1 ${label} tag`).bytes(encodeHead(head)).done();
  return (await mac(key, covered)).slice(0, TAG_BYTES);
}

export async function isTagOf(tag: Uint8Array, key: CryptoKey, label: 'secret' | 'resume', head: HelloHead): Promise<boolean> {
  return tag.length === TAG_BYTES && sameBytes(tag, await tagOf(key, label, head));
}

export function hashTranscript({ room, version, hellos, end, binding }: Transcript): Promise<Uint8Array> {
  const writer = new ByteWriter().text('tabraft trust 1 transcript').u8(version).text(room);
  writer.bytes(hellos.dialler).bytes(hellos.answerer);
  if (binding === undefined) return sha256(writer.u8(0).done());
  const [dialler, answerer] = end === 'dialler' ? [binding.own, binding.peer] : [binding.peer, binding.own];
  return sha256(writer.u8(1).bytes(dialler).bytes(answerer).done());
}

/** Each key has its own place in one output of HKDF, salted with the transcript. */
export async function deriveKeys(transcriptHash: Uint8Array, agreed: Uint8Array, shared: SharedKeys): Promise<SessionKeys> {
  const input = new ByteWriter().bytes(agreed).bytes(shared.resumed).bytes(shared.secret).bytes(shared.welcome).done();
  const info = new ByteWriter().text('tabraft trust 1 session').done();
  const output = await hkdf(input, transcriptHash, info, 7 * KEY_BYTES);
  const place = (n: number): Uint8Array => output.slice(n * KEY_BYTES, (n + 1) * KEY_BYTES);
  const [dialler, answerer, clusterTagKey, tagKey] = await Promise.all([
    importSealKey(place(0)),
    importSealKey(place(1)),
    importMacKey(place(4)),
    importMacKey(place(5)),
  ]);
  return {
    transcriptHash,
    seal: { dialler, answerer },
    frames: { dialler: place(2), answerer: place(3) },
    clusterTagKey,
    resumption: { psk: place(6), tagKey },
  };
}

/** What a node signs with its own key: this session, which end it is, all that it claims. */
export function signedByNode(transcriptHash: Uint8Array, end: End, claims: Uint8Array): Uint8Array {
  const writer = new ByteWriter().text('tabraft trust 1 identity').bytes(transcriptHash).u8(codeOfEnd(end));
  return writer.bytes(claims).done();
}

/** What it signs with the key of its invite: the same session, and which key of its own shall come in. */
export function signedByInvite(transcriptHash: Uint8Array, end: End, publicKey: Uint8Array): Uint8Array {
  const writer = new ByteWriter().text('tabraft trust 1 invite').bytes(transcriptHash).u8(codeOfEnd(end));
  return writer.bytes(publicKey).done();
}

export function clusterTagOf(key: CryptoKey, end: End, clusterId: string): Promise<Uint8Array> {
  return mac(key, new ByteWriter().text('tabraft trust 1 cluster').u8(codeOfEnd(end)).text(clusterId).done());
}
