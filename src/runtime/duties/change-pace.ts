/**
 * How often the leader changes the configuration by itself: newcomers and the autopilot share one pace, so that a crowd at the door does not
 * keep the log busy with configurations, and neither keeps the other from its turn. What is changed by hand waits for nobody.
 */

/** Who asks. */
export type Changer = 'joins' | 'autopilot';

/** Who has asked and could not go is let go first, while it still asks: once a tick, which a slow page does more seldom: ms. */
const STILL_ASKS_MS = 2_000;

export class ChangePace {
  readonly #everyMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #last: Changer | undefined;
  /** When each asked in vain, since it last went. */
  readonly #refusedMs = new Map<Changer, number>();

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** True: it goes now. Asked anew on every tick by who has something to change. */
  ask(who: Changer, nowMs: number): boolean {
    if (nowMs - this.#lastMs < this.#everyMs || this.#isOthersTurn(who, nowMs)) {
      this.#refusedMs.set(who, nowMs);
      return false;
    }
    this.note(who, nowMs);
    return true;
  }

  /** It goes now, whatever the pace: a voter has left. */
  note(who: Changer, nowMs: number): void {
    this.#lastMs = nowMs;
    this.#last = who;
    this.#refusedMs.delete(who);
  }

  #isOthersTurn(who: Changer, nowMs: number): boolean {
    const refusedMs = this.#refusedMs.get(who === 'joins' ? 'autopilot' : 'joins') ?? Number.NEGATIVE_INFINITY;
    return this.#last === who && this.#everyMs > 0 && nowMs - refusedMs < STILL_ASKS_MS;
  }
}
