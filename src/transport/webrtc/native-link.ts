/**
 * A link made with the browser's own RTCPeerConnection: small, and with ICE restart: a connection that breaks (another
 * network, a long stall) comes back with its channel and without loss. The initiator offers and restarts, so there is no glare.
 * Speaks with a simple-peer link at the other end, which cannot be restarted.
 */
import { BUFFERED_BYTES_MAX, EARLY_FRAMES_MAX } from '../link/limits.ts';
import { fingerprintsOf } from './fingerprints.ts';
import { CANDIDATES_MAX, RECOVER_TIMEOUT_MS, RESTART_AFTER_MS, RESTART_EVERY_MS } from './limits.ts';
import { LossMeter } from './loss.ts';
import type {
  Candidate,
  LinkSignal,
  MakeWebrtcLink,
  SessionDescription,
  WebrtcLink,
  WebrtcLinkEvents,
  WebrtcLinkOptions,
} from './raw-link.ts';

const CHANNEL_NAME = 'tabraft';

export const makeNativeLink: MakeWebrtcLink = (options, events) => new NativeLink(options, events);

class NativeLink implements WebrtcLink {
  readonly #connection: RTCPeerConnection;
  readonly #initiator: boolean;
  readonly #events: WebrtcLinkEvents;
  #channel: RTCDataChannel | undefined;
  /** Candidates that came before the description they belong to. */
  #early: Candidate[] = [];
  /** Negotiation steps run one after the other. */
  #work: Promise<void> = Promise.resolve();
  #recovery: ReturnType<typeof setTimeout> | undefined;
  #brokenMs: number | undefined;
  #open = false;
  /** What arrived before the channel said that it is open. */
  readonly #earlyFrames: unknown[] = [];
  readonly #meter = new LossMeter();
  #closed = false;

  constructor(options: WebrtcLinkOptions, events: WebrtcLinkEvents) {
    this.#initiator = options.initiator;
    this.#events = events;
    const connection = new options.rtc(options.configuration);
    this.#connection = connection;
    connection.onicecandidate = ({ candidate }) => {
      if (candidate === null || this.#closed) return;
      const { candidate: text, sdpMid, sdpMLineIndex } = candidate;
      events.onSignal({ candidate: { candidate: text, sdpMid, sdpMLineIndex } });
    };
    connection.oniceconnectionstatechange = () => {
      this.#tell(() => events.onProgress());
      this.#watch();
    };
    connection.onconnectionstatechange = () => this.#tell(() => events.onProgress());
    connection.onicegatheringstatechange = () => {
      if (connection.iceGatheringState === 'complete') this.#tell(() => events.onGathered());
    };
    if (options.initiator) {
      this.#adopt(connection.createDataChannel(CHANNEL_NAME));
      this.#enqueue(() => this.#offer());
    } else connection.ondatachannel = ({ channel }) => this.#adopt(channel);
  }

  signal(signal: LinkSignal): void {
    this.#enqueue(() =>
      signal.description === undefined ? this.#addCandidate(signal.candidate) : this.#describe(signal.description),
    );
  }

  send(frame: Uint8Array): void {
    if (this.#channel?.readyState !== 'open') throw new Error('the channel is not open');
    this.#channel.send(frame as Uint8Array<ArrayBuffer>);
  }

  bufferedBytes(): number {
    return this.#channel?.bufferedAmount ?? 0;
  }

  fingerprints(): { readonly own: string; readonly theirs: string } | undefined {
    return fingerprintsOf(this.#connection);
  }

  loss(): Promise<number | undefined> {
    return this.#meter.read(this.#connection);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#recovery);
    this.#channel?.close();
    this.#connection.close();
  }

  #adopt(channel: RTCDataChannel): void {
    if (this.#channel !== undefined) return;
    this.#channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = BUFFERED_BYTES_MAX / 2;
    channel.onbufferedamountlow = () => this.#tell(() => this.#events.onDrain());
    channel.onmessage = ({ data }) => this.#tell(() => this.#hear(data));
    channel.onclose = () => this.#fail(undefined);
    channel.onerror = (event) => this.#fail((event as RTCErrorEvent).error);
    // Fires also for a channel that is handed over open, and perhaps after the first message.
    channel.onopen = () => this.#opened();
  }

  #opened(): void {
    if (this.#open) return;
    this.#open = true;
    this.#tell(() => this.#events.onOpen());
    for (const data of this.#earlyFrames.splice(0)) this.#tell(() => this.#hear(data));
  }

  #hear(data: unknown): void {
    if (!this.#open) {
      if (this.#earlyFrames.push(data) > EARLY_FRAMES_MAX) this.#fail(new Error('too much before the channel is open'));
      return;
    }
    if (data instanceof ArrayBuffer) this.#events.onFrame(new Uint8Array(data));
    else if (data instanceof Uint8Array) this.#events.onFrame(data);
    else this.#fail(new Error('a text message'));
  }

  async #offer(): Promise<void> {
    const offer = await this.#connection.createOffer();
    await this.#connection.setLocalDescription(offer);
    this.#describeSelf();
  }

  async #describe(description: SessionDescription): Promise<void> {
    await this.#connection.setRemoteDescription(description);
    const early = this.#early;
    this.#early = [];
    for (const candidate of early) await this.#addCandidate(candidate);
    if (description.type !== 'offer') return;
    const answer = await this.#connection.createAnswer();
    await this.#connection.setLocalDescription(answer);
    this.#describeSelf();
  }

  #describeSelf(): void {
    const local = this.#connection.localDescription;
    if (this.#closed || local === null || (local.type !== 'offer' && local.type !== 'answer')) return;
    this.#events.onSignal({ description: { type: local.type, sdp: local.sdp } });
  }

  /** One bad candidate is not the end: others may do. */
  async #addCandidate(candidate: Candidate): Promise<void> {
    if (this.#connection.remoteDescription === null) {
      if (this.#early.length < CANDIDATES_MAX) this.#early.push(candidate);
    } else await this.#connection.addIceCandidate(candidate).catch(() => undefined);
  }

  #enqueue(step: () => Promise<void>): void {
    this.#work = this.#work.then(() => (this.#closed ? undefined : step())).catch((error: unknown) => this.#fail(error));
  }

  /** A lost connection is restarted by the initiator, and given up by both when that does not help. */
  #watch(): void {
    const state = this.#connection.iceConnectionState;
    if (state === 'connected' || state === 'completed') {
      clearTimeout(this.#recovery);
      this.#recovery = undefined;
      this.#brokenMs = undefined;
    } else if ((state === 'disconnected' || state === 'failed') && this.#recovery === undefined) {
      this.#recovery = setTimeout(() => this.#restart(), state === 'failed' ? 0 : RESTART_AFTER_MS);
    }
  }

  /**
   * Offered again and again while it is broken, also from `failed`: the first offer may have met a signaling server that was away, or
   * a network that was. Only the initiator does; the other end sees the break as well, and waits as long.
   */
  #restart(): void {
    if (this.#closed) return;
    const nowMs = performance.now();
    this.#brokenMs ??= nowMs;
    if (nowMs - this.#brokenMs >= RECOVER_TIMEOUT_MS) {
      this.#fail(new Error('the connection broke and could not be restarted'));
      return;
    }
    if (this.#initiator) {
      this.#connection.restartIce();
      this.#enqueue(() => this.#offer());
    }
    this.#recovery = setTimeout(() => this.#restart(), RESTART_EVERY_MS);
  }

  #tell(event: () => void): void {
    if (!this.#closed) event();
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#events.onClose(error);
  }
}
