/**
 * The end of the log that is not known to be durable yet, with a mark between what was handed out to be written and what
 * was not, and the snapshot that waits to be written.
 *
 *      durable      | handed out          | new
 *   ... 7   8   9   | 10    11    12      | 13   14
 *                   ^ offset                ^ inProgress
 */
import { assert } from '../assert.ts';
import type { Entry, Index, SnapshotMeta, Term } from '../types.ts';
import type { Writable } from '../writable.ts';

/** Emptied slots at the front of the array are given back once there are more of them than this, and than the rest. */
const SLACK_ENTRIES = 64;

type Own = Writable<Unstable, 'offset' | 'inProgress' | 'snapshot' | 'snapshotInProgress'>;

export class Unstable {
  /** The only way that its fields are written. */
  readonly #own: Own = this;
  /** Index of the first entry here; lastIndex + 1 of the durable part. */
  readonly offset: Index;
  /** First index not handed out yet. offset <= inProgress <= offset + count. */
  readonly inProgress: Index;
  readonly snapshot: SnapshotMeta | undefined = undefined;
  /** The snapshot was handed out. */
  readonly snapshotInProgress: boolean = false;
  #entries: Entry[] = [];
  /** Position of `offset` in #entries. */
  #head = 0;

  constructor(offset: Index) {
    this.offset = offset;
    this.inProgress = offset;
  }

  get count(): number {
    return this.#entries.length - this.#head;
  }

  /** One past the last entry here. */
  get end(): Index {
    return this.offset + this.#entries.length - this.#head;
  }

  /** offset <= index < end. */
  at(index: Index): Entry {
    return this.#entries[this.#head + index - this.offset] as Entry;
  }

  slice(from: Index, to: Index): Entry[] {
    const shift = this.#head - this.offset;
    return this.#entries.slice(from + shift, to + shift);
  }

  /** undefined when neither an entry nor the snapshot here says. */
  term(index: Index): Term | undefined {
    if (index >= this.offset && index < this.end) return this.at(index).term;
    if (this.snapshot !== undefined && this.snapshot.index === index) return this.snapshot.term;
    return undefined;
  }

  /** Puts entries at their indexes; what was at or after the first of them is gone. */
  append(entries: readonly Entry[]): void {
    const first = (entries[0] as Entry).index;
    if (first === this.end) {
      // The usual case, also when all before it is durable: the array and its emptied slots are used on.
    } else if (first <= this.offset) {
      this.#entries = [];
      this.#head = 0;
      this.#own.offset = first;
      this.#own.inProgress = first;
    } else {
      assert(first < this.end, 'an append that leaves a hole in the log');
      this.#entries.length = this.#head + first - this.offset;
      // What replaces an entry already handed out has to be handed out too.
      if (this.inProgress > first) this.#own.inProgress = first;
    }
    for (let i = 0; i < entries.length; i++) this.#entries.push(entries[i] as Entry);
  }

  handedOut(): void {
    this.#own.inProgress = this.end;
    if (this.snapshot !== undefined) this.#own.snapshotInProgress = true;
  }

  /** The entry (index, term) and all before it are durable. False when another entry stands there by now. */
  stableTo(index: Index, term: Term): boolean {
    if (index < this.offset || index >= this.end || this.at(index).term !== term) return false;
    this.#head += index + 1 - this.offset;
    this.#own.offset = index + 1;
    if (this.inProgress < this.offset) this.#own.inProgress = this.offset;
    if (this.#head > SLACK_ENTRIES && this.#head > this.count) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return true;
  }

  stableSnapshotTo(index: Index): void {
    if (this.snapshot === undefined || this.snapshot.index !== index) return;
    this.#own.snapshot = undefined;
    this.#own.snapshotInProgress = false;
  }

  restore(snapshot: SnapshotMeta): void {
    this.#own.offset = snapshot.index + 1;
    this.#own.inProgress = this.offset;
    this.#entries = [];
    this.#head = 0;
    this.#own.snapshot = snapshot;
    this.#own.snapshotInProgress = false;
  }
}
