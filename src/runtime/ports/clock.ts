/**
 * PORT: time for one node. Ticks come from outside because a page's own timers stop being timers when the
 * page is hidden (1 Hz, later once a minute): in a browser they come from a dedicated worker.
 */
export interface Clock {
  /** Monotonic, in ms, from any origin. */
  monotonicMs(): number;
  /** Wall time, in ms since the epoch: only ever stamped into the log by a leader. */
  wallMs(): number;
  /** Calls back about every `periodMs` until stopped; late when the process was. */
  startTicks(periodMs: number, onTick: () => void): { stop(): void };
  /** Soon, but after what is already waiting to run: gathers a burst of calls into one batch. */
  soon(run: () => void): void;
  /** Once, after `delayMs`, unless stopped. */
  after(delayMs: number, run: () => void): { stop(): void };
  /** Numbers in [0, 1): election timeouts, backoff, ids' tie-breaks. Never for identity. */
  random(): number;
}
