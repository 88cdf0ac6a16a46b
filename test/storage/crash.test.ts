/**
 * Every boundary of the write path is crashed once: at each step of each transaction of a scenario the power goes, with
 * every choice of what the disk had not synced. What comes back must be the state after some of the batches called, in
 * their order, and at least after all that were acknowledged.
 */
import { expect, test } from 'vitest';
import type { PackedStore } from '../../src/storage/packed/packed-store.ts';
import { ModelledDisk } from '../../src/testing/modelled-disk.ts';
import { entriesOf } from '../../src/testing/storage-suite/context.ts';
import { expected, History, type Recorder, recorder, SCENARIOS, stateOf } from './support/crash-scenarios.ts';
import { openOn } from './support/packed.ts';

/** What of the transactions not synced survives: in order, and any subset. */
const LOSSES: ReadonlyArray<readonly [name: string, keep: (place: number, crashAt: number) => boolean, tailBytesMax: number]> = [
  ['all of it kept', () => true, 0],
  ['none of it kept', () => false, 0],
  ['some of it kept', (place, crashAt) => (place * 7 + crashAt) % 3 === 0, 0],
  ['all of it kept', () => true, 120],
  ['none of it kept', () => false, 120],
  ['none of it kept', () => false, 3072],
];

/** Runs the scenario until step `crashAt`; false when it ended before. */
async function runUntil(
  scenario: (r: Recorder) => Promise<void>,
  disk: ModelledDisk,
  history: History,
  crash: { at: number; tailBytesMax: number; keep: (place: number) => boolean },
): Promise<boolean> {
  let steps = 0;
  let crashed = false;
  const died = new Promise<void>((resolve) => {
    disk.onStep = () => {
      steps += 1;
      if (steps !== crash.at) return;
      crashed = true;
      disk.crash(crash.keep);
      resolve();
    };
  });
  const work = async (): Promise<void> => {
    const store = await openOn(disk, crash);
    history.opened = true;
    await store.load();
    await scenario(recorder(store, history));
  };
  await Promise.race([work(), died]);
  disk.onStep = undefined;
  return crashed;
}

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  for (const [loss, keep, tailBytesMax] of LOSSES) {
    test(`crashed at every step, ${loss}, a tail of ${tailBytesMax} bytes: ${name}`, async () => {
      let at = 1;
      let points = 0;
      for (; ; at += 1) {
        const disk = new ModelledDisk();
        const history = new History();
        const crashed = await runUntil(scenario, disk, history, { at, tailBytesMax, keep: (place) => keep(place, at) });
        if (disk.tables().meta.size === 0) expect(history.opened, `crash ${at}: the identity is lost`).toBe(false);
        const reborn = await openOn(disk, { tailBytesMax });
        const found = JSON.stringify(await stateOf(reborn));
        const place = history.states.findLastIndex(
          (image, i) => i >= history.acknowledged && JSON.stringify(expected(image)) === found,
        );
        expect(
          place,
          `crash ${at}: no state of the history, or an acknowledged write is lost: ${found.slice(0, 300)}`,
        ).toBeGreaterThanOrEqual(history.acknowledged);
        await continues(reborn, disk);
        points += 1;
        if (!crashed) break;
      }
      expect(points).toBeGreaterThan(15);
    });
  }
}

/** The survivor works on: it takes entries, and another life finds them. */
async function continues(store: PackedStore, disk: ModelledDisk): Promise<void> {
  const { lastIndex, hardState } = await store.load();
  const term = hardState.term + 10;
  await store.write({ entries: entriesOf(lastIndex + 1, lastIndex + 2, term), hardState: { ...hardState, term } });
  await store.close();
  const next = await openOn(disk);
  expect((await next.load()).lastIndex).toBe(lastIndex + 2);
  expect(next.term(lastIndex + 2)).toBe(term);
  await next.close();
}
