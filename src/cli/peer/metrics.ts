/** Figures of the rooms as OpenMetrics text. */
import type { RunningRoom } from './rooms.ts';

export const METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly of: (room: RunningRoom) => number;
}

const METRICS: readonly Metric[] = [
  gauge('healthy', 'The node runs, is a member, and its storage works.', (room) => Number(room.trouble() === undefined)),
  gauge('leader', 'This node leads.', ({ node }) => Number(node.role === 'leader')),
  gauge('voter', 'This node votes.', ({ node }) => Number(node.status.suffrage === 'voter')),
  gauge('quorum_alive', 'A majority of the voters was heard.', ({ node }) => Number(node.status.quorumAlive)),
  gauge('failure_tolerance', 'Voters that may fail before the cluster stops.', ({ node }) => node.status.failureTolerance),
  gauge('term', 'The term.', ({ node }) => node.term),
  gauge('commit_index', 'The last entry that is committed.', ({ node }) => node.status.commitIndex),
  gauge('applied_index', 'The last entry that is applied.', ({ node }) => node.status.appliedIndex),
  gauge('first_index', 'The first entry of the log.', ({ node }) => node.status.firstIndex),
  gauge('last_index', 'The last entry of the log.', ({ node }) => node.status.lastIndex),
  gauge('snapshot_index', 'The last entry that the snapshot covers.', ({ node }) => node.status.snapshotIndex),
  gauge('voters', 'Members that vote.', ({ node }) => node.config.voters.length),
  gauge('learners', 'Members that do not vote.', ({ node }) => node.config.learners.length),
  gauge('links', 'Links that are open.', ({ node }) => node.status.peers.filter(({ link }) => link === 'open').length),
  gauge('signaling_open', 'The signaling server is reached.', ({ node }) => Number(node.status.signaling === 'open')),
  counter('leader_changes', 'Times that another leader, or none, was seen.', ({ counts }) => counts.leaderChanges),
  counter('faults', 'Faults that were told.', ({ counts }) => counts.faults),
  counter('snapshots', 'Snapshots made, sent and received.', ({ counts }) => counts.snapshots),
];

function gauge(name: string, help: string, of: Metric['of']): Metric {
  return { name: `tabraft_${name}`, type: 'gauge', help, of };
}
function counter(name: string, help: string, of: Metric['of']): Metric {
  return { name: `tabraft_${name}`, type: 'counter', help, of };
}

export function metricsText(rooms: readonly RunningRoom[]): string {
  const lines = METRICS.flatMap(({ name, type, help, of }) => {
    const sample = type === 'counter' ? `${name}_total` : name;
    return [
      `# TYPE ${name} ${type}`,
      `# HELP ${name} ${help}`,
      // A room's name holds nothing that would have to be escaped.
      ...rooms.map((room) => `${sample}{room="${room.settings.room}"} ${of(room)}`),
    ];
  });
  return `${lines.join('\n')}\n# EOF\n`;
}
