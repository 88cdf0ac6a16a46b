/** A packed store on files, for tests that look beneath it. */
import { FileMedium } from '../../../src/storage/opfs/file-medium.ts';
import type { FileFolder } from '../../../src/storage/opfs/sync-file.ts';
import { openPacked } from '../../../src/storage/packed/open-packed.ts';
import type { PackedStore } from '../../../src/storage/packed/packed-store.ts';
import type { OpenOptions } from './packed.ts';

let boots = 0;

export interface FileOptions extends OpenOptions {
  /** Journal files longer than this are followed by another. */
  readonly fileBytes?: number;
}

/** A folder without a node becomes a new one's. */
export async function openOnFiles(folder: FileFolder, options: FileOptions = {}): Promise<PackedStore> {
  boots += 1;
  const medium = await FileMedium.open(folder, { fileBytes: options.fileBytes });
  try {
    const store = await openPacked({
      medium,
      room: 'room',
      nodeId: 'node',
      bootNonce: `boot-${boots}`,
      durability: options.durability ?? 'strict',
      tailBytesMax: options.tailBytesMax,
      onFault: options.onFault,
      fresh: (await medium.all('meta')).size === 0,
      nowMs: boots,
    });
    if (store === undefined) throw new Error('the files hold no identity');
    return store;
  } catch (error) {
    await medium.close();
    throw error;
  }
}
