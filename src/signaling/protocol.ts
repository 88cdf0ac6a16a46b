/**
 * What a client and the signaling server say to each other: JSON text frames, one object each,
 * checked field by field on both sides (parse.ts). Shared by client and server.
 */
import type { NodeId } from '../core/types.ts';

export const SIGNALING_VERSION = 1;
/** The path of the WebSocket upgrade on the server's one port. */
export const SIGNALING_PATH = '/signal';
/** A room's name as people write it: what fits into a URL without escaping. */
export const ROOM_NAME_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** What the server knows a room by: opaque to it. A name, or better a hash of the room's secret (32 bytes as base64url). */
export const ROOM_KEY_PATTERN: RegExp = /^[\w.-]{1,64}$/;
/** Node ids and cluster ids. */
export const TOKEN_PATTERN: RegExp = /^[\w-]{1,64}$/;
/** A resume token: at least 128 random bits as base64url or hexadecimal digits. Nobody but its client and the server sees it. */
export const RESUME_PATTERN: RegExp = /^[\w-]{22,64}$/;
/** Bytes of one frame in either direction: an offer with all its candidates has about 4 KiB. More closes the connection. */
export const SIGNALING_FRAME_BYTES_MAX: number = 64 * 1024;
/** Nesting of what peers hand each other; more is `message-invalid`. */
export const SIGNAL_DEPTH_MAX = 8;

export type ClientMessage =
  | {
      readonly type: 'hello';
      readonly version: number;
      readonly room: string;
      readonly nodeId: NodeId;
      /** Made anew by each client for its time in the room; who says the same again is the same client. null: cannot resume. */
      readonly resume: string | null;
      /** The cluster it says it belongs to. Believed by nobody: it only keeps the room from being granted to it. */
      readonly clusterId: string | null;
      /** False: never grant it the room. */
      readonly mayFound: boolean;
    }
  | { readonly type: 'signal'; readonly to: NodeId; readonly data: unknown }
  /** The granted member's word: the room's cluster is founded, and durable there. */
  | { readonly type: 'founded'; readonly clusterId: string }
  /** It belongs to this cluster now, taken in by a member: it wants no grant. Believed by nobody. */
  | { readonly type: 'joined'; readonly clusterId: string }
  | { readonly type: 'ping' };
export type ClientHello = Extract<ClientMessage, { type: 'hello' }>;

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

export const SIGNALING_ERROR_CODES = [
  'room-invalid',
  'room-full',
  'message-invalid',
  'protocol-mismatch',
  'cluster-mismatch',
  'identity-in-use',
  'busy',
  'unknown-peer',
] as const;
export type SignalingErrorCode = (typeof SIGNALING_ERROR_CODES)[number];

/** Why the server closed a connection. The range 4000-4999 is the application's. */
export const CLOSE_CODES = {
  /** An error message said why; the connection was of no use any more. */
  refused: 4400,
  /** Nothing useful arrived in time. */
  timeout: 4408,
  /** Another connection with the same resume token took its place. */
  replaced: 4409,
  /** More messages, or more unread ones, than allowed. */
  overload: 4429,
  /** The server stops; another will come. */
  restart: 1012,
} as const;
