/** Untrusted text to typed messages, on both sides: undefined for anything that is not exactly one. Never throws. */
import {
  type ClientMessage,
  RESUME_PATTERN,
  type ServerMessage,
  SIGNAL_DEPTH_MAX,
  SIGNALING_ERROR_CODES,
  SIGNALING_FRAME_BYTES_MAX,
  type SignalingErrorCode,
  TOKEN_PATTERN,
} from './protocol.ts';

/** ICE servers that a welcome may name. */
const ICE_SERVERS_MAX = 16;
/** Peers that a welcome may name; a room has fewer. */
const PEERS_MAX = 4_096;
/** Characters of an error's text. */
const ERROR_CHARS_MAX = 1_000;
/** Longest pause that a server may ask for: ms. */
const RETRY_AFTER_MS_MAX = 3_600_000;
/** Longest room name that is looked at at all; whether it is valid is answered with a code of its own. */
const ROOM_CHARS_MAX = 1_000;

type Fields = Readonly<Record<string, unknown>>;

/** From a node. A room name that breaks the rules still parses: its sender shall be told so. */
export function parseClientMessage(text: string): ClientMessage | undefined {
  const m = fieldsOf(text);
  switch (m?.['type']) {
    case 'hello': {
      const { version, room, nodeId, resume = null, clusterId, mayFound } = m;
      if (typeof version !== 'number' || !Number.isSafeInteger(version)) return undefined;
      if (typeof room !== 'string' || room.length > ROOM_CHARS_MAX || !isToken(nodeId)) return undefined;
      if (!(resume === null || (typeof resume === 'string' && RESUME_PATTERN.test(resume)))) return undefined;
      if (typeof mayFound !== 'boolean' || !(clusterId === null || isToken(clusterId))) return undefined;
      return { type: 'hello', version, room, nodeId, resume, clusterId, mayFound };
    }
    case 'signal':
      return isToken(m['to']) && isShallow(m['data']) ? { type: 'signal', to: m['to'], data: m['data'] } : undefined;
    case 'founded':
    case 'joined':
      return isToken(m['clusterId']) ? { type: m['type'], clusterId: m['clusterId'] } : undefined;
    case 'ping':
    case 'ice':
      return { type: m['type'] };
    default:
      return undefined;
  }
}

/** From the server, which is not trusted either. */
export function parseServerMessage(text: string): ServerMessage | undefined {
  const m = fieldsOf(text);
  switch (m?.['type']) {
    case 'welcome': {
      const { version, peers, clusterId, relay = false } = m;
      const ice = parseIce(m);
      if (ice === undefined || typeof version !== 'number' || typeof relay !== 'boolean') return undefined;
      if (!Array.isArray(peers) || peers.length > PEERS_MAX || !peers.every(isToken)) return undefined;
      if (clusterId !== null && !isToken(clusterId)) return undefined;
      return { type: 'welcome', version, peers, clusterId, ...ice, relay };
    }
    case 'ice': {
      const ice = parseIce(m);
      return ice === undefined ? undefined : { type: 'ice', ...ice };
    }
    case 'grant':
    case 'pong':
      return { type: m['type'] };
    case 'cluster':
      return isToken(m['clusterId']) ? { type: 'cluster', clusterId: m['clusterId'] } : undefined;
    case 'peer-join':
    case 'peer-leave':
    case 'relay-lost':
      return isToken(m['nodeId']) ? { type: m['type'], nodeId: m['nodeId'] } : undefined;
    case 'signal':
      return isToken(m['from']) && isShallow(m['data']) ? { type: 'signal', from: m['from'], data: m['data'] } : undefined;
    case 'error':
      return parseError(m);
    default:
      return undefined;
  }
}

function parseIce(m: Fields): { readonly iceServers: readonly unknown[]; readonly iceSeconds: number | null } | undefined {
  const { iceServers, iceSeconds = null } = m;
  if (!Array.isArray(iceServers) || iceServers.length > ICE_SERVERS_MAX || !isShallow(iceServers)) return undefined;
  if (iceSeconds !== null && !(typeof iceSeconds === 'number' && iceSeconds > 0)) return undefined;
  return { iceServers, iceSeconds };
}

function parseError(m: Fields): ServerMessage | undefined {
  const { code, message, retryAfterMs } = m;
  if (!isCode(code) || typeof message !== 'string') return undefined;
  const retry = typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? Math.min(retryAfterMs, RETRY_AFTER_MS_MAX) : null;
  return { type: 'error', code, message: message.slice(0, ERROR_CHARS_MAX), retryAfterMs: retry };
}

function fieldsOf(text: string): Fields | undefined {
  if (text.length > SIGNALING_FRAME_BYTES_MAX) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && TOKEN_PATTERN.test(value);
}

function isCode(value: unknown): value is SignalingErrorCode {
  return SIGNALING_ERROR_CODES.some((code) => code === value);
}

/** Whether it can be written as JSON again without overflowing a stack: the depth is walked only as far as allowed. */
function isShallow(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= SIGNAL_DEPTH_MAX) return false;
  return Object.values(value).every((one) => isShallow(one, depth + 1));
}
