/** STUN and TURN servers out of a Worker's variables, the same as the flags of the Node binary. */
import { TURN_SECONDS, turnServer } from '../turn.ts';
import type { Environment } from './platform.ts';

const listOf = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

export function iceServersOf(
  { STUN, TURN, TURN_SECRET, TURN_SECONDS: seconds }: Environment,
  nodeId: string,
): { readonly iceServers: readonly unknown[]; readonly iceSeconds: number | null } {
  const stun = listOf(STUN);
  const urls = listOf(TURN);
  const iceServers = stun.length === 0 ? [] : [{ urls: stun }];
  if (urls.length === 0 || TURN_SECRET === undefined) return { iceServers, iceSeconds: null };
  const lasts = /^\d{1,8}$/.test(seconds ?? '') ? Number(seconds) : TURN_SECONDS;
  return {
    iceServers: [...iceServers, turnServer({ urls, secret: TURN_SECRET, seconds: lasts }, nodeId, Date.now())],
    iceSeconds: lasts,
  };
}
