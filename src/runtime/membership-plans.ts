/** What a membership change means in the configuration it meets: planned on the leader, when its turn has come. */
import { RaftError } from '../core/errors.ts';
import type { ConfChange, ConfState, NodeId } from '../core/types.ts';
import type { Member } from './member.ts';
import { contextOf, decodeSettings, memberIds, suffrageOf } from './member-info.ts';
import type { ChangeRequest, JoinRequest } from './rpc.ts';

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

/** The next learner to promote, if there is one: caught up, linked, wanting to vote, and a vote is free. */
export function promotionPlan(member: Member, isLinked: (id: NodeId) => boolean): ConfChange | undefined {
  const { conf } = member;
  if (conf.learners.length === 0 || conf.votersOutgoing.length > 0) return undefined;
  if (conf.voters.length >= decodeSettings(conf.context).votersTarget) return undefined;
  const status = member.core.status();
  for (const id of conf.learners) {
    const progress = status.progress.find((candidate) => candidate.id === id);
    if (progress === undefined || contextOf(conf, id).wants !== 'voter' || !isLinked(id)) continue;
    if (progress.matchIndex + PROMOTION_LAG_ENTRIES < status.commitIndex || progress.matchIndex === 0 || !progress.recentActive)
      continue;
    return { transition: 'auto', steps: [{ op: 'voter', id, context: undefined }], context: undefined };
  }
  return undefined;
}
