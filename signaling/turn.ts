/**
 * Credentials for a TURN server that last for a while and need no account: coturn's REST scheme (`use-auth-secret`). The user's name
 * is when it ends, the password a keyed hash of that name, and the TURN server, which has the same secret, can check both.
 */
import { createHmac } from 'node:crypto';
import type { NodeId } from '../src/core/types.ts';

export interface TurnOptions {
  /** turn: and turns: URLs. */
  readonly urls: readonly string[];
  /** `static-auth-secret` of the TURN server. */
  readonly secret: string;
  /** How long a credential lasts: seconds. Links made with it end when the TURN server asks for it again after that. Default TURN_SECONDS. */
  readonly seconds?: number | undefined;
}

/** Twelve hours: longer than a tab is usually open, and a stolen one is of no use tomorrow. */
export const TURN_SECONDS = 43_200;

/** As RTCIceServer. */
export function turnServer(
  { urls, secret, seconds = TURN_SECONDS }: TurnOptions,
  nodeId: NodeId,
  nowMs: number,
): { readonly urls: readonly string[]; readonly username: string; readonly credential: string } {
  const username = `${Math.floor(nowMs / 1000) + seconds}:${nodeId}`;
  return { urls, username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}
