/**
 * One try to link a peer, and the link when it succeeds. A try has no fixed time: it fails when nothing more has come of it for
 * QUIET_MS, however long it has taken so far, and never because this very page was too busy to notice.
 */
import { RaftError } from '../../core/errors.ts';
import { FramedLink } from '../link/framed-link.ts';
import type { Lane, LinkState } from '../transport.ts';
import { CANDIDATES_MAX, GATHERED_GRACE_MS, LATE_MS, QUIET_MS, STALE_MS, TRY_MS_MAX } from './limits.ts';
import type { LinkSignal, MakeWebrtcLink, WebrtcLink } from './raw-link.ts';

export interface AttemptContext {
  readonly make: MakeWebrtcLink;
  readonly rtc: typeof RTCPeerConnection;
  configuration(): Promise<RTCConfiguration>;
}

/** None is called after `leave`, and none after onEnd. */
export interface AttemptEvents {
  onSignal(signal: LinkSignal): void;
  onOpen(): void;
  onMessage(message: Uint8Array): void;
  onEnd(error: RaftError): void;
  /** This environment gives no way to the network; an end follows. */
  onNoNetwork(error: RaftError): void;
}

export class Attempt {
  readonly session: string;
  link: FramedLink | undefined;
  #raw: WebrtcLink | undefined;
  readonly #context: AttemptContext;
  readonly #initiator: boolean;
  readonly #events: AttemptEvents;
  #state: Exclude<LinkState, 'closed'> | 'ended' = 'connecting';
  /** Signals that came before the link was made. */
  #early: LinkSignal[] = [];
  #ownCandidates = 0;
  #peerCandidates = 0;
  readonly #begunMs = performance.now();
  /** Any sign of life: of the peer, or of the connection. */
  #heardMs = performance.now();
  #heard = false;
  #hasNoServers = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #gatheredTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(context: AttemptContext, session: string, initiator: boolean, events: AttemptEvents) {
    this.#context = context;
    this.session = session;
    this.#initiator = initiator;
    this.#events = events;
  }

  /** Its link is made when the ICE servers are known, in a later task. */
  begin(): void {
    this.#watch(QUIET_MS);
    this.#context.configuration().then(
      (configuration) => this.#connect(configuration),
      (cause: unknown) => this.#end(new RaftError('link-failed', 'The ICE servers could not be had.', { cause })),
    );
  }

  /** A signal of this session from the peer. */
  hear(signal: LinkSignal): void {
    if (this.#state === 'ended') return;
    this.#hearAnything();
    if (signal.candidate !== undefined && ++this.#peerCandidates > CANDIDATES_MAX) return;
    if (this.#raw === undefined) this.#early.push(signal);
    else this.#raw.signal(signal);
  }

  /** The peer has our offer and will come to it. */
  hearQueued(): void {
    this.#hearAnything();
  }

  /** Nobody has answered to it, for long enough. */
  isStale(nowMs: number): boolean {
    return this.#state === 'connecting' && !this.#heard && nowMs - this.#begunMs > STALE_MS;
  }

  send(message: Uint8Array, lane: Lane): boolean {
    return this.#state === 'open' && this.link?.send(message, lane) === true;
  }

  /** The fingerprints of both ends, the initiator's first: the same at both, unless somebody is in between. */
  binding(): Uint8Array | undefined {
    const prints = this.#raw?.fingerprints();
    if (prints === undefined) return undefined;
    const { own, theirs } = prints;
    return new TextEncoder().encode(this.#initiator ? `${own}|${theirs}` : `${theirs}|${own}`);
  }

  /** Ends it without a word to its owner, the last messages of its link sent; resolves when they are. */
  leave(): Promise<void> | undefined {
    this.#state = 'ended';
    clearTimeout(this.#timer);
    clearTimeout(this.#gatheredTimer);
    return this.link?.leave();
  }

  #connect(configuration: RTCConfiguration): void {
    if (this.#state === 'ended') return;
    this.#hasNoServers = (configuration.iceServers ?? []).length === 0;
    const { make, rtc } = this.#context;
    const told = (tell: () => void): void => {
      if (this.#state !== 'ended') tell();
    };
    try {
      const options = { initiator: this.#initiator, configuration, rtc };
      this.link = new FramedLink(
        (events) => {
          this.#raw = make(options, {
            ...events,
            onSignal: (signal) => told(() => this.#signalled(signal)),
            onProgress: () => told(() => this.#hearAnything()),
            onGathered: () => told(() => this.#gathered()),
          });
          return this.#raw;
        },
        {
          onOpen: () => told(() => this.#opened()),
          onMessage: (message) => told(() => this.#events.onMessage(message)),
          onClose: (error) => this.#end(error),
        },
      );
    } catch (cause) {
      this.#end(new RaftError('link-failed', 'The browser gives us no connection.', { cause }));
      return;
    }
    for (const signal of this.#early.splice(0)) this.#raw?.signal(signal);
  }

  #signalled(signal: LinkSignal): void {
    if (signal.candidate !== undefined) this.#ownCandidates++;
    this.#events.onSignal(signal);
  }

  #hearAnything(): void {
    this.#heard = true;
    this.#heardMs = performance.now();
  }

  /** Some environments say that all has been found before they tell what. */
  #gathered(): void {
    clearTimeout(this.#gatheredTimer);
    this.#gatheredTimer = setTimeout(() => this.#judgeCandidates(), GATHERED_GRACE_MS);
  }

  /** All ways to the network have been looked for: without a single one there is none, however fast or slow this page is. */
  #judgeCandidates(): void {
    if (this.#ownCandidates > 0 || this.#state !== 'connecting') return;
    const error = new RaftError('link-failed', 'WebRTC finds no network interface besides loopback, and no relay.');
    this.#events.onNoNetwork(error);
    this.#end(error);
  }

  #opened(): void {
    this.#state = 'open';
    clearTimeout(this.#timer);
    this.#events.onOpen();
  }

  #watch(delayMs: number): void {
    const dueMs = performance.now() + delayMs;
    this.#timer = setTimeout(() => this.#judge(performance.now() - dueMs), delayMs);
  }

  /** A timer that is late says that this page was busy: what the peer has sent meanwhile waits to be read, and gets its time. */
  #judge(lateMs: number): void {
    const nowMs = performance.now();
    if (lateMs > LATE_MS) this.#heardMs = Math.max(this.#heardMs, nowMs - QUIET_MS + LATE_MS);
    const quietMs = nowMs - this.#heardMs;
    if (nowMs - this.#begunMs >= TRY_MS_MAX || quietMs >= QUIET_MS) {
      const hint =
        this.#heard && this.#hasNoServers ? '; no STUN or TURN server is named, so only peers of one network can be reached' : '';
      this.#end(new RaftError('link-failed', `no link came about: the peer has fallen silent${hint}`));
    } else this.#watch(Math.max(1, Math.min(QUIET_MS - quietMs, TRY_MS_MAX - (nowMs - this.#begunMs))));
  }

  #end(error: RaftError): void {
    if (this.#state === 'ended') return;
    clearTimeout(this.#timer);
    this.#events.onEnd(error); // its owner calls `leave`
  }
}
