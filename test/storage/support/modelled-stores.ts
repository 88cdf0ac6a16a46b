/** A kind of a browser's storage over modelled disks: what OpfsStorage is in a tab, and that tests make fail. */
import type { NodeId } from '../../../src/core/types.ts';
import type { KindOfStores } from '../../../src/storage/browser-storage.ts';
import type { Locks } from '../../../src/storage/idb/idb-locks.ts';
import { keyIsThere } from '../../../src/storage/identity-key.ts';
import type { MediumRequest } from '../../../src/storage/move-store.ts';
import { openLocked } from '../../../src/storage/open-locked.ts';
import { FileMedium } from '../../../src/storage/opfs/file-medium.ts';
import type { Medium } from '../../../src/storage/packed/medium.ts';
import type { IdentityKey, NodeStore } from '../../../src/storage/storage.ts';
import type { OpenRequest } from '../../../src/storage/web-identity.ts';
import { ModelledFiles } from './modelled-files.ts';

function handleShelf(): IdentityKey {
  let kept: CryptoKeyPair | undefined;
  return {
    needsExtractable: false,
    load: async () => kept,
    save: async (pair) => {
      if (kept !== undefined) throw keyIsThere();
      kept = pair;
    },
  };
}

export class ModelledStores implements KindOfStores {
  readonly kind: string = 'opfs';
  readonly folders = new Map<string, ModelledFiles>();
  /** Called before a medium is opened: throws where there are no files, or no room. */
  onOpen: (() => void) | undefined = undefined;
  opened = 0;
  readonly #locks: Locks;
  readonly #keys = new Map<string, IdentityKey>();
  readonly #openedAt = new Map<string, number>();

  constructor(locks: Locks) {
    this.#locks = locks;
  }

  async ids(room: string): Promise<readonly NodeId[]> {
    return [...this.folders]
      .filter(([name, files]) => name.startsWith(`${room}/`) && files.contents().size > 0)
      .map(([name]) => name.slice(room.length + 1));
  }

  async openedAtMs(room: string, nodeId: NodeId): Promise<number> {
    return this.#openedAt.get(`${room}/${nodeId}`) ?? 0;
  }

  async open(
    request: OpenRequest,
    nodeId: NodeId,
    waitMs: number,
    before?: () => Promise<unknown>,
  ): Promise<NodeStore | undefined> {
    const create = request.fresh === true;
    const store = await openLocked({
      request,
      locks: this.#locks,
      nodeId,
      waitMs,
      durability: 'strict',
      before,
      medium: async (lock) => {
        const medium = await this.openMedium({ room: request.room, nodeId, create });
        if (medium === undefined) return undefined;
        const { close, destroy } = { close: medium.close.bind(medium), destroy: medium.destroy.bind(medium) };
        medium.close = () => close().finally(lock.release);
        medium.destroy = () => destroy().finally(lock.release);
        return medium;
      },
    });
    if (store !== undefined) this.#openedAt.set(`${request.room}/${nodeId}`, performance.timeOrigin + performance.now());
    return store;
  }

  async ownKey(room: string, nodeId: NodeId): Promise<CryptoKeyPair | undefined> {
    return this.#keys.get(`${room}/${nodeId}`)?.load();
  }

  async openMedium({ room, nodeId, create }: MediumRequest): Promise<Medium | undefined> {
    if (!create && !(await this.ids(room)).includes(nodeId)) return undefined;
    this.opened += 1;
    this.onOpen?.();
    const name = `${room}/${nodeId}`;
    const files = this.folders.get(name) ?? new ModelledFiles();
    this.folders.set(name, files);
    // Handles of keys lie beside the files, as in a tab.
    const keys = this.#keys.get(name) ?? handleShelf();
    this.#keys.set(name, keys);
    const medium = await FileMedium.open(files.folder(), { identityKey: keys });
    const destroy = medium.destroy.bind(medium);
    medium.destroy = () => destroy().then(() => void this.#keys.delete(name));
    return medium;
  }
}
