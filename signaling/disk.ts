/** Whether a disk is about to be full: said before a write has failed, so that somebody can make room. */
import { statfs } from 'node:fs/promises';

/** Of free bytes so many are to be left. Below it the process says that it is not well; it goes on all the same. */
export const FREE_BYTES_MIN: number = 64 * 1024 * 1024;
/** How often the disk is asked: ms. */
const LOOK_EVERY_MS = 10_000;

type FreeBytes = (directory: string) => Promise<number>;

async function freeBytesOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

export class DiskWatch {
  readonly #directory: string;
  readonly #freeBytes: FreeBytes;
  #nextMs = Number.NEGATIVE_INFINITY;
  #free = Number.POSITIVE_INFINITY;

  constructor(directory: string, freeBytes: FreeBytes = freeBytesOf) {
    this.#directory = directory;
    this.#freeBytes = freeBytes;
  }

  /** Call now and then. A disk that cannot be asked is taken for one with room: a write will tell. */
  async look(nowMs: number = performance.now()): Promise<void> {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + LOOK_EVERY_MS;
    this.#free = await this.#freeBytes(this.#directory).catch(() => Number.POSITIVE_INFINITY);
  }

  get trouble(): string | undefined {
    if (this.#free >= FREE_BYTES_MIN) return undefined;
    return `the disk is almost full: ${Math.floor(this.#free / 1024 / 1024)} MiB are free for ${this.#directory}`;
  }
}
