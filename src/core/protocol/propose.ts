/** Proposals: from a caller, or forwarded by a follower, to the leader's log (§3.5, first paragraph; §6.2 for forwarding). */

import { applyChange } from '../conf/changer.ts';
import { isJoint, wayOf } from '../conf/conf-change.ts';
import type { ProposeOutcome, RefusalReason } from '../outcome.ts';
import type { Leader, Raft, Writable } from '../state.ts';
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
import { appendLocal, broadcastAppend } from './replicate.ts';
import { sendNow } from './send.ts';

/** What is proposed, before it has a place in the log. */
export interface Draft {
  readonly type: EntryType;
  readonly data: Uint8Array;
  readonly change: ConfChange | undefined;
}

export function proposeData(raft: Raft, data: readonly Uint8Array[]): ProposeOutcome {
  for (const command of data) if (command.length > raft.config.maxEntryBytes) return refuse(raft, 'too-large', []);
  return proposeDrafts(
    raft,
    data.map((command): Draft => ({ type: 'normal', data: command, change: undefined })),
    raft.id,
  );
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
  if (role.name === 'leader') return appendDrafts(raft, role, drafts);
  const leader = role.name === 'follower' ? role.leader : NO_NODE;
  if (leader === NO_NODE) return refuse(raft, 'no-leader', drafts);
  if (!raft.config.forwardProposals) return refuse(raft, 'not-leader', drafts);
  const entries = drafts.map(({ type, data, change }) => makeEntry(0, 0, type, 0, data, change));
  sendNow(raft, { type: 'propose-request', from, to: leader, term: 0, entries });
  return { ok: true, forwarded: true };
}

function appendDrafts(raft: Raft, leader: Leader, drafts: readonly Draft[]): ProposeOutcome {
  if (leader.members.get(raft.id) === undefined) return refuse(raft, 'removed', drafts);
  // A leader about to go takes nothing new, so that its successor can catch up with it (§3.10).
  if (leader.transferee !== NO_NODE) return refuse(raft, 'transfer-in-progress', drafts);
  const bytes = bytesOf(drafts);
  // What is empty is never refused, and neither is the first: any size that is allowed at all can be proposed.
  const limit = raft.config.maxUncommittedBytes;
  if (bytes > 0 && leader.uncommittedBytes > 0 && leader.uncommittedBytes + bytes > limit) return refuse(raft, 'busy', drafts);
  const firstIndex = raft.log.last + 1;
  const entries: Entry[] = new Array(drafts.length);
  for (let i = 0; i < drafts.length; i++) {
    const draft = drafts[i] as Draft;
    const { term, timeMs } = raft;
    if (draft.change === undefined) {
      entries[i] = makeEntry(firstIndex + i, term, 'normal', timeMs, draft.data, undefined);
      continue;
    }
    const refused = refusalOf(raft, leader, draft.change);
    if (refused === undefined || !raft.config.validateConfChanges) {
      setPendingConf(leader, firstIndex + i);
      entries[i] = makeEntry(firstIndex + i, term, 'conf', timeMs, NO_BYTES, draft.change);
    } else if (raft.config.explicitRefusals && drafts.length === 1) {
      return refuse(raft, refused, drafts);
    } else {
      // Where nobody can be told, an empty entry takes its place.
      entries[i] = makeEntry(firstIndex + i, term, 'normal', timeMs, NO_BYTES, undefined);
    }
  }
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
  if (raft.config.explicitRefusals && 'refused' in applyChange(raft.conf, change)) return 'config-invalid';
  return undefined;
}

function bytesOf(drafts: readonly Draft[]): number {
  let bytes = 0;
  for (let i = 0; i < drafts.length; i++) bytes += (drafts[i] as Draft).data.length;
  return bytes;
}

function setPendingConf(leader: Leader, index: number): void {
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

function refuse(raft: Raft, reason: RefusalReason, drafts: readonly Draft[]): ProposeOutcome {
  if (raft.trace !== undefined) raft.trace({ kind: 'propose-dropped', why: reason, count: drafts.length });
  return { ok: false, reason };
}
