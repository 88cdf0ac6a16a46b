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
  /** Who answered it. */
  readonly acks: Set<NodeId>;
}

export class ReadQueue {
  #rounds: ReadRound[] = [];
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
    const round: ReadRound = { round: this.nextRound(), index, requests: [request], acks: new Set([self]) };
    this.#rounds.push(round);
    this.#pending++;
    this.#open = round;
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

  ack(from: NodeId, number: number): ReadRound | undefined {
    const round = this.#rounds.find((candidate) => candidate.round === number);
    round?.acks.add(from);
    return round;
  }

  /** Takes that round and all before it: who answered a later heartbeat still followed this leader at the earlier ones. */
  takeTo(round: ReadRound): readonly ReadRound[] {
    const taken = this.#rounds.splice(0, this.#rounds.indexOf(round) + 1);
    for (const { requests } of taken) this.#pending -= requests.length;
    if (round === this.#open) this.#open = undefined;
    return taken;
  }

  /** The newest round for which `confirmed` holds. */
  newestWhere(confirmed: (round: ReadRound) => boolean): ReadRound | undefined {
    for (let i = this.#rounds.length - 1; i >= 0; i--) {
      const round = this.#rounds[i];
      if (round !== undefined && confirmed(round)) return round;
    }
    return undefined;
  }

  takeAll(): readonly ReadRound[] {
    const taken = this.#rounds;
    this.#rounds = [];
    this.#pending = 0;
    this.#open = undefined;
    return taken;
  }
}
