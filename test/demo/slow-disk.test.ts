/** A disk made slow on purpose, and a clock set wrong: as before when they are healed, and in order all the while. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { clockAheadMs, setClockAhead } from '../../demo/break/clock.ts';
import { SlowDisk } from '../../demo/break/slow-disk.ts';

type Storage = SlowDisk['storage'];
type Store = Awaited<ReturnType<Storage['acquire']>>;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function opened(): Promise<{ disk: SlowDisk; write: (name: string, fails?: boolean) => void; done: string[] }> {
  let fails = false;
  const inner = {
    kind: 'test',
    durable: true,
    acquire: async () => ({ write: async () => (fails ? Promise.reject(new Error('full')) : undefined) }) as unknown as Store,
  };
  const disk = new SlowDisk(inner);
  expect(disk.storage).toMatchObject({ kind: 'test', durable: true });
  const store = await disk.storage.acquire({ room: 'r' });
  const done: string[] = [];
  const write = (name: string, failing = false): void => {
    fails = failing;
    store.write({}).then(
      () => done.push(name),
      () => done.push(`${name} failed`),
    );
  };
  return { disk, write, done };
}

test('writes take so much longer, one after the other; a failure is told at once and lets nobody overtake', async () => {
  const { disk, write, done } = await opened();
  write('quick');
  await vi.advanceTimersByTimeAsync(0);
  expect(done).toEqual(['quick']);
  disk.delayMs = 100;
  write('a');
  write('b');
  write('c', true);
  await vi.advanceTimersByTimeAsync(99);
  expect(done).toEqual(['quick', 'c failed']);
  await vi.advanceTimersByTimeAsync(1);
  expect(done).toEqual(['quick', 'c failed', 'a']);
  // Healed: what is on its way still comes in order.
  disk.delayMs = 0;
  write('d');
  await vi.advanceTimersByTimeAsync(0);
  expect(done).not.toContain('d');
  await vi.advanceTimersByTimeAsync(100);
  expect(done).toEqual(['quick', 'c failed', 'a', 'b', 'd']);
});

test('the wall clock is ahead until it is set right', () => {
  vi.useRealTimers();
  const right = Date.now();
  setClockAhead(60_000);
  expect(Date.now() - right).toBeGreaterThanOrEqual(60_000);
  expect(clockAheadMs()).toBe(60_000);
  setClockAhead(0);
  expect(Date.now() - right).toBeLessThan(60_000);
  expect(clockAheadMs()).toBe(0);
});
