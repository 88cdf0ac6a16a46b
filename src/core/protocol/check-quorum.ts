/** A leader that does not hear a majority for an election timeout steps down, so that its callers look elsewhere (§6.2). */
import type { Leader, Raft } from '../state.ts';
import { NO_NODE } from '../types.ts';
import { voidLease } from './lease.ts';
import { becomeFollower } from './roles.ts';
import { isSettled } from './settled.ts';

export function onCheckQuorum(raft: Raft, leader: Leader): void {
  if (!leader.members.quorumActive(raft.id) && !staysAlone(raft, leader)) {
    if (raft.trace !== undefined) raft.trace({ kind: 'quorum-lost', term: raft.term });
    becomeFollower(raft, raft.term, NO_NODE, 'quorum lost');
    return;
  }
  // From here on everyone has to be heard anew.
  for (const progress of leader.members.others) progress.forgetActivity();
}

/** After a time in which nothing was heard: its promises are void, but nobody can have replaced the leader of a settled pair (A7). */
export function staysAlone(raft: Raft, leader: Leader): boolean {
  if (!isSettled(raft, leader)) return false;
  voidLease(leader);
  return true;
}
