/** The only writer of role, term and vote (Figure 3.3: followers, candidates, leaders). */
import { assert } from '../assert.ts';
import { Tracker } from '../progress/tracker.ts';
import { type Leader, leaderOf, type Raft, type RoleState } from '../state.ts';
import { NO_NODE, type NodeId, type Term } from '../types.ts';
import type { Writable } from '../writable.ts';
import { ReadQueue } from './read-queue.ts';
import { refuseReads } from './reads.ts';

type Own = Writable<Raft, 'term' | 'vote' | 'role' | 'proxy' | 'electionElapsed' | 'heartbeatElapsed' | 'electionTimeout'>;

/** "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower" (§3.3). */
export function becomeFollower(raft: Raft, term: Term, leader: NodeId, why: string): void {
  enter(raft, term, { name: 'follower', leader }, why);
}

/** Asks whether an election could be won, without a new term (§9.6). Term, vote and timers stay. */
export function becomePreCandidate(raft: Raft): void {
  assert(raft.role.name !== 'leader', 'a leader does not campaign');
  const own: Own = raft;
  own.role = { name: 'pre-candidate', votes: new Map() };
  traceRole(raft, 'timeout');
}

/** "Increment currentTerm, vote for self, reset election timer" (§3.4). */
export function becomeCandidate(raft: Raft): void {
  assert(raft.role.name !== 'leader', 'a leader does not campaign');
  enter(raft, raft.term + 1, { name: 'candidate', votes: new Map() }, 'campaign');
  const own: Own = raft;
  own.vote = raft.id;
}

/** "If votes received from majority of servers: become leader" (§3.4). */
export function becomeLeader(raft: Raft): Leader {
  assert(raft.role.name === 'candidate', 'only a candidate becomes leader');
  const { log, proxy } = raft;
  const leader: Leader = {
    name: 'leader',
    members: new Tracker(raft.id, raft.conf, log.last + 1, raft.config),
    since: log.last + 1,
    transferee: NO_NODE,
    // Changes of earlier leaders may be in the log: none is taken until all of it is applied.
    pendingConfIndex: log.last,
    sealIndex: log.last + 1,
    partnerSealed: proxy?.term === raft.term && proxy.sealed ? proxy.from : NO_NODE,
    uncommittedBytes: 0,
    reads: new ReadQueue(),
    sentRounds: [],
    ticks: 0,
  };
  const self = leader.members.own;
  assert(self !== undefined, 'only a member becomes leader');
  self.update(log.last);
  self.becomeReplicate();
  self.heard();
  enter(raft, raft.term, leader, 'elected');
  return leader;
}

/** The leader of the term was heard. */
export function followLeader(raft: Raft, leader: NodeId): void {
  const own: Own = raft;
  own.electionElapsed = 0;
  assert(raft.role.name === 'follower', 'only a follower follows');
  if (raft.role.leader === leader) return;
  own.role = { name: 'follower', leader };
  if (raft.trace !== undefined) raft.trace({ kind: 'leader', leader, term: raft.term });
}

/** The link to the leader is gone: free to vote and to be asked again, without waiting. The timer goes on. */
export function forgetLeader(raft: Raft): void {
  if (raft.role.name !== 'follower' || raft.role.leader === NO_NODE) return;
  const own: Own = raft;
  own.role = { name: 'follower', leader: NO_NODE };
  if (raft.trace !== undefined) raft.trace({ kind: 'leader', leader: NO_NODE, term: raft.term });
}

/** "Votes at most once per term" (§3.4); a vote given is also a sign of life of an election. */
export function grantVote(raft: Raft, candidate: NodeId): void {
  assert(raft.vote === NO_NODE || raft.vote === candidate, `two votes in term ${raft.term}`);
  const own: Own = raft;
  own.vote = candidate;
  own.electionElapsed = 0;
}

/** A new election timeout starts now. */
export function restartElectionTimer(raft: Raft): void {
  const own: Own = raft;
  own.electionElapsed = 0;
}

/** "Election timeouts are chosen randomly from a fixed interval" (§3.4). */
export function drawElectionTimeout(raft: Raft): void {
  const own: Own = raft;
  own.electionTimeout = raft.electionMinTicks + raft.config.random(raft.electionMaxTicks - raft.electionMinTicks);
}

/** For tests and simulation: this period's timeout, not drawn but set. */
export function setElectionTimeout(raft: Raft, ticks: number): void {
  const own: Own = raft;
  own.electionTimeout = ticks;
}

function enter(raft: Raft, term: Term, role: RoleState, why: string): void {
  assert(term >= raft.term, 'the term fell');
  const own: Own = raft;
  const left = raft.role;
  if (term !== raft.term) {
    own.term = term;
    own.vote = NO_NODE;
    if (raft.proxy !== undefined && term > raft.proxy.term) own.proxy = undefined;
  }
  own.role = role;
  own.electionElapsed = 0;
  own.heartbeatElapsed = 0;
  drawElectionTimeout(raft);
  if (left.name === 'leader') refuseReads(raft, left.reads);
  traceRole(raft, why);
}

function traceRole(raft: Raft, why: string): void {
  if (raft.trace === undefined) return;
  raft.trace({ kind: 'role', role: raft.role.name, term: raft.term, leader: leaderOf(raft), why });
}
