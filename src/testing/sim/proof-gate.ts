/**
 * The proof under every link, as a model: what src/trust does with keys is done with a secret that an intruder is not given and a hash
 * that it cannot turn round. Above it stands the same runtime with the same inbox. In a plan that asks for it (`Plan.trust`) not one
 * message of an intruder may pass (I43), whatever it has overheard: a proof is of one link, in one direction, between two nodes.
 */
import type { NodeId } from '../../core/types.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import { digestOf } from '../../storage/digest.ts';
import type { Discovery, Lane, LinkStatus, Transport, TransportHandlers } from '../../transport/transport.ts';
import type { Prng } from '../prng.ts';
import type { Evidence } from './evidence.ts';

/** No message of a node begins with it; the second byte is none of the kinds that the virtual network loses or repeats. */
const MARK = 0xf1;
const HELLO = 0;
const PROOF = 1;
/** Of a link whose peer proves nothing: ms. */
const PROOF_TIMEOUT_MS = 5_000;
/** Proofs that whoever listens on the network remembers; the oldest are forgotten. */
const OVERHEARD_MAX = 64;

/** What all links of a run share, and what is decided about who may come in. */
export class ProofModel {
  /** Known to nodes, and to one that was put out. */
  readonly secret: string;
  /** Identities put out, as every node knows. */
  readonly revoked: Set<NodeId> = new Set();
  readonly evidence: Evidence;
  /** Words of proofs, as somebody on the network hears them. */
  readonly overheard: Uint8Array[] = [];

  constructor(secret: string, evidence: Evidence) {
    this.secret = secret;
    this.evidence = evidence;
  }

  hear(word: Uint8Array): void {
    this.overheard.push(word);
    if (this.overheard.length > OVERHEARD_MAX) this.overheard.shift();
  }
}

export function helloWord(nonce: string): Uint8Array {
  return wordOf(HELLO, nonce);
}

/** Of `from` to `to`, good for the link on which the two named these nonces. */
export function proofWord(secret: string, from: NodeId, to: NodeId, own: string, theirs: string): Uint8Array {
  const said = JSON.stringify([secret, from, to, own, theirs]);
  return wordOf(PROOF, digestOf([new TextEncoder().encode(said)]));
}

function wordOf(kind: number, text: string): Uint8Array {
  return Uint8Array.of(MARK, 0, kind, ...new TextEncoder().encode(text));
}

/** The nonce of a hello; undefined for any other message. */
export function nonceIn(message: Uint8Array): string | undefined {
  const isHello = message[0] === MARK && message[2] === HELLO;
  return isHello ? new TextDecoder().decode(message.subarray(3)) : undefined;
}

interface Proving {
  readonly own: string;
  theirs: string | undefined;
  proven: boolean;
  readonly deadline: { stop(): void };
}

export interface ProofParts {
  readonly model: ProofModel;
  readonly clock: Pick<Clock, 'after'>;
  readonly random: Prng;
}

/** A transport whose links are open to its owner when the peer has proven that it belongs. */
export class ProofGate implements Transport {
  readonly kind: string;
  readonly #inner: Transport;
  readonly #parts: ProofParts;
  readonly #links = new Map<NodeId, Proving>();
  #self: NodeId = '';
  #handlers: TransportHandlers | undefined;
  #opened = 0;

  constructor(inner: Transport, parts: ProofParts) {
    this.#inner = inner;
    this.#parts = parts;
    this.kind = inner.kind;
  }

  async start(self: NodeId, handlers: TransportHandlers, discovery: Discovery): Promise<void> {
    this.#self = self;
    this.#handlers = handlers;
    const below: TransportHandlers = {
      onMessage: (peer, bytes) => this.#hear(peer, bytes),
      onLink: (peer, state) => this.#onLink(peer, state === 'open'),
      onFault: (error) => handlers.onFault(error),
    };
    await this.#inner.start(self, below, discovery);
  }

  send(peer: NodeId, bytes: Uint8Array, lane: Lane): boolean {
    return this.#links.get(peer)?.proven === true && this.#inner.send(peer, bytes, lane);
  }

  queuedBytes(peer: NodeId, lane: Lane): number {
    return this.#inner.queuedBytes(peer, lane);
  }

  links(): readonly LinkStatus[] {
    return this.#inner
      .links()
      .map((link) =>
        link.state === 'open' && this.#links.get(link.peer)?.proven !== true ? { ...link, state: 'connecting' } : link,
      );
  }

  disconnect(peer: NodeId, reason: string): void {
    this.#inner.disconnect(peer, reason);
  }

  stop(): Promise<void> {
    for (const { deadline } of this.#links.values()) deadline.stop();
    return this.#inner.stop();
  }

  #onLink(peer: NodeId, open: boolean): void {
    const before = this.#links.get(peer);
    before?.deadline.stop();
    this.#links.delete(peer);
    if (!open) {
      if (before?.proven === true) this.#handlers?.onLink(peer, 'closed');
      return;
    }
    const { clock, random } = this.#parts;
    this.#opened += 1;
    const own = `${this.#self}/${this.#opened}/${random.below(2 ** 32)}`;
    const deadline = clock.after(PROOF_TIMEOUT_MS, () => this.#refuse(peer, 'timeout'));
    this.#links.set(peer, { own, theirs: undefined, proven: false, deadline });
    this.#say(peer, helloWord(own));
  }

  #say(peer: NodeId, word: Uint8Array): void {
    this.#parts.model.hear(word);
    this.#inner.send(peer, word, 'urgent');
  }

  #hear(peer: NodeId, bytes: Uint8Array): void {
    const link = this.#links.get(peer);
    if (link === undefined) return;
    if (link.proven) return this.#pass(peer, bytes);
    const { secret, revoked } = this.#parts.model;
    const nonce = nonceIn(bytes);
    if (nonce !== undefined && link.theirs === undefined) {
      link.theirs = nonce;
      return this.#say(peer, proofWord(secret, this.#self, peer, link.own, nonce));
    }
    const { theirs } = link;
    const expected = theirs === undefined ? undefined : proofWord(secret, peer, this.#self, theirs, link.own);
    if (expected === undefined || !same(expected, bytes)) return this.#refuse(peer, 'no proof');
    if (revoked.has(peer)) return this.#refuse(peer, 'revoked');
    link.proven = true;
    link.deadline.stop();
    this.#handlers?.onLink(peer, 'open');
  }

  #pass(peer: NodeId, bytes: Uint8Array): void {
    const { model } = this.#parts;
    if (isIntruder(peer)) model.evidence.check('I43', false, () => `${this.#self} heard ${peer}, who has proven nothing`);
    this.#handlers?.onMessage(peer, bytes);
  }

  #refuse(peer: NodeId, why: string): void {
    const { model } = this.#parts;
    model.evidence.mark(`proof:${why}`);
    if (isIntruder(peer)) model.evidence.check('I43', true, () => '');
    this.#inner.disconnect(peer, why);
  }
}

/** Names that only an intruder has. */
function isIntruder(id: NodeId): boolean {
  return id.startsWith('x');
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
