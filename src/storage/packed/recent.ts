/** The end of the log in memory: everything not yet durable, and the last of what is. */
import type { Entry, Index } from '../../core/types.ts';

/** Bytes of durable entries kept, so that followers that are a little behind are served without the disk. */
const RECENT_BYTES_MAX: number = 256 * 1024;
/** Counted for an entry beside its data: the object itself and its place in the array. */
const ENTRY_OVERHEAD_BYTES = 100;

export class Recent {
  #entries: Entry[] = [];
  #dropped = 0;
  #bytes = 0;
  /** Index of the first entry held, when any is. */
  #first: Index = 0;

  /** First index that need not be read from the disk; Infinity when nothing is held. */
  get first(): Index {
    return this.#dropped === this.#entries.length ? Number.POSITIVE_INFINITY : this.#first + this.#dropped;
  }

  append(entries: readonly Entry[]): void {
    const first = entries[0]?.index;
    if (first === undefined) return;
    if (first < this.first) this.clear();
    if (this.#entries.length === 0) this.#first = first;
    while (this.#entries.length > first - this.#first) this.#bytes -= cost(this.#entries.pop());
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += cost(entry);
    }
  }

  /** Lets go of what is more than enough, up to `durableIndex`. */
  trim(durableIndex: Index): void {
    while (this.#bytes > RECENT_BYTES_MAX && this.#first + this.#dropped < durableIndex) {
      this.#bytes -= cost(this.#entries[this.#dropped]);
      this.#dropped += 1;
    }
    if (this.#dropped <= this.#entries.length / 2) return;
    this.#entries.splice(0, this.#dropped);
    this.#first += this.#dropped;
    this.#dropped = 0;
  }

  clear(): void {
    this.#entries = [];
    this.#dropped = 0;
    this.#bytes = 0;
  }

  /** Entries [from, to) as far as they fit; `from` must not be below `first`. */
  slice(from: Index, to: Index, bytesMax: number): Entry[] {
    const start = from - this.#first;
    const taken: Entry[] = [];
    let bytes = 0;
    for (let at = start; at < to - this.#first; at += 1) {
      const entry = this.#entries[at];
      if (entry === undefined) break;
      bytes += entryBytes(entry);
      if (bytes > bytesMax && taken.length > 0) break;
      taken.push(entry);
    }
    return taken;
  }
}

function cost(entry: Entry | undefined): number {
  return entry === undefined ? 0 : entry.data.length + ENTRY_OVERHEAD_BYTES;
}

/** What an entry counts against the byte limit of a read. */
export function entryBytes(entry: Entry): number {
  return entry.data.length + 24;
}
