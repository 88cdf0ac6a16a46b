/** WebSockets for Node, of the package `ws`: its one importer. */
import { type RawData, WebSocket, WebSocketServer } from 'ws';

export { type RawData, WebSocket, WebSocketServer };

/** As a client. Node has one of its own from 22 on. */
export function openSocket(url: string): WebSocket {
  return new WebSocket(url);
}
