/**
 * A leader that does not hear a majority for an election timeout steps down, so that its callers look elsewhere (§6.2). The
 * leader of a settled pair stays: nobody can have replaced it, and who steps down cannot go on alone (A7). Its lease is over.
 */
import type { Leader, Raft } from '../state.ts';
import { NO_NODE } from '../types.ts';
import { becomeFollower } from './roles.ts';
import { isSettled } from './settled.ts';

export function onCheckQuorum(raft: Raft, leader: Leader): void {
  if (!leader.members.quorumActive(raft.id) && !isSettled(raft, leader)) {
    if (raft.trace !== undefined) raft.trace({ kind: 'quorum-lost', term: raft.term });
    becomeFollower(raft, raft.term, NO_NODE, 'quorum lost');
    return;
  }
  // From here on everyone has to be heard anew.
  for (const progress of leader.members.others) progress.forgetActivity();
}
