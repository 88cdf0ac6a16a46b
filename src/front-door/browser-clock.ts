/** A page's clock. */
import type { Clock } from '../runtime/ports/clock.ts';
import { startWorkerTicks } from './worker-ticks.ts';

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
    startTicks: (periodMs, onTick) => startWorkerTicks(periodMs, onTick),
  };
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
