/**
 * How long a message of each kind may be: one table for the decoder, which looks at the first bytes of a message before it builds
 * anything of it, and for the inbox. A kind without a row does not compile.
 */
import type { MessageType } from '../core/types.ts';
import { refuse } from './fields.ts';
import {
  CALL_BODY_BYTES_MAX,
  CONFIGURATION_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  SHORT_BYTES_MAX,
  SNAPSHOT_CHUNK_BYTES_MAX,
} from './limits.ts';
import type { CallMethod, PeerMessage } from './peer-message.ts';
import { KINDS, METHODS, RAFT_TYPE_NAMES } from './tables.ts';

export const RAFT_BYTES_MAX: { readonly [T in MessageType]: number } = {
  'append-request': MESSAGE_BYTES_MAX,
  'append-response': SHORT_BYTES_MAX,
  'heartbeat-request': SHORT_BYTES_MAX,
  'heartbeat-response': SHORT_BYTES_MAX,
  'vote-request': SHORT_BYTES_MAX,
  'vote-response': SHORT_BYTES_MAX,
  'snapshot-request': CONFIGURATION_BYTES_MAX,
  'transfer-request': SHORT_BYTES_MAX,
  'timeout-now': SHORT_BYTES_MAX,
  'proxy-vote': SHORT_BYTES_MAX,
  'transfer-refused': SHORT_BYTES_MAX,
  'propose-request': SHORT_BYTES_MAX,
  'read-index-request': SHORT_BYTES_MAX,
  'read-index-response': SHORT_BYTES_MAX,
};

export const CALL_BYTES_MAX: { readonly [M in CallMethod]: number } = {
  join: 2 * SHORT_BYTES_MAX,
  propose: CALL_BODY_BYTES_MAX + SHORT_BYTES_MAX,
  membership: CONFIGURATION_BYTES_MAX,
  status: CONFIGURATION_BYTES_MAX,
  transfer: SHORT_BYTES_MAX,
  digest: SHORT_BYTES_MAX,
  secret: SHORT_BYTES_MAX,
  client: CALL_BODY_BYTES_MAX + SHORT_BYTES_MAX,
  relay: CALL_BODY_BYTES_MAX + SHORT_BYTES_MAX,
};

export const KIND_BYTES_MAX: { readonly [K in Exclude<PeerMessage['kind'], 'raft' | 'call'>]: number } = {
  hello: SHORT_BYTES_MAX,
  reply: CALL_BODY_BYTES_MAX + SHORT_BYTES_MAX,
  refusal: SHORT_BYTES_MAX,
  goodbye: SHORT_BYTES_MAX,
  'snapshot-offer': CONFIGURATION_BYTES_MAX,
  'snapshot-chunk': SNAPSHOT_CHUNK_BYTES_MAX + SHORT_BYTES_MAX,
  'snapshot-ack': SHORT_BYTES_MAX,
  presence: SHORT_BYTES_MAX,
};

/** Of a decoded message. */
export function bytesMaxOf(message: PeerMessage): number {
  if (message.kind === 'raft') return RAFT_BYTES_MAX[message.message.type];
  return message.kind === 'call' ? CALL_BYTES_MAX[message.method] : KIND_BYTES_MAX[message.kind];
}

/**
 * Refuses a message that is too long for its kind, or of none, by its first bytes alone: the kind, and of a Raft message its
 * type, of a call its method. Errors: message-invalid.
 */
export function checkSize(bytes: Uint8Array): void {
  if (bytes.length > sizeAllowed(bytes)) refuse('longer than its kind may be');
}

function sizeAllowed(bytes: Uint8Array): number {
  const at = afterArrayHeader(bytes);
  const kind = KINDS[bytes[at] ?? KINDS.length];
  if (kind === undefined) return refuse('kind');
  if (kind !== 'raft' && kind !== 'call') return KIND_BYTES_MAX[kind];
  // A group, or the number of a call, comes between.
  const second = bytes[afterNumber(bytes, at + 1)] ?? NO_WORD;
  if (kind === 'raft') {
    const type = RAFT_TYPE_NAMES[second];
    return type === undefined ? refuse('type') : RAFT_BYTES_MAX[type];
  }
  const method = METHODS[second];
  return method === undefined ? refuse('method') : CALL_BYTES_MAX[method];
}

/** At no position of any of the wire's lists. */
const NO_WORD = 0xff;

/** Up to 15 parts, up to 65,535 (a hello may say more than we know), or as many as nothing has. */
function afterArrayHeader(bytes: Uint8Array): number {
  const token = bytes[0] ?? 0;
  if (token >= 0x90 && token <= 0x9f) return 1;
  return token === 0xdc ? 3 : refuse('not an array');
}

/** The position after a number of any width; refuses what is none. */
function afterNumber(bytes: Uint8Array, at: number): number {
  const token = bytes[at] ?? NO_WORD;
  if (token < 0x80) return at + 1;
  if (token === 0xcb) return at + 9;
  // Unsigned ones of 1, 2, 4 and 8 bytes.
  return token >= 0xcc && token <= 0xcf ? at + 1 + 2 ** (token - 0xcc) : refuse('number');
}
