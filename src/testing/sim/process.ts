/** One simulated process: what reaches it while it is frozen waits, what reaches it when it is dead is lost. */
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Prng } from '../prng.ts';
import type { Scheduler, Timer } from './scheduler.ts';

export interface ClockFaults {
  /** How fast its clocks run: 1.05 is five percent fast. */
  readonly rate: number;
  /** What its wall clock is off by, in ms. */
  wallOffsetMs: number;
  /** Its timers come only every so many ms, as in a hidden page; 0 for on time. */
  timerGrainMs: number;
}

/** Wall time of the start of every simulation, in ms since the epoch. */
export const EPOCH_MS = 1_800_000_000_000;

export class VirtualProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly clockFaults: ClockFaults;
  readonly #scheduler: Scheduler;
  readonly #random: Prng;
  #alive = true;
  #frozen = false;
  #backlog: (() => void)[] = [];
  /** Ticks of its clock come another way than messages and calls: after a freeze nobody knows which come first. */
  #ticks: (() => void)[] = [];

  constructor(name: string, scheduler: Scheduler, random: Prng, clockFaults: ClockFaults) {
    this.name = name;
    this.#scheduler = scheduler;
    this.clockFaults = clockFaults;
    this.#random = random.fork('thaw');
    this.clock = new VirtualClock(this, scheduler, random);
  }

  get alive(): boolean {
    return this.#alive;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Runs it here and now, unless the process is dead (never) or frozen (when it thaws, in order). */
  enter(run: () => void): void {
    if (!this.#alive) return;
    if (this.#frozen) this.#backlog.push(run);
    else run();
  }

  tick(run: () => void): void {
    if (!this.#alive) return;
    if (this.#frozen) this.#ticks.push(run);
    else run();
  }

  /** The process comes to it after a delay. */
  later(delayMs: number, run: () => void): Timer {
    return this.#scheduler.after(delayMs, this.name, () => this.enter(run));
  }

  freeze(): void {
    this.#frozen = true;
  }

  /** Everything that came due meanwhile happens at once, in the order it would have; ticks before or after the rest. */
  thaw(): void {
    this.#frozen = false;
    const [backlog, ticks] = [this.#backlog, this.#ticks];
    this.#backlog = [];
    this.#ticks = [];
    const ordered = this.#random.chance(0.5) ? [...ticks, ...backlog] : [...backlog, ...ticks];
    for (const run of ordered) this.enter(run);
  }

  die(): void {
    this.#alive = false;
    this.#backlog = [];
    this.#ticks = [];
  }
}

class VirtualClock implements Clock {
  readonly #process: VirtualProcess;
  readonly #scheduler: Scheduler;
  readonly #random: Prng;

  constructor(process: VirtualProcess, scheduler: Scheduler, random: Prng) {
    this.#process = process;
    this.#scheduler = scheduler;
    this.#random = random;
  }

  monotonicMs(): number {
    return this.#scheduler.nowMs * this.#process.clockFaults.rate;
  }

  wallMs(): number {
    return Math.floor(EPOCH_MS + this.monotonicMs() + this.#process.clockFaults.wallOffsetMs);
  }

  /** Like a page's interval: it does not pile up while the page is frozen. */
  startTicks(periodMs: number, onTick: () => void): { stop(): void } {
    let stopped = false;
    let waiting = false;
    const scheduler = this.#scheduler;
    const process = this.#process;
    const entered = (): void => {
      waiting = false;
      if (!stopped) onTick();
    };
    const due = (): void => {
      if (stopped || !process.alive) return;
      next();
      if (waiting) return;
      waiting = true;
      process.tick(entered);
    };
    const next = (): void => {
      const { rate, timerGrainMs } = process.clockFaults;
      scheduler.after(Math.max(periodMs / rate, timerGrainMs), process.name, due);
    };
    next();
    return {
      stop: () => {
        stopped = true;
      },
    };
  }

  soon(run: () => void): void {
    this.#scheduler.soon(() => this.#process.enter(run));
  }

  after(delayMs: number, run: () => void): { stop(): void } {
    const { rate, timerGrainMs } = this.#process.clockFaults;
    return this.#process.later(Math.max(delayMs / rate, timerGrainMs), run);
  }

  random(): number {
    return this.#random.float();
  }
}
