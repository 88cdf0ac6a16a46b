/**
 * Linearizable reads without a log entry (§6.4): all reads of one batch share one ReadIndex round; each is
 * answered once everything up to the round's index is applied here.
 */
import { RaftError } from '../../core/errors.ts';
import type { Index, ReadState } from '../../core/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { Consensus } from '../ports/seam.ts';

/** Reads waiting on one node; more are refused with `busy`. */
export const READS_MAX = 100_000;
/** A round without an answer is asked again after this long, in ms: the question or its answer was lost. */
export const READ_RETRY_MS = 300;

type ReadSource = Pick<Consensus, 'askReadRound' | 'leadership' | 'wake'>;

export interface WaitingRead {
  readonly deadlineMs: number;
  /** Called once: with undefined when the state may be read now. */
  readonly done: (error: RaftError | undefined) => void;
}

interface Round {
  readonly context: string;
  readonly askedMs: number;
  reads: WaitingRead[];
}

interface ConfirmedReads {
  readonly index: Index;
  readonly reads: readonly WaitingRead[];
}

export class Reads {
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #consensus: ReadSource;
  #fresh: WaitingRead[] = [];
  readonly #open = new Map<string, Round>();
  #confirmed: ConfirmedReads[] = [];
  #count = 0;
  #nextRound = 1;
  #applied: Index = 0;

  constructor(bootNonce: string, clock: Clock, consensus: ReadSource) {
    this.#prefix = bootNonce;
    this.#clock = clock;
    this.#consensus = consensus;
  }

  /** ReadIndex rounds asked so far. */
  get rounds(): number {
    return this.#nextRound - 1;
  }

  submit(read: WaitingRead): void {
    if (this.#count >= READS_MAX) {
      return read.done(new RaftError('busy', `${READS_MAX} reads of this node are waiting.`, { retryAfterMs: 50 }));
    }
    this.#count++;
    this.#fresh.push(read);
    this.#consensus.wake();
  }

  /** Takes a read that nobody waits for any more; false when it was answered already. */
  drop(read: WaitingRead): boolean {
    const lists = [this.#fresh, ...[...this.#open.values()].map((round) => round.reads)];
    for (const list of lists) {
      const at = list.indexOf(read);
      if (at < 0) continue;
      list.splice(at, 1);
      this.#count--;
      return true;
    }
    return this.#dropConfirmed(read);
  }

  #dropConfirmed(read: WaitingRead): boolean {
    for (const [i, group] of this.#confirmed.entries()) {
      if (!group.reads.includes(read)) continue;
      this.#confirmed[i] = { index: group.index, reads: group.reads.filter((other) => other !== read) };
      this.#count--;
      return true;
    }
    return false;
  }

  /** Asks one round for everything called since the last. Call after every batch of inputs. */
  flush(): void {
    if (this.#fresh.length === 0) return;
    const context = `${this.#prefix}:${this.#nextRound}`;
    if (!this.#consensus.askReadRound(context)) return;
    this.#nextRound++;
    this.#open.set(context, { context, askedMs: this.#clock.monotonicMs(), reads: this.#fresh });
    this.#fresh = [];
  }

  onReadState(state: ReadState): void {
    const round = this.#open.get(state.context);
    if (round === undefined) return;
    this.#open.delete(state.context);
    if (state.rejected) this.#again(round);
    else if (state.index <= this.#applied) this.#answer(round.reads);
    else this.#confirmed.push({ index: state.index, reads: round.reads });
  }

  /** The member starts from storage: it may have to apply again what an earlier one had applied. */
  onOpened(applied: Index): void {
    this.#applied = applied;
  }

  onAppliedTo(index: Index): void {
    this.#applied = index;
    if (this.#confirmed.length === 0) return;
    const ready = this.#confirmed.filter((group) => group.index <= index);
    if (ready.length === 0) return;
    this.#confirmed = this.#confirmed.filter((group) => group.index > index);
    for (const group of ready) this.#answer(group.reads);
  }

  /** A leader is gone: what it was asked is asked of the next. */
  onLeaderChange(): void {
    for (const round of [...this.#open.values()]) {
      this.#open.delete(round.context);
      this.#again(round);
    }
  }

  tick(): void {
    const now = this.#clock.monotonicMs();
    for (const round of [...this.#open.values()]) {
      if (now - round.askedMs < READ_RETRY_MS) continue;
      this.#open.delete(round.context);
      this.#again(round);
    }
    this.#expire(now);
  }

  #expire(now: number): void {
    const late = this.#fresh.filter((read) => read.deadlineMs <= now);
    if (late.length > 0) {
      this.#fresh = this.#fresh.filter((read) => read.deadlineMs > now);
      const error =
        this.#consensus.leadership() !== undefined
          ? new RaftError('timeout', 'The read could not be confirmed in time.', { mayHaveApplied: false })
          : new RaftError('no-leader', 'No leader could be reached in time.');
      this.#answer(late, error);
    }
    for (const group of this.#confirmed) {
      const slow = group.reads.filter((read) => read.deadlineMs <= now);
      for (const read of slow) {
        if (this.#dropConfirmed(read))
          read.done(new RaftError('timeout', 'This node did not catch up in time.', { mayHaveApplied: false }));
      }
    }
  }

  stop(error: RaftError): void {
    const all = [
      ...this.#fresh,
      ...[...this.#open.values()].flatMap((round) => round.reads),
      ...this.#confirmed.flatMap((group) => group.reads),
    ];
    this.#fresh = [];
    this.#open.clear();
    this.#confirmed = [];
    this.#answer(all, error);
  }

  #again(round: Round): void {
    this.#fresh = [...round.reads, ...this.#fresh];
  }

  #answer(reads: readonly WaitingRead[], error?: RaftError): void {
    this.#count -= reads.length;
    for (const read of reads) read.done(error);
  }
}
