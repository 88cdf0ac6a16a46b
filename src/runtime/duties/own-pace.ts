/** Whether this node keeps up: its ticks are late when its page is throttled, or has more to do than it can. */
import type { Reports } from '../standing/reports.ts';

/** What was longer ago than this hardly counts any more, in ms. */
const WINDOW_MS = 5_000;
/** One gap counts for at most this part of the window: a page that slept once, and keeps up since, is not a slow one. */
const GAP_SHARE_MAX = 0.2;
/** Late: so much of the time went by between the tick that was due and the one that came. */
const LATE_FROM = 0.5;
/** Not late any more. Less than the other, so that nothing flaps. */
const LATE_UNTIL = 0.25;

export class OwnPace {
  readonly #reports: Reports;
  /** Part of the time by which ticks were late, lately: 0 to 1. */
  #lateness = 0;

  constructor(reports: Reports) {
    this.#reports = reports;
  }

  /** A tick came so long after the one before, in ms; it was due after `dueMs`. */
  onTick(elapsedMs: number, dueMs: number): void {
    if (elapsedMs <= 0) return;
    const weight = Math.min(GAP_SHARE_MAX, elapsedMs / WINDOW_MS);
    this.#lateness += weight * (Math.max(0, elapsedMs - dueMs) / elapsedMs - this.#lateness);
    const { own } = this.#reports;
    own.late = this.#lateness > (own.late ? LATE_UNTIL : LATE_FROM);
  }
}
