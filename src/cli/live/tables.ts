/** What a running process says, as tables for people. */
import type { ClusterConfig, NodeStatus } from '../../runtime/api/api.ts';
import { table } from '../tables.ts';

export interface Overview {
  readonly version: string;
  readonly draining: boolean;
  readonly rooms: readonly (NodeStatus & { readonly keeper: boolean; readonly trouble?: string })[];
}

export function overviewTable({ rooms, draining }: Overview): string[] {
  const rows = rooms.map((room) => [
    room.room,
    room.id,
    room.keeper ? `${room.role} (keeper)` : room.role,
    room.suffrage,
    room.leaderId ?? 'none',
    String(room.term),
    `${room.appliedIndex} of ${room.lastIndex}`,
    String(room.peers.filter(({ link }) => link === 'open').length),
    room.signaling,
    room.trouble ?? 'none',
  ]);
  const head = ['room', 'node', 'role', 'suffrage', 'leader', 'term', 'applied', 'links', 'signaling', 'trouble'];
  return [...(draining ? ['The process is ending.'] : []), ...table(head, rows)];
}

export function membersOf({ members, version }: ClusterConfig): string[] {
  const rows = members.map(({ id, suffrage, name, priority }) => [id, suffrage, name, String(priority)]);
  return [...table(['member', 'suffrage', 'name', 'priority'], rows), `as of entry ${version}`];
}
