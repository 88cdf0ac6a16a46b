/** A folder of the origin private file system, whose files are sync access handles: only a dedicated worker has those. */
import type { FileFolder, SyncFile } from './sync-file.ts';

/** The handle as workers know it. */
interface WorkerFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle?(): Promise<SyncAccessHandle>;
}
interface SyncAccessHandle {
  read(into: Uint8Array, options: { readonly at: number }): number;
  write(bytes: Uint8Array, options: { readonly at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

/** How long a handle of before is waited for: a reloaded tab's worker lets go of its files a moment after the lock. */
const HANDLE_WAIT_MS = 2_000;
const HANDLE_RETRY_MS = 20;

export class OpfsFolder implements FileFolder {
  readonly #parent: FileSystemDirectoryHandle;
  readonly #directory: FileSystemDirectoryHandle;

  constructor(parent: FileSystemDirectoryHandle, directory: FileSystemDirectoryHandle) {
    this.#parent = parent;
    this.#directory = directory;
  }

  async names(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const name of this.#directory.keys()) names.push(name);
    return names;
  }

  async open(name: string): Promise<SyncFile> {
    const file: WorkerFileHandle = await this.#directory.getFileHandle(name, { create: true });
    const handle = await accessHandle(file);
    return {
      read: (into, at) => handle.read(into, { at }),
      write: (bytes, at) => handle.write(bytes, { at }),
      truncate: (size) => handle.truncate(size),
      getSize: () => handle.getSize(),
      flush: () => handle.flush(),
      close: () => handle.close(),
    };
  }

  async remove(name: string): Promise<void> {
    await removeEntry(this.#directory, name);
  }

  async destroy(): Promise<void> {
    await removeEntry(this.#parent, this.#directory.name);
  }

  async estimate(): Promise<{ readonly usageBytes: number; readonly quotaBytes: number } | undefined> {
    const { usage, quota } = await navigator.storage.estimate();
    return usage === undefined || quota === undefined ? undefined : { usageBytes: usage, quotaBytes: quota };
  }
}

async function accessHandle(file: WorkerFileHandle): Promise<SyncAccessHandle> {
  const triesMax = HANDLE_WAIT_MS / HANDLE_RETRY_MS;
  for (let tries = 1; ; tries += 1) {
    try {
      if (file.createSyncAccessHandle === undefined) throw new DOMException('no sync access handles here', 'NotSupportedError');
      return await file.createSyncAccessHandle();
    } catch (error) {
      const held = error instanceof DOMException && error.name === 'NoModificationAllowedError';
      if (!held || tries >= triesMax) throw error;
      await new Promise((resolve) => setTimeout(resolve, HANDLE_RETRY_MS));
    }
  }
}

async function removeEntry(directory: FileSystemDirectoryHandle, name: string): Promise<void> {
  try {
    await directory.removeEntry(name, { recursive: true });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
  }
}
