/** What is done when the proof of a link comes out: who is not let in is told, who was put out goes, a newcomer that nobody lets in ends. */
import type { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Transport } from '../../transport/transport.ts';
import type { HandshakeFailure } from '../../trust/handshake/handshake.ts';
import type { GateEvents } from '../../trust/links/gate.ts';
import type { Emitter } from '../api/emitter.ts';
import type { RoomSecret } from '../duties/room-secret.ts';
import type { Standing } from '../standing/standing.ts';
import type { Trust } from '../standing/trust.ts';

/** How long after its first refusal a newcomer that nobody lets in ends, in ms: others may have been on their way to say otherwise. */
const HOPELESS_AFTER_MS = 3_000;
/** Peers whose last refusal is remembered, so that each is told once; the oldest are forgotten. */
const REFUSALS_MAX = 256;
/** What passes by itself, or says no more than that a link is over. */
const QUIET: ReadonlySet<string> = new Set(['link-failed', 'not-admitted', 'proof-timeout']);

interface GatekeeperParts {
  readonly standing: Standing;
  readonly trust: Trust;
  readonly secret: RoomSecret;
  readonly transport: Transport;
  readonly emitter: Emitter;
  end(error: RaftError): void;
}

export class Gatekeeper implements GateEvents {
  readonly #parts: GatekeeperParts;
  readonly #told = new Map<NodeId, string>();
  #clockTold = false;
  #hopeless: { readonly error: RaftError; readonly timer: { stop(): void } } | undefined;

  constructor(parts: GatekeeperParts) {
    this.#parts = parts;
    parts.trust.gate?.attach(parts.trust, this);
  }

  onProven(peer: NodeId): void {
    this.#told.delete(peer);
    this.#hopeless?.timer.stop();
    this.#hopeless = undefined;
  }

  onRefused(peer: NodeId, { error, origin }: HandshakeFailure): void {
    const { standing, emitter, end } = this.#parts;
    // Who was put out hears it of a member that has proven to be one; nobody else's word counts.
    if (error.code === 'member-revoked' && origin === 'member' && standing.cluster !== undefined) return end(error);
    if (standing.cluster === undefined && !error.retryable && error.code !== 'message-invalid') this.#mayEnd(error);
    if (QUIET.has(error.code) || this.#told.get(peer) === error.code) return;
    const [oldest] = this.#told.keys();
    if (this.#told.size >= REFUSALS_MAX && oldest !== undefined) this.#told.delete(oldest);
    this.#told.set(peer, error.code);
    emitter.emit('fault', { error });
  }

  onFault(error: RaftError): void {
    if (this.#clockTold) return;
    this.#clockTold = true;
    this.#parts.emitter.emit('fault', { error });
  }

  /** Another ledger is in force here. */
  onDecided(ledger: Uint8Array): void {
    this.#parts.trust.take(ledger);
    this.onChange();
    this.#parts.secret.onDecided();
  }

  /** The configuration is another, or the ledger: who was put out goes, who was kept out may be let in. */
  onChange(): void {
    const { standing, trust, transport } = this.#parts;
    if (trust.gate !== undefined) return trust.gate.review();
    for (const { id, link } of standing.peers.all()) {
      if (link !== 'closed' && link !== 'none' && trust.isRevoked(id)) transport.disconnect(id, 'member-revoked');
    }
  }

  stop(): void {
    this.#hopeless?.timer.stop();
  }

  /** A newcomer has nothing to lose but its waiting. Whoever is let in by anybody goes on. */
  #mayEnd(error: RaftError): void {
    if (this.#hopeless !== undefined) return;
    const { standing, end } = this.#parts;
    const timer = standing.clock.after(HOPELESS_AFTER_MS, () => {
      this.#hopeless = undefined;
      if (standing.state.kind === 'seeking') end(error);
    });
    this.#hopeless = { error, timer };
  }
}
