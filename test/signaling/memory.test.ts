import { expect, it } from 'vitest';
import { MemorySignalingHub } from '../../src/signaling/memory.ts';
import type { RoomEntry, Signaling } from '../../src/signaling/signaling.ts';

async function enter(
  hub: MemorySignalingHub,
  nodeId: string,
  more: Partial<RoomEntry> = {},
): Promise<{ readonly signaling: Signaling; readonly told: string[] }> {
  const signaling = hub.signaling();
  const told: string[] = [];
  await signaling.enter(
    { room: 'room', nodeId, clusterId: undefined, mayFound: true, ...more },
    {
      onPeers: (peers) => told.push(`peers ${peers.join()}`),
      onSignal: (from, data) => told.push(`signal ${from} ${JSON.stringify(data)}`),
      onGrant: () => told.push('grant'),
      onCluster: (clusterId) => told.push(`cluster ${clusterId}`),
      onState: (state, error) => told.push(error === undefined ? state : `${state}: ${error.code}`),
    },
  );
  await settled();
  return { signaling, told };
}
/** All microtasks have run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('grants, founds, and introduces', async () => {
  const hub = new MemorySignalingHub();
  const a = await enter(hub, 'a');
  expect(a.told).toEqual(['connecting', 'open', 'peers ', 'grant']);
  const b = await enter(hub, 'b');
  a.signaling.founded('c1');
  expect(b.signaling.signal('a', { x: 1 })).toBe(true);
  await settled();
  expect(a.told.slice(4)).toEqual(['peers b', 'signal b {"x":1}', 'cluster c1']);
  expect(b.told).toEqual(['connecting', 'open', 'peers a', 'cluster c1']);
  await b.signaling.close();
  await settled();
  expect(a.told.at(-1)).toBe('peers ');
});

it('a server that dies is told, and its clients come back; one that forgot lets a newcomer ask them before it founds', async () => {
  let nowMs = 0;
  const hub = new MemorySignalingHub({ claimWaitMs: 1_000 }, () => nowMs);
  const a = await enter(hub, 'a');
  a.signaling.founded('c1');
  await settled();
  hub.down({ forget: true });
  expect(a.told.at(-1)).toBe('connecting: signaling-unreachable');
  expect(a.signaling.signal('b', 1)).toBe(false);
  hub.restore();
  await settled();
  const b = await enter(hub, 'b');
  expect(b.told).toEqual(['connecting', 'open', 'peers a']);
  b.signaling.joined?.('c1');
  nowMs = 1_000;
  hub.tick();
  await settled();
  expect([a.told, b.told].flat().filter((one) => one === 'grant')).toHaveLength(1);
});

it('a founder whose word got lost with the server says it again', async () => {
  const hub = new MemorySignalingHub();
  const a = await enter(hub, 'a');
  hub.down();
  a.signaling.founded('c1');
  hub.restore();
  await settled();
  expect(a.told.at(-1)).toBe('cluster c1');
  expect(a.told.filter((one) => one === 'grant')).toHaveLength(1);
});

it('refuses as the real one does, and says that the room has another cluster', async () => {
  const hub = new MemorySignalingHub();
  const a = await enter(hub, 'a');
  a.signaling.founded('c1');
  await settled();
  expect((await enter(hub, 'b', { clusterId: 'c2' })).told).toEqual([
    'connecting',
    'open',
    'peers a',
    'cluster c1',
    'open: cluster-mismatch',
  ]);
  expect((await enter(hub, 'a')).told).toEqual(['connecting', 'closed: identity-in-use']);
  await expect(enter(hub, 'c', { room: '' })).rejects.toMatchObject({ code: 'room-invalid' });
});
