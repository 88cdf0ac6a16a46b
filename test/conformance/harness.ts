/** The types of the conformance harness: what it hands in, and what it prints. */
export type Id = number | 'append' | 'apply';
export type Role = 'StateFollower' | 'StatePreCandidate' | 'StateCandidate' | 'StateLeader';

export interface ConfState {
  readonly voters: readonly number[];
  readonly votersOutgoing: readonly number[];
  readonly learners: readonly number[];
  readonly learnersNext: readonly number[];
  readonly autoLeave: boolean;
}

export interface Snapshot {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
  readonly text: string;
}

export interface Change {
  readonly op: 'v' | 'l' | 'r' | 'u';
  readonly id: number;
}

export interface ProposedChange {
  readonly v1: boolean;
  readonly transition: 'auto' | 'implicit' | 'explicit';
  readonly changes: readonly Change[];
}

export interface Entry {
  readonly term: number;
  readonly index: number;
  readonly kind: 'normal' | 'conf-v1' | 'conf-v2';
  readonly text: string;
  readonly changes: readonly Change[];
  readonly raw?: unknown;
}

export interface Message {
  readonly type: string;
  readonly from: Id;
  readonly to: Id;
  readonly term: number;
  readonly logTerm: number;
  readonly index: number;
  readonly commit: number;
  readonly vote: number;
  readonly reject: boolean;
  readonly rejectHint: number;
  readonly entries: readonly Entry[];
  readonly snapshot?: Snapshot | undefined;
  readonly responses: readonly Message[];
  readonly raw?: unknown;
}

export interface HardState {
  readonly term: number;
  readonly vote: number;
  readonly commit: number;
}

export interface Ready {
  readonly softState: { readonly lead: number; readonly role: Role } | undefined;
  readonly hardState: HardState | undefined;
  readonly readStates: readonly { readonly index: number; readonly ctx: string }[];
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | undefined;
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
  readonly mustSync: boolean;
  readonly raw: unknown;
}

export interface Progress {
  readonly state: 'StateProbe' | 'StateReplicate' | 'StateSnapshot';
  readonly match: number;
  readonly next: number;
  readonly learner: boolean;
  readonly paused: boolean;
  readonly pendingSnapshot: number;
  readonly recentActive: boolean;
  readonly inflight: number;
  readonly inflightFull: boolean;
}

export interface NodeOptions {
  readonly id: number;
  readonly bootstrap?: Snapshot | undefined;
  readonly applied: number;
  readonly electionTick: number;
  readonly heartbeatTick: number;
  readonly maxInflightMessages: number;
  readonly maxCommittedSizePerReady?: number | undefined;
  readonly maxSizePerMessage?: number | undefined;
  readonly asyncStorageWrites: boolean;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly readOnly: 'safe' | 'lease-based';
  readonly disableConfChangeValidation: boolean;
  readonly stepDownOnRemoval: boolean;
  readonly log?: (level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR', text: string) => void;
  /** Simulation: what `disk` gave, with the configuration as of `applied`. */
  readonly disk?: unknown;
  readonly confState?: ConfState | undefined;
}

export interface NodeStatus {
  readonly id: number;
  readonly role: Role;
  readonly term: number;
  readonly lead: number;
  readonly voters: readonly number[];
  readonly progress: ReadonlyMap<number, Progress>;
  readonly commit: number;
  readonly applied: number;
  readonly incoming: readonly number[];
  readonly outgoing: readonly number[];
  readonly members: readonly number[];
}
