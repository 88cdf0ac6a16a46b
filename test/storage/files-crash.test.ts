/**
 * A store on files, whose disk loses power before and after every call, with every sector, size, name and removal that was
 * not flushed kept or lost: torn and reordered writes among them. What comes back must be the state after some of the batches
 * called, in their order, and at least after all that were acknowledged.
 */
import { expect, test } from 'vitest';
import type { PackedStore } from '../../src/storage/packed/packed-store.ts';
import { entriesOf } from '../../src/testing/storage-suite/context.ts';
import { expected, History, type Recorder, recorder, SCENARIOS, stateOf } from './support/crash-scenarios.ts';
import { type FileOptions, openOnFiles } from './support/files.ts';
import { ModelledFiles } from './support/modelled-files.ts';

/** Decides for the n-th thing that was not flushed, at crash point `at`. */
type Keep = (n: number, at: number) => boolean;

const noise = (n: number, at: number): boolean => (Math.imul(n * 31 + at, 0x9e3779b1) >>> 16) % 2 === 0;

const LOSSES: ReadonlyArray<readonly [name: string, keep: Keep, options: FileOptions]> = [
  ['all of it kept', () => true, { tailBytesMax: 0 }],
  ['none of it kept', () => false, { tailBytesMax: 0, fileBytes: 3_000 }],
  ['some of it kept', noise, { tailBytesMax: 0, fileBytes: 3_000 }],
  ['only the last of it kept', (n) => n % 3 === 2, { tailBytesMax: 3_072, fileBytes: 20_000 }],
  ['some of it kept', (n, at) => noise(n + 7, at), { tailBytesMax: 120, fileBytes: 20_000 }],
];
/** Crash points of one test: a longer scenario is crashed at every k-th, beginning elsewhere for every loss. More when asked. */
const POINTS_MAX = Number(process.env['TABRAFT_CRASH_POINTS'] ?? 60);

/** Runs the scenario until call `crashAt`; false when it ended before. Resolves when nothing of it works on. */
async function runUntil(
  scenario: (r: Recorder) => Promise<void>,
  files: ModelledFiles,
  history: History,
  crash: { at: number; keep: Keep; options: FileOptions },
): Promise<{ crashed: boolean; calls: number }> {
  let calls = 0;
  let crashed = false;
  files.onCall = () => {
    calls += 1;
    if (calls !== crash.at) return;
    crashed = true;
    let n = 0;
    files.crash(() => {
      n += 1;
      return crash.keep(n, crash.at);
    });
  };
  const errors: unknown[] = [];
  const work = async (): Promise<void> => {
    const store = await openOnFiles(files.folder(), crash.options);
    history.opened = true;
    await store.load();
    await scenario(recorder(store, history));
    await store.close();
  };
  await work().catch((error: unknown) => errors.push(error));
  files.onCall = undefined;
  if (!crashed) expect(errors).toEqual([]);
  return { crashed, calls };
}

async function countCalls(scenario: (r: Recorder) => Promise<void>, options: FileOptions): Promise<number> {
  return (await runUntil(scenario, new ModelledFiles(), new History(), { at: -1, keep: () => true, options })).calls;
}

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  for (const [place, [loss, keep, options]] of LOSSES.entries()) {
    test(
      `crashed at its calls, ${loss}, ${JSON.stringify(options)}: ${name}`,
      async () => {
        const calls = await countCalls(scenario, options);
        const stride = Math.ceil(calls / POINTS_MAX);
        for (let at = 1 + (place % stride); at <= calls + stride; at += stride) {
          const files = new ModelledFiles();
          const history = new History();
          await runUntil(scenario, files, history, { at, keep, options });
          const reborn = await openOnFiles(files.folder(), options);
          if (reborn.identity.bootCount === 0) expect(history.opened, `crash ${at}: the identity is lost`).toBe(false);
          const found = JSON.stringify(await stateOf(reborn));
          const fits = history.states.findLastIndex(
            (image, i) => i >= history.acknowledged && JSON.stringify(expected(image)) === found,
          );
          expect(
            fits,
            `crash ${at}: no state of the history, or an acknowledged write is lost: ${found.slice(0, 300)}`,
          ).toBeGreaterThanOrEqual(history.acknowledged);
          await continues(reborn, files, options);
        }
        expect(calls).toBeGreaterThan(30);
      },
      1_000 * Math.max(60, POINTS_MAX),
    );
  }
}

/** The survivor works on: it takes entries, and another life finds them. */
async function continues(store: PackedStore, files: ModelledFiles, options: FileOptions): Promise<void> {
  const { lastIndex, hardState } = await store.load();
  const term = hardState.term + 10;
  await store.write({ entries: entriesOf(lastIndex + 1, lastIndex + 2, term), hardState: { ...hardState, term } });
  // Not closed: only what was flushed is there.
  files.crash(() => false);
  const next = await openOnFiles(files.folder(), options);
  expect((await next.load()).lastIndex).toBe(lastIndex + 2);
  expect(next.term(lastIndex + 2)).toBe(term);
  await next.close();
}
