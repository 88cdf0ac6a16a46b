/** Majorities of one set of voters: pure maths (§3.3, §3.6.2). */
import type { Index } from '../types.ts';

export type VoteResult = 'won' | 'lost' | 'pending';

/** The smallest number of voters that any two of such groups share a member of. */
export function quorumOf(voters: number): number {
  return (voters >>> 1) + 1;
}

/**
 * The highest index that a majority has reached, given each voter's (0 for one that said nothing). Sorts the array it is
 * given. An empty set has no say: Infinity, so that the other half of a joint configuration decides.
 */
export function majorityIndex(reached: Index[]): Index {
  const count = reached.length;
  if (count === 0) return Number.POSITIVE_INFINITY;
  // Insertion sort: a handful of numbers, nearly in order, and no comparator to call.
  for (let i = 1; i < count; i++) {
    const value = reached[i] as Index;
    let hole = i;
    for (; hole > 0; hole--) {
      const before = reached[hole - 1] as Index;
      if (before <= value) break;
      reached[hole] = before;
    }
    reached[hole] = value;
  }
  return reached[count - quorumOf(count)] as Index;
}

/** An empty set has no say: it has won. */
export function majorityVote(voters: number, granted: number, refused: number): VoteResult {
  if (voters === 0 || granted >= quorumOf(voters)) return 'won';
  return voters - refused < quorumOf(voters) ? 'lost' : 'pending';
}
