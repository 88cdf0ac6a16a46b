/**
 * PORT: discovery. Who is in the room, who may found it, and a way to hand opaque offers to one of them.
 * Never log data, and never a source of truth for membership: the log says who is a member.
 */
import type { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';

/** What a node says of itself when it enters a room. */
export interface RoomEntry {
  /** What the server shall know the room by (ROOM_KEY_PATTERN): opaque to it, so that a hash of the room's secret serves. */
  readonly room: string;
  readonly nodeId: NodeId;
  /** Not needed and never sent: peers know it, so it proves nothing. */
  readonly bootNonce?: string | undefined;
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
  /**
   * Connected or not; `error` says why not. The client reconnects by itself with backoff for as long as it is entered, also after
   * a refusal. A server may lie, be mistaken, or have lost its memory, so what it says is a hint, never an end by itself:
   *  - `closed` with `identity-in-use`, `signaling-refused`, `protocol-mismatch` …: refused; tried again slowly.
   *  - `open` with `cluster-mismatch`: in the room, but the server has another cluster for it than the entry says.
   * A node that reaches a majority of its cluster's voters goes on; one that does not may end itself with the error.
   */
  onState(state: 'connecting' | 'open' | 'closed', error: RaftError | undefined): void;
}

export interface Signaling {
  /** Resolves at once; connection state is told by onState. Errors: room-invalid, invalid-argument. */
  enter(entry: RoomEntry, handlers: SignalingHandlers): Promise<void>;
  /** False when not connected: the signal is gone. */
  signal(to: NodeId, data: unknown): boolean;
  /** After a grant: the cluster is founded and durable here, so that later nodes join it. Told again until the server has it. */
  founded(clusterId: string): void;
  /** This node belongs to the cluster now, taken in by a member: it wants no grant any more. */
  joined?(clusterId: string): void;
  /** Time went by unseen: a connection that waits to be tried again is, and one that did not live through it is noticed soon. */
  hurry?(): void;
  close(): Promise<void>;
}

/** What carries frames between members over the signaling server, for links where nothing else works. */
export interface FrameRelay {
  /** Called once, before the relay is used. */
  listenToRelay(listener: RelayListener): void;
  /** False when it is lost: no connection, or a server that does not relay. */
  relay(to: NodeId, frame: Uint8Array): boolean;
  /** Bytes that wait in the connection. */
  relayBufferedBytes(): number;
}

export interface RelayListener {
  onFrame(from: NodeId, frame: Uint8Array): void;
  /** Frames to this peer were lost. */
  onLost(peer: NodeId): void;
  /** Whether there is a server that relays, on every change; in between all that was on its way is lost. */
  onRelay(available: boolean): void;
}
