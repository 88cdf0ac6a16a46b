/** Proposals: from a caller, or forwarded by a follower, to the leader's log (§3.5, first paragraph; §6.2 for forwarding). */

import { applyChange } from '../conf/changer.ts';
import { isJoint, wayOf } from '../conf/conf-change.ts';
import type { ProposeOutcome, RefusalReason } from '../outcome.ts';
import { type Leader, leaderOf, type Raft } from '../state.ts';
import {
  type ConfChange,
  type Entry,
  type EntryType,
  makeEntry,
  NO_BYTES,
  NO_NODE,
  type NodeId,
  type ProposeRequest,
} from '../types.ts';
import type { Writable } from '../writable.ts';
import { appendLocal, broadcastAppend } from './replicate.ts';
import { sendNow } from './send.ts';

/** What is proposed, before it has a place in the log. */
export interface Draft {
  readonly type: EntryType;
  readonly data: Uint8Array;
  readonly change: ConfChange | undefined;
}

export function proposeData(raft: Raft, commands: readonly Uint8Array[]): ProposeOutcome {
  let bytes = 0;
  for (let i = 0; i < commands.length; i++) {
    const { length } = commands[i] as Uint8Array;
    if (length > raft.config.maxEntryBytes) return refuse(raft, 'too-large', commands.length);
    bytes += length;
  }
  const { role } = raft;
  if (role.name === 'leader') return appendCommands(raft, role, commands, bytes);
  const drafts = commands.map((data): Draft => ({ type: 'normal', data, change: undefined }));
  return forward(raft, drafts, raft.id);
}

function appendCommands(raft: Raft, leader: Leader, commands: readonly Uint8Array[], bytes: number): ProposeOutcome {
  const refused = refusalNow(raft, leader, bytes);
  if (refused !== undefined) return refuse(raft, refused, commands.length);
  const { term, timeMs } = raft;
  const firstIndex = raft.log.last + 1;
  const entries: Entry[] = new Array(commands.length);
  for (let i = 0; i < commands.length; i++) {
    entries[i] = makeEntry(firstIndex + i, term, 'normal', timeMs, commands[i] as Uint8Array, undefined);
  }
  return append(raft, leader, entries, bytes);
}

export function proposeChange(raft: Raft, change: ConfChange): ProposeOutcome {
  return proposeDrafts(raft, [{ type: 'conf', data: NO_BYTES, change }], raft.id);
}

/** A forwarded proposal, in any role. */
export function onProposeRequest(raft: Raft, message: ProposeRequest): void {
  const own: Writable<Raft, 'outcome'> = raft;
  own.outcome = proposeDrafts(raft, message.entries, message.from);
}

function proposeDrafts(raft: Raft, drafts: readonly Draft[], from: NodeId): ProposeOutcome {
  const { role } = raft;
  return role.name === 'leader' ? appendDrafts(raft, role, drafts) : forward(raft, drafts, from);
}

function forward(raft: Raft, drafts: readonly Draft[], from: NodeId): ProposeOutcome {
  const leader = leaderOf(raft);
  if (leader === NO_NODE) return refuse(raft, 'no-leader', drafts.length);
  if (!raft.config.forwardProposals) return refuse(raft, 'not-leader', drafts.length);
  const entries = drafts.map(({ type, data, change }) => makeEntry(0, 0, type, 0, data, change));
  sendNow(raft, { type: 'propose-request', from, to: leader, term: 0, entries });
  return { ok: true, forwarded: true };
}

/** Why nothing at all is taken now. */
function refusalNow(raft: Raft, leader: Leader, bytes: number): RefusalReason | undefined {
  if (leader.members.own === undefined) return 'removed';
  // A leader about to go takes nothing new, so that its successor can catch up with it (§3.10).
  if (leader.transferee !== NO_NODE) return 'transfer-in-progress';
  // What is empty is never refused, and neither is the first: any size that is allowed at all can be proposed.
  const { uncommittedBytes } = leader;
  if (bytes > 0 && uncommittedBytes > 0 && uncommittedBytes + bytes > raft.config.maxUncommittedBytes) return 'busy';
  return undefined;
}

function appendDrafts(raft: Raft, leader: Leader, drafts: readonly Draft[]): ProposeOutcome {
  const bytes = drafts.reduce((sum, { data }) => sum + data.length, 0);
  const refused = refusalNow(raft, leader, bytes);
  if (refused !== undefined) return refuse(raft, refused, drafts.length);
  const firstIndex = raft.log.last + 1;
  const { term, timeMs } = raft;
  const entries: Entry[] = [];
  for (const { data, change } of drafts) {
    const index = firstIndex + entries.length;
    if (change === undefined) {
      entries.push(makeEntry(index, term, 'normal', timeMs, data, undefined));
      continue;
    }
    const why = refusalOf(raft, leader, change);
    if (why === undefined || !raft.config.validateConfChanges) {
      setPendingConf(leader, index);
      entries.push(makeEntry(index, term, 'conf', timeMs, NO_BYTES, change));
    } else if (raft.config.compat.explicitRefusals && drafts.length === 1) {
      return refuse(raft, why, 1);
    } else {
      // Where nobody can be told, an empty entry takes its place.
      entries.push(makeEntry(index, term, 'normal', timeMs, NO_BYTES, undefined));
    }
  }
  return append(raft, leader, entries, bytes);
}

function append(raft: Raft, leader: Leader, entries: readonly Entry[], bytes: number): ProposeOutcome {
  const firstIndex = raft.log.last + 1;
  if (entries.length > 0) {
    addUncommitted(leader, bytes);
    appendLocal(raft, entries);
    broadcastAppend(raft, leader);
  }
  return { ok: true, forwarded: false, firstIndex, lastIndex: raft.log.last, term: raft.term };
}

/** Why a change is not taken now: one at a time, and only what can be applied (§4.1). */
function refusalOf(raft: Raft, leader: Leader, change: ConfChange): RefusalReason | undefined {
  if (leader.pendingConfIndex > raft.log.applied) return 'config-change-in-progress';
  const leaves = wayOf(change) === 'leave-joint';
  if (isJoint(raft.conf) && !leaves) return 'config-change-in-progress';
  if (!isJoint(raft.conf) && leaves) return 'config-invalid';
  // Everything applied so far is in the configuration: it can be tried out.
  if (raft.config.compat.explicitRefusals && 'refused' in applyChange(raft.conf, change)) return 'config-invalid';
  return undefined;
}

export function setPendingConf(leader: Leader, index: number): void {
  const own: Writable<Leader, 'pendingConfIndex'> = leader;
  own.pendingConfIndex = index;
}

function addUncommitted(leader: Leader, bytes: number): void {
  const own: Writable<Leader, 'uncommittedBytes'> = leader;
  own.uncommittedBytes += bytes;
}

/** Commands of this leadership were applied: their bytes do not count any more. */
export function releaseUncommitted(leader: Leader, bytes: number): void {
  const own: Writable<Leader, 'uncommittedBytes'> = leader;
  own.uncommittedBytes = Math.max(0, leader.uncommittedBytes - bytes);
}

function refuse(raft: Raft, reason: RefusalReason, count: number): ProposeOutcome {
  if (raft.trace !== undefined) raft.trace({ kind: 'propose-dropped', why: reason, count });
  return { ok: false, reason };
}
