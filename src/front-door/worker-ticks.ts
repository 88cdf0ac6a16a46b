/**
 * Ticks from a dedicated worker: a hidden page's own timers run once a second, later once a minute, and a leader that ticks so is
 * deposed. Until the worker ticks, and where there is none, the page's timer does.
 */

export interface Ticking {
  stop(): void;
}

/** The part of a Worker that is used. */
export interface TickWorker {
  addEventListener(type: 'message' | 'error', listener: (event: Event) => void): void;
  postMessage(message: unknown): void;
  terminate(): void;
}

/** The whole worker again, for a page whose bundler did not make the script a file of its own. */
const TICKER =
  'let timer;onmessage=(event)=>{clearInterval(timer);if(event.data>0)timer=setInterval(()=>postMessage(0),event.data)}';

/** In the order in which they are tried. Each may throw, where there are no workers or a policy forbids them. */
export const TICK_WORKERS: readonly (() => TickWorker)[] = [
  () => new Worker(new URL('./ticker-worker.ts', import.meta.url), { type: 'module', name: 'tabraft-ticks' }),
  () => new Worker(URL.createObjectURL(new Blob([TICKER], { type: 'text/javascript' }))),
];

export function startWorkerTicks(
  periodMs: number,
  onTick: () => void,
  workers: readonly (() => TickWorker)[] = TICK_WORKERS,
): Ticking {
  let timer: ReturnType<typeof setInterval> | undefined = setInterval(onTick, periodMs);
  let worker: TickWorker | undefined;
  let stopped = false;
  const tryFrom = (place: number): void => {
    worker = undefined;
    const make = workers[place];
    if (make === undefined || stopped) return;
    try {
      worker = make();
    } catch {
      tryFrom(place + 1);
      return;
    }
    const mine = worker;
    mine.addEventListener('message', () => {
      if (worker !== mine || stopped) return;
      clearInterval(timer);
      timer = undefined;
      onTick();
    });
    mine.addEventListener('error', (event) => {
      event.preventDefault();
      mine.terminate();
      if (worker !== mine || stopped) return;
      timer ??= setInterval(onTick, periodMs);
      tryFrom(place + 1);
    });
    mine.postMessage(periodMs);
  };
  tryFrom(0);
  return {
    stop: () => {
      stopped = true;
      clearInterval(timer);
      worker?.terminate();
    },
  };
}
