/**
 * The handshake of one new channel, seen from one end. Knows nothing of links: bytes in, bytes out, time from a clock. Until it
 * is done no byte of the channel belongs to anybody else; afterwards it listens for one thing only, that the peer turns this
 * node away after all. It always ends: done, or failed with a code, within PROOF_TIMEOUT_MS.
 *
 *   dialler   hello ->        <- hello   answerer      both at once, when the channel opens
 *             proof ->        <- proof                 each as soon as it has the other's hello
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { malformed, toHex } from '../bytes.ts';
import { type TrustErrorCode, trustError } from '../errors.ts';
import { inviteRefusal } from '../ledger.ts';
import { CLOCK_SKEW_MAX_MS, PROOF_TIMEOUT_MS } from '../limits.ts';
import { importSealKey, seal, unseal } from '../primitives.ts';
import type { SealKeys } from '../sealed-frames.ts';
import type { Admission, ClusterRelation } from './admission.ts';
import { Inbox } from './inbox.ts';
import { decodeRefusal, encodeRefusal, HANDSHAKE_MARK, headerOf, messageOf, openMessage, otherEnd } from './messages.ts';
import { type HandshakeOptions, makeOffer } from './offer.ts';
import { type CheckedProof, checkProof, makeProof } from './proof.ts';
import { agreeOnSession, type Session } from './session.ts';

/** Who is at the other end, proven. */
export interface ProvenPeer {
  readonly id: NodeId;
  readonly publicKey: Uint8Array;
  readonly admission: Admission;
  readonly cluster: ClusterRelation;
  /** The epoch of its cluster, as it says; 0 with no cluster. */
  readonly epoch: number;
  /** This node's wall clock minus the peer's, in ms; see `clockFault`. */
  readonly skewMs: number;
  readonly resumed: boolean;
  readonly version: number;
  /** For links without encryption of their own: everything from here on is sealed with them. Undefined on others. */
  readonly sealKeys: SealKeys | undefined;
  /** What the peer sent behind its proof, in order: the link's first frames. */
  readonly early: readonly Uint8Array[];
}

/**
 * Whose word a failure is. `self`: what this node found. `member`: a proven member turned it away. `insider`: who knows the
 * room's secret or its invite did. `stranger`: somebody said so who proved nothing; believe no more than that this link is over.
 */
export type FailureOrigin = 'self' | 'member' | 'insider' | 'stranger';

export interface HandshakeFailure {
  readonly error: RaftError;
  readonly origin: FailureOrigin;
}

export interface HandshakeEvents {
  /** One message for the channel, whole. */
  send(message: Uint8Array): void;
  /** At most once. */
  onProven(peer: ProvenPeer): void;
  /** At most once, also after onProven when the peer turns this node away. The link has to be closed, after what was sent has left. */
  onFailed(failure: HandshakeFailure): void;
}

export type HandshakeResult =
  | { readonly proven: ProvenPeer; readonly failure?: undefined }
  | { readonly failure: HandshakeFailure; readonly proven?: undefined };

const REFUSAL_COUNT = 1;

/** The peer's word that this node is turned away. */
class TurnedAway {
  readonly failure: HandshakeFailure;
  constructor(code: TrustErrorCode, origin: FailureOrigin) {
    this.failure = { error: trustError(code), origin };
  }
}

export class Handshake {
  /** How it came out: always settles, never rejects. */
  readonly result: Promise<HandshakeResult>;
  #state: 'proving' | 'proven' | 'failed' = 'proving';
  readonly #options: HandshakeOptions;
  readonly #events: HandshakeEvents;
  readonly #inbox = new Inbox();
  readonly #startedMs: number;
  readonly #deadline: { stop(): void };
  #session: Session | undefined;
  /** As what the peer was let in; undefined before. */
  #admission: Admission | undefined;
  #isEnding = false;
  #isClosed = false;
  #settle: (result: HandshakeResult) => void = () => undefined;

  static start(options: HandshakeOptions, events: HandshakeEvents): Handshake {
    const handshake = new Handshake(options, events);
    void handshake.#run();
    return handshake;
  }

  private constructor(options: HandshakeOptions, events: HandshakeEvents) {
    this.#options = options;
    this.#events = events;
    this.result = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#startedMs = options.clock.monotonicMs();
    this.#deadline = options.clock.after(PROOF_TIMEOUT_MS, () => this.#expire());
  }

  /**
   * A message of the channel. True: it was the handshake's. False, only once the peer is proven: it is the link's. Never throws.
   * A link asks here first for as long as it lives.
   */
  onBytes(message: Uint8Array): boolean {
    if (this.#state === 'failed') return true;
    if (this.#state === 'proven') {
      if (message[0] !== HANDSHAKE_MARK) return false;
      void this.#endByRefusal(message.slice());
      return true;
    }
    // A page that was frozen has timers that are late; what arrives then comes too late all the same.
    if (this.#options.clock.monotonicMs() - this.#startedMs > PROOF_TIMEOUT_MS) this.#expire();
    else {
      try {
        this.#inbox.push(message);
      } catch (error) {
        void this.#turnAway(error);
      }
    }
    return true;
  }

  /** What it was let in by is over: a proven peer is told why, and the link ends. */
  refuse(code: TrustErrorCode): void {
    if (this.#state === 'proven') void this.#turnAway(trustError(code));
  }

  /**
   * The channel has closed. What came before is still read: a peer that turns this node away closes right behind its word. Once
   * the peer was proven the link knows itself that it is over.
   */
  close(): void {
    this.#isClosed = true;
    this.#inbox.end(new RaftError('link-failed', 'The link closed before the other end had proven who it is.'));
  }

  async #run(): Promise<void> {
    try {
      const offer = await makeOffer(this.#options);
      this.#send(offer.message);
      const hello = await this.#nextMessage('hello');
      const session = await agreeOnSession(this.#options, offer, hello.message, hello.body);
      this.#session = session;
      this.#requireWelcome(session);
      this.#send(await makeProof(this.#options, session));
      const sealed = await this.#nextMessage('proof');
      const checked = await checkProof(this.#options, session, sealed.body);
      this.#admission = checked.admission;
      await this.#succeed(session, checked);
    } catch (error) {
      await this.#turnAway(error);
    }
  }

  #expire(): void {
    this.#fail({ error: trustError('proof-timeout'), origin: 'self' });
  }

  /** The next message, which has to be of this kind, or the peer turns this node away. */
  async #nextMessage(kind: 'hello' | 'proof'): Promise<{ readonly message: Uint8Array; readonly body: Uint8Array }> {
    const message = await this.#inbox.next();
    const opened = openMessage(message);
    if (opened.kind === 'refusal') throw await this.#readRefusal(opened.body);
    return opened.kind === kind ? { message, body: opened.body } : malformed('a message out of order');
  }

  /** Whoever is known to be turned away is told before this node says anything of itself. */
  #requireWelcome({ ground, peer }: Session): void {
    const { standing } = this.#options;
    // It has to prove first that it is the one who was put out, and has to hear so of one that it knows for a member.
    if (ground === 'membership' || standing.isRevoked(peer.from)) return;
    if (peer.inviteId.length === 0 || ground !== 'invite' || standing.memberKey(peer.from) !== undefined) return;
    const view = standing.invite(toHex(peer.inviteId));
    const refused = view === undefined ? 'invite-invalid' : inviteRefusal(view, peer.from);
    if (refused !== undefined) throw trustError(refused);
  }

  async #succeed(session: Session, checked: CheckedProof): Promise<void> {
    const { end, binding, resume, clock } = this.#options;
    const { frames, resumption } = session.keys;
    const keys =
      binding === undefined ? await Promise.all([importSealKey(frames[end]), importSealKey(frames[otherEnd(end)])]) : undefined;
    const early: Uint8Array[] = [];
    for (let message = this.#inbox.shift(); message !== undefined; message = this.#inbox.shift()) {
      if (message[0] === HANDSHAKE_MARK) throw await this.#readLateRefusal(message);
      early.push(message);
    }
    if (this.#isClosed) throw new RaftError('link-failed', 'The link closed before the other end had proven who it is.');
    if (this.#state !== 'proving') return;
    this.#state = 'proven';
    this.#deadline.stop();
    const { from: id } = session.peer;
    const { publicKey, epoch } = checked.proof;
    resume.put(id, resumption, clock.monotonicMs());
    const { resumed, version } = session;
    const sealKeys = keys === undefined ? undefined : { send: keys[0], receive: keys[1] };
    const { admission, cluster, skewMs } = checked;
    const proven = { id, publicKey, admission, cluster, epoch, skewMs, resumed, version, sealKeys, early };
    this.#settle({ proven });
    try {
      this.#events.onProven(proven);
    } catch (cause) {
      this.#fail({ error: new RaftError('link-failed', 'The link could not be taken over.', { cause }), origin: 'self' });
    }
  }

  async #endByRefusal(message: Uint8Array): Promise<void> {
    this.#fail((await this.#readLateRefusal(message)).failure);
  }

  async #readLateRefusal(message: Uint8Array): Promise<TurnedAway> {
    try {
      const { kind, body } = openMessage(message);
      return kind === 'refusal' ? await this.#readRefusal(body) : malformed('a message out of order');
    } catch {
      return new TurnedAway('message-invalid', 'self');
    }
  }

  /** Sealed when there are keys for it: then it is the peer's word, else anybody's. */
  async #readRefusal(body: Uint8Array): Promise<TurnedAway> {
    const session = this.#session;
    if (session === undefined) return new TurnedAway(decodeRefusal(body), 'stranger');
    const key = session.keys.seal[otherEnd(this.#options.end)];
    const opened = await unseal(key, REFUSAL_COUNT, headerOf('refusal'), body);
    if (opened !== undefined) return new TurnedAway(decodeRefusal(opened), this.#originOf(session));
    // The peer may have given up before it had keys: its refusal is then not sealed.
    return new TurnedAway(decodeRefusal(body), 'stranger');
  }

  #originOf({ ground, resumed, peer }: Session): FailureOrigin {
    // Who was let in as something else may be known for a member by now; its key is proven.
    const isKnown = this.#admission !== undefined && this.#options.standing.memberKey(peer.from) !== undefined;
    if (this.#admission?.by === 'member' || isKnown) return 'member';
    const shared = ground === 'invite' || (ground === 'secret' && this.#options.secret?.open === false);
    return shared || resumed ? 'insider' : 'stranger';
  }

  /** Fails, after the peer was told why where that is for it to know. */
  async #turnAway(thrown: unknown): Promise<void> {
    // Once only: a second refusal would be sealed under the number of the first.
    if (this.#state === 'failed' || this.#isEnding) return;
    this.#isEnding = true;
    if (thrown instanceof TurnedAway) return this.#fail(thrown.failure);
    const error = RaftError.is(thrown)
      ? thrown
      : new RaftError('link-failed', 'The proof could not be computed.', { cause: thrown });
    try {
      const code = encodeRefusal(error.code as TrustErrorCode);
      if (code !== undefined) this.#send(messageOf('refusal', await this.#sealRefusal(code)));
    } catch {
      // The channel is gone, or WebCrypto: the failure itself is what counts.
    }
    this.#fail({ error, origin: 'self' });
  }

  async #sealRefusal(code: Uint8Array): Promise<Uint8Array> {
    if (this.#session === undefined) return code;
    return seal(this.#session.keys.seal[this.#options.end], REFUSAL_COUNT, headerOf('refusal'), code);
  }

  #send(message: Uint8Array): void {
    if (this.#state === 'failed' || this.#isClosed) return;
    try {
      this.#events.send(message);
    } catch (cause) {
      throw new RaftError('link-failed', 'The link takes no messages.', { cause });
    }
  }

  #fail(failure: HandshakeFailure): void {
    if (this.#state === 'failed') return;
    this.#state = 'failed';
    this.#deadline.stop();
    this.#inbox.end(failure.error);
    this.#settle({ failure });
    this.#events.onFailed(failure);
  }
}

/** What to tell people of a clock that is far off; undefined while it is near enough. Nothing else is wrong with the link. */
export function clockFault({ skewMs }: ProvenPeer): RaftError | undefined {
  return Math.abs(skewMs) > CLOCK_SKEW_MAX_MS ? trustError('clock-skew') : undefined;
}
