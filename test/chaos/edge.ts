/** The edge member of a chaos run: a process of its own, so that it can be killed and stopped. */
import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { WebSocket } from 'ws';
import { raft } from '../../src/node.ts';
import { nodeCuts } from '../../src/testing/playwright/page-cuts.ts';
import { machine, SECRET } from './machine.ts';
import { type Note, now } from './notes.ts';
import { Client } from './workload.ts';

const [signaling = '', room = '', directory = ''] = process.argv.slice(2);
const life = now();
const cuts = nodeCuts('edge');
const Native = RTCPeerConnection as unknown as typeof globalThis.RTCPeerConnection;
let id = '';

/** Resolves when it is with the parent: what is told must outlive this process. */
function tell(note: Note): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) return resolve();
    process.send({ life, node: id, note }, undefined, undefined, () => resolve());
  });
}

process.on('message', (names: readonly string[]) => cuts.cut(names));
process.on('disconnect', () => process.exit(0));
const node = await raft.enter(room, machine, {
  name: 'edge',
  secret: SECRET,
  signaling,
  connect: (url) => new WebSocket(url) as unknown as globalThis.WebSocket,
  storage: { directory },
  link: { RTCPeerConnection: cuts.connections(Native) },
});
id = node.id;
await new Client(node, tell, String(life)).run();
process.exit(1);
