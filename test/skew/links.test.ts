/** A build from before the proof on a link of this one: it is turned away, and told nothing. docs/WIRE.md tells it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createSignalingServer } from '../../signaling/server.ts';
import { defineStateMachine, raft } from '../../src/node.ts';
import { SignalingClient } from '../../src/signaling/client.ts';
import { MemoryHub } from '../../src/transport/memory.ts';
import { decodePeerMessage } from '../../src/wire/codec.ts';

const { messages } = JSON.parse(readFileSync(new URL('../wire/fixtures/protocol-1.json', import.meta.url), 'utf8')) as {
  readonly messages: Readonly<Record<string, string>>;
};
const frame = (name: string): Uint8Array => Uint8Array.from(Buffer.from(messages[name] ?? '', 'hex'));
const connect = (url: string): WebSocket => new WebSocket(url);
const root = mkdtempSync(join(tmpdir(), 'tabraft-skew-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('who begins with a hello of protocol 1 instead of a proof is turned away; the node goes on, and says nothing of itself', async () => {
  const machine = defineStateMachine<{ sum: number }>()({
    initial: () => ({ sum: 0 }),
    commands: { add: (state) => ++state.sum },
  });
  const server = await createSignalingServer({ port: 0 });
  const hub = new MemoryHub();
  const node = await raft.enter('skew', machine, {
    openRoom: true,
    signaling: server.url,
    connect,
    storage: { directory: root },
    link: hub.transport(),
    tuning: { electionTimeoutMs: [200, 400], heartbeatMs: 40 },
  });
  await node.ready;
  const old = hub.transport();
  const heard: Uint8Array[] = [];
  const states: string[] = [];
  await old.start(
    'node-a',
    {
      onMessage: (_peer, bytes) => heard.push(bytes),
      onLink: (peer, state) => {
        states.push(state);
        if (state === 'open') for (const name of ['hello', 'raft vote-request']) old.send(peer, frame(name), 'urgent');
      },
      onFault: () => undefined,
    },
    { listen: ({ onPeers }) => onPeers([node.id]), signal: () => false },
  );
  // It meets this node in the room: of an open one the server knows the same name as it did then.
  const signaling = new SignalingClient({ url: server.url, connect });
  const handlers = { onPeers: () => {}, onSignal: () => {}, onGrant: () => {}, onCluster: () => {}, onState: () => {} };
  await signaling.enter({ room: 'skew', nodeId: 'node-a', clusterId: 'cluster', mayFound: false }, handlers);
  await vi.waitUntil(() => states.includes('open') && states.includes('closed'), { timeout: 10_000, interval: 5 });
  const sender = { self: 'node-a', peer: node.id };
  for (const bytes of heard) {
    expect(() => decodePeerMessage(bytes, sender)).toThrow();
    expect(Buffer.from(bytes).includes(node.clusterId)).toBe(false);
  }
  expect(node.config.members.map(({ id }) => id)).toEqual([node.id]);
  const term = node.term;
  expect(await node.propose({ type: 'add' })).toBe(1);
  expect(node.term).toBe(term);
  await signaling.close();
  await old.stop();
  await node.stop({ transfer: false });
  await server.close();
});

test('the fixtures of protocol 1 have the frames that this shows', () => {
  expect(frame('hello').length).toBeGreaterThan(10);
  expect(Object.keys(messages)).toContain('raft vote-request');
});
