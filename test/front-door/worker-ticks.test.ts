import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startWorkerTicks, type TickWorker } from '../../src/front-door/worker-ticks.ts';

class FakeWorker implements TickWorker {
  readonly #events = new EventTarget();
  period = 0;
  ended = false;
  addEventListener(type: 'message' | 'error', listener: (event: Event) => void): void {
    this.#events.addEventListener(type, listener);
  }
  postMessage(message: unknown): void {
    this.period = Number(message);
  }
  terminate(): void {
    this.ended = true;
  }
  tick(): void {
    this.#events.dispatchEvent(new Event('message'));
  }
  fail(): void {
    this.#events.dispatchEvent(new Event('error', { cancelable: true }));
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const forbidden = (): never => {
  throw new DOMException('no workers', 'SecurityError');
};

test('the timer of the page ticks until the worker does, and then only the worker', () => {
  const worker = new FakeWorker();
  const onTick = vi.fn();
  const ticking = startWorkerTicks(50, onTick, [() => worker]);
  expect(worker.period).toBe(50);
  vi.advanceTimersByTime(150);
  expect(onTick).toHaveBeenCalledTimes(3);
  worker.tick();
  vi.advanceTimersByTime(500);
  expect(onTick).toHaveBeenCalledTimes(4);
  ticking.stop();
  expect(worker.ended).toBe(true);
  worker.tick();
  expect(onTick).toHaveBeenCalledTimes(4);
  expect(vi.getTimerCount()).toBe(0);
});

test('a worker that cannot be made, or whose script does not load, gives way to the next; after the last the timer goes on', () => {
  const [first, last] = [new FakeWorker(), new FakeWorker()];
  const onTick = vi.fn();
  const ticking = startWorkerTicks(50, onTick, [forbidden, () => first, forbidden, () => last]);
  first.fail();
  expect(first.ended).toBe(true);
  expect(last.period).toBe(50);
  last.tick();
  first.tick();
  expect(onTick).toHaveBeenCalledTimes(1);
  // Also one that has ticked may die.
  last.fail();
  vi.advanceTimersByTime(100);
  expect(onTick).toHaveBeenCalledTimes(3);
  ticking.stop();
  expect(vi.getTimerCount()).toBe(0);
});

test('one that fails after the end starts nothing', () => {
  const worker = new FakeWorker();
  const next = vi.fn(() => new FakeWorker());
  startWorkerTicks(50, vi.fn(), [() => worker, next]).stop();
  worker.fail();
  expect(next).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
