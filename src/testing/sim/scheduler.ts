/**
 * Virtual time: events in the order of their times, one at a time, and everything they cause run to its end
 * before the next. Nothing in a simulation waits for a real clock.
 */

export interface Timer {
  stop(): void;
}

class Event implements Timer {
  readonly timeMs: number;
  readonly sequence: number;
  readonly owner: string;
  run: (() => void) | undefined;

  constructor(timeMs: number, sequence: number, owner: string, run: () => void) {
    this.timeMs = timeMs;
    this.sequence = sequence;
    this.owner = owner;
    this.run = run;
  }

  stop(): void {
    this.run = undefined;
  }
}

/** What is put off may put off more, but not for ever: a node that always has something to do at once is broken. */
const SOON_ROUNDS_MAX = 10_000;

/** So often a real macrotask is awaited, so that signals, timers and rejections nobody handled are seen to. */
const MACROTASK_EVERY = 64;

/** Runs something when every microtask has run. */
const afterMicrotasks: (run: () => void) => void = typeof setImmediate === 'function' ? nextTicks() : channelTask();

/** In Node what is put off to the next tick comes after all microtasks, and far sooner than a macrotask. */
function nextTicks(): (run: () => void) => void {
  let count = 0;
  return (run) => {
    count += 1;
    if (count % MACROTASK_EVERY === 0) setImmediate(run);
    else process.nextTick(run);
  };
}

function channelTask(): (run: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return (run) => {
    waiting.push(run);
    port2.postMessage(0);
  };
}

export class Scheduler {
  /** Virtual ms since the start. */
  nowMs = 0;
  /** Events run so far. */
  events = 0;
  /** Called after each event and all that it caused, with the owner of the event. */
  onStep: ((owner: string) => void) | undefined = undefined;
  readonly #heap: Event[] = [];
  #sequence = 0;
  #soon: (() => void)[] = [];
  #stirred = false;
  #watching = 0;

  /** Runs something at a time that is not before now; `owner` says whose event it is. */
  at(timeMs: number, owner: string, run: () => void): Timer {
    const event = new Event(Math.max(timeMs, this.nowMs), this.#sequence++, owner, run);
    this.#push(event);
    return event;
  }

  after(delayMs: number, owner: string, run: () => void): Timer {
    return this.at(this.nowMs + delayMs, owner, run);
  }

  /** After the event that is being run, at the same moment. */
  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** A promise was made or settled: what waits for it must run before time goes on. */
  stir(): void {
    this.#stirred = true;
  }

  /** A promise that is settled by something the scheduler cannot see: time goes slowly until it is. */
  watch<T>(promise: Promise<T>): Promise<T> {
    this.#watching += 1;
    const done = (): void => {
      this.#watching -= 1;
    };
    promise.then(done, done);
    return promise;
  }

  /** Resolves after a delay of virtual time. */
  delay(delayMs: number, owner: string): Promise<void> {
    this.stir();
    return new Promise((resolve) => {
      this.after(delayMs, owner, () => {
        this.stir();
        resolve();
      });
    });
  }

  /** Runs the next event and all that it causes: at once where it can (undefined), else when the promise resolves. */
  step(): Promise<void> | undefined {
    let event = this.#pop();
    while (event !== undefined && event.run === undefined) event = this.#pop();
    if (event === undefined) return undefined;
    this.nowMs = event.timeMs;
    this.events += 1;
    event.run?.();
    event.run = undefined;
    if (this.#soon.length > 0) this.#runSoon();
    if (this.#stirred || this.#watching > 0) return this.#settleAfter(event.owner);
    this.onStep?.(event.owner);
    return undefined;
  }

  async #settleAfter(owner: string): Promise<void> {
    await this.settle();
    this.onStep?.(owner);
  }

  /** Runs what was put off and every microtask, until nothing is left to do at this moment. */
  async settle(): Promise<void> {
    do {
      this.#stirred = false;
      await new Promise<void>(afterMicrotasks);
      this.#runSoon();
    } while (this.#stirred);
  }

  /** When the next event is due; infinity when there is none. */
  get nextMs(): number {
    let first = this.#heap[0];
    while (first !== undefined && first.run === undefined) {
      this.#pop();
      first = this.#heap[0];
    }
    return first === undefined ? Number.POSITIVE_INFINITY : first.timeMs;
  }

  #runSoon(): void {
    for (let round = 0; this.#soon.length > 0; round += 1) {
      if (round > SOON_ROUNDS_MAX) throw new Error(`Something asks to run again, without end, at ${this.nowMs} ms.`);
      const soon = this.#soon;
      this.#soon = [];
      for (const run of soon) run();
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (!before(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      if (!before(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.sequence < b.sequence);
}
