/** Leader election (§3.4), PreVote (§9.6), and what keeps elections from disturbing a working leader (§4.2.3). */
import { allVoters, canLead, isVoter } from '../conf/conf-state.ts';
import { jointVote } from '../quorum/joint.ts';
import { type Candidate, leaderOf, type PreCandidate, type Raft } from '../state.ts';
import type { CampaignRefusal } from '../trace.ts';
import {
  type Index,
  makeEntry,
  NO_BYTES,
  NO_NODE,
  type NodeId,
  type Term,
  type VoteRequest,
  type VoteResponse,
} from '../types.ts';
import { isGuarded } from './lease.ts';
import { appendLocal, broadcastAppend, commitTo } from './replicate.ts';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate, grantVote } from './roles.ts';
import { sendAfterPersist, sendNow } from './send.ts';

/** A transfer goes straight to the vote, and past voters that still hear their leader: that leader asked for it (§3.10). */
export type CampaignKind = 'pre' | 'election' | 'transfer';

/** May become leader now: a voter with data, and no snapshot waiting to be written. */
export function promotable(raft: Raft): boolean {
  return canLead(raft.conf, raft.id) && raft.log.unstable.snapshot === undefined;
}

/** Time for an election, if this node may hold one. Returns why not. */
export function tryCampaign(raft: Raft, kind: CampaignKind): CampaignRefusal | undefined {
  const refusal = campaignRefusal(raft);
  // A vote that was left to this node stands for the question of PreVote, and goes past who still hears the old leader.
  if (refusal === undefined) campaign(raft, raft.proxy?.term === raft.term + 1 ? 'transfer' : kind);
  else if (raft.trace !== undefined) raft.trace({ kind: 'campaign-refused', why: refusal });
  return refusal;
}

function campaignRefusal(raft: Raft): CampaignRefusal | undefined {
  if (raft.role.name === 'leader') return 'leader';
  if (!promotable(raft)) return 'not-promotable';
  // It may have been removed, or the majority may have changed: first apply what is committed.
  if (raft.log.hasUnappliedConfChange()) return 'unapplied-config-change';
  return undefined;
}

function campaign(raft: Raft, kind: CampaignKind): void {
  const pre = kind === 'pre';
  if (pre) becomePreCandidate(raft);
  else becomeCandidate(raft);
  const term = pre ? raft.term + 1 : raft.term;
  if (raft.trace !== undefined) raft.trace({ kind: 'campaign', pre, transfer: kind === 'transfer', term });
  const { log } = raft;
  const [commit, commitTerm] = commitInfo(raft);
  takeProxy(raft);
  for (const to of allVoters(raft.conf)) {
    if (to === raft.id) {
      // Its own vote counts once it is durable, like anybody's.
      answerVote(raft, { to, term, pre, reject: false });
      continue;
    }
    if (!pre && raft.proxy?.from === to && raft.proxy.term === term) continue;
    sendNow(raft, {
      type: 'vote-request',
      from: raft.id,
      to,
      term,
      pre,
      lastIndex: log.last,
      lastTerm: log.lastTerm,
      transfer: kind === 'transfer',
      priority: raft.priority,
      commit,
      commitTerm,
    });
  }
}

/** Its giver has ended: nobody is asked there. */
function takeProxy({ role, proxy, term }: Raft): void {
  if (role.name === 'candidate' && proxy?.term === term) role.votes.set(proxy.from, true);
}

/** A voter hears its leader: who asks for a vote now is behind, or was removed (§4.2.3). */
export function hearsLeader(raft: Raft): boolean {
  if (isGuarded(raft)) return true;
  return raft.checkQuorum && leaderOf(raft) !== NO_NODE && raft.electionElapsed < raft.config.electionTicks;
}

/** RequestVote and PreVote, the same in every role: the term gate has made a follower of who was behind. */
export function onVoteRequest(raft: Raft, message: VoteRequest): void {
  const { from, pre } = message;
  const granted = mayVote(raft, message) && raft.log.isUpToDate(message.lastIndex, message.lastTerm) && prefers(raft, message);
  if (raft.trace !== undefined) raft.trace({ kind: 'vote', candidate: from, term: message.term, pre, granted });
  if (granted) {
    // A granted PreVote carries the term asked about: the candidate is not there yet either.
    answerVote(raft, { to: from, term: message.term, pre, reject: false });
    if (!pre) grantVote(raft, from);
    return;
  }
  answerVote(raft, { to: from, term: raft.term, pre, reject: true });
  learnCommit(raft, message.from, message.commit, message.commitTerm);
}

function mayVote(raft: Raft, { from, pre, term }: VoteRequest): boolean {
  if (raft.vote === from) return true;
  if (raft.vote === NO_NODE && leaderOf(raft) === NO_NODE) return true;
  return pre && term > raft.term;
}

/**
 * A candidate of lower priority is refused by who could lead itself: but not when its log is the better one, for then this
 * node could not win, and nobody would. Nor when its leader asked it to lead: then the choice has been made.
 */
function prefers(raft: Raft, { priority, transfer, lastIndex, lastTerm }: VoteRequest): boolean {
  if (transfer || priority >= raft.priority || !promotable(raft)) return true;
  const { log } = raft;
  return lastTerm > log.lastTerm || (lastTerm === log.lastTerm && lastIndex > log.last);
}

/** Votes count in the election they were given in: a PreVote for a pre-candidate, a vote for a candidate. */
export function onVoteResponse(raft: Raft, role: PreCandidate | Candidate, message: VoteResponse): void {
  if (message.pre !== (role.name === 'pre-candidate')) return;
  // Only the first answer counts: who refused once does not change its mind by being asked twice.
  if (!role.votes.has(message.from)) role.votes.set(message.from, !message.reject);
  const result = jointVote(raft.conf, role.votes);
  if (result === 'won') win(raft, role);
  else if (result === 'lost') becomeFollower(raft, raft.term, NO_NODE, 'election lost');
  if (message.reject) learnCommit(raft, message.from, message.commit, message.commitTerm);
}

function win(raft: Raft, role: PreCandidate | Candidate): void {
  if (role.name === 'pre-candidate') {
    campaign(raft, 'election');
    return;
  }
  const leader = becomeLeader(raft);
  // "A blank no-op entry into the log at the start of its term" (§6.4): lets it commit what earlier leaders left.
  appendLocal(raft, [makeEntry(raft.log.last + 1, raft.term, 'normal', raft.timeMs, NO_BYTES, undefined)]);
  broadcastAppend(raft, leader);
}

/** PreVote of an earlier term: told the present one, so that it does not ask for ever. */
export function refuseOldPreVote(raft: Raft, message: VoteRequest): void {
  answerVote(raft, { to: message.from, term: raft.term, pre: true, reject: true });
}

interface VoteAnswer {
  readonly to: NodeId;
  readonly term: Term;
  readonly pre: boolean;
  readonly reject: boolean;
}

function answerVote(raft: Raft, { to, term, pre, reject }: VoteAnswer): void {
  const [commit, commitTerm] = reject ? commitInfo(raft) : [0, 0];
  sendAfterPersist(raft, { type: 'vote-response', from: raft.id, to, term, pre, reject, commit, commitTerm });
}

/** How far this node has committed, told with votes: a candidate may still hold an old configuration. */
function commitInfo(raft: Raft): readonly [commit: Index, term: Term] {
  if (!raft.config.compat.commitInVotes) return [0, 0];
  const term = raft.log.term(raft.log.committed);
  return typeof term === 'number' ? [raft.log.committed, term] : [0, 0];
}

/**
 * A refusal of an earlier term counts for no election, and what its sender has committed is committed all the same. A node
 * at a higher term, in a configuration that is gone, hears of the new one in no other way: who is behind in terms and ahead
 * in the log refuses its PreVotes for ever.
 */
export function onOldRefusal(raft: Raft, message: VoteResponse): void {
  learnCommit(raft, message.from, message.commit, message.commitTerm);
}

/**
 * Somebody has committed (index, term). A log that holds the same entry holds the same up to it (Log Matching), so all
 * of that is committed here too. If it changes the configuration, this election was held in the wrong one.
 */
function learnCommit(raft: Raft, from: NodeId, index: Index, term: Term): void {
  // Of who votes here, whose word an election hangs on in any case: nobody else's is taken for what a majority has.
  if (!isVoter(raft.conf, from)) return;
  if (term === 0 || raft.role.name === 'leader' || index <= raft.log.committed || !raft.log.matches(index, term)) return;
  commitTo(raft, index);
  if (raft.role.name !== 'follower' && raft.log.hasUnappliedConfChange()) {
    becomeFollower(raft, raft.term, NO_NODE, 'configuration changed');
  }
}
