/**
 * The gate of one node: what all its links share, whatever they run over. It knows who the node is and what it can show; what the
 * cluster has decided it asks when it is needed.
 */
import type { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Transport } from '../../transport/transport.ts';
import type { Access } from '../access.ts';
import { sameBytes } from '../bytes.ts';
import type { TrustErrorCode } from '../errors.ts';
import type { Standing } from '../handshake/admission.ts';
import { clockFault, type HandshakeFailure, type ProvenPeer } from '../handshake/handshake.ts';
import type { HandshakeOptions, TrustClock } from '../handshake/offer.ts';
import type { Identity } from '../identity.ts';
import { inviteRefusal, type SecretInForce } from '../ledger.ts';
import { ResumeCache } from '../resume.ts';
import { type ProofContext, ProvenTransport } from './proven-transport.ts';

/** What the node knows now, and who hears what its links find out. */
export interface GateView extends Standing {
  /** '' for a node of no cluster. */
  readonly clusterId: string;
  readonly epoch: number;
  /** Which of the room's secrets counts, as far as this node knows. */
  readonly secret: SecretInForce;
}

export interface GateEvents {
  onProven(peer: NodeId, proven: ProvenPeer): void;
  /** A peer was not let in, or did not let this node in. `failure.origin` says whose word that is. */
  onRefused(peer: NodeId, failure: HandshakeFailure): void;
  /** Something that somebody should see and that stops nothing. */
  onFault(error: RaftError): void;
}

const NOBODY: GateView = {
  clusterId: '',
  epoch: 0,
  secret: { epoch: 0, commitment: new Uint8Array(0) },
  memberKey: () => undefined,
  isRevoked: () => false,
  invite: () => undefined,
};

export class TrustGate {
  readonly identity: Identity;
  readonly clock: TrustClock;
  access: Access;
  readonly #resume = new ResumeCache();
  readonly #wrapped: ProvenTransport[] = [];
  readonly #proven = new Map<NodeId, ProvenPeer>();
  #view: GateView = NOBODY;
  #events: GateEvents | undefined;
  readonly #context: ProofContext;

  constructor(identity: Identity, access: Access, clock: TrustClock) {
    this.identity = identity;
    this.access = access;
    this.clock = clock;
    this.#context = {
      clock,
      options: () => this.#options(),
      refusal: (peer, proven) => this.#refusal(peer, proven),
      onProven: (peer, proven) => this.#onProven(peer, proven),
      onClosed: (peer) => {
        if (!this.#wrapped.some((transport) => transport.isProven(peer))) this.#proven.delete(peer);
      },
      onRefused: (peer, failure) => this.#events?.onRefused(peer, failure),
    };
  }

  /** Says what the node knows; called once, before any transport starts. */
  attach(view: GateView, events: GateEvents): void {
    this.#view = view;
    this.#events = events;
  }

  /** The transport with the proof under its links; one that is made of others has it under those of each. */
  wrap(transport: Transport): Transport {
    if (transport.within !== undefined) return transport.within((part) => this.wrap(part));
    const wrapped = new ProvenTransport(transport, this.#context);
    this.#wrapped.push(wrapped);
    return wrapped;
  }

  /** Who is at the other end of an open link; of several, as the one that was proven last says. */
  proofOf(peer: NodeId): ProvenPeer | undefined {
    return this.#proven.get(peer);
  }

  /** The configuration, the ledger or the secret has changed: who was let in may have to go, who was not may be let in by now. */
  review(): void {
    for (const transport of this.#wrapped) transport.review();
  }

  /**
   * Whether this node's secret lets anybody in: not when the cluster has another by now. One that came into force later than what this
   * node has read of the log is not in doubt.
   */
  get secretStands(): boolean {
    const { secret, open, epoch } = this.access;
    const { secret: inForce } = this.#view;
    if (secret === undefined || open || inForce.epoch === 0 || epoch > inForce.epoch) return secret !== undefined;
    return sameBytes(secret.commitment, inForce.commitment);
  }

  /** Members stay whatever else they know; others for as long as they would be let in by what they came with. */
  #refusal(peer: NodeId, { admission }: ProvenPeer): TrustErrorCode | undefined {
    const view = this.#view;
    if (view.isRevoked(peer)) return 'member-revoked';
    if (view.memberKey(peer) !== undefined) return undefined;
    if (admission.by === 'secret' && !admission.open) {
      const { secret } = this.access;
      const isOwn = secret !== undefined && sameBytes(secret.commitment, admission.commitment);
      return isOwn && this.secretStands ? undefined : 'wrong-secret';
    }
    if (admission.by !== 'invite') return undefined;
    const invite = view.invite(admission.inviteId);
    return invite === undefined ? 'invite-invalid' : inviteRefusal(invite, peer);
  }

  #options(): Omit<HandshakeOptions, 'end' | 'binding' | 'peer'> {
    const { identity, access, clock } = this;
    const view = this.#view;
    // Members know each other by their keys; who shows an invite would be asked for it again when it is over.
    const isMember = view.memberKey(identity.id) !== undefined;
    return {
      identity,
      room: access.room,
      secret: this.secretStands ? access.secret : undefined,
      invite: isMember ? undefined : access.invite,
      resume: this.#resume,
      standing: view,
      clusterId: view.clusterId,
      epoch: view.epoch,
      clock,
    };
  }

  #onProven(peer: NodeId, proven: ProvenPeer): void {
    this.#proven.set(peer, proven);
    const fault = clockFault(proven);
    if (fault !== undefined) this.#events?.onFault(fault);
    this.#events?.onProven(peer, proven);
  }
}
