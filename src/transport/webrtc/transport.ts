/**
 * The Transport port over WebRTC data channels. Assembly: the runtime owns Signaling and hands the transport a narrow Discovery;
 * this file decides who is linked, peer.ts how, framed-link.ts carries messages, and one of two raw links makes the connection.
 * Lives where RTCPeerConnection does: in the page.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { randomToken } from '../link/token.ts';
import type { Discovery, Lane, LinkSecurity, LinkStatus, Transport, TransportHandlers } from '../transport.ts';
import { DialDesk } from './dial-desk.ts';
import { ANSWERS_MAX, DIALS_MAX, LINKS_MAX, UNANNOUNCED_MAX } from './limits.ts';
import { Peer, type PeerContext } from './peer.ts';
import type { MakeWebrtcLink } from './raw-link.ts';
import { parsePeerSignal } from './signal.ts';

/** A value, or a function that is asked for every try: for credentials that are short-lived. */
export type IceServers = readonly RTCIceServer[] | (() => readonly RTCIceServer[] | Promise<readonly RTCIceServer[]>);

export interface WebrtcOptions {
  /** Default simple-peer. */
  readonly link?: 'simple-peer' | 'native' | undefined;
  /**
   * STUN and TURN servers. Default none: enough for tabs of one machine or one network; across the internet name your own.
   */
  readonly iceServers?: IceServers | undefined;
  /** Only through TURN servers: members do not see each other's addresses. Default false. */
  readonly relayOnly?: boolean | undefined;
  /** Default: the environment's. For Node: the one of an installed WebRTC package. */
  readonly RTCPeerConnection?: typeof RTCPeerConnection | undefined;
  /** Numbers in [0, 1) for the jitter of pauses. */
  readonly random?: (() => number) | undefined;
}

export function webrtcTransport(options: WebrtcOptions = {}): Transport {
  return new WebrtcTransport(options);
}

class WebrtcTransport implements Transport {
  readonly kind: string = 'webrtc';
  readonly #options: WebrtcOptions;
  readonly #peers = new Map<NodeId, Peer>();
  readonly #leaving = new Set<Promise<void>>();
  #context: PeerContext | undefined;
  /** By preference: place in the list. undefined: nobody has said. */
  #preferred: ReadonlyMap<NodeId, number> | undefined;
  #dialsOthers = true;
  #stopped = false;
  #faultTold = false;

  constructor(options: WebrtcOptions) {
    this.#options = options;
  }

  async start(self: NodeId, handlers: TransportHandlers, discovery: Discovery): Promise<void> {
    const rtc = this.#options.RTCPeerConnection ?? globalThis.RTCPeerConnection;
    if (typeof rtc !== 'function') {
      throw new RaftError('webrtc-unavailable', 'There is no WebRTC here: this browser, or its settings, forbid it.');
    }
    const make = await rawLink(this.#options.link ?? 'simple-peer');
    if (this.#stopped) return;
    const { iceServers = [], relayOnly = false, random = Math.random, link: kind = 'simple-peer' } = this.#options;
    const iceTransportPolicy = relayOnly ? 'relay' : 'all';
    this.#context = {
      self,
      instance: randomToken(),
      kind,
      make,
      rtc,
      random,
      dials: new DialDesk(DIALS_MAX),
      answers: new DialDesk(ANSWERS_MAX),
      configuration: async () => {
        const servers = typeof iceServers === 'function' ? await iceServers() : iceServers;
        return { iceServers: [...servers], iceTransportPolicy };
      },
      signal: (to, data) => discovery.signal(to, data),
      onMessage: (peer, message) => {
        if (!this.#stopped) handlers.onMessage(peer, message);
      },
      onLink: (peer, state) => {
        if (!this.#stopped) handlers.onLink(peer, state);
      },
      onFault: (error) => {
        if (!this.#faultTold && !this.#stopped) handlers.onFault(error);
        this.#faultTold = true;
      },
      onLeaving: (leaving) => this.#await(leaving),
    };
    discovery.listen({
      onPeers: (present) => this.#onPeers(present),
      onSignal: (from, data) => this.#onSignal(from, data),
    });
  }

  send(peer: NodeId, bytes: Uint8Array, lane: Lane): boolean {
    return this.#peers.get(peer)?.send(bytes, lane) === true;
  }

  prefer(peers: readonly NodeId[], others: 'later' | 'never'): void {
    this.#preferred = new Map(peers.map((id, place) => [id, place]));
    this.#dialsOthers = others === 'later';
    // In that order, so that those who are dialled at once are the first of them.
    const known = [...this.#peers.values()].sort((a, b) => this.#rankOf(a.id) - this.#rankOf(b.id));
    for (const peer of known) this.#rank(peer);
  }

  hurry(): void {
    for (const peer of this.#peers.values()) peer.hurry();
  }

  queuedBytes(peer: NodeId, lane: Lane): number {
    return this.#peers.get(peer)?.queuedBytes(lane) ?? 0;
  }

  links(): readonly LinkStatus[] {
    return [...this.#peers.values()].map((peer) => peer.status());
  }

  security(peer: NodeId): LinkSecurity | undefined {
    return this.#peers.get(peer)?.security();
  }

  disconnect(peer: NodeId, reason: string): void {
    this.#peers.get(peer)?.disconnect(new RaftError('link-failed', `disconnected: ${reason}`));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const peer of this.#peers.values()) peer.stop();
    this.#peers.clear();
    this.#context?.dials.close();
    this.#context?.answers.close();
    await Promise.all(this.#leaving);
  }

  #onPeers(present: readonly NodeId[]): void {
    if (this.#stopped) return;
    const now = new Set(present);
    for (const peer of this.#peers.values()) {
      peer.setPresent(now.has(peer.id));
      if (!now.has(peer.id) && peer.status().state === 'closed') this.#peers.delete(peer.id);
    }
    for (const id of [...now].sort((a, b) => this.#rankOf(a) - this.#rankOf(b))) this.#peerOf(id)?.setPresent(true);
  }

  #onSignal(from: NodeId, data: unknown): void {
    const signal = parsePeerSignal(data);
    if (signal === undefined || this.#stopped) return;
    const known = this.#peers.has(from);
    const unannounced = [...this.#peers.values()].filter((peer) => !peer.isPresent && peer.status().state !== 'open');
    if (known || unannounced.length < UNANNOUNCED_MAX) this.#peerOf(from)?.hear(signal);
  }

  #rankOf(id: NodeId): number {
    return this.#preferred?.get(id) ?? this.#preferred?.size ?? 0;
  }

  #rank(peer: Peer): void {
    peer.setWanted(this.#preferred === undefined || this.#dialsOthers || this.#preferred.has(peer.id), this.#rankOf(peer.id));
  }

  /** undefined for ourselves, and when there are too many. */
  #peerOf(id: NodeId): Peer | undefined {
    const known = this.#peers.get(id);
    if (known !== undefined) return known;
    const context = this.#context;
    if (context === undefined || id === context.self || this.#peers.size >= LINKS_MAX) return undefined;
    const peer = new Peer(id, context);
    this.#peers.set(id, peer);
    this.#rank(peer);
    return peer;
  }

  #await(leaving: Promise<void>): void {
    const done = leaving.finally(() => this.#leaving.delete(done));
    this.#leaving.add(done);
  }
}

/** Loaded when it is used: simple-peer is twenty times the size of everything else here. */
async function rawLink(kind: 'simple-peer' | 'native'): Promise<MakeWebrtcLink> {
  if (kind === 'native') return (await import('./native-link.ts')).makeNativeLink;
  return (await import('./simple-peer-link.ts')).makeSimplePeerLink;
}
