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
/** Bytes of a relayed frame: the largest of a link, and its control bytes. */
export const RELAY_FRAME_BYTES_MAX: number = 16 * 1024 + 64;
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
  /** Names the ICE servers again: what was named is about to end. */
  | { readonly type: 'ice' }
  | { readonly type: 'ping' };
export type ClientHello = Extract<ClientMessage, { type: 'hello' }>;

export type ServerMessage =
  | {
      readonly type: 'welcome';
      readonly version: number;
      readonly peers: readonly NodeId[];
      readonly clusterId: string | null;
      readonly iceServers: readonly unknown[];
      /** How long the credentials in them last; null: for ever. Seconds. */
      readonly iceSeconds: number | null;
      /** Whether this server carries frames between members that cannot reach each other otherwise. */
      readonly relay: boolean;
    }
  | { readonly type: 'ice'; readonly iceServers: readonly unknown[]; readonly iceSeconds: number | null }
  | { readonly type: 'grant' }
  | { readonly type: 'cluster'; readonly clusterId: string }
  | { readonly type: 'peer-join'; readonly nodeId: NodeId }
  | { readonly type: 'peer-leave'; readonly nodeId: NodeId }
  | { readonly type: 'signal'; readonly from: NodeId; readonly data: unknown }
  /** A relayed frame to this member is lost: it is not here, or does not read. */
  | { readonly type: 'relay-lost'; readonly nodeId: NodeId }
  | { readonly type: 'error'; readonly code: SignalingErrorCode; readonly message: string; readonly retryAfterMs: number | null }
  | { readonly type: 'pong' };

/**
 * A relayed frame, the only binary message, in both directions: length of a node's id in one byte, the id in ASCII, the frame. From a client it
 * names the receiver, from the server the sender. The server looks at nothing behind the id.
 */
export function relayFrame(nodeId: NodeId, frame: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1 + nodeId.length + frame.length);
  bytes[0] = nodeId.length;
  for (let i = 0; i < nodeId.length; i++) bytes[1 + i] = nodeId.charCodeAt(i);
  bytes.set(frame, 1 + nodeId.length);
  return bytes;
}

/** undefined for anything that is not exactly one. The frame is a view. */
export function parseRelayFrame(bytes: Uint8Array): { readonly nodeId: NodeId; readonly frame: Uint8Array } | undefined {
  const length = bytes[0] ?? 0;
  if (length === 0 || bytes.length < 1 + length || bytes.length > 1 + length + RELAY_FRAME_BYTES_MAX) return undefined;
  const nodeId = String.fromCharCode(...bytes.subarray(1, 1 + length));
  return TOKEN_PATTERN.test(nodeId) ? { nodeId, frame: bytes.subarray(1 + length) } : undefined;
}

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
