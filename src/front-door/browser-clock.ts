/**
 * A page's clock. Ticks come from a dedicated worker: a hidden page's own timers run once a second, later once
 * a minute, and a leader that ticks so is deposed.
 */
import type { Clock } from '../runtime/ports/clock.ts';

/** The whole worker: told a period, it ticks. */
const TICKER =
  'let timer;onmessage=(event)=>{clearInterval(timer);if(event.data>0)timer=setInterval(()=>postMessage(0),event.data)}';

export function browserClock(): Clock {
  const soon = macrotasks();
  return {
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    random: () => Math.random(),
    soon,
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return { stop: () => clearTimeout(timer) };
    },
    startTicks(periodMs, onTick) {
      return startWorkerTicks(periodMs, onTick) ?? startTimerTicks(periodMs, onTick);
    },
  };
}

/** undefined where workers from a blob are forbidden (a strict Content-Security-Policy) or missing. */
function startWorkerTicks(periodMs: number, onTick: () => void): { stop(): void } | undefined {
  try {
    const url = URL.createObjectURL(new Blob([TICKER], { type: 'text/javascript' }));
    const worker = new Worker(url);
    let fallback: { stop(): void } | undefined;
    worker.onmessage = () => onTick();
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      fallback ??= startTimerTicks(periodMs, onTick);
    };
    worker.postMessage(periodMs);
    return {
      stop: () => {
        worker.terminate();
        URL.revokeObjectURL(url);
        fallback?.stop();
      },
    };
  } catch {
    return undefined;
  }
}

function startTimerTicks(periodMs: number, onTick: () => void): { stop(): void } {
  const timer = setInterval(onTick, periodMs);
  return { stop: () => clearInterval(timer) };
}

/** A macrotask without the four milliseconds that nested timers are held back. */
function macrotasks(): (run: () => void) => void {
  let queue: (() => void)[] = [];
  let bell: MessagePort | undefined;
  return (run) => {
    queue.push(run);
    if (queue.length > 1) return;
    // Made when it is first used: an open port would keep a process alive whose node could not be opened.
    bell ??= ringing(() => {
      const runs = queue;
      queue = [];
      for (const each of runs) each();
    });
    bell.postMessage(0);
  };
}

function ringing(onRing: () => void): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = onRing;
  return port2;
}
