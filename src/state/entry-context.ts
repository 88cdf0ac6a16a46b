/** What a handler is told of the entry it applies. */
import type { Entry, NodeId } from '../core/types.ts';
import { entryRandom } from './random.ts';
import type { ApplyContext } from './state-machine.ts';

/** One per command and member: what it can take from the entry it takes from there. */
export class EntryContext implements ApplyContext {
  readonly now: number;
  readonly proposer: NodeId;
  readonly #entry: Entry;
  #generator: (() => number) | undefined;

  constructor(entry: Entry, now: number, proposer: NodeId) {
    this.#entry = entry;
    this.now = now;
    this.proposer = proposer;
    this.#generator = undefined;
  }

  get index(): number {
    return this.#entry.index;
  }

  get term(): number {
    return this.#entry.term;
  }

  get random(): () => number {
    this.#generator ??= entryRandom(this.#entry.index, this.#entry.term, this.#entry.time);
    return this.#generator;
  }

  /** The same once more, with nothing drawn yet. */
  again(): EntryContext {
    return new EntryContext(this.#entry, this.now, this.proposer);
  }
}
