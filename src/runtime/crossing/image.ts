/** How a node stands, as data: what the consensus side tells the application side of it. */
import type { Index, NodeId, Term } from '../../core/types.ts';
import type { AutopilotTable, ClusterConfig, Explanation, Forecast, NodeRole, NodeStatus } from '../api/api.ts';
import type { ErrorData } from '../ports/seam.ts';

/** Told before every call that it matters to, where it has changed. */
export interface Brief {
  readonly role: NodeRole;
  readonly term: Term;
  readonly leaderId: NodeId;
  /** Who leads takes proposals of this node: it is this node, or linked. */
  readonly isReachable: boolean;
  readonly takesPart: boolean;
  readonly isMember: boolean;
  readonly isLeader: boolean;
  readonly leads: boolean;
  readonly hasCaughtUp: boolean;
  readonly commitIndex: Index;
}

/** Told on every tick, and when one of its words has changed. */
export interface Image {
  readonly clusterId: string;
  readonly roomLink: string | undefined;
  readonly config: ClusterConfig;
  readonly status: NodeStatus;
  readonly forecast: Forecast;
  readonly explanation: Explanation;
  readonly notReady: ErrorData;
  readonly autopilot: AutopilotTable | undefined;
}

const NAMES: readonly (keyof Brief)[] = [
  'role',
  'term',
  'leaderId',
  'isReachable',
  'takesPart',
  'isMember',
  'isLeader',
  'leads',
  'hasCaughtUp',
  'commitIndex',
];

export function sameBrief(a: Brief, b: Brief): boolean {
  return NAMES.every((name) => a[name] === b[name]);
}
