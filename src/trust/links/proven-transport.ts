/**
 * Any transport, with the proof under every link: to whoever uses it a link is open when the peer is proven, and it hears nothing
 * of a peer before that.
 */
import type { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type {
  Discovery,
  Lane,
  LinkSecurity,
  LinkState,
  LinkStatus,
  Transport,
  TransportHandlers,
} from '../../transport/transport.ts';
import type { TrustErrorCode } from '../errors.ts';
import type { HandshakeFailure, ProvenPeer } from '../handshake/handshake.ts';
import type { HandshakeOptions, TrustClock } from '../handshake/offer.ts';
import { Pauses } from './pauses.ts';
import { ProvenLink } from './proven-link.ts';

/** The last messages of links that are sealed wait for this long, in ms, when the transport stops. */
const LAST_WORDS_MS = 500;
/** A link whose peer is not let in is closed after so long, in ms, unless the peer does it: it has to hear first why. */
const REFUSAL_MS = 200;

/** What all the transports of a node share. */
export interface ProofContext {
  readonly clock: TrustClock;
  /** Of a proof that begins now. */
  options(): Omit<HandshakeOptions, 'end' | 'binding' | 'peer'>;
  /** Why a peer that has proven who it is is not let in by now: it may have been decided while it proved, or since. */
  refusal(peer: NodeId, proven: ProvenPeer): TrustErrorCode | undefined;
  onProven(peer: NodeId, proven: ProvenPeer): void;
  /** A link to a proven peer is over. */
  onClosed(peer: NodeId): void;
  onRefused(peer: NodeId, failure: HandshakeFailure): void;
}

interface Entry {
  readonly link: ProvenLink;
  wait: { stop(): void } | undefined;
  /** Runs while the channel carries the refusal. */
  closing: { stop(): void } | undefined;
}

export class ProvenTransport implements Transport {
  readonly kind: string;
  readonly #inner: Transport;
  readonly #context: ProofContext;
  readonly #pauses = new Pauses();
  readonly #entries = new Map<NodeId, Entry>();
  /** Links whose channel is closed and that are still being read. */
  readonly #ending = new Map<NodeId, ProvenLink>();
  readonly #told = new Map<NodeId, LinkState>();
  readonly #errors = new Map<NodeId, RaftError>();
  #self: NodeId = '';
  #handlers: TransportHandlers | undefined;
  #stopped = false;

  constructor(inner: Transport, context: ProofContext) {
    this.#inner = inner;
    this.#context = context;
    this.kind = inner.kind;
    // What makes no difference to the one inside is not offered.
    if (inner.prefer === undefined) Object.defineProperty(this, 'prefer', { value: undefined });
    if (inner.hurry === undefined) Object.defineProperty(this, 'hurry', { value: undefined });
  }

  async start(self: NodeId, handlers: TransportHandlers, discovery: Discovery): Promise<void> {
    this.#self = self;
    this.#handlers = handlers;
    await this.#inner.start(
      self,
      {
        onMessage: (peer, bytes) => this.#entries.get(peer)?.link.hear(bytes),
        onLink: (peer, state) => this.#onLink(peer, state),
        // Of nobody who has not proven that the link is his: whoever takes a name is not who ends.
        onEnded: (peer) => {
          if (!this.#stopped && this.isProven(peer)) handlers.onEnded?.(peer);
        },
        onFault: (error) => {
          if (!this.#stopped) handlers.onFault(error);
        },
      },
      discovery,
    );
  }

  send(peer: NodeId, bytes: Uint8Array, lane: Lane): boolean {
    return !this.#stopped && this.#entries.get(peer)?.link.send(bytes, lane) === true;
  }

  prefer(peers: readonly NodeId[], others: 'later' | 'never'): void {
    this.#inner.prefer?.(peers, others);
  }

  hurry(): void {
    this.#inner.hurry?.();
  }

  queuedBytes(peer: NodeId, lane: Lane): number {
    return this.#inner.queuedBytes(peer, lane) + (this.#entries.get(peer)?.link.queuedBytes(lane) ?? 0);
  }

  links(): readonly LinkStatus[] {
    return this.#inner.links().map((status) => {
      const error = this.#errors.get(status.peer) ?? status.error;
      if (status.state !== 'open') return { ...status, error };
      const link = this.#entries.get(status.peer)?.link;
      const waiting = (link?.queuedBytes('urgent') ?? 0) + (link?.queuedBytes('bulk') ?? 0);
      const { unacknowledgedBytes, queuedBytes } = status;
      return {
        ...status,
        state: link?.proven === undefined ? 'connecting' : 'open',
        queuedBytes: queuedBytes + waiting,
        unacknowledgedBytes: unacknowledgedBytes === undefined ? undefined : unacknowledgedBytes + waiting,
        error,
      };
    });
  }

  security(peer: NodeId): LinkSecurity | undefined {
    return this.#inner.security?.(peer);
  }

  disconnect(peer: NodeId, reason: string): void {
    this.#inner.disconnect(peer, reason);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const busy = [...this.#entries.values()].map(({ link }) => link).filter((link) => link.proven && !link.isDrained);
    // A page that goes away has no later moment: where nothing waits, all is done at once.
    if (busy.length > 0) await this.#lastWords(busy);
    for (const { link, wait, closing } of this.#entries.values()) {
      wait?.stop();
      closing?.stop();
      link.close(() => undefined);
    }
    this.#entries.clear();
    await this.#inner.stop();
  }

  /** The channels below still carry what was sent last. */
  async #lastWords(links: readonly ProvenLink[]): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#context.clock.after(LAST_WORDS_MS, resolve);
      void Promise.all(links.map((link) => link.drained())).then(() => {
        timer.stop();
        resolve();
      });
    });
  }

  isProven(peer: NodeId): boolean {
    return this.#entries.get(peer)?.link.proven !== undefined;
  }

  /** More is known of the cluster: links that would not be let in now end, and peers that were not let in are tried again at once. */
  review(): void {
    for (const [peer, { link }] of this.#entries) if (link.proven !== undefined) this.#refuseIfOver(peer, link, link.proven);
    this.#pauses.forgive();
    for (const entry of this.#entries.values()) {
      if (entry.wait === undefined) continue;
      entry.wait.stop();
      entry.wait = undefined;
      this.#begin(entry.link);
    }
  }

  #onLink(peer: NodeId, state: LinkState): void {
    if (this.#stopped) return;
    if (state === 'open') return this.#open(peer);
    const ending = this.#take(peer);
    if (ending === undefined) {
      if (!this.#ending.has(peer)) this.#tell(peer, state);
      return;
    }
    this.#ending.set(peer, ending);
    // A link that dials again says so when the last one is read to its end.
    ending.close(() => {
      if (this.#ending.get(peer) === ending) this.#endRead(peer);
    });
  }

  /** What the last link has said is handed on. */
  #endRead(peer: NodeId): void {
    this.#ending.delete(peer);
    this.#tell(peer, 'closed');
    const { state } = this.#inner.links().find((link) => link.peer === peer) ?? { state: 'closed' };
    if (state === 'connecting') this.#tell(peer, 'connecting');
  }

  #open(peer: NodeId): void {
    this.#take(peer)?.close(() => undefined);
    if (this.#ending.delete(peer)) this.#tell(peer, 'closed');
    this.#tell(peer, 'connecting');
    const unknown: LinkSecurity = { protection: 'none', initiator: this.#self < peer, binding: undefined };
    const link = new ProvenLink({
      peer,
      security: this.#inner.security?.(peer) ?? unknown,
      send: (bytes, lane) => this.#inner.send(peer, bytes, lane),
      queuedBytes: (lane) => this.#inner.queuedBytes(peer, lane),
      onProven: (proven) => this.#onProven(peer, link, proven),
      onMessage: (bytes) => {
        if (!this.#stopped) this.#handlers?.onMessage(peer, bytes);
      },
      onOver: (error, failure) => this.#onOver(peer, link, error, failure),
    });
    const entry: Entry = { link, wait: undefined, closing: undefined };
    this.#entries.set(peer, entry);
    const { clock } = this.#context;
    const waitMs = this.#pauses.waitMs(peer, clock.monotonicMs());
    if (waitMs <= 0) return this.#begin(link);
    entry.wait = clock.after(waitMs, () => {
      entry.wait = undefined;
      this.#begin(link);
    });
  }

  #begin(link: ProvenLink): void {
    link.begin(this.#context.options());
  }

  #onProven(peer: NodeId, link: ProvenLink, proven: ProvenPeer): void {
    if (this.#stopped || this.#entries.get(peer)?.link !== link || this.#refuseIfOver(peer, link, proven)) return;
    this.#pauses.succeeded(peer);
    this.#errors.delete(peer);
    this.#context.onProven(peer, proven);
    this.#tell(peer, 'open');
  }

  #refuseIfOver(peer: NodeId, link: ProvenLink, proven: ProvenPeer): boolean {
    const code = this.#context.refusal(peer, proven);
    if (code !== undefined) link.refuse(code);
    return code !== undefined;
  }

  #onOver(peer: NodeId, link: ProvenLink, error: RaftError, failure: HandshakeFailure | undefined): void {
    if (this.#stopped) return;
    if (failure !== undefined) {
      this.#pauses.failed(peer, failure.error, this.#context.clock.monotonicMs());
      this.#errors.set(peer, failure.error);
      this.#context.onRefused(peer, failure);
    }
    const entry = this.#entries.get(peer);
    if (entry?.link !== link) return;
    const close = (): void => this.#inner.disconnect(peer, error.code);
    if (failure?.origin !== 'self' || error.code === 'proof-timeout') return close();
    entry.closing = this.#context.clock.after(REFUSAL_MS, close);
  }

  /** The link to a peer, which has none from now on. */
  #take(peer: NodeId): ProvenLink | undefined {
    const entry = this.#entries.get(peer);
    this.#entries.delete(peer);
    entry?.wait?.stop();
    entry?.closing?.stop();
    if (entry?.link.proven !== undefined) this.#context.onClosed(peer);
    return entry?.link;
  }

  #tell(peer: NodeId, state: LinkState): void {
    if ((this.#told.get(peer) ?? 'closed') === state) return;
    if (state === 'closed') this.#told.delete(peer);
    else this.#told.set(peer, state);
    this.#handlers?.onLink(peer, state);
  }
}
