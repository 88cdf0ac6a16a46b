/** From a medium to a store with an identity: what every provider does once it holds the lock. */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { requireNoRollback, tellWitness, witnessedBoots } from '../boot-witness.ts';
import type { AcquireRequest, BootWitness, KeptIn, NodeIdentity } from '../storage.ts';
import type { Durability, Medium } from './medium.ts';
import { FORMAT_VERSION, MOVED, MOVING, putHead, putMeta } from './meta.ts';
import { PackedStore } from './packed-store.ts';
import { logRecordOf, readState, type StoreState } from './state.ts';
import { TermIndex } from './term-index.ts';

export interface OpenPackedInit {
  readonly medium: Medium;
  readonly room: string;
  readonly nodeId: NodeId;
  readonly bootNonce: string;
  readonly durability: Durability;
  /** Default TAIL_BYTES_MAX; tests make it small. */
  readonly tailBytesMax?: number | undefined;
  readonly onFault: AcquireRequest['onFault'];
  readonly kept?: KeptIn | undefined;
  readonly witness?: BootWitness | undefined;
  /** A new identity: the database must be empty. Otherwise it must not be. */
  readonly fresh: boolean;
  readonly nowMs: number;
}

/**
 * undefined for a database that should hold an identity and was never written: there is none to adopt. An older copy of
 * one that the witness knows of is `corrupt`.
 * Errors: corrupt, storage-newer, node-mismatch, quota, storage.
 */
export async function openPacked(init: OpenPackedInit): Promise<PackedStore | undefined> {
  const { medium, room, nodeId } = init;
  const [found, witnessed] = await Promise.all([readState(medium), witnessedBoots(init.witness, { room, nodeId })]);
  if (found === undefined && !init.fresh) return undefined;
  if (found !== undefined && (found.identity.nodeId !== nodeId || found.identity.room !== room)) {
    const whose = `${found.identity.nodeId} of room ${JSON.stringify(found.identity.room)}`;
    throw new RaftError('node-mismatch', `The database named for ${nodeId} belongs to ${whose}.`);
  }
  const bootCount = found?.identity.bootCount ?? 0;
  requireNoRollback(bootCount, witnessed);
  const record = { nodeId, room, bootCount: bootCount + 1, openedAtMs: init.nowMs };
  const state = found ?? emptyState(record);
  const head = putHead({ hardState: state.hardState, lastIndex: 0, tail: [] });
  const first = [putMeta('format', FORMAT_VERSION), putMeta('log', logRecordOf(state)), head];
  // What a witness is told must not be undone by a power cut, or the next opening looks like an older copy.
  const durability = init.witness === undefined ? init.durability : 'strict';
  await medium.commit([...(found === undefined ? first : []), putMeta('identity', record)], durability);
  tellWitness(init.witness, { room, nodeId }, record.bootCount);
  const identity: NodeIdentity = { nodeId, room, bootNonce: init.bootNonce, bootCount, ...(init.kept && { kept: init.kept }) };
  return PackedStore.open({ ...init, identity, state });
}

/**
 * As openPacked, for a database that was found: one that was never written is destroyed (a process died while making it), one
 * that was moved away, or is on its way here, is closed and left as it is.
 */
export async function adoptPacked(init: OpenPackedInit): Promise<PackedStore | undefined> {
  const marks = await Promise.all([init.medium.get('meta', MOVED), init.medium.get('meta', MOVING)]);
  if (marks.some((mark) => mark !== undefined)) {
    await init.medium.close();
    return undefined;
  }
  const store = await openPacked(init);
  if (store === undefined) await init.medium.destroy();
  return store;
}

/** For looking at a store that somebody else may hold. Errors: corrupt, storage-newer, not-open (nothing is in it). */
export async function openReader(medium: Medium): Promise<PackedStore> {
  const state = await readState(medium);
  if (state === undefined) throw new RaftError('not-open', 'There is no node in this database.');
  const { nodeId, room, bootCount } = state.identity;
  const identity: NodeIdentity = { nodeId, room, bootCount, bootNonce: '' };
  return PackedStore.open({ medium, identity, state, durability: 'relaxed', onFault: undefined, readOnly: true });
}

function emptyState(identity: StoreState['identity']): StoreState {
  return {
    identity,
    cluster: undefined,
    hardState: { term: 0, vote: '', commit: 0 },
    snapshot: undefined,
    generation: 1,
    mergedTo: 0,
    terms: new TermIndex(),
    headTail: [],
    tail: [],
    records: new Map(),
  };
}
