/** InstallSnapshot (ch. 5): for a follower whose next entry the leader no longer holds. */
import { isMember } from '../conf/conf-state.ts';
import type { Progress } from '../progress/progress.ts';
import type { Raft } from '../state.ts';
import type { Index, SnapshotMeta, SnapshotRequest } from '../types.ts';
import { aloneSuperseded } from './alone.ts';
import { traceProgress } from './append-entries.ts';
import { checkCommitted } from './contradiction.ts';
import { restoreConf } from './membership.ts';
import { commitTo } from './replicate.ts';
import { followLeader } from './roles.ts';
import { sendAck } from './send.ts';

export function onSnapshotRequest(raft: Raft, message: SnapshotRequest): void {
  checkCommitted(raft, message.from, message.snapshot.index, message.snapshot.term);
  followLeader(raft, message.from);
  // A restored snapshot is durable with the next write, which this answer waits for.
  acknowledge(raft, message.from, restore(raft, message.snapshot) ? raft.log.last : raft.log.committed);
}

/** "Discard the entire log"; the configuration is the snapshot's. False when there is nothing to gain from it. */
function restore(raft: Raft, snapshot: SnapshotMeta): boolean {
  const { log } = raft;
  const why = reasonToIgnore(raft, snapshot);
  if (why !== undefined) {
    if (raft.trace !== undefined) raft.trace({ kind: 'snapshot-ignored', index: snapshot.index, why });
    return false;
  }
  log.restore(snapshot);
  aloneSuperseded(raft);
  restoreConf(raft, snapshot.conf);
  if (raft.trace !== undefined) raft.trace({ kind: 'snapshot-restored', index: snapshot.index, term: snapshot.term });
  return true;
}

function reasonToIgnore(raft: Raft, snapshot: SnapshotMeta): string | undefined {
  const { log } = raft;
  if (snapshot.index <= log.committed) return 'already committed here';
  // As voter of either half or as learner. If it is in none, the snapshot is older than this member.
  if (!isMember(snapshot.conf, raft.id)) return 'not a member in it';
  if (log.matches(snapshot.index, snapshot.term)) {
    // "If existing log entry has same index and term as snapshot's last included entry, retain log entries following it."
    commitTo(raft, snapshot.index);
    return 'log holds it already';
  }
  return undefined;
}

function acknowledge(raft: Raft, to: string, index: Index): void {
  sendAck(raft, {
    type: 'append-response',
    from: raft.id,
    to,
    term: raft.term,
    index,
    reject: false,
    hintIndex: 0,
    hintTerm: 0,
    commit: raft.log.committed,
  });
}

/** The environment says what became of a snapshot it carried. */
export function snapshotReported(raft: Raft, progress: Progress, arrived: boolean): void {
  if (progress.state !== 'snapshot') return;
  if (!arrived) progress.forgetSnapshot();
  progress.becomeProbe();
  // Arrived: the follower's own answer says how to go on. Lost: not before the next heartbeat's answer.
  progress.pause();
  traceProgress(raft, progress);
}

/** Nobody reported, nobody answered: take it for lost, or the follower would wait for ever. */
export function snapshotTimedOut(raft: Raft, progress: Progress): void {
  if (raft.trace !== undefined) raft.trace({ kind: 'snapshot-lost', to: progress.id, index: progress.pendingSnapshot });
  snapshotReported(raft, progress, false);
}
