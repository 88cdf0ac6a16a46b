/**
 * PORT: discovery. Who is in the room, who may found it, and a way to hand opaque offers to one of them.
 * Never log data, and never a source of truth for membership: the log says who is a member.
 */
import type { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';

/** What a node says of itself when it enters a room. */
export interface RoomEntry {
  readonly room: string;
  readonly nodeId: NodeId;
  readonly bootNonce: string;
  /** The cluster this node already belongs to, when its store says so. */
  readonly clusterId: string | undefined;
  /** False: never grant it the room, it only wants to join or to come back. */
  readonly mayFound: boolean;
}

export interface SignalingHandlers {
  /** The others in the room; called on entry and on every change. */
  onPeers(peers: readonly NodeId[]): void;
  /** Something for us from a peer (an offer, an answer, a candidate): opaque and untrusted. */
  onSignal(from: NodeId, data: unknown): void;
  /** This node, and nobody else, may found the room's cluster now; answer with `founded`. */
  onGrant(): void;
  /** The room has a cluster. Called on entry when known, and when it becomes known. */
  onCluster(clusterId: string): void;
  /** Connected or not; `error` says why not. The client reconnects by itself with backoff. */
  onState(state: 'connecting' | 'open' | 'closed', error: RaftError | undefined): void;
}

export interface Signaling {
  /** Resolves at once; connection state is told by onState. Errors: room-invalid, invalid-argument. */
  enter(entry: RoomEntry, handlers: SignalingHandlers): Promise<void>;
  /** False when not connected: the signal is gone. */
  signal(to: NodeId, data: unknown): boolean;
  /** The cluster is founded and durable here: later nodes join it. */
  founded(clusterId: string): void;
  close(): Promise<void>;
}
