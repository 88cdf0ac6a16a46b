/** Who this device is in a room: a store, and the key pair that lies in it. An id is its key, so both are made together. */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import type { AcquireRequest, NodeStore, StorageProvider } from '../storage/storage.ts';
import { createKeyPair, type Identity, identityOf, idOf } from '../trust/identity.ts';
import { exportPublicKey, requireSubtle } from '../trust/primitives.ts';

export interface HeldIdentity {
  readonly store: NodeStore;
  readonly identity: Identity;
}

/**
 * Takes an identity of this device, or makes one. Errors: insecure-context, node-mismatch (a store of a build whose ids were no
 * keys, or with somebody else's key), corrupt, and those of `StorageProvider.acquire`.
 */
export async function acquireIdentity(storage: StorageProvider, request: AcquireRequest): Promise<HeldIdentity> {
  // Before anything is made that would then lie about.
  requireSubtle();
  const first = await acquireOnce(storage, request);
  if (first !== 'unfinished') return first;
  const second = await acquireOnce(storage, { ...request, preferred: undefined, fresh: true });
  if (second !== 'unfinished') return second;
  throw new RaftError(
    'invalid-argument',
    `The storage ${storage.kind} does not ask who a new identity is (AcquireRequest.newId).`,
  );
}

/** `unfinished`: it was made, and its key was not kept before that ended; it has never been anybody, and is gone. */
async function acquireOnce(storage: StorageProvider, request: AcquireRequest): Promise<HeldIdentity | 'unfinished'> {
  let made: { readonly id: NodeId; readonly pair: CryptoKeyPair } | undefined;
  const newId = async (extractable: boolean): Promise<NodeId> => {
    const pair = await createKeyPair(extractable);
    made = { pair, id: await idOf(await exportPublicKey(pair.publicKey)) };
    return made.id;
  };
  const store = await storage.acquire({ ...request, newId });
  const { nodeId } = store.identity;
  try {
    let pair = await store.identityKey.load();
    if (pair === undefined && made?.id === nodeId) {
      await store.identityKey.save(made.pair);
      pair = await store.identityKey.load();
    }
    if (pair !== undefined) return { store, identity: await identityOf(pair, nodeId) };
    const { cluster } = await store.load();
    if (cluster !== undefined) throw keyless(nodeId);
    await store.wipe();
    return 'unfinished';
  } catch (error) {
    await store.close().catch(() => {});
    throw error;
  }
}

/** Its log is whole: it can be exported, and imported as a new node. */
function keyless(id: NodeId): RaftError {
  return new RaftError(
    'node-mismatch',
    `This device's node ${id} has no key pair, so it cannot prove that it is itself. Take its state over as docs/STORAGE.md says (exportNode, importNode, recoverNode).`,
  );
}
