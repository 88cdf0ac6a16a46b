/** Makes the plain data of `Status`. */

import { copiesOf } from './conf/conf-state.ts';
import type { Progress } from './progress/progress.ts';
import { promotable } from './protocol/election.ts';
import { isSettledAndStill } from './protocol/settled.ts';
import { leaderOf, type Raft } from './state.ts';
import type { ProgressStatus, Status } from './status.ts';
import { NO_NODE } from './types.ts';

export function statusOf(raft: Raft): Status {
  const { log, role } = raft;
  const leader = role.name === 'leader' ? role : undefined;
  return {
    id: raft.id,
    role: role.name,
    term: raft.term,
    vote: raft.vote,
    leader: leaderOf(raft),
    commitIndex: log.committed,
    appliedIndex: log.applied,
    firstIndex: log.first,
    lastIndex: log.last,
    lastTerm: log.lastTerm,
    stableIndex: log.stable,
    conf: raft.conf,
    copies: copiesOf(raft.conf),
    priority: raft.priority,
    promotable: promotable(raft),
    electionElapsedTicks: raft.electionElapsed,
    electionTimeoutTicks: raft.electionTimeout,
    progress: leader === undefined ? [] : leader.members.all.map(progressStatus),
    transferee: leader?.transferee ?? NO_NODE,
    leaderSinceIndex: leader?.since ?? 0,
    pendingConfIndex: leader?.pendingConfIndex ?? 0,
    uncommittedBytes: leader?.uncommittedBytes ?? 0,
    pendingReads: (leader?.reads.pending ?? 0) + raft.waitingReads.length,
    settled: leader !== undefined && isSettledAndStill(raft, leader),
    aloneIndex: raft.alone?.index ?? 0,
  };
}

function progressStatus(progress: Progress): ProgressStatus {
  return {
    id: progress.id,
    state: progress.state,
    matchIndex: progress.match,
    nextIndex: progress.next,
    commitIndex: progress.commit,
    learner: progress.learner,
    witness: progress.witness,
    paused: progress.paused,
    recentActive: progress.recentActive,
    pendingSnapshot: progress.pendingSnapshot,
    inflightMessages: progress.inflights.count,
    inflightBytes: progress.inflights.bytes,
    inflightFull: progress.inflights.full,
  };
}
