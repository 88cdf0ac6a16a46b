/** Which voters are heard, and whether they are enough: as far as this node can tell. */
import type { NodeId } from '../../core/types.ts';
import type { Standing } from './standing.ts';

/** Voters that are heard, and how many make a majority; of a joint configuration the worse half. */
export interface Quorum {
  readonly alive: number;
  readonly need: number;
}

export function quorumOf(standing: Standing): Quorum {
  const { member } = standing;
  if (member === undefined) return { alive: 0, need: 1 };
  const halves = [member.conf.voters, member.conf.votersOutgoing].filter((half) => half.length > 0);
  const counted = halves.map((half) => ({
    alive: half.filter((id) => isAlive(standing, id)).length,
    need: Math.floor(half.length / 2) + 1,
  }));
  return counted.sort((a, b) => a.alive - a.need - (b.alive - b.need))[0] ?? { alive: 0, need: 1 };
}

/** Heard of within two election timeouts. */
export function isAlive(standing: Standing, id: NodeId): boolean {
  if (id === standing.id) return standing.role !== 'stopped';
  const peer = standing.peers.get(id);
  if (peer?.trusted !== true || peer.lastHeardMs === undefined || peer.isIdle || peer.saidGoodbye) return false;
  return standing.clock.monotonicMs() - peer.lastHeardMs <= 2 * standing.tuning.electionTimeoutMs[1];
}

/** A majority is heard, and somebody in it beside this node: others bear witness that it belongs where it is. */
export function hasLiveQuorum(standing: Standing): boolean {
  const { member, id } = standing;
  if (member === undefined || member.removed) return false;
  const { alive, need } = quorumOf(standing);
  return alive >= need && member.conf.voters.some((other) => other !== id && isAlive(standing, other));
}

/** Voters of either half that are not heard. */
export function silentVoters(standing: Standing): NodeId[] {
  const { member } = standing;
  if (member === undefined) return [];
  return [...new Set([...member.conf.voters, ...member.conf.votersOutgoing])].filter((id) => !isAlive(standing, id));
}
