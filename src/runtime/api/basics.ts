/** Words that every part of the public face uses. */
import type { Index, NodeId } from '../../core/types.ts';

export type Suffrage = 'voter' | 'learner' | 'witness';
/** What a member may ask to be. A witness is the core's own; the runtime makes none yet. */
export type WantedSuffrage = Exclude<Suffrage, 'witness'>;

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** How long to wait, in ms; then `timeout`. Default: tuning.callTimeoutMs. */
  readonly timeoutMs?: number;
}

export interface MemberInfo {
  readonly id: NodeId;
  readonly suffrage: Suffrage;
  readonly name: string;
  readonly priority: number;
  readonly meta: unknown;
}

export interface ClusterConfig {
  /** Index of the entry that made it. */
  readonly version: Index;
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly witnesses: readonly NodeId[];
  readonly votersOutgoing: readonly NodeId[];
  readonly learnersNext: readonly NodeId[];
  readonly autoLeave: boolean;
  readonly members: readonly MemberInfo[];
}
