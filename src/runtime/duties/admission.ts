/**
 * Who is taken in: what a membership change means in the configuration it meets, planned on the leader when its
 * turn has come; and joins (§4.2). Who votes is the autopilot's to decide.
 */
import { brokenChange } from '../../core/conf/conf-change.ts';
import { RaftError } from '../../core/errors.ts';
import type { ConfChange, ConfState, NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import { type ChangeRequest, decodeJoin, encodeIndex, encodeJoinReply, encodeQuorumReport } from '../../wire/bodies.ts';
import { memberIds, suffrageOf } from '../member/configuration.ts';
import { type CallResult, NO_BODY } from '../peers/peers.ts';
import { quorumReport } from '../standing/outlook.ts';
import { isAlive } from '../standing/quorum.ts';
import type { Reports } from '../standing/reports.ts';
import type { Speakers } from '../standing/speakers.ts';
import type { Standing } from '../standing/standing.ts';

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
  const steps = request.steps.filter((step) => !alreadySo(step.op, step.id, step.context, conf));
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
  readonly #wake: () => void;
  readonly #joins: JoinBatch;

  constructor(standing: Standing, speakers: Speakers, reports: Reports, joinEveryMs: number, wake: () => void) {
    this.#joins = new JoinBatch(standing, joinEveryMs, wake);
    this.#standing = standing;
    this.#reports = reports;
    this.#speakers = speakers;
    this.#wake = wake;
  }

  tick(): void {
    this.#joins.tick();
  }

  /** Brings a change through the leader, wherever it is. Errors: no-leader, and those of the queue. */
  change(request: ChangeRequest, body: Uint8Array, deadlineMs: number, done: (result: CallResult) => void): void {
    const { member, leaderId, peers, clock } = this.#standing;
    if (member?.isLeader === true) {
      member.changes.submit({
        plan: (conf) => {
          const change = planOf(request, conf, member.confVersion);
          if (change !== undefined) this.#requireQuorum(change, conf);
          return change;
        },
        deadlineMs,
        done: (index, error) => done({ body: error === undefined ? encodeIndex(index) : NO_BODY, error }),
      });
      return this.#wake();
    }
    if (leaderId === NO_NODE) return done({ body: NO_BODY, error: new RaftError('no-leader', 'No leader is known.') });
    peers.call(leaderId, 'membership', body, Math.max(1, deadlineMs - clock.monotonicMs()), done);
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
    if (request.nodeId !== peer && speaker !== 'member' && speaker !== 'voter')
      return reply(NO_BODY, new RaftError('rejected', 'A node asks to be taken in for itself only.'));
    const { nodeId: id, context } = request;
    const broken = brokenChange({ steps: [{ op: 'learner', id, context }], context: undefined });
    if (broken !== undefined || id === NO_NODE)
      return reply(NO_BODY, new RaftError('config-invalid', `The newcomer has ${broken ?? 'no node id'}.`));
    // Made when it is sent: by then the configuration may hold who asked.
    const welcome = (): Uint8Array => encodeJoinReply({ ...cluster, introduction: this.#speakers.own() });
    // Taken in before, and its storage lost the answer: any member can tell it so, also while nobody leads.
    if (suffrageOf(member.conf, request.nodeId) !== 'none') return reply(welcome());
    if (!member.isLeader) {
      if (leaderId === NO_NODE || leaderId === request.nodeId)
        return reply(this.#quorumReport(), new RaftError('no-leader', 'No leader is known.'));
      return peers.call(leaderId, 'join', body, CHANGE_TIMEOUT_MS, (result) => reply(result.body, result.error));
    }
    this.#joins.add(request, (error) => reply(error === undefined ? welcome() : this.#quorumReport(), error));
  }
}
