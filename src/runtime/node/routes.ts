/** Where what the inbox has taken goes: one handler for each kind of message and each method of a call. */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { decodeChange, decodeId, decodeProposal } from '../../wire/bodies.ts';
import type { Call, CallMethod, PeerMessage } from '../../wire/peer-message.ts';
import type { Emitter } from '../api/emitter.ts';
import type { Admission, ReplyTo } from '../duties/admission.ts';
import { CHANGE_TIMEOUT_MS } from '../duties/admission.ts';
import type { Autopilot } from '../duties/autopilot.ts';
import type { Handover } from '../duties/handover.ts';
import type { Hosting } from '../duties/hosting.ts';
import type { RoomSecret } from '../duties/room-secret.ts';
import { isOfLaterEpoch } from '../peers/acquaintance.ts';
import { NO_BODY, type Peer, type PeerHooks } from '../peers/peers.ts';
import type { Reports } from '../standing/reports.ts';
import type { Speakers } from '../standing/speakers.ts';
import type { Standing } from '../standing/standing.ts';
import type { PresenceBoard } from '../watch/presence.ts';
import type { Traces } from '../watch/traces.ts';
import type { Waiters } from '../watch/waiters.ts';
import type { ConsensusSide } from './consensus.ts';

/** How long a transfer that came over a link is tried, in ms. */
const TRANSFER_TIMEOUT_MS = 5_000;
/** A peer that speaks as a member and is none is told so at most this often, in ms. */
const TOLD_REMOVED_EVERY_MS = 1_000;
/** Peers that are remembered as told; the oldest are forgotten. */
const TOLD_REMEMBERED_MAX = 256;

/** Refusals of unknown peers that are remembered; more are dropped. */
const REFUSALS_REMEMBERED_MAX = 64;

export interface RouteParts {
  readonly standing: Standing;
  readonly speakers: Speakers;
  readonly emitter: Emitter;
  readonly waiters: Waiters;
  readonly traces: Traces;
  readonly presence: PresenceBoard;
  readonly reports: Reports;
  readonly consensus: ConsensusSide;
  readonly admission: Admission;
  readonly secret: RoomSecret;
  /** A question about digests. */
  readonly digest: (peer: NodeId, question: Uint8Array) => Promise<Uint8Array>;
  readonly hosting: Hosting;
  readonly handover: Handover;
  readonly autopilot: Autopilot;
  readonly onPeer: (peer: Peer) => void;
  readonly onRoleChange: () => void;
  readonly end: (error: RaftError) => void;
}

type Handler = (peer: NodeId, body: Uint8Array, reply: ReplyTo) => void;

export class Routes {
  readonly #parts: RouteParts;
  readonly #methods: { readonly [M in CallMethod]: Handler };
  readonly #told = new Map<NodeId, number>();
  /** Of peers that this node does not know. */
  readonly #refusals = new Map<NodeId, RaftError>();

  constructor(parts: RouteParts) {
    this.#parts = parts;
    const { standing, admission, secret, hosting, digest, reports, consensus } = parts;
    this.#methods = {
      join: (peer, body, reply) => admission.onJoin(peer, body, reply),
      propose: (peer, body, reply) =>
        this.#onLeader(reply, () => consensus.proposeHere(peer, decodeProposal(body), (error) => reply(NO_BODY, error))),
      membership: (peer, body, reply) =>
        this.#onLeader(reply, () => {
          const deadlineMs = standing.clock.monotonicMs() + CHANGE_TIMEOUT_MS;
          admission.change(peer, decodeChange(body), body, deadlineMs, (result) => reply(result.body, result.error));
        }),
      status: (peer, body, reply) => {
        const answer = reports.onCall(peer, body);
        reply(answer, reports.lossOf(peer));
      },
      transfer: (_peer, body, reply) =>
        this.#onLeader(reply, () => {
          parts.handover.transfer(decodeId(body), TRANSFER_TIMEOUT_MS);
          reply(NO_BODY);
        }),
      digest: (peer, body, reply) => {
        digest(peer, body).then(
          (answer) => reply(answer),
          (error: unknown) => reply(NO_BODY, codedError(error)),
        );
      },
      secret: (peer, body, reply) => secret.onCall(peer, body, reply),
      client: (peer, body, reply) => hosting.onCall(peer, body, reply),
      relay: (_peer, body, reply) => this.#onLeader(reply, () => hosting.onRelay(body, reply)),
    };
  }

  hooks(): Omit<PeerHooks, 'hello' | 'judge' | 'view'> {
    const { standing, waiters, traces, presence, emitter, handover, autopilot, speakers, onPeer } = this.#parts;
    return {
      onPeer,
      onNotMember: (peer, message) => this.#onNotMember(peer, message),
      onRaft: (message) => standing.member?.step(message),
      onCall: (peer, call, reply) => this.#onCall(peer, call, reply),
      onSnapshotOffer: (peer, offer) => standing.member?.onSnapshotMessage(peer, offer),
      onSnapshotChunk: (peer, chunk) => standing.member?.onSnapshotMessage(peer, chunk),
      onSnapshotAck: (peer, ack) => standing.member?.onSnapshotMessage(peer, ack),
      onPresence: (peer, shown) => presence.onPresence(peer, shown),
      onGoodbye: (peer) => {
        presence.onGoodbye(peer);
        autopilot.onGoodbye(peer);
        if (speakers.speaker(peer) === 'voter') handover.onGoodbye(peer);
        waiters.ask();
      },
      onRefused: (peer, error) => this.#onRefused(peer, error),
      onTrace: (direction, peer, message) => traces.onTrace(standing.clock.wallMs(), direction, peer, message),
      onUnsendable: (error) => emitter.emit('fault', { error }),
    };
  }

  /** A member that is removed hears no more of the log: it is told. */
  tellRemoved(ids: readonly NodeId[]): void {
    const refusal = { kind: 'refusal', reason: 'removed', message: 'This node was removed from the cluster.' } as const;
    for (const id of ids) this.#parts.standing.peers.send(id, refusal, 'urgent');
  }

  /** Its link may have been down when it was told that it is out: the leader says so again. */
  #onNotMember(peer: NodeId, message: PeerMessage): void {
    const { standing, speakers } = this.#parts;
    if (message.kind !== 'raft' || standing.member?.isLeader !== true || speakers.speaker(peer) !== 'newcomer') return;
    const now = standing.clock.monotonicMs();
    if (now - (this.#told.get(peer) ?? Number.NEGATIVE_INFINITY) < TOLD_REMOVED_EVERY_MS) return;
    this.#told.delete(peer);
    this.#told.set(peer, now);
    const oldest = this.#told.size > TOLD_REMEMBERED_MAX ? this.#told.keys().next().value : undefined;
    if (oldest !== undefined) this.#told.delete(oldest);
    this.tellRemoved([peer]);
  }

  #onCall(peer: NodeId, call: Call, reply: ReplyTo): void {
    try {
      this.#methods[call.method](peer, call.body, reply);
    } catch (error) {
      reply(NO_BODY, codedError(error));
    }
  }

  #onLeader(reply: ReplyTo, act: () => void): void {
    const { standing, consensus } = this.#parts;
    if (standing.member?.isLeader !== true) return reply(NO_BODY, consensus.notLeader());
    act();
    consensus.wake();
  }

  #remember(peer: NodeId, error: RaftError): void {
    if (this.#refusals.size < REFUSALS_REMEMBERED_MAX) this.#refusals.set(peer, error);
  }

  /** Another configuration is in force: who refused this node may be known by now. */
  onConfig(): void {
    for (const [peer, error] of [...this.#refusals]) {
      if (!this.#parts.speakers.knows(peer)) continue;
      this.#refusals.delete(peer);
      this.#onRefused(peer, error);
    }
  }

  /** Only whoever this node knows as a member may refuse it; a newcomer hears why it is not taken in. */
  #onRefused(peer: NodeId, error: RaftError): void {
    const { standing, speakers, emitter, onRoleChange, end } = this.#parts;
    const { member, cluster } = standing;
    if (member === undefined) {
      if (standing.state.kind === 'seeking' && error.code !== 'removed') emitter.emit('fault', { error });
      return;
    }
    if (error.code === 'removed') {
      // Only the leader's word counts; should this node be added again, the log will say so.
      if (member.soft.leader === peer) member.onToldRemoved();
      return onRoleChange();
    }
    // A node that has just started knows its configuration only when its log is applied: it is judged again then.
    if (!speakers.knows(peer)) return this.#remember(peer, error);
    emitter.emit('fault', { error });
    // An older epoch is over for good; going on would be a second history.
    if (error.code === 'epoch-mismatch' && isOfLaterEpoch(standing.peers.get(peer)?.hello, cluster)) end(error);
  }
}

function codedError(error: unknown): RaftError {
  return RaftError.is(error) ? error : new RaftError('message-invalid', String(error));
}
