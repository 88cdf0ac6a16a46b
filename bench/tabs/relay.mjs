/** What y-webrtc needs for signaling: topics, JSON, everybody hears everything that is published. */
import { WebSocketServer } from 'ws';

export function relay(server, path) {
  const sockets = new WebSocketServer({ noServer: true });
  const topics = new Map();
  server.on('upgrade', (request, socket, head) => {
    if (request.url === path) sockets.handleUpgrade(request, socket, head, (peer) => serve(peer, topics));
  });
  return () => {
    for (const peer of sockets.clients) peer.terminate();
    sockets.close();
  };
}

function serve(peer, topics) {
  peer.on('close', () => {
    for (const members of topics.values()) members.delete(peer);
  });
  peer.on('message', (data) => {
    const message = JSON.parse(data.toString());
    if (message.type === 'ping') peer.send(JSON.stringify({ type: 'pong' }));
    for (const topic of message.topics ?? []) {
      if (!topics.has(topic)) topics.set(topic, new Set());
      if (message.type === 'subscribe') topics.get(topic).add(peer);
      if (message.type === 'unsubscribe') topics.get(topic).delete(peer);
    }
    if (message.type !== 'publish') return;
    const members = topics.get(message.topic) ?? new Set();
    for (const member of members) member.send(JSON.stringify({ ...message, clients: members.size }));
  });
}
