/** The front door of a Node process: LMDB on disk, the real signaling server over a socket. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createSignalingServer } from '../../signaling/server.ts';
import { createRoomLink, type EdgeOptions, raft } from '../../src/node.ts';
import { MemoryHub } from '../../src/transport/memory.ts';
import { bank } from '../runtime/cluster.ts';

test('three processes’ worth of nodes share a counter, stop, and come back from disk', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tabraft-edge-'));
  const server = await createSignalingServer({ port: 0 });
  const hub = new MemoryHub();
  const room = await createRoomLink('edge');
  const options = (i: number): EdgeOptions => ({
    signaling: server.url,
    connect: (url) => new WebSocket(url),
    storage: { directory: join(directory, String(i)) },
    link: hub.transport(),
    tuning: { electionTimeoutMs: [200, 400], heartbeatMs: 40 },
  });
  try {
    const nodes = await Promise.all([0, 1, 2].map((i) => raft.enter(room, bank, options(i))));
    for (const node of nodes) await node.until(() => node.config.voters.length === 3);
    for (const node of nodes) await node.propose({ type: 'add', amount: 1 });
    const ids = nodes.map((node) => node.id);
    await Promise.all(nodes.map((node) => node.stop({ transfer: false })));
    const back = await Promise.all([0, 1, 2].map((i) => raft.open(room, bank, options(i))));
    expect(back.map((node) => node.id)).toEqual(ids);
    for (const node of back) expect(await node.read((state) => state.balance)).toBe(3);
    await Promise.all(back.map((node) => node.stop({ transfer: false })));
  } finally {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  }
});

test('what is missing is said', async () => {
  await expect(raft.enter('edge', bank)).rejects.toMatchObject({ code: 'invalid-argument' });
});
