/**
 * Reads of one leadership that wait for a round of heartbeats (§6.4). Each round has a number of the leader's own, never
 * used twice in a term: an answer to an old round says nothing about a new read, whatever the caller named it.
 */
import type { Index, NodeId } from '../types.ts';

export interface ReadRequest {
  readonly context: string;
  /** Who asked: this node itself, or a follower. */
  readonly from: NodeId;
}

export interface ReadRound {
  readonly round: number;
  /** The commit index when the last of its requests came. */
  index: Index;
  readonly requests: ReadRequest[];
}

export class ReadQueue {
  /** Oldest first. */
  #rounds: ReadRound[] = [];
  /** The latest round each member answered: whoever answered it still followed this leader at all earlier ones. */
  readonly #answered = new Map<NodeId, number>();
  #lastRound = 0;
  #pending = 0;
  /** The newest round while its heartbeats have not left: more reads may share it. */
  #open: ReadRound | undefined = undefined;

  get pending(): number {
    return this.#pending;
  }

  /** The round that a heartbeat carries: the newest that waits; 0 for none. */
  get currentRound(): number {
    const last = this.#rounds[this.#rounds.length - 1];
    return last === undefined ? 0 : last.round;
  }

  nextRound(): number {
    this.#lastRound++;
    return this.#lastRound;
  }

  begin(index: Index, request: ReadRequest, self: NodeId): number {
    const round: ReadRound = { round: this.nextRound(), index, requests: [request] };
    this.#rounds.push(round);
    this.#pending++;
    this.#open = round;
    this.answer(self, round.round);
    return round.round;
  }

  /** Shares the round whose heartbeats have not left yet; false when there is none. */
  join(request: ReadRequest, index: Index): boolean {
    if (this.#open === undefined) return false;
    this.#open.requests.push(request);
    this.#open.index = Math.max(this.#open.index, index);
    this.#pending++;
    return true;
  }

  /** The heartbeats leave. */
  close(): void {
    this.#open = undefined;
  }

  answer(from: NodeId, round: number): void {
    if (round > this.answeredBy(from)) this.#answered.set(from, round);
  }

  answeredBy(id: NodeId): number {
    return this.#answered.get(id) ?? 0;
  }

  /** Takes all rounds up to that one. */
  takeTo(confirmed: number): readonly ReadRound[] {
    let count = 0;
    for (const { round, requests } of this.#rounds) {
      if (round > confirmed) break;
      count++;
      this.#pending -= requests.length;
      if (round === this.#open?.round) this.#open = undefined;
    }
    return this.#rounds.splice(0, count);
  }

  takeAll(): readonly ReadRound[] {
    const taken = this.#rounds;
    this.#rounds = [];
    this.#pending = 0;
    this.#open = undefined;
    return taken;
  }
}
