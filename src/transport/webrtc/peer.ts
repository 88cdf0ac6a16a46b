/**
 * All that concerns one peer: dialling and answering, tries and pauses, the link in force. The node with the smaller id
 * offers; the other asks to be dialled. A link that ends is dialled again for as long as the peer is in the room.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Lane, LinkState, LinkStatus } from '../transport.ts';
import { FramedLink } from './framed-link.ts';
import { CANDIDATES_MAX, CANDIDATES_TIMEOUT_MS, CONNECT_TIMEOUT_MS, REDIAL_MAX_MS, REDIAL_MIN_MS, STABLE_MS } from './limits.ts';
import type { LinkSignal, MakeRawLink } from './raw-link.ts';
import type { PeerSignal } from './signal.ts';

/** What all peers of a transport share. */
export interface PeerContext {
  readonly self: NodeId;
  /** Names this start of the transport. */
  readonly instance: string;
  readonly kind: string;
  readonly make: MakeRawLink;
  readonly rtc: typeof RTCPeerConnection;
  readonly random: () => number;
  configuration(): Promise<RTCConfiguration>;
  signal(to: NodeId, data: PeerSignal): boolean;
  onMessage(peer: NodeId, message: Uint8Array): void;
  onLink(peer: NodeId, state: LinkState): void;
  /** The environment gives us no way to the network. */
  onFault(error: RaftError): void;
  /** A link that says its last words: the transport's stop waits for it. */
  onLeaving(leaving: Promise<void>): void;
}

/** One try to connect. */
interface Try {
  readonly session: string;
  link: FramedLink | undefined;
  /** Signals that came before the link was made. */
  early: LinkSignal[];
  ownCandidates: number;
  peerCandidates: number;
}

export class Peer {
  readonly id: NodeId;
  private readonly context: PeerContext;
  private readonly initiator: boolean;
  private present = false;
  private state: LinkState = 'closed';
  private error: RaftError | undefined;
  private current: Try | undefined;
  /** The peer's start that we last heard of. */
  private instance = '';
  private failures = 0;
  private openedMs = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(id: NodeId, context: PeerContext) {
    this.id = id;
    this.context = context;
    this.initiator = context.self < id;
  }

  /** Whether signaling sees it: only then does dialling make sense. */
  setPresent(present: boolean): void {
    const came = present && !this.present;
    this.present = present;
    if (came && this.state === 'closed') this.dial();
  }

  hear(signal: PeerSignal): void {
    const restarted = this.instance !== '' && this.instance !== signal.instance;
    this.instance = signal.instance;
    if (signal.dial === true) {
      if (!this.initiator || (this.state === 'connecting' && !restarted)) return;
      if (this.state === 'closed' && this.timer !== undefined && !restarted) return; // its turn comes
      this.drop(new RaftError('link-failed', 'the peer has no link'));
      this.dial();
    } else if (signal.session === this.current?.session) this.forward(this.current, signal);
    else if (!this.initiator && signal.description?.type === 'offer') {
      if (this.current !== undefined) this.drop(new RaftError('link-failed', 'the peer dialled anew'));
      this.begin(signal.session).early.push(signal);
    }
  }

  send(message: Uint8Array, lane: Lane): boolean {
    return this.state === 'open' && this.current?.link?.send(message, lane) === true;
  }

  queuedBytes(lane: Lane): number {
    return this.current?.link?.queuedBytes(lane) ?? 0;
  }

  status(): LinkStatus {
    const link = this.current?.link;
    return {
      peer: this.id,
      state: this.state,
      kind: this.context.kind,
      queuedBytes: this.queuedBytes('urgent') + this.queuedBytes('bulk'),
      sentBytes: link?.sentBytes ?? 0,
      receivedBytes: link?.receivedBytes ?? 0,
      error: this.error,
    };
  }

  disconnect(error: RaftError): void {
    if (this.state === 'closed') return;
    this.drop(error);
    this.redialLater();
  }

  stop(): void {
    this.present = false;
    this.drop(new RaftError('stopped', 'the transport has stopped'));
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private dial(): void {
    if (!this.present) return;
    this.changeState('connecting');
    this.await(CONNECT_TIMEOUT_MS, 'no link came about in time');
    if (this.initiator) this.begin(randomToken());
    else if (!this.context.signal(this.id, { instance: this.context.instance, dial: true })) this.fail(notConnected());
  }

  /** Starts a try. Its link is made when the ICE servers are known, in a later task. */
  private begin(session: string): Try {
    const attempt: Try = { session, link: undefined, early: [], ownCandidates: 0, peerCandidates: 0 };
    this.current = attempt;
    this.changeState('connecting');
    this.await(CANDIDATES_TIMEOUT_MS, '', () => this.checkCandidates(attempt));
    this.context.configuration().then(
      (configuration) => this.connect(attempt, configuration),
      (cause: unknown) => {
        if (this.current === attempt) this.fail(new RaftError('link-failed', 'The ICE servers could not be had.', { cause }));
      },
    );
    return attempt;
  }

  private connect(attempt: Try, configuration: RTCConfiguration): void {
    if (this.current !== attempt) return;
    const { context } = this;
    const isCurrent = (): boolean => this.current === attempt;
    try {
      attempt.link = new FramedLink(
        context.make,
        { initiator: this.initiator, configuration, rtc: context.rtc },
        {
          onSignal: (signal) => {
            if (isCurrent()) this.tell(attempt, signal);
          },
          onOpen: () => {
            if (isCurrent()) this.opened();
          },
          onMessage: (message) => {
            if (isCurrent()) context.onMessage(this.id, message);
          },
          onClose: (error) => {
            if (isCurrent()) this.fail(error);
          },
        },
      );
    } catch (cause) {
      this.fail(new RaftError('link-failed', 'The browser gives us no connection.', { cause }));
      return;
    }
    for (const signal of attempt.early.splice(0)) this.forward(attempt, signal);
  }

  private forward(attempt: Try, signal: LinkSignal): void {
    if (signal.candidate !== undefined && ++attempt.peerCandidates > CANDIDATES_MAX) return;
    if (attempt.link === undefined) attempt.early.push(signal);
    else attempt.link.signal(signal);
  }

  private tell(attempt: Try, signal: LinkSignal): void {
    if (signal.candidate !== undefined) attempt.ownCandidates++;
    const sent = this.context.signal(this.id, { instance: this.context.instance, session: attempt.session, ...signal });
    if (!sent && this.state === 'connecting') this.fail(notConnected());
  }

  private checkCandidates(attempt: Try): void {
    if (attempt.ownCandidates > 0) {
      this.await(CONNECT_TIMEOUT_MS, 'no link came about in time');
      return;
    }
    const error = new RaftError('link-failed', 'WebRTC finds no network interface besides loopback, and no relay.');
    this.context.onFault(error);
    this.fail(error);
  }

  private opened(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.error = undefined;
    this.openedMs = performance.now();
    this.changeState('open');
  }

  private fail(error: RaftError): void {
    this.drop(error);
    this.redialLater();
  }

  /** Ends the try or the link in force, with its last messages sent. */
  private drop(error: RaftError): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const link = this.current?.link;
    this.current = undefined;
    if (this.state === 'closed') return;
    if (this.state === 'open' && performance.now() - this.openedMs > STABLE_MS) this.failures = 0;
    this.error = error;
    if (link !== undefined) this.context.onLeaving(link.leave());
    this.changeState('closed');
  }

  private redialLater(): void {
    if (!this.present || this.timer !== undefined || this.state !== 'closed') return;
    const longestMs = Math.min(REDIAL_MAX_MS, REDIAL_MIN_MS * 2 ** Math.min(this.failures++, 16));
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        if (this.state === 'closed') this.dial();
      },
      longestMs * (0.5 + this.context.random() / 2),
    );
  }

  private await(timeoutMs: number, why: string, then = (): void => this.fail(new RaftError('link-failed', why))): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      then();
    }, timeoutMs);
  }

  private changeState(state: LinkState): void {
    if (this.state === state) return;
    this.state = state;
    this.context.onLink(this.id, state);
  }
}

function notConnected(): RaftError {
  return new RaftError('link-failed', 'Signaling is not connected, so nothing can be dialled.');
}

/** Not randomUUID, which exists only in secure contexts. */
export function randomToken(): string {
  return [...globalThis.crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
