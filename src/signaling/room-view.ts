/** What one client knows of its room, and what it tells its handlers: the same over a socket and in memory. */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import type { ClientMessage, ServerMessage } from './protocol.ts';
import type { SignalingHandlers } from './signaling.ts';

export class RoomView {
  readonly handlers: SignalingHandlers;
  /** STUN and TURN servers that the server named last. */
  iceServers: readonly unknown[] = [];
  /** When half of the time of their credentials is over. */
  #iceStaleMs: number = Number.POSITIVE_INFINITY;
  readonly #say: (message: ClientMessage) => void;
  /** What onCluster has been told: it is told each cluster once, over all connections. */
  #announced: string | undefined;
  #peers: readonly NodeId[] = [];
  #own: string | undefined;
  /** A cluster that this node has founded and that the server has not confirmed. It is told at every grant until it has. */
  #unconfirmed: string | undefined;

  /**
   * @param own the cluster this node belongs to
   * @param say sends to the server, when there is a connection
   */
  constructor(handlers: SignalingHandlers, own: string | undefined, say: (message: ClientMessage) => void) {
    this.handlers = handlers;
    this.#own = own;
    this.#say = say;
  }

  /** For the hello. A founder whose word is not confirmed claims nothing yet: it wants the grant, to say its word again. */
  get claim(): string | null {
    return this.#own ?? null;
  }

  founded(clusterId: string): void {
    this.#unconfirmed = clusterId;
    this.#say({ type: 'founded', clusterId });
  }

  joined(clusterId: string): void {
    this.#own = clusterId;
    this.#say({ type: 'joined', clusterId });
  }

  /** Takes in what the server says, except for errors: what they mean depends on the connection. */
  hear(message: Exclude<ServerMessage, { type: 'error' }>): void {
    const peers = this.#peers;
    switch (message.type) {
      case 'welcome':
        this.#takeIce(message.iceServers, message.iceSeconds);
        this.#tellPeers(message.peers);
        if (message.clusterId !== null) this.#tellCluster(message.clusterId);
        break;
      case 'ice':
        this.#takeIce(message.iceServers, message.iceSeconds);
        break;
      case 'peer-join':
        this.#tellPeers([...peers.filter((id) => id !== message.nodeId), message.nodeId]);
        break;
      case 'peer-leave':
        this.#tellPeers(peers.filter((id) => id !== message.nodeId));
        break;
      case 'cluster':
        this.#tellCluster(message.clusterId);
        break;
      case 'grant':
        if (this.#unconfirmed === undefined) this.handlers.onGrant();
        else this.#say({ type: 'founded', clusterId: this.#unconfirmed });
        break;
      case 'signal':
        this.handlers.onSignal(message.from, message.data);
        break;
      case 'pong':
      case 'relay-lost':
        break;
    }
  }

  /** The server would not have what this node founded. */
  foundingRefused(): void {
    this.#own ??= this.#unconfirmed;
    this.#unconfirmed = undefined;
  }

  /** Asks for ICE servers anew when their credentials get old. Call now and then. */
  refreshIce(nowMs: number): void {
    if (nowMs >= this.#iceStaleMs) this.#say({ type: 'ice' });
  }

  #takeIce(iceServers: readonly unknown[], iceSeconds: number | null): void {
    this.iceServers = iceServers;
    this.#iceStaleMs = iceSeconds === null ? Number.POSITIVE_INFINITY : performance.now() + iceSeconds * 500;
  }

  #tellPeers(peers: readonly NodeId[]): void {
    this.#peers = peers;
    this.handlers.onPeers(peers);
  }

  #tellCluster(clusterId: string): void {
    this.foundingRefused(); // or confirmed: either way there is nothing left to say
    const own = this.#own;
    if (this.#announced !== clusterId) {
      this.#announced = clusterId;
      this.handlers.onCluster(clusterId);
    }
    if (own === undefined || own === clusterId) return;
    const text = `The signaling server has cluster ${clusterId} for this room, this node belongs to ${own}.`;
    this.handlers.onState('open', new RaftError('cluster-mismatch', text));
  }
}
