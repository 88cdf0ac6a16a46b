/** The part of the public face that operators call, and what it tells them. */
import type { HardState, Index, NodeId, Term } from '../../core/types.ts';
import type { CallOptions, ClusterConfig, Suffrage } from './basics.ts';
import type { MissingVoter } from './forecast.ts';

export interface SnapshotInfo {
  readonly index: Index;
  readonly term: Term;
  readonly bytes: number;
  readonly digest: string;
}

export interface EntryInfo {
  readonly index: Index;
  readonly term: Term;
  readonly type: 'command' | 'config' | 'noop' | 'session';
  readonly time: number;
  readonly bytes: number;
  /** The command, or the change in words. */
  readonly data: unknown;
  readonly text: string;
}

export interface NodeMetadata {
  readonly hardState: HardState;
  readonly config: ClusterConfig;
  readonly snapshot: SnapshotInfo | undefined;
  readonly firstIndex: Index;
  readonly lastIndex: Index;
}

/** The other members that keep a state, each in one of the three lists. */
export interface VerifyReport {
  /** All were compared, and none differs. */
  readonly ok: boolean;
  readonly atIndex: Index;
  readonly same: readonly NodeId[];
  readonly diverged: readonly NodeId[];
  /** They could not be reached, or did not come to that index in time. */
  readonly notCompared: readonly NodeId[];
}

/** What the autopilot knows of one member. */
export interface AutopilotRow {
  readonly id: NodeId;
  readonly suffrage: Suffrage;
  /** False for who came as a learner, or was made one by hand: that goes before what the autopilot would do. */
  readonly wantsVote: boolean;
  readonly caughtUp: boolean;
  /** How long it has been heard without a break, in ms; 0 while it is not. */
  readonly heardForMs: number;
  /** How long nothing was heard of it, in ms; 0 while it is. */
  readonly silentForMs: number;
  readonly hasLeft: boolean;
  /** Members with the same text share a device; '' for one of its own. */
  readonly device: string;
  /** How many things slow it down: a hidden page, saving power or data, ticks that come late. */
  readonly burden: number;
  readonly shortOfSpace: boolean;
  /** It does not go when a page is closed. */
  readonly lasting: boolean;
}

/** What the leader's autopilot sees and has decided (§4). */
export interface AutopilotTable {
  readonly enabled: boolean;
  readonly votersTarget: number;
  /** A voter that is silent for longer is replaced or demoted, in ms. */
  readonly silentAfterMs: number;
  readonly members: readonly AutopilotRow[];
  /** The last changes, oldest first. */
  readonly decisions: readonly { readonly atMs: number; readonly kind: string; readonly reason: string }[];
}

export interface Admin {
  /** Undefined on a node that does not lead. */
  autopilot(): AutopilotTable | undefined;
  transferLeadership(to?: NodeId, options?: CallOptions): Promise<NodeId>;
  stepDown(options?: CallOptions): Promise<void>;
  /** Starts an election here; true when this node leads afterwards. */
  campaign(options?: CallOptions): Promise<boolean>;
  snapshot(options?: CallOptions): Promise<SnapshotInfo>;
  compact(upTo?: Index): Promise<Index>;
  verify(options?: CallOptions): Promise<VerifyReport>;
  /** The last entries first-to-last; by default the last 50. */
  describeLog(range?: { readonly from?: Index; readonly to?: Index; readonly last?: number }): Promise<readonly EntryInfo[]>;
  describeMetadata(): Promise<NodeMetadata>;
  /** All that this node stores, as one stream of bytes (see docs/STORAGE.md): for support, and for moving it elsewhere. */
  export(): AsyncIterable<Uint8Array>;
  /**
   * For a cluster whose majority is gone for good: what it would mean to go on from this node alone. Changes nothing.
   * Errors: not-a-member, rejected (a majority can be reached).
   */
  planRecovery(): Promise<RecoveryPlan>;
  /** Does it: this node is the only voter of a new epoch, and the old one's members are refused. Errors: rejected, storage. */
  recover(token: string): Promise<{ readonly epoch: number; readonly removed: readonly NodeId[] }>;
  /** One sentence and its facts: why there is no leader, or why a write waits. */
  explain(): Explanation;
}

/** What going on alone would mean. */
export interface RecoveryPlan {
  /** To be given to `recover`, within five minutes, while nothing has changed. */
  readonly token: string;
  /** The epoch that it would begin. */
  readonly epoch: number;
  readonly missing: readonly MissingVoter[];
  /** Who would belong to the cluster no more, and would join anew. */
  readonly removed: readonly NodeId[];
  /** The last entry that this node holds. */
  readonly lastIndex: Index;
  /** A linked member that holds more: the better place to recover. */
  readonly furtherAhead: NodeId | undefined;
  /** In sentences. */
  readonly mayBeLost: readonly string[];
}

export interface Explanation {
  readonly healthy: boolean;
  readonly text: string;
  readonly silentVoters: readonly NodeId[];
}
