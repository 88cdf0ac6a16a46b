/**
 * Links through the signaling server, where nothing else works: a network without UDP, an environment without WebRTC. The server reads
 * along unless a proof of the other end makes keys and everything is sealed with them: `security().protection` is `none`.
 */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import type { FrameRelay } from '../signaling/signaling.ts';
import type { Medium, MediumEvents } from './link/medium.ts';
import { MediumTransport } from './link/medium-transport.ts';
import type { Discovery, Transport } from './transport.ts';

export interface RelayOptions {
  readonly relay: FrameRelay;
  /** Whether all peers are linked by it, or only those that `prefer` names. Default false. */
  readonly dials?: boolean | undefined;
}

export function relayTransport({ relay, dials = false }: RelayOptions): Transport {
  return new MediumTransport(new RelayMedium(relay), dials);
}

/** That the relay loses frames is told at most once in so many ms: a link that is made anew may lose some again. */
const TOLD_AGAIN_MS = 10_000;

class RelayMedium implements Medium {
  readonly kind: string = 'relay';
  readonly protection = 'none' as const;
  readonly #relay: FrameRelay;
  #events: MediumEvents | undefined;
  #present: readonly NodeId[] = [];
  #available = false;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(relay: FrameRelay) {
    this.#relay = relay;
  }

  async open(_self: NodeId, events: MediumEvents, discovery: Discovery): Promise<void> {
    this.#events = events;
    discovery.listen({
      onPeers: (peers) => {
        this.#present = peers;
        if (this.#available) this.#events?.onPeers(peers);
      },
      onSignal: () => undefined,
    });
    this.#relay.listenToRelay({
      onFrame: (from, frame) => this.#events?.onFrame(from, frame),
      onLost: (peer) => this.#lost(peer),
      onRelay: (available) => this.#changed(available),
    });
  }

  send(to: NodeId, frame: Uint8Array): boolean {
    return this.#relay.relay(to, frame);
  }

  bufferedBytes(): number {
    return this.#relay.relayBufferedBytes();
  }

  async close(): Promise<void> {
    this.#events = undefined;
  }

  /** Of somebody who has left that is no wonder. */
  #lost(peer: NodeId): void {
    this.#events?.onGone(peer, 'the relay lost what was sent');
    const nowMs = performance.now();
    if (!this.#present.includes(peer) || nowMs - this.#toldMs < TOLD_AGAIN_MS) return;
    this.#toldMs = nowMs;
    const text = `The relay lost frames for ${peer}: its connection is gone, or more was sent than the signaling server carries for one. The link is made anew.`;
    this.#events?.onFault(new RaftError('link-failed', text));
  }

  /** When the server goes, what was on its way is lost, and with it every link. */
  #changed(available: boolean): void {
    this.#available = available;
    if (!available) this.#events?.onGone(undefined, 'the relay is gone');
    this.#events?.onPeers(available ? this.#present : []);
  }
}
