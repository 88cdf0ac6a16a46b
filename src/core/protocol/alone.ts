/**
 * The last voter (docs/CORE.md, rules A1 to A8): the leader of a settled pair demotes the other voter, and decides that
 * by itself: the demotion and a commit index that covers it become durable in one write, and until then that commit index
 * is used for nothing and told to nobody.
 */
import { assert } from '../assert.ts';
import type { AloneOutcome } from '../outcome.ts';
import type { Leader, Raft } from '../state.ts';
import { type ConfChange, type Index, makeEntry, NO_BYTES, NO_NODE, type NodeId, type Term } from '../types.ts';
import type { Writable } from '../writable.ts';
import { setPendingConf } from './propose.ts';
import { releaseWaitingReads } from './read-index.ts';
import { appendLocal, broadcastAppend, broadcastCommit, commitTo } from './replicate.ts';
import { isOneOfPair, isSealed, mayCommitAlone, partnerOf, pendingChange } from './settled.ts';
import { abortTransfer } from './transfer.ts';

type Own = Writable<Raft, 'alone'>;
type OwnLeader = Writable<Leader, 'sealIndex' | 'partnerSealed'>;

/** Asked by the environment, when the other voter is gone. The answer says whether the write is under way. */
export function goAlone(raft: Raft): AloneOutcome {
  const { role: leader } = raft;
  if (!raft.config.goesAlone) return { ok: false, reason: 'switched-off' };
  if (leader.name !== 'leader') return { ok: false, reason: 'not-leader' };
  if (!isOneOfPair(raft)) return { ok: false, reason: 'not-a-pair' };
  if (raft.alone !== undefined) return { ok: true, index: raft.alone.index };
  if (!isSealed(raft, leader)) return { ok: false, reason: 'not-settled' };
  const pending = pendingChange(raft, leader);
  if (pending === 'none') {
    const partner = partnerOf(raft.conf, raft.id);
    // Joint, and nothing in the log that leaves it: neither half can be changed.
    if (partner === undefined) return { ok: false, reason: 'not-a-pair' };
    abortTransfer(raft, leader);
    return decide(raft, demote(raft, leader, partner), raft.term);
  }
  if (pending === 'unknown' || !mayCommitAlone(raft, pending)) return { ok: false, reason: 'config-change-in-progress' };
  abortTransfer(raft, leader);
  return decide(raft, pending.index, pending.term);
}

/** The entry that leaves this node the only voter. A witness holds no data: it cannot become a learner. */
function demote(raft: Raft, leader: Leader, partner: NodeId): Index {
  const op = raft.conf.witnesses.includes(partner) ? 'remove' : 'learner';
  const change: ConfChange = { transition: 'auto', steps: [{ op, id: partner, context: undefined }], context: undefined };
  const index = raft.log.last + 1;
  setPendingConf(leader, index);
  appendLocal(raft, [makeEntry(index, raft.term, 'conf', raft.timeMs, NO_BYTES, change)]);
  broadcastAppend(raft, leader);
  return index;
}

function decide(raft: Raft, index: Index, term: Term): AloneOutcome {
  const own: Own = raft;
  own.alone = { index, term };
  if (raft.trace !== undefined) raft.trace({ kind: 'alone', index, term, phase: 'started' });
  return { ok: true, index };
}

/** A write is durable whose commit index becomes true with it: whatever role this node has by now. */
export function aloneDurable(raft: Raft, index: Index): void {
  const { alone, role, log } = raft;
  if (alone === undefined || alone.index !== index) return;
  assert(index <= log.committed || log.matches(index, alone.term), 'what was decided alone was replaced');
  const own: Own = raft;
  own.alone = undefined;
  if (raft.trace !== undefined) raft.trace({ kind: 'alone', index, term: alone.term, phase: 'durable' });
  if (index <= log.committed) return;
  commitTo(raft, index);
  if (role.name !== 'leader') return;
  releaseWaitingReads(raft, role);
  broadcastCommit(raft, role);
}

/** A snapshot stands for all that was to be decided: the write in flight decides nothing more. */
export function aloneSuperseded(raft: Raft): void {
  if (raft.alone === undefined || raft.alone.index > raft.log.committed) return;
  const own: Own = raft;
  own.alone = undefined;
}

/** A change was applied: only what is appended from here on was appended in the configuration in force (A3a). */
export function breakSeal(raft: Raft, leader: Leader): void {
  const own: OwnLeader = leader;
  own.sealIndex = raft.log.last + 1;
  own.partnerSealed = NO_NODE;
}

/**
 * A8: a no-op that the other voter acknowledges, where nothing else was appended since the change. Not during a transfer,
 * whose target has to hold the whole log; looked at again after every apply and with every check-quorum.
 */
export function maybeSeal(raft: Raft, leader: Leader): void {
  if (!raft.config.goesAlone || raft.log.last >= leader.sealIndex || leader.transferee !== NO_NODE) return;
  if (!isOneOfPair(raft)) return;
  appendLocal(raft, [makeEntry(raft.log.last + 1, raft.term, 'normal', raft.timeMs, NO_BYTES, undefined)]);
  broadcastAppend(raft, leader);
}
