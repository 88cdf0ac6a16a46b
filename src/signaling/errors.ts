/** What a refusal of the signaling server means to a node. */
import { RaftError, type RaftErrorCode } from '../core/errors.ts';
import type { ServerMessage, SignalingErrorCode } from './protocol.ts';

const CODES: { readonly [C in SignalingErrorCode]: RaftErrorCode } = {
  'room-invalid': 'room-invalid',
  'room-full': 'room-full',
  'message-invalid': 'signaling-refused',
  'protocol-mismatch': 'protocol-mismatch',
  'cluster-mismatch': 'cluster-mismatch',
  'identity-in-use': 'identity-in-use',
  busy: 'signaling-unreachable',
  'unknown-peer': 'peer-not-found',
};

export function toRaftError(error: Extract<ServerMessage, { type: 'error' }>): RaftError {
  return new RaftError(CODES[error.code], `signaling: ${error.message}`, { retryAfterMs: error.retryAfterMs ?? undefined });
}

/** Whether it is worth trying again by itself. */
export function isPassing(code: SignalingErrorCode): boolean {
  return code === 'busy' || code === 'room-full';
}
