/** What one client knows of its room, and what it tells its handlers: the same over a socket and in memory. */
import type { NodeId } from '../core/types.ts';
import type { ServerMessage } from './protocol.ts';
import type { SignalingHandlers } from './signaling.ts';

export class RoomView {
  readonly handlers: SignalingHandlers;
  /** What onCluster has been told: it is told each cluster once, over all connections. */
  private announced: string | undefined;
  private peers: readonly NodeId[] = [];
  /** STUN and TURN servers that the server named last. */
  iceServers: readonly unknown[] = [];

  constructor(handlers: SignalingHandlers) {
    this.handlers = handlers;
  }

  /** Takes in what the server says, except for errors: what they mean depends on the connection. */
  hear(message: Exclude<ServerMessage, { type: 'error' }>): void {
    const { peers } = this;
    switch (message.type) {
      case 'welcome':
        this.iceServers = message.iceServers;
        this.tellPeers(message.peers);
        if (message.clusterId !== null) this.tellCluster(message.clusterId);
        break;
      case 'peer-join':
        this.tellPeers([...peers.filter((id) => id !== message.nodeId), message.nodeId]);
        break;
      case 'peer-leave':
        this.tellPeers(peers.filter((id) => id !== message.nodeId));
        break;
      case 'cluster':
        this.tellCluster(message.clusterId);
        break;
      case 'grant':
        this.handlers.onGrant();
        break;
      case 'signal':
        this.handlers.onSignal(message.from, message.data);
        break;
      case 'pong':
        break;
    }
  }

  private tellPeers(peers: readonly NodeId[]): void {
    this.peers = peers;
    this.handlers.onPeers(peers);
  }

  private tellCluster(clusterId: string): void {
    if (this.announced === clusterId) return;
    this.announced = clusterId;
    this.handlers.onCluster(clusterId);
  }
}
