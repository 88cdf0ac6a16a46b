/**
 * For a cluster whose majority is gone for good: one survivor goes on alone, in a new epoch. What its log holds is declared
 * committed, and every other member is removed from the configuration by entries of its own, so that the machine and the
 * configuration see nothing but a log. Entries that only the lost majority held are lost: nobody else can decide this.
 */
import { isJoint, LEAVE_JOINT } from '../core/conf/conf-change.ts';
import { RaftError } from '../core/errors.ts';
import { type ConfChange, type ConfChangeOp, type Entry, type Index, makeEntry, NO_BYTES, type NodeId } from '../core/types.ts';
import { describeMembers } from './inspect.ts';
import { RETIRED_RECORD } from './retired.ts';
import type { NodeStore } from './storage.ts';

export interface Recovered {
  readonly epoch: number;
  readonly removed: readonly NodeId[];
  /** The last entry of the new epoch's beginning, committed. */
  readonly commit: Index;
}

/**
 * One atomic write: the new epoch, a higher term, and the changes that leave the store's node as the only voter. Members
 * of the old epoch are refused with `epoch-mismatch`. Errors: invalid-argument (a store of no cluster), corrupt, storage.
 */
export async function recover(store: NodeStore, nowMs: number): Promise<Recovered> {
  const state = await store.load();
  if (state.cluster === undefined) throw new RaftError('invalid-argument', 'This store has never been part of a cluster.');
  const { nodeId } = store.identity;
  const { latest } = await describeMembers(store);
  const others = [...new Set([...latest.voters, ...latest.votersOutgoing, ...latest.learners, ...latest.learnersNext])]
    .filter((id) => id !== nodeId)
    .sort();
  const changes: ConfChange[] = [];
  if (isJoint(latest)) changes.push(LEAVE_JOINT);
  if (!latest.voters.includes(nodeId) || latest.witnesses.includes(nodeId)) changes.push(step('voter', nodeId));
  // One voter at a time: each is a simple change, which needs no majority of those who are gone to be left again.
  for (const id of others) changes.push(step('remove', id));
  const term = state.hardState.term + 1;
  const entries = changes.map((change, i): Entry => makeEntry(state.lastIndex + 1 + i, term, 'conf', nowMs, NO_BYTES, change));
  const commit = state.lastIndex + entries.length;
  const epoch = state.cluster.epoch + 1;
  await store.write({
    cluster: { clusterId: state.cluster.clusterId, epoch },
    hardState: { term, vote: nodeId, commit },
    entries,
    // Whatever it was kept for: this is it.
    deleteRecords: [RETIRED_RECORD],
  });
  return { epoch, removed: others, commit };
}

function step(op: ConfChangeOp, id: NodeId): ConfChange {
  return { transition: 'auto', steps: [{ op, id, context: undefined }], context: undefined };
}
