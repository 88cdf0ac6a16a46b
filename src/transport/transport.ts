/**
 * PORT: links to other nodes that carry opaque messages. An adapter delivers whole messages, in the order
 * sent per lane, or not at all; a link that loses a message closes. It knows nothing of Raft.
 * Adapters: memory, webrtc (simple-peer by default, native). Proven by `transportSuite`.
 */
import type { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';

/** `urgent` (votes, heartbeats, appends) is never kept waiting behind `bulk` (snapshot chunks). */
export type Lane = 'urgent' | 'bulk';

export type LinkState = 'connecting' | 'open' | 'closed';

export interface LinkStatus {
  readonly peer: NodeId;
  readonly state: LinkState;
  /** 'simple-peer', 'native', 'memory' … */
  readonly kind: string;
  readonly queuedBytes: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Bytes that wait or are on their way, until the peer has said that it has them. Where the adapter knows. */
  readonly unacknowledgedBytes?: number | undefined;
  /** To the peer and back, lately: ms. Where the adapter measures. */
  readonly rttMs?: number | undefined;
  /** Part of what is sent that gets lost and is sent again, lately: 0 to 1. Where it can be seen. */
  readonly loss?: number | undefined;
  /** Why it is closed or how the last try failed. */
  readonly error: RaftError | undefined;
}

/** What a proof of who is at the other end has to be bound to, and whether it must encrypt. */
export interface LinkSecurity {
  /** `dtls`: encrypted between the two ends; `local`: never leaves this device; `none`: whoever relays it can read and change it. */
  readonly protection: 'dtls' | 'local' | 'none';
  /** What both ends see alike, and somebody in the middle cannot make alike: the DTLS fingerprints of both. undefined: nothing. */
  readonly binding: Uint8Array | undefined;
  /** The two ends of a link have different roles: exactly one is the initiator. */
  readonly initiator: boolean;
}

export interface TransportHandlers {
  onMessage(peer: NodeId, bytes: Uint8Array): void;
  /** Called on every change, once per change. */
  onLink(peer: NodeId, state: LinkState): void;
  /** The page or process at the other end of an open link has ended: its link closes next. Told where it is known for certain. */
  onEnded?(peer: NodeId): void;
  /** A fault of the transport itself (signaling lost, WebRTC missing): never thrown. */
  onFault(error: RaftError): void;
}

/**
 * How a transport finds peers and exchanges offers with them: the narrow side of signaling. The runtime owns
 * the Signaling port and hands this to the transport, so that discovery and founding stay in one place.
 */
export interface Discovery {
  /** Called once, by `Transport.start`. Both may be called at any time from then on. */
  listen(listener: {
    /** The others in the room, on every change: a hint, never membership. */
    onPeers(peers: readonly NodeId[]): void;
    /** An offer, answer or candidate from a peer: untrusted. */
    onSignal(from: NodeId, data: unknown): void;
  }): void;
  /** False when signaling is not connected: the signal is gone. */
  signal(to: NodeId, data: unknown): boolean;
}

export interface Transport {
  readonly kind: string;
  /** Starts finding and linking peers. Errors: webrtc-unavailable. */
  start(self: NodeId, handlers: TransportHandlers, discovery: Discovery): Promise<void>;
  /** False when there is no open link or its queue is full: the message is gone. */
  send(peer: NodeId, bytes: Uint8Array, lane: Lane): boolean;
  /**
   * Whom to link first, the most important first, and whether to link the others too: after these, or not by ourselves. Who is
   * left out is still answered when it dials. Links that are open stay. Until it is called all are linked alike.
   * Adapters to whom it makes no difference leave it out.
   */
  prefer?(peers: readonly NodeId[], others: 'later' | 'never'): void;
  /** Time went by unseen, or the network is back: whoever waits to be dialled again is dialled now. Left out where nobody waits. */
  hurry?(): void;
  /** Bytes waiting towards a peer on a lane: for pacing bulk transfers. */
  queuedBytes(peer: NodeId, lane: Lane): number;
  links(): readonly LinkStatus[];
  /** Of the open link to a peer; undefined when there is none, or the adapter does not know. */
  security?(peer: NodeId): LinkSecurity | undefined;
  /** Of a transport that is made of others: the same made of what `wrap` makes of them. Before it is started. */
  within?(wrap: (part: Transport) => Transport): Transport;
  /** Drops the link; it is dialled again unless the peer is forbidden. */
  disconnect(peer: NodeId, reason: string): void;
  /** Hands the last messages to the network, then closes every link. */
  stop(): Promise<void>;
}
