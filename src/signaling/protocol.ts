/**
 * What a client and the signaling server say to each other: JSON text frames, one object each,
 * checked field by field on both sides. Shared by client and server.
 */
import type { NodeId } from '../core/types.ts';

export const SIGNALING_VERSION = 1;
/** The path of the WebSocket upgrade on the server's one port. */
export const SIGNALING_PATH = '/signal';
/** A room's name: what fits into a URL without escaping. */
export const ROOM_NAME_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export type ClientMessage =
  | {
      readonly type: 'hello';
      readonly version: number;
      readonly room: string;
      readonly nodeId: NodeId;
      readonly bootNonce: string;
      readonly clusterId: string | null;
      /** False: never grant it the room. */
      readonly mayFound: boolean;
    }
  | { readonly type: 'signal'; readonly to: NodeId; readonly data: unknown }
  | { readonly type: 'founded'; readonly clusterId: string }
  | { readonly type: 'ping' };

export type ServerMessage =
  | {
      readonly type: 'welcome';
      readonly version: number;
      readonly peers: readonly NodeId[];
      readonly clusterId: string | null;
      readonly iceServers: readonly unknown[];
    }
  | { readonly type: 'grant' }
  | { readonly type: 'cluster'; readonly clusterId: string }
  | { readonly type: 'peer-join'; readonly nodeId: NodeId }
  | { readonly type: 'peer-leave'; readonly nodeId: NodeId }
  | { readonly type: 'signal'; readonly from: NodeId; readonly data: unknown }
  | { readonly type: 'error'; readonly code: SignalingErrorCode; readonly message: string; readonly retryAfterMs: number | null }
  | { readonly type: 'pong' };

export type SignalingErrorCode =
  | 'room-invalid'
  | 'room-full'
  | 'message-invalid'
  | 'protocol-mismatch'
  | 'cluster-mismatch'
  | 'identity-in-use'
  | 'busy'
  | 'unknown-peer';
