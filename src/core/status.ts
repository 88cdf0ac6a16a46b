/** What a node looks like from outside: plain data, made anew at each call. */
import type { ConfState, Index, NodeId, Role, Term } from './types.ts';

export type ProgressStateName = 'probe' | 'replicate' | 'snapshot';

/** What a leader knows of one member. Its own is there too. */
export interface ProgressStatus {
  readonly id: NodeId;
  readonly state: ProgressStateName;
  readonly matchIndex: Index;
  readonly nextIndex: Index;
  /** What the member said it has committed; 0 when it never did. */
  readonly commitIndex: Index;
  readonly learner: boolean;
  readonly witness: boolean;
  /** Nothing is sent to it until it answers. */
  readonly paused: boolean;
  /** Heard since the last check-quorum. */
  readonly recentActive: boolean;
  /** Index of the snapshot it is being sent; 0 for none. */
  readonly pendingSnapshot: Index;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
  readonly inflightFull: boolean;
}

export interface Status {
  readonly id: NodeId;
  readonly role: Role;
  readonly term: Term;
  /** Whom this node voted for in its term; '' for nobody. */
  readonly vote: NodeId;
  /** '' when none is known. */
  readonly leader: NodeId;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** The last entry known to be durable here. */
  readonly stableIndex: Index;
  readonly conf: ConfState;
  /** Voters with data that hold a command before it is acknowledged, at the least: 1 when a single device decides. */
  readonly copies: number;
  readonly priority: number;
  /** May campaign: a voter that is no witness and has no snapshot waiting to be written. */
  readonly promotable: boolean;
  readonly electionElapsedTicks: number;
  readonly electionTimeoutTicks: number;

  // the rest is the leader's: empty, 0 or false in other roles
  /** Sorted by id. */
  readonly progress: readonly ProgressStatus[];
  /** Whom leadership is being handed to; '' for nobody. */
  readonly transferee: NodeId;
  /** The first index of this leadership: once it is applied, the leader's state is complete. */
  readonly leaderSinceIndex: Index;
  readonly pendingConfIndex: Index;
  readonly uncommittedBytes: number;
  readonly pendingReads: number;
  /** Nobody can have replaced this leader of two, nobody can without its vote, and no change is under way: it may go on alone. */
  readonly settled: boolean;
  /** What is decided alone as soon as it is durable; 0 for nothing. */
  readonly aloneIndex: Index;
}
