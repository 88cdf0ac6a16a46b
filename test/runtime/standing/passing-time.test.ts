/** Time that no tick has told of, by two clocks; and that nothing is answered from before a sleep. */
import { expect, test } from 'vitest';
import { nodeClock } from '../../../src/front-door/node-clock.ts';
import type { Clock } from '../../../src/runtime/ports/clock.ts';
import { stalenessMs } from '../../../src/runtime/standing/freshness.ts';
import { mayHaveSlept, stoodStillMs, unseenMs } from '../../../src/runtime/standing/passing-time.ts';
import { Cluster, type Opened } from '../cluster.ts';

const after = (monotonicMs: number, wallMs: number): Parameters<typeof unseenMs>[0] =>
  ({
    clock: { monotonicMs: () => 1_000 + monotonicMs, wallMs: () => 50_000 + wallMs },
    tuning: { electionTimeoutMs: [800, 1_600] },
    lastTickMs: 1_000,
    lastTickWallMs: 50_000,
  }) as never;

test('a sleep is what either clock saw of it; a wall clock that is set a little, or back, is none', () => {
  expect([unseenMs(after(50, 50)), mayHaveSlept(after(50, 50))]).toEqual([50, false]);
  expect([unseenMs(after(500, 500)), mayHaveSlept(after(500, 500))]).toEqual([500, true]);
  // The machine slept, and its monotonic clock with it.
  expect([unseenMs(after(50, 3_600_050)), stoodStillMs(after(50, 3_600_050))]).toEqual([3_600_050, 3_600_000]);
  expect([unseenMs(after(50, 300)), stoodStillMs(after(50, 300))]).toEqual([50, 0]);
  expect([unseenMs(after(50, -3_600_000)), mayHaveSlept(after(50, -3_600_000))]).toEqual([50, false]);
});

const MAX_STALE_MS = 60_000;

/** A machine that sleeps: its monotonic clock stands still, as it does on some, and its ticks stop. */
function machine(): { readonly clock: Clock; sleep(ms: number): void; wake(): void } {
  const inner = nodeClock();
  let sleptMs = 0;
  let isAsleep = false;
  return {
    clock: {
      ...inner,
      wallMs: () => inner.wallMs() + sleptMs,
      startTicks: (periodMs, onTick) => inner.startTicks(periodMs, () => isAsleep || onTick()),
    },
    sleep: (ms) => {
      sleptMs += ms;
      isAsleep = true;
    },
    wake: () => {
      isAsleep = false;
    },
  };
}

async function withSleeper(leads: boolean, run: (sleeper: Opened, laptop: ReturnType<typeof machine>) => Promise<void>) {
  await using cluster = new Cluster();
  const laptop = machine();
  const sleeper = await cluster.open({ clock: laptop.clock });
  const others = [await cluster.open(), await cluster.open()];
  await cluster.voters(3);
  const [other] = others;
  if (other === undefined) throw new Error('nobody');
  await cluster.transferTo(leads ? sleeper : other);
  // Awake it answers by itself: it has heard of the others just now.
  await sleeper.node.until(() => stalenessMs(sleeper.engine.standing) < MAX_STALE_MS);
  // It hears nobody, and does not know that yet.
  cluster.hub.partition(
    [sleeper.node.id],
    others.map(({ node }) => node.id),
  );
  await run(sleeper, laptop);
}

const balance = (state: { readonly balance: number }): number => state.balance;

for (const leads of [true, false]) {
  test(`a ${leads ? 'leader' : 'follower'} that slept answers no read from before, though its clock stood still`, async () => {
    await withSleeper(leads, async ({ node }, laptop) => {
      const consistency = { maxStaleMs: MAX_STALE_MS };
      laptop.sleep(3_600_000);
      const early = node.read(balance, { consistency, timeoutMs: 300 });
      early.catch(() => {});
      laptop.wake();
      await expect(early).rejects.toThrow();
      expect(node.status.quorumAlive).toBe(false);
      await expect(node.read(balance, { consistency, timeoutMs: 600 })).rejects.toThrow();
    });
  });
}
