/** One run: waits until all is well, makes a fault, undoes it, waits again, and at the end reads everything. */
import type { Arena } from './arena.ts';
import { faultOf } from './faults.ts';
import { type FaultReport, longestPause } from './judge.ts';
import type { Store } from './machine.ts';
import { now } from './notes.ts';
import type { PlannedFault } from './plan.ts';
import type { ChaosNode } from './workload.ts';

/** How long a run waits for what it asks for: ms. Not what is promised: see the bounds it is judged by. */
const FORM_MS = 60_000;
const HEAL_MS = 60_000;
const LOOK_EVERY_MS = 50;
/** A page that does not answer is asked no longer: ms. */
const READ_MS = 20_000;

/** Everybody writes, and one voter may fail. */
export function isHealthy(arena: Arena, since: number): boolean {
  const { record, running } = arena;
  const leader = record.leader();
  const leading = leader === undefined ? undefined : record.statusOf(leader);
  if (leading === undefined || leading.role !== 'leader' || leading.at < since || leading.tolerance < 1) return false;
  return running.every((place) => record.firstAcknowledged(since, place) !== undefined);
}

export async function until(met: () => boolean, timeoutMs: number): Promise<number | undefined> {
  for (const last = now() + timeoutMs; now() < last; await sleep(LOOK_EVERY_MS)) if (met()) return now();
  return undefined;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Errors: throws when no cluster forms. */
export async function formed(arena: Arena): Promise<void> {
  const since = now();
  if ((await until(() => isHealthy(arena, since), FORM_MS)) === undefined)
    throw new Error(`No healthy cluster formed within ${FORM_MS} ms: ${standing(arena)}`);
}

export function standing({ record, running }: Arena): string {
  const one = (place: string): string => {
    const status = record.statusOf(place);
    return `${place} ${status === undefined ? 'silent' : `${status.role} t${status.term} ${status.suffrage} of ${status.voters.length}`}`;
  };
  return running.map(one).join(', ');
}

export async function runFault(arena: Arena, planned: PlannedFault): Promise<FaultReport | undefined> {
  const fault = faultOf(arena, planned);
  if (fault === undefined) return undefined;
  const from = now();
  await fault.begin();
  await sleep(planned.holdMs);
  await fault.end();
  const to = now();
  const healthy = await until(() => isHealthy(arena, to), HEAL_MS);
  const written = arena.record.firstAcknowledged(to);
  const writes = arena.record.acknowledged.filter(({ write }) => write).map(({ end }) => end);
  const pauseMs = longestPause(writes, from, healthy ?? now());
  return { kind: planned.kind, places: fault.places, from, to, written, healthy, pauseMs };
}

/** The last state, by a linearizable read in any tab; undefined when nobody can. */
export async function lastState(arena: Arena): Promise<Store | undefined> {
  for (const { tab } of arena.places) {
    if (tab === undefined) continue;
    const read = tab.page.evaluate(() => {
      const { chaosNode } = globalThis as { readonly chaosNode?: ChaosNode };
      return chaosNode?.read((store) => JSON.parse(JSON.stringify(store)) as Store, { timeoutMs: 10_000 });
    });
    const store = await Promise.race([read.catch(() => undefined), sleep(READ_MS).then(() => undefined)]);
    if (store !== undefined) return store;
  }
  return undefined;
}
