/** The node's side of discovery: one entry into a room, from which the transport and the bootstrap each hear their part. */
import type { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { RoomEntry, Signaling } from '../../signaling/signaling.ts';
import type { Discovery as TransportDiscovery } from '../../transport/transport.ts';

export interface RoomHooks {
  onGrant(): void;
  onCluster(clusterId: string): void;
  onState(state: 'connecting' | 'open' | 'closed', error: RaftError | undefined): void;
}

type Listener = Parameters<TransportDiscovery['listen']>[0];

export class Discovery implements TransportDiscovery {
  state: 'connecting' | 'open' | 'closed' = 'connecting';
  error: RaftError | undefined;
  peers: readonly NodeId[] = [];
  readonly #signaling: Signaling;
  #listener: Listener | undefined;

  constructor(signaling: Signaling) {
    this.#signaling = signaling;
  }

  /** Errors: room-invalid. */
  async enter(entry: RoomEntry, hooks: RoomHooks): Promise<void> {
    await this.#signaling.enter(entry, {
      onPeers: (peers) => {
        this.peers = peers;
        this.#listener?.onPeers(peers);
      },
      onSignal: (from, data) => this.#listener?.onSignal(from, data),
      onGrant: () => hooks.onGrant(),
      onCluster: (clusterId) => hooks.onCluster(clusterId),
      onState: (state, error) => {
        this.state = state;
        this.error = error;
        hooks.onState(state, error);
      },
    });
  }

  listen(listener: Listener): void {
    this.#listener = listener;
    if (this.peers.length > 0) listener.onPeers(this.peers);
  }

  signal(to: NodeId, data: unknown): boolean {
    return this.#signaling.signal(to, data);
  }

  founded(clusterId: string): void {
    this.#signaling.founded(clusterId);
  }

  /** A member has taken this node in: it wants no grant any more. */
  joined(clusterId: string): void {
    this.#signaling.joined?.(clusterId);
  }

  hurry(): void {
    this.#signaling.hurry?.();
  }

  async close(): Promise<void> {
    await this.#signaling.close();
  }
}
