/** How long a client waits between two tries. Pure: time and chance come in. */

/** First and longest pause while an outage is young: ms. A restarted server has its clients back within a second or two. */
const PAUSE_MIN_MS = 250;
const PAUSE_MAX_MS = 1_000;
/** An outage is young for: ms. Then pauses double further, up to OLD_PAUSE_MAX_MS, so that nobody knocks all day at full pace. */
const YOUNG_MS = 120_000;
const OLD_PAUSE_MAX_MS = 15_000;
/** Shortest pause after a refusal that time alone seldom changes: ms. */
const REFUSED_PAUSE_MS = 10_000;

export class Backoff {
  readonly #random: () => number;
  #tries = 0;
  #sinceMs: number | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Back: the next outage is a new one. */
  reset(): void {
    this.#tries = 0;
    this.#sinceMs = undefined;
  }

  /** Each pause is drawn from the upper half of its range, so that clients that fell out together do not come back together. */
  pauseMs(nowMs: number, refused: boolean, retryAfterMs: number): number {
    this.#sinceMs ??= nowMs;
    const isYoung = nowMs - this.#sinceMs < YOUNG_MS;
    // Only what follows the first two minutes counts towards the long pauses.
    const longestMs = isYoung ? PAUSE_MAX_MS : OLD_PAUSE_MAX_MS;
    const rangeMs = Math.min(longestMs, PAUSE_MIN_MS * 2 ** Math.min(this.#tries, 16));
    this.#tries = isYoung ? Math.min(this.#tries + 1, 2) : this.#tries + 1;
    const pauseMs = rangeMs * (0.5 + this.#random() / 2);
    return Math.max(pauseMs, retryAfterMs, refused ? REFUSED_PAUSE_MS * (1 + this.#random()) : 0);
  }
}
