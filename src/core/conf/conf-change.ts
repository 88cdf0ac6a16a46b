/** What a membership change asks for (ch. 4). One reading of it, used when it is proposed and when it is applied. */
import { CHANGE_STEPS_MAX, CLUSTER_CONTEXT_BYTES_MAX, MEMBER_CONTEXT_BYTES_MAX, NODE_ID_CHARS_MAX } from '../limits.ts';
import { type ConfChange, type ConfState, NO_BYTES } from '../types.ts';
import { isNodeId } from './node-id.ts';

/** Leaves a joint configuration; also what the leader proposes by itself after an automatic one. */
export const LEAVE_JOINT: ConfChange = { transition: 'auto', steps: [], context: undefined };

export type ConfChangeWay = 'simple' | 'enter-joint' | 'leave-joint';

export const EMPTY_CONF: ConfState = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  witnesses: [],
  autoLeave: false,
  members: [],
  context: NO_BYTES,
};

export function isJoint(conf: ConfState): boolean {
  return conf.votersOutgoing.length > 0;
}

/**
 * Without steps it leaves; one step with `auto` is made at once (§4.1: one voter at a time is safe); anything else goes
 * through a joint configuration (§4.3). A change of the cluster-wide context alone leaves nothing: it is simple.
 */
export function wayOf(change: ConfChange): ConfChangeWay {
  if (change.steps.length === 0) return change.context === undefined ? 'leave-joint' : 'simple';
  return change.transition === 'auto' && change.steps.length === 1 ? 'simple' : 'enter-joint';
}

/**
 * Why it is a change that no configuration can take, whatever it holds: undefined when it may be one. Whoever makes, writes, reads or
 * applies a change asks this, so that all that can be written can be read, and the configuration after it too.
 */
export function brokenChange({ steps, context }: Omit<ConfChange, 'transition'>): string | undefined {
  if (steps.length > CHANGE_STEPS_MAX) return `more than ${CHANGE_STEPS_MAX} steps`;
  if (isLonger(context, CLUSTER_CONTEXT_BYTES_MAX))
    return `more than ${CLUSTER_CONTEXT_BYTES_MAX} bytes of context for the cluster`;
  for (const step of steps) {
    // An empty id is a step that the proposer took back: it does nothing.
    if (step.id !== '' && !isNodeId(step.id))
      return `a node id that is none: 1 to ${NODE_ID_CHARS_MAX} characters, none of them a control character`;
    if (isLonger(step.context, MEMBER_CONTEXT_BYTES_MAX))
      return `more than ${MEMBER_CONTEXT_BYTES_MAX} bytes of context for ${step.id}`;
  }
  return undefined;
}

function isLonger(context: Uint8Array | undefined, bytesMax: number): boolean {
  return context !== undefined && context.length > bytesMax;
}

/** A joint configuration entered so is left by the leader as soon as it is applied. */
export function leavesByItself(change: ConfChange): boolean {
  return change.transition !== 'explicit';
}
