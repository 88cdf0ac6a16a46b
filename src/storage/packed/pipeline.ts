/**
 * The order of writes. One transaction is in flight; what is called meanwhile is folded into the next. Background work
 * (merging, deleting) gets the disk to itself in small steps, between transactions, and never waits for ever.
 */
import type { RaftError } from '../../core/errors.ts';
import type { Index } from '../../core/types.ts';
import { failedStore } from '../batch.ts';
import { Fold } from './fold.ts';
import type { Medium, Operation } from './medium.ts';

/**
 * Background steps wait for a moment without writes, but after so many transactions one goes first all the same, or
 * a busy log would never be compacted.
 */
const TRANSACTIONS_PER_STEP = 8;

export interface PipelineHost {
  /** What the fold means for the disk. Called when its transaction starts, once. */
  operations(fold: Fold): readonly Operation[];
  /** The fold's transaction is durable; its waiters are told after this. */
  durable(fold: Fold): void;
  /** A transaction failed: nothing more is written until `restart`. Called once per failure. */
  failed(error: RaftError): void;
}

export class Pipeline {
  readonly #medium: Medium;
  readonly #host: PipelineHost;
  readonly #relaxed: boolean;
  #pending: Fold | undefined = undefined;
  #busy = false;
  #scheduled = false;
  #failure: RaftError | undefined = undefined;
  readonly #steps: (() => Promise<void>)[] = [];
  #sinceStep = 0;
  readonly #idle: (() => void)[] = [];

  constructor(medium: Medium, host: PipelineHost, relaxed: boolean) {
    this.#medium = medium;
    this.#host = host;
    this.#relaxed = relaxed;
  }

  get failure(): RaftError | undefined {
    return this.#failure;
  }

  /** First index that is written again and not under way yet; Infinity when there is none. */
  get pendingFrom(): Index {
    return this.#pending?.entries[0]?.index ?? Number.POSITIVE_INFINITY;
  }

  /** The transaction that what is written now becomes part of. */
  fold(): Fold {
    if (this.#pending === undefined) {
      this.#pending = new Fold();
      this.#schedule();
    }
    return this.#pending;
  }

  /** Runs alone, when its turn comes. Rejects with the failure when there is one. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const step = (): Promise<void> => {
        if (this.#failure !== undefined) {
          reject(this.#failure);
          return Promise.resolve();
        }
        return work().then(resolve, reject);
      };
      this.#steps.push(step);
      this.#schedule();
    });
  }

  /** Resolves when nothing is pending or in flight; never rejects. */
  settled(): Promise<void> {
    if (!this.#busy && this.#pending === undefined && this.#steps.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  fail(error: RaftError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#host.failed(error);
    this.#schedule();
  }

  /** After a failure, once the owner has read the disk again. */
  restart(): void {
    this.#failure = undefined;
  }

  /** A microtask later, so that calls of one turn share a transaction. */
  #schedule(): void {
    if (this.#scheduled || this.#busy) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#busy) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#pending !== undefined || this.#steps.length > 0) {
      const stepDue = this.#pending === undefined || this.#sinceStep >= TRANSACTIONS_PER_STEP;
      const step = stepDue ? this.#steps.shift() : undefined;
      if (step !== undefined) {
        this.#sinceStep = 0;
        await step();
      } else {
        this.#sinceStep += 1;
        await this.#transaction();
      }
    }
    this.#busy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #transaction(): Promise<void> {
    const fold = this.#pending;
    this.#pending = undefined;
    if (fold === undefined) return;
    if (this.#failure !== undefined) return fold.reject(this.#failure);
    try {
      const operations = this.#host.operations(fold);
      const durability = fold.strict && !this.#relaxed ? 'strict' : 'relaxed';
      if (operations.length > 0) await this.#medium.commit(operations, durability);
      if (this.#failure !== undefined) return fold.reject(this.#failure);
      this.#host.durable(fold);
      fold.resolve();
    } catch (error) {
      this.fail(failedStore('The write failed.', error));
      fold.reject(this.#failure);
    }
  }
}
