/**
 * How far committed entries were handed out to be applied, and how many bytes of them are on their way: a limit on the
 * work the environment is given at once.
 */
import type { Entry, Index } from '../types.ts';
import type { Writable } from '../writable.ts';

/** One run on its way: a list rather than an array, since mostly there is one. */
interface Batch {
  last: Index;
  bytes: number;
  /** Bytes of commands in it that its leader counts as uncommitted. */
  payload: number;
  next: Batch | undefined;
}

type Own = Writable<ApplyWindow, 'applied' | 'applying' | 'open'>;

export class ApplyWindow {
  /** The only way that its fields are written. */
  readonly #own: Own = this;
  readonly maxBytes: number;
  /** The last entry whose effect is in the machine. Never falls. */
  readonly applied: Index;
  /** The last entry handed out. applied <= applying. */
  readonly applying: Index;
  /** False: wait until some of what was handed out is applied. */
  readonly open: boolean = true;
  #bytes = 0;
  #oldest: Batch | undefined = undefined;
  #newest: Batch | undefined = undefined;
  /** One that is done with, to be used again: nobody else ever sees a batch, and every command would make one at each member. */
  #spare: Batch | undefined = undefined;

  constructor(applied: Index, maxBytes: number) {
    this.applied = applied;
    this.applying = applied;
    this.maxBytes = maxBytes;
  }

  /** Bytes that may be handed out now. */
  get room(): number {
    return this.maxBytes - this.#bytes;
  }

  /** `appliable` is how far a run without a byte limit would have gone: a run that stopped before it met the limit. */
  handedOut(run: readonly Entry[], bytes: number, payload: number, appliable: Index): void {
    const last = (run[run.length - 1] as Entry).index;
    this.#own.applying = last;
    this.#bytes += bytes;
    const batch = this.#batch(last, bytes, payload);
    if (this.#newest === undefined) this.#oldest = batch;
    else this.#newest.next = batch;
    this.#newest = batch;
    this.#own.open = this.#bytes < this.maxBytes && last >= appliable;
  }

  /** The environment has applied everything up to `index`. Returns the payload of what is done with that. */
  appliedTo(index: Index): number {
    let payload = 0;
    while (this.#oldest !== undefined && this.#oldest.last <= index) {
      const done = this.#oldest;
      this.#bytes -= done.bytes;
      payload += done.payload;
      this.#oldest = done.next;
      done.next = undefined;
      this.#spare = done;
    }
    if (this.#oldest === undefined) this.#newest = undefined;
    this.skipTo(index);
    return payload;
  }

  /** A snapshot stands for everything up to `index`; what was handed out before is still on its way. */
  skipTo(index: Index): void {
    if (index > this.applied) this.#own.applied = index;
    if (this.applied > this.applying) this.#own.applying = this.applied;
    this.#own.open = this.#bytes < this.maxBytes;
  }

  #batch(last: Index, bytes: number, payload: number): Batch {
    const batch = this.#spare;
    if (batch === undefined) return { last, bytes, payload, next: undefined };
    this.#spare = undefined;
    batch.last = last;
    batch.bytes = bytes;
    batch.payload = payload;
    return batch;
  }
}
