/** What is measured: each scene once, its figure in ms (or a count). The tabs of a room are on devices of their own. */
import type { Tab } from '../../src/testing/playwright/index.ts';
import { Arena, type ArenaOptions } from '../../test/chaos/arena.ts';
import { longestPause } from '../../test/chaos/judge.ts';
import { now } from '../../test/chaos/notes.ts';
import { sleep } from '../../test/chaos/run.ts';
import { membersFrom, standing, startReading, startWriting, stopReading, stopWriting, writeSome, written } from './probe.ts';

/** A scene that does not get on is given up: ms. */
const PATIENCE_MS = 90_000;
const LOOK_EVERY_MS = 25;
/** Before the fault, so that all is at its usual pace: ms. */
const CALM_MS = 1_200;
const ASLEEP_MS = 5_000;
const FROZEN_MS = 3_500;
const RESIDENTS = 3;
const CROWD = 20;
const VISITORS = 20;
const VISITORS_AT_ONCE = 3;

export type Base = Omit<ArenaOptions, 'room' | 'devices' | 'edge'>;
export type Scene = (base: Base, rounds: number) => Promise<readonly number[]>;

async function until(met: () => Promise<boolean>, what: string): Promise<number> {
  for (const last = now() + PATIENCE_MS; now() < last; await sleep(LOOK_EVERY_MS)) if (await met()) return now();
  throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
}

async function withArena<T>(base: Base, devices: readonly number[], run: (arena: Arena) => Promise<T>): Promise<T> {
  const arena = new Arena({ ...base, room: 'recovery', devices, edge: false });
  try {
    await arena.startHost();
    return await run(arena);
  } finally {
    await arena.close();
  }
}

const tabsOf = (arena: Arena): readonly Tab[] => arena.places.flatMap(({ tab }) => tab ?? []);

/** Opens what is not open, and waits until all of them vote and one may fail. */
async function settle(arena: Arena): Promise<void> {
  for (const place of arena.places) if (place.tab === undefined) await arena.open(place, '#idle');
  const voters = arena.places.length;
  await until(async () => {
    const all = await Promise.all(tabsOf(arena).map(standing));
    const leaders = new Set(all.map((one) => one?.leader));
    return leaders.size === 1 && !leaders.has(undefined) && all.every((one) => one?.voters === voters && one.tolerance >= 1);
  }, 'all tabs vote');
}

async function leaderOf(arena: Arena): Promise<{ readonly leader: Tab; readonly others: readonly Tab[] }> {
  const all = tabsOf(arena);
  const roles = await Promise.all(all.map(standing));
  const leader = all[roles.findIndex((one) => one?.role === 'leader')];
  if (leader === undefined) throw new Error('nobody leads');
  return { leader, others: all.filter((tab) => tab !== leader) };
}

/** The longest pause of a tab that stays while another goes; of the one that had to wait longest. */
const lost =
  (how: (tab: Tab) => Promise<void>): Scene =>
  (base, rounds) =>
    withArena(base, [1, 1, 1], async (arena) => {
      const figures: number[] = [];
      for (let round = 0; round < rounds; round++) {
        await settle(arena);
        const { leader, others } = await leaderOf(arena);
        await Promise.all(others.map(startWriting));
        await sleep(CALM_MS);
        const from = now();
        for (const place of arena.places) if (place.tab === leader) place.tab = undefined;
        await how(leader);
        await until(async () => (await Promise.all(others.map(written))).every((at) => at > from + CALM_MS), 'the others write');
        const acks = await Promise.all(others.map(stopWriting));
        figures.push(
          Math.max(...acks.map((ends) => longestPause(ends, Math.max(...ends.filter((end) => end <= from)), Math.max(...ends)))),
        );
      }
      return figures;
    });

/** Answers that a leader gave when it was thawed and that were older than what others had been told before they were asked for. */
const staleWhenThawed: Scene = (base, rounds) =>
  withArena(base, [1, 1, 1], async (arena) => {
    const figures: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await settle(arena);
      const { leader, others } = await leaderOf(arena);
      const [writer] = others;
      if (writer === undefined) throw new Error('nobody else is here');
      await startReading(leader);
      await leader.freeze();
      await sleep(FROZEN_MS);
      const known = await writeSome(writer, 5);
      await leader.thaw();
      await until(async () => (await standing(leader))?.leader !== undefined, 'the thawed one follows');
      await sleep(CALM_MS);
      const reads = await stopReading(leader);
      if (!reads.some(({ sum }) => sum >= known.sum)) throw new Error('the thawed leader answered nothing new');
      figures.push(reads.filter(({ start, sum }) => start > known.at && sum < known.sum).length);
    }
    return figures;
  });

/** From waking up until a write that began after it is acknowledged, in the tab that waits longest. */
const asleep: Scene = (base, rounds) =>
  withArena(base, [1, 1, 1], async (arena) => {
    const figures: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await settle(arena);
      const all = tabsOf(arena);
      await Promise.all(all.map(startWriting));
      await sleep(CALM_MS);
      for (const { device } of all) device.sleep();
      await sleep(ASLEEP_MS);
      const woken = now();
      for (const { device } of all) device.wake();
      await until(async () => (await Promise.all(all.map(written))).every((at) => at > woken), 'all write');
      await sleep(CALM_MS);
      const acks = await Promise.all(all.map(stopWriting));
      // The first is of a write that was under way already: the second began after it.
      figures.push(Math.max(...acks.map((ends) => (ends.filter((end) => end > woken)[1] ?? woken) - woken)));
    }
    return figures;
  });

/** A browser with all three tabs is killed and opened again: from the last page's load until a write of each is acknowledged. */
const reopened: Scene = (base, rounds) =>
  withArena(base, [3], async (arena) => {
    const figures: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await settle(arena);
      const [place] = arena.places;
      if (place === undefined) throw new Error('no tab');
      await place.device.kill();
      for (const one of arena.places) one.tab = undefined;
      for (const one of arena.places) await arena.open(one, '#idle');
      const loaded = now();
      await Promise.all(tabsOf(arena).map((tab) => until(async () => (await standing(tab)) !== undefined, 'a node')));
      const all = await Promise.all(tabsOf(arena).map((tab) => writeSome(tab, 1)));
      figures.push(Math.max(...all.map(({ at }) => at)) - loaded);
    }
    return figures;
  });

/** Twenty tabs load at the same moment: until each knows twenty members. */
const crowd: Scene = async (base, rounds) => {
  const figures: number[] = [];
  for (let round = 0; round < rounds; round++) {
    figures.push(
      await withArena(base, [], async (arena) => {
        const device = arena.tabs.device();
        const tabs: Tab[] = [];
        for (let i = 0; i < CROWD; i++) tabs.push(await device.blank());
        const from = now();
        const steps = await Promise.all(
          tabs.map(async (tab) => {
            await tab.page.goto(`${arena.origin}/?room=crowd#idle`, { timeout: PATIENCE_MS });
            return membersFrom(tab, CROWD, PATIENCE_MS);
          }),
        );
        for (const step of ['loaded', 'node', 'linked', 'member', 'complete'] as const) {
          const after = steps.map((times) => times[step] - from).sort((a, b) => a - b);
          console.log(`  ${step.padEnd(9)} first ${after[0]} middle ${after[CROWD / 2]} last ${after.at(-1)} ms`);
        }
        return Math.max(...steps.map(({ complete }) => complete)) - from;
      }),
    );
  }
  return figures;
};

/** Residents write while visitors come, three at a time, and are gone without a word: the longest pause of all. */
const visitors: Scene = (base, rounds) =>
  withArena(base, [1, 1, 1], async (arena) => {
    const figures: number[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const place of arena.places) if (place.tab === undefined) await arena.open(place, '#idle');
      const residents = tabsOf(arena);
      await until(async () => ((await standing(residents[0] as Tab))?.members ?? 0) >= RESIDENTS, 'residents are members');
      const device = arena.tabs.device();
      await Promise.all(residents.map(startWriting));
      await sleep(CALM_MS);
      for (let seen = 0; seen < VISITORS; seen += VISITORS_AT_ONCE) {
        const some: Tab[] = [];
        for (let i = 0; i < Math.min(VISITORS_AT_ONCE, VISITORS - seen); i++)
          some.push(await device.open(`${arena.origin}/?room=recovery#idle`));
        await Promise.all(some.map((tab) => until(async () => ((await standing(tab))?.voters ?? 0) > 0, 'a visitor is in')));
        await Promise.all(some.map((tab) => writeSome(tab, 1)));
        await Promise.all(some.map((tab) => tab.crash()));
        for (const tab of some) await tab.page.close();
      }
      await sleep(CALM_MS);
      const acks = await Promise.all(residents.map(stopWriting));
      figures.push(Math.max(...acks.map((ends) => longestPause(ends, ends[0] ?? 0, ends.at(-1) ?? 0))));
    }
    return figures;
  });

export const SCENES: Readonly<
  Record<
    string,
    { readonly scene: Scene; readonly unit: 'timeouts' | 'seconds' | 'answers'; readonly aim: number; readonly rounds?: number }
  >
> = {
  'leader closed': { scene: lost((tab) => tab.close()), unit: 'timeouts', aim: 0.1 },
  'leader crashed': { scene: lost((tab) => tab.crash()), unit: 'timeouts', aim: 1 },
  'leader thawed': { scene: staleWhenThawed, unit: 'answers', aim: 0 },
  'all asleep': { scene: asleep, unit: 'timeouts', aim: 1.5 },
  'browser killed': { scene: reopened, unit: 'timeouts', aim: 1.5 },
  'twenty at once': { scene: crowd, unit: 'seconds', aim: 10, rounds: 3 },
  visitors: { scene: visitors, unit: 'timeouts', aim: 2, rounds: 2 },
};
