/** From one configuration to the next (§4.1, §4.3): pure, and the same on every member. */
import {
  CLUSTER_CONTEXT_BYTES_MAX,
  CONTEXTS_BYTES_MAX,
  MEMBER_CONTEXT_BYTES_MAX,
  MEMBERS_MAX,
  NODE_ID_CHARS_MAX,
} from '../limits.ts';
import type { ConfChange, ConfChangeStep, ConfState, MemberContext, NodeId } from '../types.ts';
import { brokenChange, isJoint, leavesByItself, wayOf } from './conf-change.ts';
import { isNodeId } from './node-id.ts';

export interface Changed {
  readonly conf: ConfState;
  /** Members that were not there before, or were removed and added again: nothing is known of their logs. */
  readonly added: readonly NodeId[];
}

/** The change, or in a sentence why it cannot be made. */
export type ChangeResult = Changed | { readonly refused: string };

/** The configuration while it is being changed. */
class Draft {
  readonly voters: Set<NodeId>;
  readonly outgoing: Set<NodeId>;
  readonly learners: Set<NodeId>;
  readonly learnersNext: Set<NodeId>;
  readonly witnesses: Set<NodeId>;
  readonly members: Map<NodeId, Uint8Array>;
  /** Everyone whose log the leader follows. */
  readonly tracked: Set<NodeId>;
  readonly added = new Set<NodeId>();

  constructor(conf: ConfState) {
    this.voters = new Set(conf.voters);
    this.outgoing = new Set(conf.votersOutgoing);
    this.learners = new Set(conf.learners);
    this.learnersNext = new Set(conf.learnersNext);
    this.witnesses = new Set(conf.witnesses);
    this.members = new Map(conf.members.map((member) => [member.id, member.context]));
    this.tracked = new Set([...this.voters, ...this.outgoing, ...this.learners]);
  }

  track(id: NodeId): void {
    if (this.tracked.has(id)) return;
    this.tracked.add(id);
    this.added.add(id);
  }

  finish(context: Uint8Array, autoLeave: boolean): Changed {
    const members: MemberContext[] = [];
    for (const id of [...this.members.keys()].sort()) {
      const kept = this.members.get(id);
      if (kept !== undefined && this.tracked.has(id)) members.push({ id, context: kept });
    }
    const conf: ConfState = {
      voters: [...this.voters].sort(),
      votersOutgoing: [...this.outgoing].sort(),
      learners: [...this.learners].sort(),
      learnersNext: [...this.learnersNext].sort(),
      witnesses: [...this.witnesses].filter((id) => this.voters.has(id) || this.outgoing.has(id)).sort(),
      autoLeave,
      members,
      context,
    };
    return { conf, added: [...this.added].filter((id) => this.tracked.has(id)) };
  }
}

/**
 * What could be written into the log and not be read again, or not be sent: the same rule where a change is proposed, where
 * it is applied, and where it is decoded.
 */
function malformed(draft: Draft, { id, context }: ConfChangeStep): string | undefined {
  // Who is there already can always be removed.
  if (!draft.tracked.has(id) && !isNodeId(id))
    return `an id is not 1 to ${NODE_ID_CHARS_MAX} characters, none of them a control character`;
  if (context !== undefined && context.length > MEMBER_CONTEXT_BYTES_MAX) {
    return `the context of ${id} has more than ${MEMBER_CONTEXT_BYTES_MAX} bytes`;
  }
  return undefined;
}

/** Only what this change brings is judged: whatever is there already, the next change must be possible. */
function oversized({ context, steps }: ConfChange, draft: Draft): string | undefined {
  if (context !== undefined && context.length > CLUSTER_CONTEXT_BYTES_MAX) {
    return `the context has more than ${CLUSTER_CONTEXT_BYTES_MAX} bytes`;
  }
  if (steps.every((step) => step.context === undefined)) return undefined;
  let bytes = 0;
  for (const [id, kept] of draft.members) if (draft.tracked.has(id)) bytes += kept.length;
  return bytes > CONTEXTS_BYTES_MAX ? `the contexts of the members have more than ${CONTEXTS_BYTES_MAX} bytes` : undefined;
}

/** Applies a change the way it asks for. */
export function applyChange(conf: ConfState, change: ConfChange): ChangeResult {
  const broken = brokenChange(change);
  if (broken !== undefined) return { refused: broken };
  const way = wayOf(change);
  if (way === 'leave-joint') return leaveJoint(conf);
  if (way === 'enter-joint') return enterJoint(conf, change, leavesByItself(change));
  return changeSimply(conf, change);
}

/** At most one voter more or less: any majority before shares a member with any majority after. */
export function changeSimply(conf: ConfState, change: ConfChange): ChangeResult {
  if (isJoint(conf)) return { refused: "can't apply simple config change in joint config" };
  const draft = new Draft(conf);
  const refused = takeSteps(draft, change);
  if (refused !== undefined) return { refused };
  if (differences(new Set(conf.voters), draft.voters) > 1) {
    return { refused: 'more than one voter changed without entering joint config' };
  }
  return draft.finish(change.context ?? conf.context, false);
}

/** Any number of voters: until it is left, both the old and the new majority decide. */
export function enterJoint(conf: ConfState, change: ConfChange, autoLeave: boolean): ChangeResult {
  if (isJoint(conf)) return { refused: 'config is already joint' };
  if (conf.voters.length === 0) return { refused: "can't make a zero-voter config joint" };
  const draft = new Draft(conf);
  for (const id of conf.voters) draft.outgoing.add(id);
  const refused = takeSteps(draft, change);
  return refused === undefined ? draft.finish(change.context ?? conf.context, autoLeave) : { refused };
}

/** The old half goes, and with it those that are in no part of the new one. */
export function leaveJoint(conf: ConfState): ChangeResult {
  if (!isJoint(conf)) return { refused: "can't leave a non-joint config" };
  const draft = new Draft(conf);
  for (const id of draft.learnersNext) draft.learners.add(id);
  draft.learnersNext.clear();
  for (const id of draft.outgoing) {
    if (!draft.voters.has(id) && !draft.learners.has(id)) draft.tracked.delete(id);
  }
  draft.outgoing.clear();
  return draft.finish(conf.context, false);
}

/** The refusal, if any. */
function takeSteps(draft: Draft, change: ConfChange): string | undefined {
  for (const step of change.steps) {
    const refused = malformed(draft, step) ?? takeStep(draft, step);
    if (refused !== undefined) return refused;
    if (step.context !== undefined) draft.members.set(step.id, step.context);
  }
  if (draft.voters.size === 0) return 'removed all voters';
  if (draft.tracked.size > MEMBERS_MAX) return `more than ${MEMBERS_MAX} members`;
  return oversized(change, draft);
}

function takeStep(draft: Draft, step: ConfChangeStep): string | undefined {
  switch (step.op) {
    case 'voter':
      if (draft.witnesses.has(step.id)) return `${step.id} is a witness and holds no data: remove it, add it anew`;
      makeVoter(draft, step.id);
      return undefined;
    case 'witness':
      makeVoter(draft, step.id);
      draft.witnesses.add(step.id);
      return undefined;
    case 'learner':
      if (draft.witnesses.has(step.id)) return `${step.id} is a witness and holds no data: remove it, add it anew`;
      makeLearner(draft, step.id);
      return undefined;
    case 'remove':
      remove(draft, step.id);
      return undefined;
    case 'update':
      return undefined;
  }
}

function makeVoter(draft: Draft, id: NodeId): void {
  draft.learners.delete(id);
  draft.learnersNext.delete(id);
  draft.voters.add(id);
  draft.track(id);
}

function makeLearner(draft: Draft, id: NodeId): void {
  if (draft.learners.has(id)) return;
  draft.voters.delete(id);
  // Who still votes in the old half becomes a learner only when that is left: nobody is voter and learner at once.
  if (draft.outgoing.has(id)) draft.learnersNext.add(id);
  else draft.learners.add(id);
  draft.track(id);
}

function remove(draft: Draft, id: NodeId): void {
  draft.voters.delete(id);
  draft.learners.delete(id);
  draft.learnersNext.delete(id);
  if (draft.outgoing.has(id)) return;
  draft.tracked.delete(id);
  draft.witnesses.delete(id);
  draft.members.delete(id);
}

function differences(a: ReadonlySet<NodeId>, b: ReadonlySet<NodeId>): number {
  let count = 0;
  for (const id of a) if (!b.has(id)) count++;
  for (const id of b) if (!a.has(id)) count++;
  return count;
}
