/**
 * The three messages of the handshake as bytes. Each begins with a mark that no frame of a link begins with, so that the first
 * byte tells them apart.
 *   hello    says which keys this end could use, proves nothing, hides nothing
 *   proof    sealed: who this end is, its cluster, its signature
 *   refusal  a code, sealed once there are keys
 */
import type { NodeId } from '../../core/types.ts';
import { ByteReader, ByteWriter, malformed } from '../bytes.ts';
import { REFUSAL_CODES, type TrustErrorCode } from '../errors.ts';
import { ID_CHARACTERS, isKeyId } from '../identity.ts';
import { INVITE_ID_BYTES } from '../invite.ts';
import { HANDSHAKE_MESSAGE_BYTES_MAX } from '../limits.ts';
import { KEY_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../primitives.ts';

/** Versions of the handshake that this build speaks; the highest that both know is used, and both ranges are in the transcript. */
export const TRUST_VERSION_MIN = 1;
export const TRUST_VERSION_MAX = 1;

/** First byte of every message of the handshake. */
export const HANDSHAKE_MARK = 0xf1;
/** First byte of every sealed frame. */
export const SEALED_MARK = 0xf2;

/** Which end of the link this is: who opened it, or who accepted it. */
export type End = 'dialler' | 'answerer';
export type Kind = 'hello' | 'proof' | 'refusal';

/** The positions are part of the protocol. */
const ENDS: readonly End[] = ['dialler', 'answerer'];
const KINDS: readonly Kind[] = ['hello', 'proof', 'refusal'];
const NAME = Uint8Array.of(0x54, 0x52); // "TR"
const HEADER_BYTES = 4;
/** Bytes of a tag that shows which key is meant. */
export const TAG_BYTES = 16;

export function otherEnd(end: End): End {
  return end === 'dialler' ? 'answerer' : 'dialler';
}

export function codeOfEnd(end: End): number {
  return ENDS.indexOf(end);
}

export function headerOf(kind: Kind): Uint8Array {
  return Uint8Array.of(HANDSHAKE_MARK, ...NAME, KINDS.indexOf(kind));
}

/** What kind of message it is, and what is in it. Errors: message-invalid. */
export function openMessage(message: Uint8Array): { readonly kind: Kind; readonly body: Uint8Array } {
  if (message.length > HANDSHAKE_MESSAGE_BYTES_MAX) malformed('a message is too long');
  const kind = KINDS[message[HEADER_BYTES - 1] ?? KINDS.length];
  const known = message[0] === HANDSHAKE_MARK && message[1] === NAME[0] && message[2] === NAME[1];
  if (!known || kind === undefined) return malformed('a message that is no part of it');
  return { kind, body: message.slice(HEADER_BYTES) };
}

export function messageOf(kind: Kind, body: Uint8Array): Uint8Array {
  return new ByteWriter().fixed(headerOf(kind)).fixed(body).done();
}

export interface Hello {
  readonly versionMin: number;
  readonly versionMax: number;
  readonly end: End;
  readonly nonce: Uint8Array;
  /** Public half of a key made for this link alone. */
  readonly ephemeral: Uint8Array;
  /** Who it says it is: proven later. */
  readonly from: NodeId;
  /** Whom it wants to talk to; '' when it does not know who dialled. */
  readonly to: NodeId;
  /** Shows which secret, which session it has; empty for none. */
  readonly secretTag: Uint8Array;
  readonly resumeTag: Uint8Array;
  /** The invite it comes with; empty for none. */
  readonly inviteId: Uint8Array;
}

/** Everything that makes a hello but the tags, which cover the rest. */
export type HelloHead = Omit<Hello, 'secretTag' | 'resumeTag' | 'inviteId'>;

export function encodeHead(head: HelloHead): Uint8Array {
  return new ByteWriter()
    .u8(head.versionMin)
    .u8(head.versionMax)
    .u8(codeOfEnd(head.end))
    .fixed(head.nonce)
    .fixed(head.ephemeral)
    .text(head.from)
    .text(head.to)
    .done();
}

export function encodeHello(hello: Hello): Uint8Array {
  const body = new ByteWriter().fixed(encodeHead(hello)).bytes(hello.secretTag).bytes(hello.resumeTag).bytes(hello.inviteId);
  // Room for what later versions add: this one sends nothing there and reads past it.
  return messageOf('hello', body.bytes(new Uint8Array(0)).done());
}

/** Errors: message-invalid. */
export function decodeHello(body: Uint8Array): Hello {
  const reader = new ByteReader(body);
  const [versionMin, versionMax] = [reader.u8(), reader.u8()];
  const end = ENDS[reader.u8()] ?? malformed('an unknown end');
  const hello: Hello = {
    versionMin,
    versionMax,
    end,
    nonce: reader.fixed(KEY_BYTES),
    ephemeral: reader.fixed(PUBLIC_KEY_BYTES),
    from: nodeId(reader.text(ID_CHARACTERS)),
    to: idOrNobody(reader.text(ID_CHARACTERS)),
    secretTag: reader.optional(TAG_BYTES),
    resumeTag: reader.optional(TAG_BYTES),
    inviteId: reader.optional(INVITE_ID_BYTES),
  };
  reader.bytes(HANDSHAKE_MESSAGE_BYTES_MAX);
  reader.end();
  return versionMin <= versionMax ? hello : malformed('a range of versions upside down');
}

function nodeId(text: string): NodeId {
  return isKeyId(text) ? text : malformed('an id that comes from no key');
}

function idOrNobody(text: string): NodeId {
  return text === '' ? text : nodeId(text);
}

/** What is inside a proof. */
export interface Proof {
  readonly publicKey: Uint8Array;
  /** Shows its cluster to who knows that cluster's id; empty for a node of none. */
  readonly clusterTag: Uint8Array;
  readonly epoch: number;
  /** Its wall clock, ms since the epoch: for people whose clock is far off. */
  readonly wallMs: number;
  /** Empty when a session is resumed. */
  readonly signature: Uint8Array;
  /** By the key of the invite it comes with; empty for none. */
  readonly inviteSignature: Uint8Array;
}

/** What its signature covers: all that it claims. */
export function encodeClaims({ publicKey, clusterTag, epoch, wallMs }: Omit<Proof, 'signature' | 'inviteSignature'>): Uint8Array {
  return new ByteWriter().fixed(publicKey).bytes(clusterTag).u64(epoch).u64(wallMs).done();
}

export function encodeProof(proof: Proof): Uint8Array {
  return new ByteWriter().fixed(encodeClaims(proof)).bytes(proof.signature).bytes(proof.inviteSignature).done();
}

/** Errors: message-invalid. */
export function decodeProof(bytes: Uint8Array): Proof {
  const reader = new ByteReader(bytes);
  const proof: Proof = {
    publicKey: reader.fixed(PUBLIC_KEY_BYTES),
    clusterTag: reader.optional(KEY_BYTES),
    epoch: reader.u64(),
    wallMs: reader.u64(),
    signature: reader.optional(SIGNATURE_BYTES),
    inviteSignature: reader.optional(SIGNATURE_BYTES),
  };
  reader.end();
  return proof;
}

export function encodeRefusal(code: TrustErrorCode): Uint8Array | undefined {
  const position = REFUSAL_CODES.indexOf(code);
  return position < 0 ? undefined : Uint8Array.of(position);
}

/** Errors: message-invalid. */
export function decodeRefusal(bytes: Uint8Array): TrustErrorCode {
  const code = bytes.length === 1 ? REFUSAL_CODES[bytes[0] as number] : undefined;
  return code ?? malformed('an unknown refusal');
}
