/**
 * The last voter, the question: may this leader of two decide alone? docs/CORE.md has the rules A1 to A8 and why they are
 * sound.  A pair that is settled has a proof that no third node, of whatever older configuration, can still be elected:
 * every quorum that decides from now on needs this leader's vote, and its log would have to hold all that it holds.
 */
import { applyChange } from '../conf/changer.ts';
import { jointIndex } from '../quorum/joint.ts';
import type { Leader, Raft } from '../state.ts';
import type { ConfState, Entry, NodeId } from '../types.ts';

/** Every majority of a half of two, or of one, contains both; and what the half decides needs it. */
export function inEveryQuorum({ voters, votersOutgoing }: ConfState, id: NodeId): boolean {
  return isNeeded(voters, id) || isNeeded(votersOutgoing, id);
}

function isNeeded(half: readonly NodeId[], id: NodeId): boolean {
  return half.length <= 2 && half.includes(id);
}

/** The other voter of two, in a configuration that is not joint; undefined when there are not two, or `id` is none. */
export function partnerOf({ voters, votersOutgoing }: ConfState, id: NodeId): NodeId | undefined {
  if (votersOutgoing.length > 0 || voters.length !== 2 || !voters.includes(id)) return undefined;
  return voters.find((voter) => voter !== id);
}

/** No quorum without this leader, and somebody besides it (A1; in a joint configuration A5g). */
export function isOneOfPair({ conf, id }: Raft): boolean {
  const isAlone = conf.voters.length === 1 && conf.votersOutgoing.length === 0;
  return !isAlone && isFullVoter(conf, id) && inEveryQuorum(conf, id);
}

/** Votes in the incoming half, and keeps the data. */
function isFullVoter({ voters, witnesses }: ConfState, id: NodeId): boolean {
  return voters.includes(id) && !witnesses.includes(id);
}

/** A3: by the seal, by the seal of who left its vote to this leader, or by the configuration before. */
export function isSealed(raft: Raft, leader: Leader): boolean {
  if (leader.partnerSealed !== '' && leader.partnerSealed === partnerOf(raft.conf, raft.id)) return true;
  if (leader.sealIndex <= raft.log.last && sealedUpTo(raft, leader) >= leader.sealIndex) return true;
  return raft.prevConf !== undefined && inEveryQuorum(raft.prevConf, raft.id);
}

/** What a quorum of every half has acknowledged. The leader has it all, and its next write holds it. */
function sealedUpTo(raft: Raft, leader: Leader): number {
  return jointIndex(raft.conf, (id) => (id === raft.id ? raft.log.last : (leader.members.get(id)?.match ?? 0)));
}

/** The changes in the log that are not applied (A2). The log is looked at only where there may be one. */
export function pendingChange({ log }: Raft, leader: Leader): Entry | 'none' | 'unknown' {
  return leader.pendingConfIndex <= log.applied ? 'none' : log.firstConfAfter(log.applied);
}

/** A5: the one change that is pending is this leader's own, not committed, and leaves it a full voter. */
export function mayCommitAlone(raft: Raft, entry: Entry): boolean {
  const { log, conf, id } = raft;
  if (entry.change === undefined || entry.index <= log.committed || entry.term !== raft.term) return false;
  if (log.firstConfAfter(entry.index) !== 'none') return false;
  const next = applyChange(conf, entry.change);
  return !('refused' in next) && isFullVoter(next.conf, id);
}

/** A1 to A3, seen from outside: without a look at the log, which is a question to the environment. */
export function isSettledAndStill(raft: Raft, leader: Leader): boolean {
  return raft.config.goesAlone && isOneOfPair(raft) && leader.pendingConfIndex <= raft.log.applied && isSealed(raft, leader);
}

/** A1 to A3, with A5: nobody can have replaced this leader, and nobody can without its vote. */
export function isSettled(raft: Raft, leader: Leader): boolean {
  if (!raft.config.goesAlone || !isOneOfPair(raft) || !isSealed(raft, leader)) return false;
  const pending = pendingChange(raft, leader);
  if (pending === 'none') return true;
  if (pending === 'unknown' || pending.term !== raft.term) return false;
  // Committed, or being committed by this leader alone: it is applied next.
  return pending.index <= raft.log.committed || raft.alone?.index === pending.index || mayCommitAlone(raft, pending);
}
