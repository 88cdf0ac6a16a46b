/** Majorities counted a second time, apart from the core: so that a fault in its counting cannot hide. */
import type { ConfState, NodeId } from '../../core/types.ts';

/** True when `has` holds for a majority of the voters, of both halves of a joint configuration. */
export function quorumHas(conf: ConfState, has: (id: NodeId) => boolean): boolean {
  return majorityHas(conf.voters, has) && (conf.votersOutgoing.length === 0 || majorityHas(conf.votersOutgoing, has));
}

function majorityHas(voters: readonly NodeId[], has: (id: NodeId) => boolean): boolean {
  if (voters.length === 0) return false;
  let count = 0;
  for (const id of voters) if (has(id)) count += 1;
  return count * 2 > voters.length;
}

/** Voters above this many are not tried one set at a time. */
const BRUTE_FORCE_MAX = 10;

/** Whether every quorum of one configuration meets every quorum of the other, found by trying all sets. */
export function quorumsMeet(a: ConfState, b: ConfState): boolean {
  const ids = [...new Set([...a.voters, ...a.votersOutgoing, ...b.voters, ...b.votersOutgoing])];
  if (ids.length > BRUTE_FORCE_MAX) return true;
  for (let set = 0; set < 2 ** ids.length; set += 1) {
    const inside = (id: NodeId): boolean => (set & (1 << ids.indexOf(id))) !== 0;
    // Two quorums that do not meet are a quorum of one inside a set, and of the other outside of it.
    if (quorumHas(a, inside) && quorumHas(b, (id) => ids.includes(id) && !inside(id))) return false;
  }
  return true;
}
