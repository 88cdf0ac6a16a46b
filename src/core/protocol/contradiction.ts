/**
 * Leader Completeness (§3.6.3) as seen by a follower: its leader holds every entry that is committed here. One that shows
 * another entry proves that a member has lost what it promised to keep (a store restored from a copy, say). Which of the
 * two it was cannot be told here. So nothing is taken from that leader, and nothing said that would count for it, for an
 * election timeout; this node keeps what it has committed, and may elect another. Then it listens again: if the message
 * was forged or damaged, no more than that time is lost.
 */
import { RaftError } from '../errors.ts';
import type { Raft } from '../state.ts';
import type { Index, NodeId, Term } from '../types.ts';
import type { Writable } from '../writable.ts';
import { bindsVoters } from './lease.ts';
import { forgetLeader } from './roles.ts';

/** Errors: log-conflict, when the leader's entry (index, term) is not the one committed here. */
export function checkCommitted(raft: Raft, leader: NodeId, index: Index, term: Term): void {
  if (index === 0 || index > decidedUpTo(raft)) return;
  const committed = raft.log.term(index);
  // What is compacted, or not in memory, cannot be compared.
  if (typeof committed !== 'number' || committed === term) return;
  const own: Writable<Raft, 'contradictedTerm'> = raft;
  own.contradictedTerm = raft.term;
  if (!bindsVoters(raft)) forgetLeader(raft);
  if (raft.trace !== undefined) raft.trace({ kind: 'contradicted', leader, index, term, committed });
  throw new RaftError(
    'log-conflict',
    `leader ${leader} of term ${raft.term} has an entry of term ${term} at ${index}, where one of term ${committed} is committed`,
    { index },
  );
}

/** An election timeout went by: the leader of the term may show that it holds what it must. */
export function hearAgain(raft: Raft): void {
  if (raft.contradictedTerm === 0) return;
  const own: Writable<Raft, 'contradictedTerm'> = raft;
  own.contradictedTerm = 0;
}

/** What this node holds to, whoever leads: what is committed, and what it is about to have decided alone. */
export function decidedUpTo({ log, alone }: Raft): Index {
  return alone === undefined ? log.committed : Math.max(log.committed, alone.index);
}
