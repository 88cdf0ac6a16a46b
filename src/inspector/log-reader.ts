/** The log's entries as they are needed: read in pages, a few pages kept, never the same page twice at once. */
import type { EntryInfo } from '../index.ts';
import type { Inspected } from './inspected.ts';

const PAGE = 100;
/** Pages kept: what was looked at last. */
const PAGES_MAX = 40;

export class LogReader {
  readonly #node: Inspected;
  readonly #onRead: (entries: readonly EntryInfo[]) => void;
  readonly #pages = new Map<number, ReadonlyMap<number, EntryInfo>>();
  readonly #reading = new Set<number>();
  /** Up to where pages are good for ever: what is committed does not change. */
  #settled = new Set<number>();

  constructor(node: Inspected, onRead: (entries: readonly EntryInfo[]) => void) {
    this.#node = node;
    this.#onRead = onRead;
  }

  /** What is known of an entry; reads its page when it is not, or when it may have changed since. */
  entry(index: number): EntryInfo | undefined {
    const page = Math.floor(index / PAGE);
    if (!this.#settled.has(page)) void this.#read(page);
    return this.known(index);
  }

  /** The same, without reading: for drawing what was just read, which must not ask for it again. */
  known(index: number): EntryInfo | undefined {
    return this.#pages.get(Math.floor(index / PAGE))?.get(index);
  }

  async #read(page: number): Promise<void> {
    if (this.#reading.has(page)) return;
    this.#reading.add(page);
    const [from, to] = [Math.max(1, page * PAGE), page * PAGE + PAGE - 1];
    const { commitIndex, firstIndex } = this.#node.status;
    try {
      const entries = await this.#node.admin.describeLog({ from, to });
      const before = this.#pages.get(page);
      const changed = before?.size !== entries.length || entries.some(({ index, term }) => before.get(index)?.term !== term);
      this.#pages.delete(page);
      this.#pages.set(page, new Map(entries.map((entry) => [entry.index, entry])));
      const whole = entries.length === to - Math.max(from, firstIndex) + 1;
      if (whole && commitIndex >= to) this.#settled.add(page);
      this.#forget();
      if (changed) this.#onRead(entries);
    } catch {
      // A node that is stopping, or whose disk does not answer, shows what it had; the next look tries again.
    } finally {
      this.#reading.delete(page);
    }
  }

  #forget(): void {
    for (const page of this.#pages.keys()) {
      if (this.#pages.size <= PAGES_MAX) return;
      this.#pages.delete(page);
      this.#settled.delete(page);
    }
  }
}
