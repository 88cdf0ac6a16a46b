/** A joint configuration decides only what both its halves decide (§4.3). */
import type { Index, NodeId } from '../types.ts';
import { majorityIndex, majorityVote, type VoteResult } from './majority.ts';

/** The two halves; the second is empty when the configuration is not joint. */
export interface Voters {
  readonly voters: readonly NodeId[];
  readonly votersOutgoing: readonly NodeId[];
}

/** Infinity when there are no voters at all. `reachedBy` answers undefined for a voter that said nothing. */
export function jointIndex(halves: Voters, reachedBy: (id: NodeId) => Index | undefined): Index {
  const incoming = majorityIndex(halves.voters.map((id) => reachedBy(id) ?? 0));
  const outgoing = majorityIndex(halves.votersOutgoing.map((id) => reachedBy(id) ?? 0));
  return Math.min(incoming, outgoing);
}

export function jointVote(halves: Voters, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const incoming = halfVote(halves.voters, votes);
  const outgoing = halfVote(halves.votersOutgoing, votes);
  if (incoming === outgoing) return incoming;
  return incoming === 'lost' || outgoing === 'lost' ? 'lost' : 'pending';
}

function halfVote(voters: readonly NodeId[], votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  let granted = 0;
  let refused = 0;
  for (const id of voters) {
    const vote = votes.get(id);
    if (vote === true) granted++;
    else if (vote === false) refused++;
  }
  return majorityVote(voters.length, granted, refused);
}
