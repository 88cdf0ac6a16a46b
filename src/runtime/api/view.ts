/** How this node stands, as the application side sees it: where consensus stands in another thread, as it was last told. */
import type { RaftError } from '../../core/errors.ts';
import type { Index, NodeId, Term } from '../../core/types.ts';
import type { AutopilotTable, Explanation } from './admin.ts';
import type { ClusterConfig, NodeRole, NodeStatus } from './api.ts';
import type { Forecast } from './forecast.ts';

/** What a read asks for that is not confirmed by a round (§6.4). */
export type Freshness = 'lease' | { readonly maxStaleMs: number };

export interface NodeView {
  readonly id: NodeId;
  /** '' outside a cluster. */
  readonly clusterId: string;
  readonly role: NodeRole;
  /** 0 outside a cluster. */
  readonly term: Term;
  /** NO_NODE when none is known. */
  readonly leaderId: NodeId;
  /** It belongs to a cluster, and takes part. */
  readonly takesPart: boolean;
  readonly isLeader: boolean;
  /** It leads, and has applied an entry of its own term: its state is the newest there is. */
  readonly leads: boolean;
  /** It knows its leader, and has applied all that it knows to be committed. */
  readonly hasCaughtUp: boolean;
  readonly appliedIndex: Index;
  readonly config: ClusterConfig;
  /** Why it has ended, if it has. */
  readonly ended: RaftError | undefined;
  /** Errors: removed, stopped. */
  assertRunning(): void;
  /** Whether the local state may be read so; at once where that can be known at once. */
  isFresh(freshness: Freshness): boolean | Promise<boolean>;
  status(): NodeStatus;
  forecast(): Forecast;
  explain(): Explanation;
  /** What hinders a node that has not caught up. */
  notReady(): RaftError;
  /** On the leader. */
  autopilot(): AutopilotTable | undefined;
}
