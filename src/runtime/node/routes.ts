/**
 * Where other nodes' calls arrive and this node's leave: proposals, membership, joins, status, transfers; and
 * the line between signaling, transport and the rest.
 */
import { RaftError } from '../../core/errors.ts';
import type { Message, NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { TransportHandlers } from '../../transport/transport.ts';
import type { Call, Hello } from '../../wire/peer-message.ts';
import { isTermWithinReach } from '../../wire/validate.ts';
import { FORWARD_TIMEOUT_MS } from '../client/writes.ts';
import { joinPlan, planOf, promotionPlan } from '../duties/admission.ts';
import { SpaceWatch } from '../duties/free-space.ts';
import { onGoodbye } from '../duties/handover.ts';
import { suffrageOf } from '../member/configuration.ts';
import {
  type ChangeRequest,
  decodeChange,
  decodeId,
  decodeJoin,
  decodeProposal,
  decodeReport,
  encodeIndex,
  encodeJoinReply,
  encodeProposal,
  encodeReport,
  type PeerReport,
} from '../peers/call-bodies.ts';
import { type CallResult, NO_BODY, type PeerHooks } from '../peers/peers.ts';
import { isAlive } from '../watch/status.ts';
import type { Engine } from './runtime.ts';

/** How often linked nodes tell each other how they stand, in ms: for panels, never for safety. */
const REPORT_EVERY_MS = 1_000;
/** How long a transfer that came over a link is tried, in ms. */
const TRANSFER_TIMEOUT_MS = 5_000;
/** How long a membership change that came over a link may take, in ms. */
const CHANGE_TIMEOUT_MS = 10_000;

export interface PeerView {
  readonly report: PeerReport;
  readonly rttMs: number;
}

type ReplyTo = (body: Uint8Array, error?: RaftError) => void;

export class CallDesk {
  private readonly engine: Engine;
  /** What each peer last said of itself. */
  readonly reports: Map<NodeId, PeerView> = new Map();
  private reportedMs = 0;
  private promoting = false;
  private transferring: { readonly target: NodeId; readonly untilMs: number } | undefined;
  readonly space: SpaceWatch;

  constructor(engine: Engine) {
    this.engine = engine;
    this.space = new SpaceWatch(engine);
  }

  // ---- proposals

  proposeHere(data: readonly Uint8Array[], done: (error: RaftError | undefined) => void): void {
    const member = this.engine.member;
    if (member === undefined) return done(new RaftError('not-leader', 'This node belongs to no cluster.'));
    const full = this.space.refusal();
    if (full !== undefined) return done(full);
    member.core.setTime(this.engine.options.clock.wallMs());
    const outcome = member.core.propose(data);
    if (outcome.ok) return done(undefined);
    done(
      new RaftError(outcome.reason, 'The leader refused the proposal.', {
        leaderHint: this.hint(),
        retryAfterMs: outcome.reason === 'busy' ? 50 : undefined,
      }),
    );
  }

  proposeThere(leaderId: NodeId, data: readonly Uint8Array[], done: (error: RaftError | undefined) => void): void {
    this.engine.peers.call(leaderId, 'propose', encodeProposal(data), FORWARD_TIMEOUT_MS, (result) => {
      done(result.error);
      if (result.error !== undefined) this.engine.wake();
    });
  }

  // ---- membership

  /** Brings a change through the leader, wherever it is. Errors: no-leader, and those of the queue. */
  change(request: ChangeRequest, body: Uint8Array, deadlineMs: number, done: (result: CallResult) => void): void {
    const { engine } = this;
    const member = engine.member;
    if (member?.isLeader === true) {
      member.changes.submit({
        plan: (conf) => planOf(request, conf, member.confVersion),
        deadlineMs,
        done: (index, error) => done({ body: error === undefined ? encodeIndex(index) : NO_BODY, error }),
      });
      return engine.wake();
    }
    const leaderId = engine.leaderId;
    if (leaderId === NO_NODE) return done({ body: NO_BODY, error: new RaftError('no-leader', 'No leader is known.') });
    const timeoutMs = Math.max(1, deadlineMs - engine.options.clock.monotonicMs());
    engine.peers.call(leaderId, 'membership', body, timeoutMs, done);
  }

  private onJoin(call: Call, reply: ReplyTo): void {
    const { engine } = this;
    const { member, cluster } = engine;
    if (member === undefined || cluster === undefined)
      return reply(NO_BODY, new RaftError('not-a-member', 'This node belongs to no cluster.'));
    const request = decodeJoin(call.body);
    const welcome = encodeJoinReply(cluster);
    // Taken in before, and its storage lost the answer: any member can tell it so, also while nobody leads.
    if (suffrageOf(member.conf, request.nodeId) !== 'none') return reply(welcome);
    if (!member.isLeader) {
      const leaderId = engine.leaderId;
      if (leaderId === NO_NODE || leaderId === request.nodeId)
        return reply(NO_BODY, new RaftError('no-leader', 'No leader is known.'));
      return engine.peers.call(leaderId, 'join', call.body, CHANGE_TIMEOUT_MS, (result) => reply(result.body, result.error));
    }
    member.changes.submit({
      plan: (conf) => joinPlan(request, conf),
      deadlineMs: engine.options.clock.monotonicMs() + CHANGE_TIMEOUT_MS,
      done: (_index, error) => reply(error === undefined ? welcome : NO_BODY, error),
    });
    engine.wake();
  }

  /** The leader makes voters of learners that have caught up and want to vote. */
  private promote(): void {
    const member = this.engine.member;
    if (member?.isLeader !== true) return;
    const plan = this.promoting ? undefined : promotionPlan(member, (id) => isAlive(this.engine, id));
    const learner = plan?.steps[0]?.id;
    if (plan === undefined || learner === undefined) return;
    this.promoting = true;
    member.changes.submit({
      plan: (conf) => (suffrageOf(conf, learner) === 'learner' ? plan : undefined),
      deadlineMs: this.engine.options.clock.monotonicMs() + CHANGE_TIMEOUT_MS,
      done: () => {
        this.promoting = false;
      },
    });
  }

  // ---- calls from peers

  private onCall(peer: NodeId, call: Call, reply: ReplyTo): void {
    try {
      this.route(peer, call, reply);
    } catch (error) {
      reply(NO_BODY, RaftError.is(error) ? error : new RaftError('message-invalid', String(error)));
    }
  }

  private route(peer: NodeId, call: Call, reply: ReplyTo): void {
    const { engine } = this;
    if (call.method === 'join') return this.onJoin(call, reply);
    if (!engine.peers.isLinked(peer))
      return reply(NO_BODY, new RaftError('not-a-member', 'The caller belongs to no cluster of this node.'));
    switch (call.method) {
      case 'propose':
        if (engine.member?.isLeader !== true) return reply(NO_BODY, this.notLeader());
        this.proposeHere(decodeProposal(call.body), (error) => reply(NO_BODY, error));
        return engine.wake();
      case 'membership':
        if (engine.member?.isLeader !== true) return reply(NO_BODY, this.notLeader());
        return this.change(
          decodeChange(call.body),
          call.body,
          engine.options.clock.monotonicMs() + CHANGE_TIMEOUT_MS,
          ({ body, error }) => reply(body, error),
        );
      case 'status':
        this.noteReport(peer, decodeReport(call.body), undefined);
        return reply(encodeReport(this.ownReport()));
      case 'transfer':
        return this.onTransfer(decodeId(call.body), reply);
      case 'digest':
        return engine.watch.digests.onCall(peer, call.body, reply);
      default:
        return reply(NO_BODY, new RaftError('message-invalid', `There is no call named ${call.method}.`));
    }
  }

  private onTransfer(target: NodeId, reply: ReplyTo): void {
    if (this.engine.member?.isLeader !== true) return reply(NO_BODY, this.notLeader());
    this.transfer(target, TRANSFER_TIMEOUT_MS);
    reply(NO_BODY);
  }

  /** On the leader: hands leadership over, and again when the target could not take it yet (it lags, or has a change to apply). */
  transfer(target: NodeId, timeoutMs: number): void {
    this.transferring = { target, untilMs: this.engine.options.clock.monotonicMs() + timeoutMs };
    this.pursueTransfer();
  }

  private pursueTransfer(): void {
    const { member } = this.engine;
    if (this.transferring === undefined) return;
    const { target, untilMs } = this.transferring;
    if (member?.isLeader !== true || this.engine.options.clock.monotonicMs() > untilMs) {
      this.transferring = undefined;
    } else if (member.core.status().transferee === NO_NODE) {
      member.core.transferLeader(target);
      this.engine.wake();
    }
  }

  private notLeader(): RaftError {
    return new RaftError('not-leader', 'This node does not lead.', { leaderHint: this.hint() });
  }

  private hint(): NodeId | undefined {
    return this.engine.leaderId === NO_NODE ? undefined : this.engine.leaderId;
  }

  // ---- what nodes tell each other of themselves

  tick(): void {
    const now = this.engine.options.clock.monotonicMs();
    this.promote();
    this.pursueTransfer();
    this.space.tick();
    if (now - this.reportedMs < REPORT_EVERY_MS) return;
    this.reportedMs = now;
    const body = encodeReport(this.ownReport());
    for (const peer of this.engine.peers.all()) {
      if (!peer.trusted) continue;
      this.engine.peers.call(peer.id, 'status', body, REPORT_EVERY_MS * 3, (result) => {
        if (result.error !== undefined) return;
        this.noteReport(peer.id, decodeReport(result.body), this.engine.options.clock.monotonicMs() - now);
      });
    }
  }

  private noteReport(peer: NodeId, report: PeerReport, rttMs: number | undefined): void {
    this.reports.set(peer, { report, rttMs: rttMs ?? this.reports.get(peer)?.rttMs ?? 0 });
    this.engine.watch.onReport(peer);
  }

  private ownReport(): PeerReport {
    const { member, leaderId, term } = this.engine;
    const role = this.engine.currentRole();
    const shortOfSpace = this.space.isShort;
    if (member === undefined) return { role, term, commit: 0, applied: 0, last: 0, leaderId, shortOfSpace };
    return {
      role,
      term,
      commit: member.hard.commit,
      applied: member.appliedIndex,
      last: member.view.lastIndex(),
      leaderId,
      shortOfSpace,
    };
  }

  // ---- links

  peerHooks(): PeerHooks {
    const { engine } = this;
    return {
      hello: () => engine.hello(),
      judge: (hello) => this.judge(hello),
      onPeer: (peer) => {
        if (peer.link === 'closed') {
          this.reports.delete(peer.id);
          engine.member?.linkClosed(peer.id);
        }
        engine.watch.onPeer(peer.id);
        engine.wake();
      },
      onRaft: (message) => this.onRaft(message),
      onCall: (peer, call, reply) => this.onCall(peer, call, reply),
      onSnapshotOffer: (peer, offer) => engine.member?.onSnapshotMessage(peer, offer),
      onSnapshotChunk: (peer, chunk) => engine.member?.onSnapshotMessage(peer, chunk),
      onSnapshotAck: (peer, ack) => engine.member?.onSnapshotMessage(peer, ack),
      onGoodbye: (peer, goodbye) => onGoodbye(engine, peer, goodbye),
      onRefused: (peer, error) => this.onRefused(peer, error),
      onTrace: (direction, peer, message) => engine.watch.onTrace(direction, peer, message),
    };
  }

  private onRaft(message: Message): void {
    const { member, term } = this.engine;
    // A term that no honest cluster reached would, once stepped, leave no terms to elect in. A newcomer knows none to compare with.
    if (member !== undefined && (term === 0 || isTermWithinReach(message, term))) member.step(message);
  }

  /** Why a peer does not belong here. A node without a cluster fits everywhere: it wants to join. */
  private judge(hello: Hello): RaftError | undefined {
    const own = this.engine.cluster;
    if (own === undefined || hello.clusterId === '') return undefined;
    if (hello.clusterId !== own.clusterId)
      return new RaftError('cluster-mismatch', `${hello.nodeId} belongs to another cluster than this node.`);
    if (hello.epoch < own.epoch)
      return new RaftError(
        'epoch-mismatch',
        `The cluster was recovered into epoch ${own.epoch}; ${hello.nodeId} is of epoch ${hello.epoch}.`,
      );
    // A newer epoch than ours: the peer refuses us, and says so.
    return hello.epoch > own.epoch
      ? new RaftError('epoch-mismatch', `This node is of epoch ${own.epoch}, ${hello.nodeId} of ${hello.epoch}.`)
      : undefined;
  }

  /** A member that is removed hears no more of the log: it is told. */
  tellRemoved(ids: readonly NodeId[]): void {
    const refusal = { kind: 'refusal', code: 'removed', message: 'This node was removed from the cluster.' } as const;
    for (const id of ids) this.engine.peers.send(id, refusal, 'urgent');
  }

  private onRefused(peer: NodeId, error: RaftError): void {
    const { member } = this.engine;
    if (error.code === 'removed' && member !== undefined) {
      // Only the leader's word counts; should this node be added again, the log will say so.
      if (member.soft.leader === peer) member.removed = true;
      return this.engine.updateRole();
    }
    this.engine.emitter.emit('fault', { error });
    // An older epoch is over for good; going on would be a second history.
    if (error.code === 'epoch-mismatch' && error.message.startsWith('The cluster was recovered')) this.engine.end(error);
  }

  transportHandlers(): TransportHandlers {
    const { engine } = this;
    return {
      onMessage: (peer, bytes) => engine.peers.onMessage(peer, bytes),
      onLink: (peer, state) => engine.peers.onLink(peer, state),
      onFault: (error) => engine.emitter.emit('fault', { error }),
    };
  }
}
