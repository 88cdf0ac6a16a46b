/**
 * All that concerns one peer: dialling and answering, turns and pauses, the link in force. The node with the smaller id
 * offers; the other asks to be dialled. A link that ends is dialled again for as long as the peer is in the room and wanted.
 * Whatever the peer says, there is at most one new try per TRY_EVERY_MS, and a try has to wait for its turn at the desk.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { randomToken } from '../link/token.ts';
import type { Lane, LinkSecurity, LinkState, LinkStatus } from '../transport.ts';
import { Attempt, type AttemptContext } from './attempt.ts';
import type { Caller, DialDesk } from './dial-desk.ts';
import { CANDIDATES_MAX, QUIET_MS, REDIAL_MAX_MS, REDIAL_MIN_MS, STABLE_MS, STALE_MS, TRY_EVERY_MS } from './limits.ts';
import type { LinkSignal } from './raw-link.ts';
import type { PeerSignal } from './signal.ts';

/** What all peers of a transport share. */
export interface PeerContext extends AttemptContext {
  readonly self: NodeId;
  /** Names this start of the transport. */
  readonly instance: string;
  readonly kind: string;
  /** Turns for tries of our own, and for those of others. */
  readonly dials: DialDesk;
  readonly answers: DialDesk;
  readonly random: () => number;
  signal(to: NodeId, data: PeerSignal): boolean;
  onMessage(peer: NodeId, message: Uint8Array): void;
  onLink(peer: NodeId, state: LinkState): void;
  /** The environment gives us no way to the network. */
  onFault(error: RaftError): void;
  /** A link that says its last words: the transport's stop waits for it. */
  onLeaving(leaving: Promise<void>): void;
}

/** An offer that waits for its turn, with the candidates that followed it. A newer offer takes its place. */
interface PendingOffer {
  readonly session: string;
  readonly signals: LinkSignal[];
}

export class Peer implements Caller {
  readonly id: NodeId;
  /** Of how many tries in a row nothing came. */
  failures = 0;
  /** Whom the transport's owner wants first; smaller is earlier. */
  rank = 0;
  readonly #context: PeerContext;
  readonly #initiator: boolean;
  #present = false;
  #wanted = true;
  #state: LinkState = 'closed';
  #error: RaftError | undefined;
  #current: Attempt | undefined;
  #pending: PendingOffer | undefined;
  /** The peer's start that we last heard of. */
  #instance = '';
  #openedMs = 0;
  #askedMs = 0;
  #nextTryMs = 0;
  /** A redial, or the end of waiting for an offer that we asked for. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #offerTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(id: NodeId, context: PeerContext) {
    this.id = id;
    this.#context = context;
    this.#initiator = context.self < id;
  }

  get isPresent(): boolean {
    return this.#present;
  }

  /** Whether signaling sees it: only then does dialling make sense. */
  setPresent(present: boolean): void {
    const came = present && !this.#present;
    this.#present = present;
    if (came || (!present && this.#state === 'closed')) this.#forgetPause();
    if (came) this.#dialUnlessLinked();
  }

  /** Whether it is dialled at all, and how early. Its own calls are answered either way. */
  setWanted(wanted: boolean, rank: number): void {
    this.rank = rank;
    const became = wanted && !this.#wanted;
    this.#wanted = wanted;
    if (became) this.#forgetPause();
    if (became) this.#dialUnlessLinked();
    else if (!wanted) this.#context.dials.done(this);
  }

  /** No pause is worth while: it is dialled now, and from the shortest pause on. */
  hurry(): void {
    this.failures = 0;
    this.#forgetPause();
    this.#dialUnlessLinked();
  }

  hear(signal: PeerSignal): void {
    const restarted = this.#instance !== '' && this.#instance !== signal.instance;
    this.#instance = signal.instance;
    if (signal.dial === true) this.#hearDial(restarted);
    else if (signal.queued === true) this.#hearQueued(signal.session);
    else if (signal.session === this.#current?.session) this.#current.hear(signal);
    else if (signal.session === this.#pending?.session) {
      if (this.#pending.signals.length <= CANDIDATES_MAX) this.#pending.signals.push(signal);
    } else if (!this.#initiator && signal.description?.type === 'offer') {
      this.#pending = { session: signal.session, signals: [signal] };
      this.#admit();
    }
  }

  send(message: Uint8Array, lane: Lane): boolean {
    return this.#state === 'open' && this.#current?.send(message, lane) === true;
  }

  queuedBytes(lane: Lane): number {
    return this.#current?.link?.queuedBytes(lane) ?? 0;
  }

  status(): LinkStatus {
    const link = this.#current?.link;
    return {
      peer: this.id,
      state: this.#state,
      kind: this.#context.kind,
      queuedBytes: this.queuedBytes('urgent') + this.queuedBytes('bulk'),
      sentBytes: link?.sentBytes ?? 0,
      receivedBytes: link?.receivedBytes ?? 0,
      unacknowledgedBytes: link?.unacknowledgedBytes ?? 0,
      rttMs: link?.measure.rttMs,
      loss: link?.measure.loss,
      error: this.#error,
    };
  }

  security(): LinkSecurity | undefined {
    if (this.#state !== 'open') return undefined;
    return { protection: 'dtls', initiator: this.#initiator, binding: this.#current?.binding() };
  }

  disconnect(error: RaftError): void {
    if (this.#state === 'closed') return;
    this.#drop(error);
    this.#redialLater();
  }

  stop(): void {
    this.#present = false;
    this.#pending = undefined;
    clearTimeout(this.#offerTimer);
    this.#drop(new RaftError('stopped', 'the transport has stopped'));
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** For the desks: it is our turn, of an answer when an offer waits, of a dial otherwise. */
  start(): void {
    const pending = this.#pending;
    if (pending !== undefined) this.#answer(pending);
    else if (this.#initiator) this.#begin(randomToken());
    else this.#askToBeDialled();
  }

  isStale(nowMs: number): boolean {
    return this.#current?.isStale(nowMs) ?? (this.#state === 'connecting' && nowMs - this.#askedMs > STALE_MS);
  }

  giveWay(): void {
    this.#fail(new RaftError('link-failed', 'the try showed no sign of life, and others waited'));
  }

  #hearDial(restarted: boolean): void {
    if (!this.#initiator) return;
    const { dials } = this.#context;
    if (!dials.isWaiting(this)) {
      if (this.#state === 'connecting' && !restarted) return;
      if (this.#state === 'closed' && this.#timer !== undefined && !restarted) return; // its turn comes
      this.#drop(new RaftError('link-failed', 'the peer has no link'));
      this.#dialWhenMay();
    }
    if (dials.isWaiting(this)) this.#say({ queued: true });
  }

  #hearQueued(session: string | undefined): void {
    if (session === undefined ? this.#current === undefined : session === this.#current?.session) {
      this.#current?.hearQueued();
      if (this.#current === undefined && this.#state === 'connecting') this.#awaitOffer();
    }
  }

  /** An offer gets its try when the last one is long enough ago, and when it is its turn. */
  #admit(): void {
    clearTimeout(this.#offerTimer);
    const waitMs = this.#nextTryMs - performance.now();
    if (waitMs > 0) {
      this.#offerTimer = setTimeout(() => this.#admit(), waitMs);
      return;
    }
    this.#context.dials.done(this);
    this.#context.answers.ask(this);
    this.#sayQueued();
  }

  /** While an offer waits, its sender is told so: it need not think that nobody is there. */
  #sayQueued(): void {
    const pending = this.#pending;
    if (pending === undefined || !this.#context.answers.isWaiting(this)) return;
    this.#say({ queued: true, session: pending.session });
    this.#offerTimer = setTimeout(() => this.#sayQueued(), QUIET_MS / 3);
  }

  #answer(pending: PendingOffer): void {
    clearTimeout(this.#offerTimer);
    this.#pending = undefined;
    if (this.#current !== undefined) this.#drop(new RaftError('link-failed', 'the peer dialled anew'), true);
    const attempt = this.#begin(pending.session);
    for (const signal of pending.signals) attempt.hear(signal);
  }

  #forgetPause(): void {
    if (this.#state !== 'closed') return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #dialUnlessLinked(): void {
    const isIdle = this.#state === 'closed' && this.#pending === undefined && this.#timer === undefined;
    if (isIdle && this.#present && this.#wanted) this.#dialWhenMay();
  }

  #dialWhenMay(): void {
    const waitMs = this.#nextTryMs - performance.now();
    if (waitMs <= 0) this.#context.dials.ask(this);
    else this.#redialAfter(waitMs);
  }

  #askToBeDialled(): void {
    this.#askedMs = performance.now();
    this.#changeState('connecting');
    this.#awaitOffer();
    if (!this.#say({ dial: true })) this.#fail(notConnected());
  }

  #awaitOffer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#fail(new RaftError('link-failed', 'the peer did not dial'));
    }, QUIET_MS);
  }

  #begin(session: string): Attempt {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#nextTryMs = performance.now() + TRY_EVERY_MS;
    const context = this.#context;
    const attempt = new Attempt(context, session, this.#initiator, {
      onSignal: (signal) => {
        if (!this.#say({ session, ...signal }) && this.#state === 'connecting') this.#fail(notConnected());
      },
      onOpen: () => this.#opened(),
      onMessage: (message) => context.onMessage(this.id, message),
      onEnd: (error) => this.#fail(error),
      onNoNetwork: (error) => context.onFault(error),
    });
    this.#current = attempt;
    this.#changeState('connecting');
    attempt.begin();
    return attempt;
  }

  #opened(): void {
    this.#error = undefined;
    this.#openedMs = performance.now();
    this.#leaveDesks();
    this.#changeState('open');
  }

  #fail(error: RaftError): void {
    this.#drop(error);
    this.#redialLater();
  }

  /** Ends the try or the link in force, with its last messages sent. */
  #drop(error: RaftError, keepsTurn = false): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const leaving = this.#current?.leave();
    this.#current = undefined;
    const state = this.#state;
    if (state === 'open' && performance.now() - this.#openedMs > STABLE_MS) this.failures = 0;
    if (state !== 'closed') this.#error = error;
    if (leaving !== undefined) this.#context.onLeaving(leaving);
    this.#changeState('closed');
    if (!keepsTurn) this.#leaveDesks();
  }

  /** An offer that waits keeps its place. */
  #leaveDesks(): void {
    this.#context.dials.done(this);
    if (this.#pending === undefined || !this.#context.answers.isWaiting(this)) this.#context.answers.done(this);
  }

  #redialLater(): void {
    if (!this.#present || !this.#wanted || this.#timer !== undefined || this.#state !== 'closed') return;
    const longestMs = Math.min(REDIAL_MAX_MS, REDIAL_MIN_MS * 2 ** Math.min(this.failures++, 16));
    this.#redialAfter(longestMs * (0.5 + this.#context.random() / 2));
  }

  #redialAfter(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#dialUnlessLinked();
    }, delayMs);
  }

  #say(what: { dial: true } | { queued: true; session?: string } | ({ session: string } & LinkSignal)): boolean {
    return this.#context.signal(this.id, { instance: this.#context.instance, ...what });
  }

  #changeState(state: LinkState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#context.onLink(this.id, state);
  }
}

function notConnected(): RaftError {
  return new RaftError('link-failed', 'Signaling is not connected, so nothing can be dialled.');
}
