/** Where a page keeps its nodes: in files of the browser, held by a worker, or in IndexedDB. */
import { requireOneOf } from '../runtime/ports/require-known.ts';
import { BrowserStorage, type BrowserStorageKind } from '../storage/browser-storage.ts';
import { askForPersistence, IdbStorage } from '../storage/idb/idb-storage.ts';
import { OpfsStorage } from '../storage/opfs/opfs-storage.ts';
import type { StorageProvider } from '../storage/storage.ts';

export type { BrowserStorageKind };

/** What a node is kept in unless the application says otherwise: docs/STORAGE.md has the figures. */
export const DEFAULT_STORAGE: BrowserStorageKind = 'indexeddb';

export const BROWSER_STORAGE_KINDS: readonly BrowserStorageKind[] = ['opfs', 'indexeddb', 'auto'];

export interface BrowserStorageOptions {
  /** strict (default): a write resolves when it is on the disk. relaxed: when a power cut can still undo it. */
  readonly durability?: 'strict' | 'relaxed';
  /** Ask the browser not to evict this site's data under pressure. Default true; it may refuse, or ask the user. */
  readonly persist?: boolean;
  /** Makes the worker that holds the files, where the bundler does not find it by itself (`tabraft/files-worker`). */
  readonly worker?: () => Worker;
}

/** Storage as `raft.enter` makes it of a word; for importNode and recoverNode, and for its options. Errors: invalid-argument. */
export function browserStorage(kind: BrowserStorageKind = DEFAULT_STORAGE, options: BrowserStorageOptions = {}): StorageProvider {
  requireOneOf('storage', kind, BROWSER_STORAGE_KINDS);
  const { durability, persist, worker = filesWorker } = options;
  return new BrowserStorage({
    files: new OpfsStorage({ durability, worker }),
    tables: new IdbStorage({ durability }),
    keep: kind,
    persist: persist === false ? undefined : askForPersistence,
  });
}

/** In this very form bundlers find the script and make it a file of its own: no `blob:`, whatever the page's policy. */
function filesWorker(): Worker {
  return new Worker(new URL('../storage/opfs/files-worker.ts', import.meta.url), { type: 'module', name: 'tabraft-files' });
}
