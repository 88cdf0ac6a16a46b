/**
 * The "State" box (Figure 3.1), and what each role adds to it. Every field says what it means, who writes it and what
 * always holds. Everything is read-only but for its writer, who says so with `Writable`.
 */
import type { Config } from './config.ts';
import type { RaftLog } from './log/raft-log.ts';
import type { Outbox } from './outbox.ts';
import type { ProposeOutcome } from './outcome.ts';
import type { Tracker } from './progress/tracker.ts';
import type { ReadQueue, ReadRequest } from './protocol/read-queue.ts';
import type { TraceEvent } from './trace.ts';
import { type ConfState, type Index, NO_NODE, type NodeId, type ReadState, type Term } from './types.ts';

export interface Follower {
  readonly name: 'follower';
  /** The leader of the term, once heard; NO_NODE before, or when forgotten. Writer: roles. */
  readonly leader: NodeId;
}

export interface PreCandidate {
  readonly name: 'pre-candidate';
  /** First answer of each voter. Writer: election. */
  readonly votes: Map<NodeId, boolean>;
}

export interface Candidate {
  readonly name: 'candidate';
  readonly votes: Map<NodeId, boolean>;
}

/** A round of heartbeats, and the tick of this leadership at which it first left. */
export interface SentRound {
  readonly round: number;
  readonly tick: number;
}

export interface Leader {
  readonly name: 'leader';
  /** "Volatile state on leaders": nextIndex and matchIndex of everyone. */
  readonly members: Tracker;
  /** The no-op of this leadership: once it is committed, so is all before it (§6.4 step 1). */
  readonly since: Index;
  /** An entry of this term at or past this index was appended in the configuration in force. Writer: alone. */
  readonly sealIndex: Index;
  /** By whose proxy vote it leads, if that one was sealed and the configuration is still the same. Writer: alone. */
  readonly partnerSealed: NodeId;
  /** Whom leadership is being handed to. Writer: transfer. */
  readonly transferee: NodeId;
  /** No membership change is taken while this is past what is applied (§4.1). Writer: propose. */
  readonly pendingConfIndex: Index;
  /** Bytes of commands of this leadership not applied yet. Writer: propose. */
  readonly uncommittedBytes: number;
  /** Reads waiting for a round of heartbeats (§6.4). */
  readonly reads: ReadQueue;
  /** The rounds of heartbeats that a lease may be counted from, oldest first. Writer: lease. */
  readonly sentRounds: readonly SentRound[];
  /** Ticks of this leadership. Writer: tick. */
  readonly ticks: number;
}

/** A commit index that becomes true with the write that carries it, and the term of the entry there. */
export interface Alone {
  readonly index: Index;
  readonly term: Term;
}

/** A vote that was left to this node. */
export interface HeldProxy {
  readonly from: NodeId;
  /** The term it counts in. */
  readonly term: Term;
  readonly sealed: boolean;
}

export type RoleState = Follower | PreCandidate | Candidate | Leader;

export interface Raft {
  readonly config: Config;
  readonly id: NodeId;
  readonly trace: ((event: TraceEvent) => void) | undefined;

  /** Latest term seen; never falls. Writer: roles. */
  readonly term: Term;
  /** Who got this node's vote in `term`; set at most once per term. Writer: roles. */
  readonly vote: NodeId;
  /** Writer: roles. */
  readonly role: RoleState;
  /** The latest term known to be durable here. <= term. Writer: raw-node. */
  readonly durableTerm: Term;

  /** The term whose leader contradicted what is committed here: nothing is taken from it for an election timeout. 0: none. Writer: contradiction. */
  readonly contradictedTerm: Term;

  readonly log: RaftLog;
  /** What the configuration in force replaced; undefined after a start and after a snapshot. Writer: membership. */
  readonly prevConf: ConfState | undefined;
  /** Set while that write is in flight, whatever the role is by then. log.last >= index. Writer: alone. */
  readonly alone: Alone | undefined;
  /** Its term is at least this node's. Writers: proxy-vote, roles. */
  readonly proxy: HeldProxy | undefined;
  /** It has left its vote to another: nothing comes in, and nothing goes out any more. Writer: proxy-vote. */
  readonly ended: boolean;
  /** The configuration of the last applied change (§4.1 applies it on append; here, on apply). Writer: membership. */
  readonly conf: ConfState;

  /** Ticks since the leader, or a candidate voted for, was heard; a leader: since the last check-quorum. Writers: roles, tick. */
  readonly electionElapsed: number;
  /** Writers: roles, tick. */
  readonly heartbeatElapsed: number;
  /** This period's randomized timeout. Writer: roles. */
  readonly electionTimeout: number;
  readonly electionMinTicks: number;
  readonly electionMaxTicks: number;
  readonly checkQuorum: boolean;
  readonly priority: number;
  /** Lease reads: ticks after a start in which this voter may still be bound by a lease it does not remember. Writer: lease. */
  readonly leaseGuardTicks: number;
  /** What a leader stamps on entries. */
  readonly timeMs: number;

  readonly outbox: Outbox;
  /** Answers to reads, for the next Ready. Writer: read-index. */
  readonly readStates: ReadState[];
  /** Reads that wait for the first commit of the term. Writer: read-index. */
  readonly waitingReads: ReadRequest[];
  /** Answer to the proposal being handled. Writer: propose. */
  readonly outcome: ProposeOutcome | undefined;
}

export function leaderOf(raft: Raft): NodeId {
  if (raft.role.name === 'follower') return raft.role.leader;
  return raft.role.name === 'leader' ? raft.id : NO_NODE;
}
