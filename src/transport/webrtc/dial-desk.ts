/**
 * So many tries at once, and whose turn it is: a browser has few connections to give, and a room that fills at once would use them
 * all up for links that fail each other. Who is preferred goes first, then who has failed less often, then who asked first.
 * A try that shows no sign of life gives way when somebody better waits.
 */

export interface Caller {
  /** Smaller is preferred. */
  readonly rank: number;
  readonly failures: number;
  /** It has its place. */
  start(): void;
  /** Nothing has come of its try so far. */
  isStale(nowMs: number): boolean;
  /** Its try ends; it must call `done`. */
  giveWay(): void;
}

/** How often those that run are looked at while others wait: ms. */
const LOOK_EVERY_MS = 500;

export class DialDesk {
  readonly #most: number;
  /** In the order of asking. */
  readonly #waiting = new Set<Caller>();
  readonly #running = new Set<Caller>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  get busy(): number {
    return this.#running.size;
  }

  isWaiting(caller: Caller): boolean {
    return this.#waiting.has(caller);
  }

  /** `start` is called, now or when a place is free. One that has a place starts again on it. */
  ask(caller: Caller): void {
    if (this.#running.has(caller)) {
      caller.start();
      return;
    }
    this.#waiting.add(caller);
    this.#pump();
  }

  /** It has come to an end, good or bad, or is no longer wanted. Idempotent. */
  done(caller: Caller): void {
    this.#waiting.delete(caller);
    if (this.#running.delete(caller)) this.#pump();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
    this.#running.clear();
  }

  #pump(): void {
    while (this.#running.size < this.#most) {
      const next = this.#best();
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.#running.add(next);
      next.start();
    }
    if (this.#waiting.size === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#makeRoom();
      this.#pump();
    }, LOOK_EVERY_MS);
  }

  #makeRoom(): void {
    const nowMs = performance.now();
    const stale = [...this.#running].filter((caller) => caller.isStale(nowMs)).sort((a, b) => order(b, a));
    for (const one of stale) {
      const next = this.#best(); // each that gives way lets the next one start
      if (next !== undefined && order(next, one) <= 0) one.giveWay();
    }
  }

  #best(): Caller | undefined {
    let best: Caller | undefined;
    for (const caller of this.#waiting) if (best === undefined || order(caller, best) < 0) best = caller;
    return best;
  }
}

function order(a: Caller, b: Caller): number {
  return a.rank - b.rank || a.failures - b.failures;
}
