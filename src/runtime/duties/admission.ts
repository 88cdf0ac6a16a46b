/** What a membership change means in the configuration it meets: planned on the leader, when its turn has come. */
import { RaftError } from '../../core/errors.ts';
import type { ConfChange, ConfChangeStep, ConfState, NodeId } from '../../core/types.ts';
import { contextOf, decodeSettings, memberIds, suffrageOf } from '../member/configuration.ts';
import type { Member } from '../member/member.ts';
import type { ChangeRequest, JoinRequest } from '../peers/call-bodies.ts';

/** A learner whose log is within so many entries of the leader's commit index has caught up (§4.2.1). */
export const PROMOTION_LAG_ENTRIES = 64;
/** Members of one cluster, learners included: more would burden every leader. */
export const MEMBERS_MAX = 64;

/** Errors: membership-mismatch, config-invalid. */
export function planOf(request: ChangeRequest, conf: ConfState, version: number): ConfChange | undefined {
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

/** A node that asks to be taken in comes as a learner; one that is a member already is only told so. */
export function joinPlan(request: JoinRequest, conf: ConfState): ConfChange | undefined {
  if (suffrageOf(conf, request.nodeId) !== 'none') return undefined;
  return planOf(
    { steps: [{ op: 'learner', id: request.nodeId, context: request.context }], transition: 'auto', ifVersion: 0 },
    conf,
    0,
  );
}

/**
 * The next learner to promote, if there is one: caught up, linked, wanting to vote, and a vote is free. One that comes
 * in the place of a voter whose storage is lost takes its vote in the same joint change (§4.3).
 */
export function promotionPlan(member: Member, isHeard: (id: NodeId) => boolean): ConfChange | undefined {
  const { conf } = member;
  if (conf.learners.length === 0 || conf.votersOutgoing.length > 0) return undefined;
  const room = decodeSettings(conf.context).votersTarget - conf.voters.length;
  const { progress, commitIndex } = member.core.status();
  for (const { id, matchIndex, recentActive } of progress) {
    if (!conf.learners.includes(id) || !isHeard(id) || !recentActive) continue;
    if (matchIndex === 0 || matchIndex + PROMOTION_LAG_ENTRIES < commitIndex) continue;
    const { wants, replaces } = contextOf(conf, id);
    const gone = conf.voters.includes(replaces) ? replaces : undefined;
    // Whoever is still heard has not lost its storage: its vote is not given away.
    if (gone !== undefined && isHeard(gone)) continue;
    if (wants !== 'voter' || (room <= 0 && gone === undefined)) continue;
    return { transition: 'auto', steps: promotion(id, gone), context: undefined };
  }
  return undefined;
}

function promotion(id: NodeId, gone: NodeId | undefined): readonly ConfChangeStep[] {
  const step: ConfChangeStep = { op: 'voter', id, context: undefined };
  return gone === undefined ? [step] : [step, { op: 'remove', id: gone, context: undefined }];
}
