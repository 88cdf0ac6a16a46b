/** What the members at this process have to hear when its connection to Redis was lost, and others may have spoken meanwhile. */
import type { ServerMessage } from '../../src/signaling/protocol.ts';
import type { ConnectionId, Effect, RoomState } from '../../src/signaling/room.ts';

export function catchUp(
  before: RoomState | undefined,
  now: RoomState | undefined,
  isHere: (connection: ConnectionId) => boolean,
): readonly Effect[] {
  if (now === undefined) return [];
  const old = new Set(before?.members.map(({ nodeId }) => nodeId));
  const present = new Set(now.members.map(({ nodeId }) => nodeId));
  return now.members.flatMap(({ nodeId, connection }): Effect[] => {
    if (connection === null || !isHere(connection)) return [];
    const say = (message: ServerMessage): Effect => ({ type: 'send', connection, message });
    const came = [...present].filter((id) => !old.has(id) && id !== nodeId);
    const left = [...old].filter((id) => !present.has(id) && id !== nodeId);
    return [
      ...came.map((id) => say({ type: 'peer-join', nodeId: id })),
      ...left.map((id) => say({ type: 'peer-leave', nodeId: id })),
      ...(now.clusterId === null ? [] : [say({ type: 'cluster', clusterId: now.clusterId })]),
      // Whoever holds the grant may never have heard of it. It founds once.
      ...(now.grant?.nodeId === nodeId ? [say({ type: 'grant' })] : []),
    ];
  });
}
