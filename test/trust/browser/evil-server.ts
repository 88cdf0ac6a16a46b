/**
 * A signaling server that speaks the protocol and hands nobody's offers on: what one node says to another goes to a page of its own,
 * which ends the encryption on both sides.
 */
import type { Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { SIGNALING_PATH } from '../../../src/signaling/protocol.ts';

const RELAY_PATH = '/relay';

export function serveEvil(server: Server): { readonly relayPath: string; close(): void } {
  const sockets = new WebSocketServer({ noServer: true });
  const nodes = new Map<string, WebSocket>();
  let relay: WebSocket | undefined;
  let clusterId: string | null = null;
  const say = (to: WebSocket | undefined, message: object): void => to?.send(JSON.stringify(message));

  const serveNode = (socket: WebSocket): void => {
    let self = '';
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Record<string, unknown>;
      if (message['type'] === 'hello') {
        self = String(message['nodeId']);
        const peers = [...nodes.keys()];
        say(socket, { type: 'welcome', version: 1, peers, clusterId, iceServers: [], iceSeconds: null, relay: false });
        if (clusterId === null && peers.length === 0) say(socket, { type: 'grant' });
        for (const other of nodes.values()) say(other, { type: 'peer-join', nodeId: self });
        nodes.set(self, socket);
      } else if (message['type'] === 'founded') {
        clusterId = String(message['clusterId']);
      } else if (message['type'] === 'signal') {
        say(relay, { from: self, to: message['to'], data: message['data'] });
      } else if (message['type'] === 'ping') say(socket, { type: 'pong' });
    });
  };

  const serveRelay = (socket: WebSocket): void => {
    relay = socket;
    socket.on('message', (text) => {
      const { as, to, data } = JSON.parse(String(text)) as { as: string; to: string; data: unknown };
      say(nodes.get(to), { type: 'signal', from: as, data });
    });
  };

  server.on('upgrade', (request, socket, head) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const serve = pathname === SIGNALING_PATH ? serveNode : pathname === RELAY_PATH ? serveRelay : undefined;
    if (serve === undefined) return void socket.destroy();
    sockets.handleUpgrade(request, socket, head, serve);
  });
  return {
    relayPath: RELAY_PATH,
    close: () => {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    },
  };
}
