/**
 * Files on a disk that can lose power at every call. What was written since the last flush of a file is, at a power cut,
 * kept or lost sector by sector, in any combination; files made or removed without a flush since may be back, or gone. A
 * flush that fails may have kept any of it, and a later one that succeeds makes none of it durable.
 */
import type { FileFolder, SyncFile } from '../../../src/storage/opfs/sync-file.ts';

const SECTOR_BYTES = 512;

export interface FileCall {
  readonly call: 'write' | 'flush' | 'truncate' | 'open' | 'remove';
  readonly name: string;
}
/** Called before and after each call takes effect. Throwing before it makes it fail. */
export type FileHook = (call: FileCall, when: 'before' | 'after') => void;

type Change = { readonly at: number; readonly sector: Uint8Array } | { readonly size: number };

class ModelledFile {
  durable: Uint8Array = new Uint8Array(0);
  now: Uint8Array = new Uint8Array(0);
  changes: Change[] = [];
  /** Its name would survive a power cut. */
  named = false;
  open = false;
  /** Sectors that a failed flush lost, as the disk has them; one that is written again since is not among them. */
  readonly lost = new Map<number, Uint8Array>();

  write(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length;
    if (end > this.now.length) this.now = resized(this.now, end);
    else this.now = this.now.slice();
    this.now.set(bytes, at);
    for (let start = at - (at % SECTOR_BYTES); start < end; start += SECTOR_BYTES) {
      this.lost.delete(start);
      this.changes.push({ at: start, sector: this.now.slice(start, Math.min(start + SECTOR_BYTES, this.now.length)) });
    }
  }

  truncate(size: number): void {
    this.now = resized(this.now, size);
    this.changes.push({ size });
  }

  flush(): void {
    this.durable = this.now.slice();
    for (const [at, sector] of this.lost) this.durable.set(sector.subarray(0, Math.max(0, this.durable.length - at)), at);
    this.changes = [];
    this.named = true;
  }

  flushFailed(): void {
    for (const change of this.changes) {
      if ('size' in change) continue;
      const before = new Uint8Array(SECTOR_BYTES);
      before.set(this.durable.subarray(change.at, change.at + SECTOR_BYTES));
      this.lost.set(change.at, before);
    }
  }

  crash(keep: () => boolean): void {
    let disk = this.durable;
    for (const change of this.changes) {
      if (!keep()) continue;
      if ('size' in change) disk = resized(disk, change.size);
      else {
        disk = resized(disk, Math.max(disk.length, change.at + change.sector.length));
        disk.set(change.sector, change.at);
      }
    }
    this.durable = disk;
    this.now = disk.slice();
    this.changes = [];
    this.lost.clear();
    this.open = false;
  }
}

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const next = new Uint8Array(size);
  next.set(bytes.subarray(0, size));
  return next;
}

export class ModelledFiles {
  onCall: FileHook | undefined = undefined;
  #files = new Map<string, ModelledFile>();
  /** Removed since the last power cut, by the name they had. */
  readonly #gone: [string, ModelledFile][] = [];
  #life = 0;
  flushes = 0;

  static from(contents: ReadonlyMap<string, Uint8Array>): ModelledFiles {
    const files = new ModelledFiles();
    for (const [name, bytes] of contents) {
      const file = new ModelledFile();
      file.write(bytes, 0);
      file.flush();
      files.#files.set(name, file);
    }
    return files;
  }

  /** What a process sees. */
  contents(): Map<string, Uint8Array> {
    return new Map([...this.#files].map(([name, file]) => [name, file.now.slice()]));
  }

  /** Power is cut: `keep` is asked for every sector, size, name and removal that was not flushed. Handles of before are dead. */
  crash(keep: () => boolean, removals: 'as asked' | 'removals stay' = 'as asked'): void {
    this.#life += 1;
    for (const [name, file] of this.#gone.splice(0)) {
      if (!this.#files.has(name) && file.named && removals === 'as asked' && !keep()) this.#files.set(name, file);
    }
    for (const [name, file] of [...this.#files]) {
      if (!file.named && !keep()) this.#files.delete(name);
      file.named = true;
      file.crash(keep);
    }
  }

  /** As a browser that clears a site's data: the files are gone, open handles can be written on. */
  clear(): void {
    this.#files.clear();
  }

  folder(): FileFolder {
    const life = this.#life;
    const alive = (): void => {
      if (this.#life !== life) throw new DOMException('The process is dead.', 'InvalidStateError');
    };
    const step = <T>(call: FileCall, work: () => T): T => {
      alive();
      this.onCall?.(call, 'before');
      alive();
      const result = work();
      this.onCall?.(call, 'after');
      alive();
      return result;
    };
    return {
      names: async () => {
        alive();
        return [...this.#files.keys()];
      },
      open: async (name) => step({ call: 'open', name }, () => this.#open(name, step, alive)),
      remove: async (name) => step({ call: 'remove', name }, () => this.#remove(name)),
      destroy: async () => {
        for (const name of [...this.#files.keys()]) step({ call: 'remove', name }, () => this.#remove(name));
      },
      estimate: async () => undefined,
    };
  }

  #remove(name: string): void {
    const file = this.#files.get(name);
    if (file?.open === true) throw new DOMException('The file is open.', 'NoModificationAllowedError');
    if (file !== undefined) this.#gone.push([name, file]);
    this.#files.delete(name);
  }

  #open(name: string, step: <T>(call: FileCall, work: () => T) => T, alive: () => void): SyncFile {
    const file = this.#files.get(name) ?? new ModelledFile();
    this.#files.set(name, file);
    if (file.open) throw new DOMException('The file is open already.', 'NoModificationAllowedError');
    file.open = true;
    return {
      read: (into, at) => {
        alive();
        const bytes = file.now.subarray(at, at + into.length);
        into.set(bytes);
        return bytes.length;
      },
      write: (bytes, at) =>
        step({ call: 'write', name }, () => {
          file.write(bytes, at);
          return bytes.length;
        }),
      truncate: (size) => step({ call: 'truncate', name }, () => file.truncate(size)),
      getSize: () => file.now.length,
      flush: () => {
        try {
          this.onCall?.({ call: 'flush', name }, 'before');
        } catch (error) {
          file.flushFailed();
          throw error;
        }
        alive();
        file.flush();
        this.flushes += 1;
        this.onCall?.({ call: 'flush', name }, 'after');
        alive();
      },
      close: () => {
        file.open = false;
      },
    };
  }
}
