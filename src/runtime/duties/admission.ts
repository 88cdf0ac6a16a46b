/**
 * Who is taken in: what a membership change means in the configuration it meets, planned on the leader when its
 * turn has come; and joins (§4.2). Who votes is the autopilot's to decide.
 */
import { brokenChange } from '../../core/conf/conf-change.ts';
import { RaftError } from '../../core/errors.ts';
import type { ConfChange, ConfState, NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import { type Authorize, refusalOf } from '../../trust/authorize.ts';
import { trustError } from '../../trust/errors.ts';
import type { TrustCommand } from '../../trust/ledger.ts';
import {
  type ChangeRequest,
  decodeJoin,
  encodeIndex,
  encodeJoin,
  encodeJoinReply,
  encodeQuorumReport,
  type JoinRequest,
} from '../../wire/bodies.ts';
import { memberIds, suffrageOf } from '../member/configuration.ts';
import { type CallResult, NO_BODY } from '../peers/peers.ts';
import { quorumReport } from '../standing/outlook.ts';
import { isAlive } from '../standing/quorum.ts';
import type { Reports } from '../standing/reports.ts';
import type { Speakers } from '../standing/speakers.ts';
import type { Standing } from '../standing/standing.ts';
import type { Trust } from '../standing/trust.ts';
import { asRole, requireSecretOf, successorOf, vouchedFor, withOwnFacts } from './applicant.ts';
import type { ChangePace } from './change-pace.ts';
import { JoinBatch, MEMBERS_MAX } from './join-batch.ts';

export { MEMBERS_MAX };

/** A learner whose log is within so many entries of the leader's commit index has caught up (§4.2.1). */
export const PROMOTION_LAG_ENTRIES = 64;

/** Errors: membership-mismatch, config-invalid. */
export function planOf(request: ChangeRequest, conf: ConfState, version: number): ConfChange | undefined {
  const broken = brokenChange({ steps: request.steps, context: undefined });
  // What is taken back by its proposer in a log is none that anybody asks for.
  if (broken !== undefined || request.steps.some(({ id }) => id === NO_NODE))
    throw new RaftError('config-invalid', `The change has ${broken ?? 'a step without a node id'}.`);
  if (request.ifVersion !== 0 && request.ifVersion !== version) {
    throw new RaftError('membership-mismatch', `The configuration is version ${version}, not ${request.ifVersion}.`);
  }
  const asked = request.steps.filter((step) => !alreadySo(step.op, step.id, step.context, conf));
  const steps = asked.map((step) => withOwnFacts(step, conf));
  if (steps.length === 0) return undefined;
  const joins = steps.filter((step) => step.op !== 'remove' && suffrageOf(conf, step.id) === 'none').length;
  if (memberIds(conf).length + joins > MEMBERS_MAX)
    throw new RaftError('config-invalid', `A cluster has at most ${MEMBERS_MAX} members.`);
  return { transition: request.transition, steps, context: undefined };
}

function alreadySo(op: string, id: NodeId, context: Uint8Array | undefined, conf: ConfState): boolean {
  const suffrage = suffrageOf(conf, id);
  if (op === 'remove') return suffrage === 'none';
  return op !== 'update' && context === undefined && suffrage === op;
}

/** How long a membership change that came over a link may take, in ms. */
export const CHANGE_TIMEOUT_MS = 10_000;

export type ReplyTo = (body: Uint8Array, error?: RaftError) => void;

export class Admission {
  readonly #standing: Standing;
  readonly #speakers: Speakers;
  readonly #reports: Reports;
  readonly #trust: Trust;
  readonly #hooks: AdmissionHooks;
  readonly #joins: JoinBatch;

  constructor(standing: Standing, speakers: Speakers, reports: Reports, trust: Trust, pace: ChangePace, hooks: AdmissionHooks) {
    this.#joins = new JoinBatch(standing, trust, pace, () => hooks.wake());
    this.#standing = standing;
    this.#reports = reports;
    this.#speakers = speakers;
    this.#trust = trust;
    this.#hooks = hooks;
  }

  tick(): void {
    this.#joins.tick();
  }

  /**
   * Brings a change of a member through the leader, wherever it is; what it may is judged in the configuration that the change meets.
   * Errors: no-leader, not-authorized, member-revoked, and those of the queue.
   */
  change(by: NodeId, request: ChangeRequest, body: Uint8Array, deadlineMs: number, done: (result: CallResult) => void): void {
    const { member, leaderId, peers, clock } = this.#standing;
    if (member?.isLeader === true) {
      member.changes.submit({
        plan: (conf) => {
          const change = planOf(request, conf, member.confVersion);
          if (change === undefined) return undefined;
          this.#requireRight(by, change);
          this.#requireQuorum(change, conf);
          return change;
        },
        deadlineMs,
        done: (index, error) => done({ body: error === undefined ? encodeIndex(index) : NO_BODY, error }),
      });
      return this.#hooks.wake();
    }
    if (leaderId === NO_NODE) return done({ body: NO_BODY, error: new RaftError('no-leader', 'No leader is known.') });
    peers.call(leaderId, 'membership', body, Math.max(1, deadlineMs - clock.monotonicMs()), done);
  }

  /** Errors: not-authorized, member-revoked. */
  #requireRight(by: NodeId, change: ConfChange): void {
    const own = this.#trust.roleOf(by);
    // Where everybody may come in as a voter, being a learner takes no right away: who was demoted may promote itself again.
    const role = own === 'learner' && this.#trust.access !== 'secret' ? 'voter' : own;
    const refused =
      role === undefined ? undefined : refusalOf(this.#hooks.authorize, { id: by, role }, { kind: 'change', change });
    if (refused !== undefined) throw refused;
    if (change.steps.some(({ op, id }) => op !== 'remove' && this.#trust.isRevoked(id))) throw trustError('member-revoked');
  }

  /** Nobody takes away, by hand, the majority that is heard: the cluster could not even take it back. Errors: config-invalid. */
  #requireQuorum(change: ConfChange, conf: ConfState): void {
    const after = new Set(conf.voters);
    for (const { op, id } of change.steps) {
      if (op === 'voter' || op === 'witness') after.add(id);
      else if (op !== 'update') after.delete(id);
    }
    const heard = [...after].filter((id) => isAlive(this.#standing, id)).length;
    if (after.size === 0 || heard > after.size / 2) return;
    const text = `Of the ${after.size} voters after this change ${heard} can be heard; a majority must be.`;
    throw new RaftError('config-invalid', text);
  }

  /** What a newcomer's user wants to know when nobody can take it in; nothing while a majority is heard. */
  #quorumReport(): Uint8Array {
    const report = quorumReport(this.#standing, this.#reports);
    return report === undefined ? NO_BODY : encodeQuorumReport(report);
  }

  /**
   * A newcomer asks to be taken in, through this node or through a member that it asked. Nobody asks for somebody else.
   * Errors: not-a-member, no-leader, message-invalid, and those of the queue.
   */
  onJoin(peer: NodeId, body: Uint8Array, reply: ReplyTo): void {
    const { member, cluster, leaderId, peers } = this.#standing;
    if (member === undefined || cluster === undefined)
      return reply(NO_BODY, new RaftError('not-a-member', 'This node belongs to no cluster.'));
    const request = decodeJoin(body);
    const speaker = this.#speakers.speaker(peer);
    const speaksFor = (speaker === 'member' || speaker === 'voter') && this.#trust.roleOf(peer) !== 'reader';
    if (request.nodeId !== peer && !speaksFor)
      return reply(NO_BODY, new RaftError('rejected', 'A node asks to be taken in for itself only.'));
    const { nodeId: id, context } = request;
    const broken = brokenChange({ steps: [{ op: 'learner', id, context }], context: undefined });
    if (broken !== undefined || id === NO_NODE)
      return reply(NO_BODY, new RaftError('config-invalid', `The newcomer has ${broken ?? 'no node id'}.`));
    // Made when it is sent: by then the configuration may hold who asked.
    const welcome = (): Uint8Array => encodeJoinReply({ ...cluster, introduction: this.#speakers.own() });
    // Taken in before, and its storage lost the answer: any member can tell it so, also while nobody leads.
    if (suffrageOf(member.conf, request.nodeId) !== 'none') return reply(welcome());
    // Of the newcomer itself its link's proof is asked; of a member that asks for it, its word counts.
    const vouched = request.nodeId === peer ? this.#vouchedFor(request) : request;
    if (RaftError.is(vouched)) return reply(NO_BODY, vouched);
    if (!member.isLeader) {
      if (leaderId === NO_NODE || leaderId === request.nodeId)
        return reply(this.#quorumReport(), new RaftError('no-leader', 'No leader is known.'));
      const forwarded = encodeJoin(vouched);
      return peers.call(leaderId, 'join', forwarded, CHANGE_TIMEOUT_MS, (result) => reply(result.body, result.error));
    }
    this.#counted(vouched, (granted, refused) => {
      if (granted === undefined) return reply(this.#quorumReport(), refused);
      const take = (one: JoinRequest): void =>
        this.#joins.add(one, (error) => reply(error === undefined ? welcome() : this.#quorumReport(), error));
      const successor = successorOf(granted, this.#trust);
      if (successor instanceof Promise) void successor.then(take);
      else take(successor);
    });
  }

  #vouchedFor(request: JoinRequest): JoinRequest | RaftError {
    try {
      return vouchedFor(request, this.#trust);
    } catch (error) {
      // By what it was let in may have ended meanwhile: its link is proven anew, by what it has now.
      if (RaftError.is(error, 'not-admitted')) this.#hooks.disconnect(request.nodeId, 'not-admitted');
      return RaftError.is(error) ? error : new RaftError('message-invalid', String(error));
    }
  }

  /** An invite is counted in the log before its bearer is taken in: the role that it comes in as is then the ledger's. */
  #counted(request: JoinRequest, then: (granted: JoinRequest | undefined, refused: RaftError | undefined) => void): void {
    const { inviteId = '', nodeId } = request;
    requireSecretOf(request, this.#trust);
    if (inviteId === '') return then(request, undefined);
    this.#hooks.decide({ kind: 'use', inviteId, node: nodeId }, (error) => {
      if (error !== undefined) return then(undefined, error);
      const role = this.#trust.invite(inviteId)?.role;
      if (role === undefined) return then(undefined, trustError('invite-invalid'));
      then(asRole(request, role), undefined);
    });
  }
}

/** What taking somebody in has to do with the rest of the node. */
export interface AdmissionHooks {
  readonly authorize: Authorize | undefined;
  wake(): void;
  /** Writes a decision of this node's into the log; told once, when it is applied here or has failed. */
  decide(command: TrustCommand, done: (error: RaftError | undefined) => void): void;
  disconnect(peer: NodeId, reason: string): void;
}
