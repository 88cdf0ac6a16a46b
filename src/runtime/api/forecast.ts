/** How it stands with the majority, for people: who is missing, since when, and what would help. */
import type { NodeId } from '../../core/types.ts';

/** A voter that is not heard. */
export interface MissingVoter {
  readonly id: NodeId;
  readonly name: string;
  /** It said goodbye; or nothing is heard of it; or it is there and cannot take part (its storage fails, its page is put away). */
  readonly how: 'left' | 'silent' | 'stopped';
  /** For how long, in ms, as far as can be said: at least since this node is open. */
  readonly forMs: number;
}

export interface Forecast {
  /** A majority of the voters is heard, by this node or, as it says, by its leader. */
  readonly quorumAlive: boolean;
  /** Voters that are heard, and how many make a majority; of a joint configuration the worse half. */
  readonly alive: number;
  readonly need: number;
  /** How many more voters may fail, whichever they are, before writes stop. */
  readonly failureTolerance: number;
  /** Voters that hold a command before it is acknowledged, at the least; 0 outside a cluster. */
  readonly copies: number;
  readonly missing: readonly MissingVoter[];
  /** A newcomer has this from the member that could not take it in. */
  readonly toldBy: NodeId | undefined;
  /** What it means, and what would help. */
  readonly text: string;
}
