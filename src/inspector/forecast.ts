/** "What happens if this tab closes?", from what this tab knows. */
import type { ClusterConfig, NodeStatus } from '../index.ts';

export interface Forecast {
  readonly level: 'good' | 'warn' | 'bad';
  readonly text: string;
  readonly votersAlive: number;
  readonly voters: number;
}

/** A voter that nothing was heard of for so long counts as gone: ms. Two of the longest election timeouts. */
const SILENT_MS = 3_000;

export function votersAlive(status: NodeStatus, config: ClusterConfig): number {
  return config.voters.filter((id) => {
    if (id === status.id) return status.role !== 'stopped' && status.role !== 'removed';
    const peer = status.peers.find((candidate) => candidate.id === id);
    return peer?.link === 'open' && (peer.lastContactMs ?? 0) < SILENT_MS;
  }).length;
}

export function forecastOf(status: NodeStatus, config: ClusterConfig): Forecast {
  const voters = config.voters.length;
  const alive = votersAlive(status, config);
  const need = Math.floor(voters / 2) + 1;
  const facts = { votersAlive: alive, voters };
  if (voters === 0) return { ...facts, level: 'warn', text: 'This tab is not part of the cluster yet.' };
  if (alive < need)
    return {
      ...facts,
      level: 'bad',
      text: `Only ${alive} of ${voters} voters can be reached and ${need} are needed: writes wait.`,
    };
  if (!config.voters.includes(status.id))
    return { ...facts, level: 'good', text: 'If this tab closes, nothing changes: it does not vote.' };
  if (voters === 1) {
    return {
      ...facts,
      level: 'warn',
      text: 'If this tab closes, the room sleeps on this device until a tab opens here again. Open two more.',
    };
  }
  const left = alive - 1;
  if (left < need)
    return {
      ...facts,
      level: 'bad',
      text: `If this tab closes, ${left} of ${voters} voters remain: too few, writes would wait.`,
    };
  const spare = left - need;
  const more = spare === 0 ? 'no other may fail then' : `${spare} more may fail then`;
  return { ...facts, level: 'good', text: `If this tab closes, ${left} of ${voters} voters go on; ${more}.` };
}
