/** Storage without a disk: for tests, for simulation, and for learners that may forget. */
import type { NodeId } from '../../core/types.ts';
import { requireNoRollback, tellWitness, witnessedBoots } from '../boot-witness.ts';
import { favouredFirst, newIdFor, type RandomId, randomId, requireNodeId, requireRoom } from '../identity.ts';
import type { AcquireRequest, NodeStore, StorageProvider } from '../storage.ts';
import { MemoryDisk, MemoryImage } from './memory-disk.ts';
import { MemoryNodeStore, type MemoryWriteHook } from './memory-store.ts';

export interface MemoryStorageOptions {
  /** Shared with others, it is what a second process, or the next one, finds. */
  readonly disk?: MemoryDisk | undefined;
  /** What `durable` says: whether its nodes may vote. Default false. */
  readonly durable?: boolean | undefined;
  readonly onWrite?: MemoryWriteHook | undefined;
  /** Source of node ids and boot nonces. */
  readonly randomId?: RandomId | undefined;
}

export class MemoryStorage implements StorageProvider {
  readonly kind: string = 'memory';
  readonly durable: boolean;
  readonly disk: MemoryDisk;
  readonly #randomId: RandomId;
  readonly #onWrite: MemoryWriteHook | undefined;

  constructor(options: MemoryStorageOptions = {}) {
    this.disk = options.disk ?? new MemoryDisk();
    this.durable = options.durable ?? false;
    this.#onWrite = options.onWrite;
    this.#randomId = options.randomId ?? randomId;
  }

  async acquire(request: AcquireRequest): Promise<NodeStore> {
    const store = this.open(request, await this.#newId(request));
    const { bootCount } = store.identity;
    try {
      requireNoRollback(bootCount, await witnessedBoots(request.bootWitness, store.identity));
    } catch (error) {
      await store.close();
      // What was refused was not opened: the next one must not pass for it.
      const image = this.disk.room(request.room).get(store.identity.nodeId);
      if (image !== undefined) image.bootCount = bootCount;
      request.onUnreadable?.(store.identity.nodeId);
      throw error;
    }
    tellWitness(request.bootWitness, store.identity, bootCount + 1);
    return store;
  }

  async leftKey(room: string, nodeId: NodeId): Promise<CryptoKeyPair | undefined> {
    const image = this.disk.room(room).get(nodeId);
    return image?.holder === undefined ? image?.key : undefined;
  }

  /** As acquire, at once and asking no witness, with the memory store's own extras (fail, crash). */
  open(request: AcquireRequest, newId?: NodeId): MemoryNodeStore {
    requireRoom(request.room);
    if (request.preferred !== undefined) requireNodeId(request.preferred);
    const room = this.disk.room(request.room);
    const nodeId = this.#choose(room, request) ?? newId ?? this.#randomId();
    const image = room.get(nodeId) ?? new MemoryImage();
    room.set(nodeId, image);
    const identity = { nodeId, bootNonce: this.#randomId(), bootCount: image.bootCount, room: request.room };
    image.bootCount += 1;
    image.openedAt = this.disk.nextOpening();
    image.holder = identity.bootNonce;
    return new MemoryNodeStore({
      identity,
      image,
      onWrite: this.#onWrite,
      onFault: request.onFault,
      witness: request.bootWitness,
      forget: () => room.delete(nodeId),
    });
  }

  /** undefined when an identity is there to be taken, or nobody names new ones. */
  async #newId(request: AcquireRequest): Promise<NodeId | undefined> {
    requireRoom(request.room);
    if (request.newId === undefined || this.#choose(this.disk.room(request.room), request) !== undefined) return undefined;
    return newIdFor(request, false);
  }

  #choose(room: ReadonlyMap<NodeId, MemoryImage>, request: AcquireRequest): NodeId | undefined {
    if (request.fresh === true) return undefined;
    const preferred = request.preferred === undefined ? undefined : room.get(request.preferred);
    if (preferred !== undefined && preferred.holder === undefined) return request.preferred;
    const orphans = [...room].filter(([, { holder }]) => holder === undefined).sort(([, x], [, y]) => y.openedAt - x.openedAt);
    const ids = orphans.map(([nodeId]) => nodeId);
    return favouredFirst(ids, request)[0];
  }
}
