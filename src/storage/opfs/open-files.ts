/** Open handles of a folder: opened when they are first needed, the least recently used closed when they are many. */
import type { FileFolder, SyncFile } from './sync-file.ts';

/** Handles open at a time beside pinned ones: a long log lies in many files, of which reading needs few. */
const OPEN_FILES_MAX = 16;

export class OpenFiles {
  readonly folder: FileFolder;
  /** Least recently used first. */
  readonly #open = new Map<string, SyncFile>();
  readonly #pinned = new Set<string>();

  constructor(folder: FileFolder) {
    this.folder = folder;
  }

  /** Not to be kept beyond the next call of this, unless it is pinned. */
  async get(name: string): Promise<SyncFile> {
    const file = this.#open.get(name) ?? (await this.folder.open(name));
    this.#open.delete(name);
    this.#open.set(name, file);
    this.#closeUnused();
    return file;
  }

  /** Keeps the handle open until it is unpinned. */
  pin(name: string): void {
    this.#pinned.add(name);
  }
  unpin(name: string): void {
    this.#pinned.delete(name);
  }

  #closeUnused(): void {
    let extra = this.#open.size - this.#pinned.size - OPEN_FILES_MAX;
    for (const [name, file] of this.#open) {
      if (extra <= 0) return;
      if (this.#pinned.has(name)) continue;
      this.#open.delete(name);
      file.close();
      extra -= 1;
    }
  }

  /** Emptied first: a removal that a power cut undoes brings no old bytes back, into a folder that holds another store by then. */
  async remove(name: string): Promise<void> {
    const file = await this.get(name);
    if (file.getSize() > 0) {
      file.truncate(0);
      file.flush();
    }
    this.#close(name);
    await this.folder.remove(name);
  }

  #close(name: string): void {
    const file = this.#open.get(name);
    this.#open.delete(name);
    this.#pinned.delete(name);
    file?.close();
  }

  closeAll(): void {
    for (const name of [...this.#open.keys()]) this.#close(name);
  }
}
