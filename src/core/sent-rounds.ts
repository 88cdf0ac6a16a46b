/** Which heartbeat rounds have left, and when: what a lease is counted from (§6.4.1). */

interface SentRound {
  readonly round: number;
  readonly tick: number;
}

export class Lease {
  /** Rounds still of use, oldest first, with the tick at which each first left. */
  #sent: SentRound[] = [];

  sent(round: number, tick: number, lengthTicks: number): void {
    if (this.#sent.some((sent) => sent.round === round)) return;
    this.#sent = this.#sent.filter((sent) => tick - sent.tick < lengthTicks);
    this.#sent.push({ round, tick });
  }

  tickOf(round: number): number | undefined {
    return this.#sent.find((sent) => sent.round === round)?.tick;
  }

  /** Answers to what left before now say nothing any more. */
  clear(): void {
    this.#sent = [];
  }
}
