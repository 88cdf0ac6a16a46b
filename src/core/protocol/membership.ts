/** Membership changes (ch. 4): a change takes effect when its entry is applied, on every member alike. */

import { applyChange } from '../conf/changer.ts';
import { LEAVE_JOINT } from '../conf/conf-change.ts';
import { canLead } from '../conf/conf-state.ts';
import { RaftError } from '../errors.ts';
import type { ApplyConfOutcome } from '../outcome.ts';
import type { Leader, Raft } from '../state.ts';
import { type ConfChange, type ConfState, NO_NODE, type NodeId } from '../types.ts';
import type { Writable } from '../writable.ts';
import { breakSeal } from './alone.ts';
import { proposeChange } from './propose.ts';
import { recheckReads } from './read-index.ts';
import { broadcastCommit, maybeCommit, sendNewEntries } from './replicate.ts';
import { becomeFollower } from './roles.ts';
import { abortTransfer } from './transfer.ts';

/** A committed change. One that cannot be made changes nothing, here as everywhere else. */
export function applyConfChange(raft: Raft, change: ConfChange): ApplyConfOutcome {
  const result = applyChange(raft.conf, change);
  if ('refused' in result) {
    if (raft.trace !== undefined) raft.trace({ kind: 'conf-refused', why: result.refused });
    return { conf: raft.conf, error: new RaftError('config-invalid', result.refused) };
  }
  switchTo(raft, result.conf, result.added);
  return { conf: raft.conf, error: undefined };
}

/** A snapshot brings the configuration it was taken in. */
export function restoreConf(raft: Raft, conf: ConfState): void {
  const own: Writable<Raft, 'prevConf'> = raft;
  own.prevConf = undefined;
  setConf(raft, conf);
}

function switchTo(raft: Raft, conf: ConfState, added: readonly NodeId[]): void {
  const own: Writable<Raft, 'prevConf'> = raft;
  own.prevConf = raft.conf;
  setConf(raft, conf);
  const { role } = raft;
  if (role.name !== 'leader') return;
  breakSeal(raft, role);
  role.members.reconfigure(conf, added, Math.max(raft.log.last, 1), true);
  if (!canLead(conf, raft.id)) {
    // "The leader … steps down once it has committed the C_new log entry" (§4.2.2).
    if (raft.config.compat.stepDownOnRemoval) becomeFollower(raft, raft.term, NO_NODE, 'removed or demoted');
    return;
  }
  // A smaller quorum may have more committed; new members are not to wait for the next heartbeat.
  if (maybeCommit(raft, role)) broadcastCommit(raft, role);
  else for (const progress of role.members.others) sendNewEntries(raft, progress);
  if (role.transferee !== NO_NODE && !canLead(conf, role.transferee)) abortTransfer(raft, role);
  recheckReads(raft, role);
}

/**
 * A joint configuration that leaves by itself is left by the leader as soon as all changes before are applied. Looked at
 * after every apply, so that neither a new leader nor a transfer in progress makes it stick.
 */
export function maybeLeaveJoint(raft: Raft, leader: Leader): void {
  if (!raft.conf.autoLeave || raft.log.applied < leader.pendingConfIndex) return;
  proposeChange(raft, LEAVE_JOINT);
}

function setConf(raft: Raft, conf: ConfState): void {
  const own: Writable<Raft, 'conf'> = raft;
  own.conf = conf;
  if (raft.trace !== undefined) raft.trace({ kind: 'conf', conf });
}
