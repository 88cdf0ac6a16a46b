/** What a membership change asks for (ch. 4). One reading of it, used when it is proposed and when it is applied. */
import { type ConfChange, type ConfState, NO_BYTES } from '../types.ts';

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

/** A joint configuration entered so is left by the leader as soon as it is applied. */
export function leavesByItself(change: ConfChange): boolean {
  return change.transition !== 'explicit';
}
