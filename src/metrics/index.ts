/** What a node does as numbers, for dashboards: counted from its events, read from its status when somebody asks. */
import type { BaseNode, NodeStatus } from '../index.ts';
import { type Labels, openMetrics, type Point, Registry } from './registry.ts';

export type { Labels, Point };

/** Bounds of the time that a write takes, in seconds: a leader's disk at one end, an election at the other. */
const WRITE_SECONDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type Measured = Pick<BaseNode<unknown>, 'on' | 'status'>;

export interface Metrics {
  /** All of it now, as plain values: for an exporter of one's own (OpenTelemetry and others). */
  points(): readonly Point[];
  /** The same as OpenMetrics text. */
  text(): string;
  /** Counts no further. */
  stop(): void;
}

/** Begins to count. `labels` are put on every series: the room, a name for the process. */
export function measure(node: Measured, labels: Labels = {}): Metrics {
  const registry = new Registry();
  const counting = countEvents(node, registry);
  const read = gauges(registry);
  const points = (): readonly Point[] => {
    read(node.status);
    return registry.points().map((point) => ({ ...point, labels: { ...labels, ...point.labels } }));
  };
  return {
    points,
    text: () => openMetrics(points()),
    stop: () => {
      for (const end of counting.splice(0)) end();
    },
  };
}

function countEvents(node: Measured, registry: Registry): (() => void)[] {
  const writes = registry.histogram(
    { name: 'tabraft_write_seconds', help: 'From the call of a write to its answer.', unit: 'seconds' },
    WRITE_SECONDS,
  );
  const counter = (name: string, help: string): ((labels?: Labels, by?: number) => void) =>
    registry.counter({ name: `tabraft_${name}`, help });
  const failed = counter('writes_failed', 'Writes that ended with an error, by its code.');
  const leaders = counter('leader_changes', 'Times that another leader, or none, was known.');
  const applied = counter('entries_applied', 'Entries that this node has applied while it was measured.');
  const snapshots = counter('snapshots', 'Snapshots, by what was done with them.');
  const faults = counter('faults', 'What went wrong without ending the node, by its code.');
  const lost = counter('quorum_losses', 'Times that no majority was heard any more.');
  const diverged = counter('divergences', "Times that this replica's state differed from the leader's.");
  const rolledBack = counter('rollbacks', 'Optimistic writes that came to nothing, by the code of their error.');
  let appliedTo = node.status.appliedIndex;
  return [
    node.on('write', ({ ms, code }) => {
      if (code === undefined) writes(ms / 1_000);
      else failed({ code });
    }),
    node.on('leader', () => leaders()),
    node.on('apply', ({ index }) => {
      applied({}, index - appliedTo);
      appliedTo = Math.max(appliedTo, index);
    }),
    node.on('snapshot', ({ kind }) => snapshots({ kind })),
    node.on('fault', ({ error }) => faults({ code: error.code })),
    node.on('quorum-lost', () => lost()),
    node.on('diverged', () => diverged()),
    node.on('rollback', ({ error }) => rolledBack({ code: error.code })),
  ];
}

const ROLES: readonly NodeStatus['role'][] = [
  'leader',
  'candidate',
  'pre-candidate',
  'follower',
  'learner',
  'removed',
  'stopped',
];

function gauges(registry: Registry): (status: NodeStatus) => void {
  const gauge = (name: string, help: string): ((value: number, labels?: Labels) => void) =>
    registry.gauge({ name: `tabraft_${name}`, help });
  const role = gauge('role', 'What this node is: 1 for the one, 0 for the others.');
  const numbers: readonly (readonly [(value: number) => void, (status: NodeStatus) => number])[] = [
    [gauge('term', 'The term of this node.'), ({ term }) => term],
    [gauge('commit_index', 'Last entry known to be committed.'), ({ commitIndex }) => commitIndex],
    [gauge('applied_index', 'Last entry that was applied.'), ({ appliedIndex }) => appliedIndex],
    [gauge('last_index', 'Last entry of the log.'), ({ lastIndex }) => lastIndex],
    [gauge('log_entries', 'Entries that the log holds.'), ({ firstIndex, lastIndex }) => Math.max(0, lastIndex - firstIndex + 1)],
    [gauge('pending_writes', 'Writes without an answer.'), ({ pendingWrites }) => pendingWrites],
    [gauge('quorum_alive', 'Whether a majority is heard.'), ({ quorumAlive }) => Number(quorumAlive)],
    [gauge('failure_tolerance', 'Voters that may fail before the cluster stops.'), ({ failureTolerance }) => failureTolerance],
    [gauge('peers_linked', 'Nodes with an open link.'), ({ peers }) => peers.filter(({ link }) => link === 'open').length],
    [gauge('signaling_open', 'Whether the signaling server is connected.'), ({ signaling }) => Number(signaling === 'open')],
  ];
  return (status) => {
    for (const each of ROLES) role(Number(each === status.role), { role: each });
    for (const [set, of] of numbers) set(of(status));
  };
}
