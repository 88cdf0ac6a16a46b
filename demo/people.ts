/** What to call the members, and in which colour. */
import type { ClusterConfig, NodeId, NodeStatus } from '../src/index.ts';
import { HUES } from './room.ts';

export interface People {
  readonly self: NodeId | undefined;
  nameOf(id: NodeId | undefined): string;
  /** As the subject of a sentence: `This tab` or the name. */
  subject(id: NodeId | undefined): string;
  hueOf(id: NodeId): number;
}

/** Names come from the cluster's configuration, so that every tab says the same; two of one name get a part of their id. */
export function peopleOf(status: NodeStatus | undefined, config: ClusterConfig | undefined, ownName: string): People {
  const names = new Map<NodeId, string>();
  for (const peer of status?.peers ?? []) names.set(peer.id, peer.name);
  for (const member of config?.members ?? []) names.set(member.id, member.name);
  const self = status?.id;
  if (self !== undefined && !names.get(self)) names.set(self, ownName);
  const nameOf = (id: NodeId | undefined): string => {
    if (id === undefined) return 'nobody';
    const name = names.get(id);
    if (!name) return `Tab ${id.slice(0, 4)}`;
    const twins = [...names.values()].filter((other) => other === name).length > 1;
    return twins ? `${name} ${id.slice(0, 4)}` : name;
  };
  return {
    self,
    nameOf,
    subject: (id) => (id !== undefined && id === self ? 'This tab' : nameOf(id)),
    hueOf: (id) => HUES[names.get(id)?.split(' ')[0] ?? ''] ?? hash(id) % 360,
  };
}

function hash(text: string): number {
  let value = 0;
  for (const letter of text) value = (value * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return value;
}
