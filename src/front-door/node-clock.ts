/** Node's clock: its timers are timers. */
import type { Clock } from '../runtime/ports/clock.ts';

export function nodeClock(): Clock {
  return {
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    random: () => Math.random(),
    soon: (run) => void setImmediate(run),
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return { stop: () => clearTimeout(timer) };
    },
    startTicks(periodMs, onTick) {
      const timer = setInterval(onTick, periodMs);
      return { stop: () => clearInterval(timer) };
    },
  };
}
