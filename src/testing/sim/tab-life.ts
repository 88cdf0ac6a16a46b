/**
 * Plans of what people do with tabs, and the promise that a room lives through it (I42): as long as the tabs that are alive could
 * form a quorum of the configuration in force, writes go on, again within ten election timeouts of whatever happened last.
 */
import type { ConfState } from '../../core/types.ts';
import { resolveTuning } from '../../runtime/api/options.ts';
import { PROTOCOL_VERSION_MAX } from '../../wire/peer-message.ts';
import { Prng } from '../prng.ts';
import type { SimCluster } from './cluster.ts';
import { type Plan, planOf, type Strike } from './plan.ts';
import { quorumHas } from './quorums.ts';

export const TAB_LIVES = ['visitors', 'commuters', 'nights', 'mass-leave', 'one-device', 'wiped', 'duplicated'] as const;
export type TabLife = (typeof TAB_LIVES)[number];

/**
 * In these so few go at once that the rules leave a quorum at every moment: whoever votes by then was chosen for it. Not where a crowd
 * leaves: the last words of a process that stops are lost in this network, so that a leader of two cannot leave its vote.
 */
const ALWAYS_ABLE: ReadonlySet<TabLife> = new Set(['visitors', 'one-device', 'wiped', 'duplicated']);

/** Until the first residents are there, in ms. */
const SETTLED_MS = 6_000;
/** How long people come and go, in ms. */
const LIFE_MS = 60_000;
/** Longer than any run: who goes for so long does not come back. */
const NEVER_MS = 10_000_000;

interface Population {
  readonly nodes: number;
  /** When each node comes, in ms; the first ones are there from the start. */
  readonly arrivals?: readonly number[];
  readonly devices?: readonly string[];
  readonly strikes: readonly Strike[];
}

/** A plan of tabs that live so: nothing else goes wrong in it, so that whatever stops was stopped by that. */
export function tabLifePlan(life: TabLife, seed: string): Plan {
  const random = new Prng(`${life}/${seed}`);
  const { nodes, arrivals, devices, strikes } = POPULATIONS[life](random);
  const calm = planOf('1');
  return {
    ...calm,
    seed: `${life}/${seed}`,
    voters: nodes,
    learners: 0,
    votersTarget: 3,
    protocol: PROTOCOL_VERSION_MAX,
    arrivals,
    devices,
    tuning: resolveTuning({ snapshotEveryEntries: random.pick([40, 10_000]) }),
    sessionsMax: 4_096,
    network: { ...calm.network, drop: 0, duplicate: 0, reorder: 0, corrupt: 0, spike: 0, delayMs: [2, 30] },
    disk: { ...calm.disk, slow: 0, writeMs: [1, 8], readMs: [1, 10] },
    packed: false,
    drift: 0,
    clients: 4,
    thinkMs: [20, 200],
    reads: 0.2,
    intruder: false,
    throwing: false,
    unforwarded: 0,
    expiring: 0,
    strikes: [...strikes].sort((a, b) => a.atMs - b.atMs),
    lostAtHeal: 0,
    healAtMs: SETTLED_MS + LIFE_MS,
    eventsMax: 4_000_000,
    minimum: { operations: 20, faults: 2, kinds: 1 },
  };
}

const POPULATIONS: Readonly<Record<TabLife, (random: Prng) => Population>> = {
  /** Two or three residents, and visitors one after the other, that close or crash and never come back. */
  visitors(random) {
    const residents = random.between(2, 3);
    const strikes: Strike[] = [];
    const arrivals = Array.from({ length: residents }, () => 0);
    for (let atMs = SETTLED_MS; atMs < SETTLED_MS + LIFE_MS - 10_000; atMs += random.between(2_500, 6_000)) {
      const target = arrivals.push(atMs) - 1;
      strikes.push(goes(random, target, atMs + random.between(500, 8_000), NEVER_MS));
    }
    return { nodes: arrivals.length, arrivals, strikes };
  },
  /** Five who come and go, each with hours of its own. */
  commuters(random) {
    const strikes: Strike[] = [];
    for (let target = 0; target < 5; target += 1)
      for (
        let atMs = SETTLED_MS + random.between(0, 9_000);
        atMs < SETTLED_MS + LIFE_MS - 8_000;
        atMs += random.between(9_000, 20_000)
      )
        strikes.push(goes(random, target, atMs, random.between(1_000, 6_000)));
    return { nodes: 5, strikes };
  },
  /** All sleep at about the same time, without a word, and wake one after the other. */
  nights(random) {
    const strikes: Strike[] = [];
    for (let night = SETTLED_MS; night < SETTLED_MS + LIFE_MS - 15_000; night += 20_000)
      for (let target = 0; target < 3; target += 1)
        strikes.push({ kind: 'freeze', target, atMs: night + random.between(0, 2_000), forMs: random.between(4_000, 8_000) });
    return { nodes: 3, strikes };
  },
  /** Seven in a room; all but two leave within a second or two, one after the other, politely. */
  'mass-leave'(random) {
    const leaving = random.shuffle([0, 1, 2, 3, 4, 5, 6]).slice(0, 5);
    let atMs = SETTLED_MS + 6_000;
    const strikes = leaving.map((target): Strike => {
      atMs += random.between(150, 600);
      return { kind: 'stop', target, atMs, forMs: NEVER_MS };
    });
    return { nodes: 7, strikes };
  },
  /** Five tabs on one device, two others on their own; the device's lid closes, twice. */
  'one-device'(random) {
    const strikes: Strike[] = [];
    for (const lid of [SETTLED_MS + 12_000, SETTLED_MS + 35_000])
      for (let target = 0; target < 5; target += 1)
        strikes.push({ kind: 'freeze', target, atMs: lid + target, forMs: random.between(18_000, 19_000) });
    return { nodes: 7, devices: ['laptop', 'laptop', 'laptop', 'laptop', 'laptop', 'phone', 'desk'], strikes };
  },
  /** Site data is cleared on one device after the other; each comes back as another. */
  wiped(random) {
    const strikes: Strike[] = [];
    for (const [i, target] of random.shuffle([0, 1, 2, 3]).slice(0, 3).entries())
      strikes.push({ kind: 'wipe', target, atMs: SETTLED_MS + 5_000 + i * 16_000 });
    return { nodes: 4, strikes };
  },
  /** Profiles are copied and opened a second time. */
  duplicated(random) {
    const strikes: Strike[] = [0, 1, 2].map((target) => ({
      kind: 'copy',
      target,
      atMs: SETTLED_MS + 3_000 + target * random.between(4_000, 9_000),
    }));
    return { nodes: 3, strikes: [...strikes, goes(random, 0, SETTLED_MS + 40_000, 5_000)] };
  },
};

/** It closes politely, or crashes. */
function goes(random: Prng, target: number, atMs: number, forMs: number): Strike {
  return random.chance(0.5)
    ? { kind: 'stop', target, atMs, forMs }
    : { kind: 'crash', target, crash: random.pick(['process', 'power']), atMs, forMs };
}

/** How often the room is looked at, in virtual ms. */
const LOOK_EVERY_MS = 100;
/** Election timeouts within which writes go on. */
const WITHIN = 10;

/** Looks at the room until it heals (I42): attach it before that starts (`onCluster`). */
export function watchLiveness(life: TabLife): (cluster: SimCluster) => void {
  return (cluster) => watch(cluster, ALWAYS_ABLE.has(life));
}

function watch(cluster: SimCluster, always: boolean): void {
  const { scheduler, plan, evidence, ghost } = cluster;
  const limitMs = WITHIN * plan.tuning.electionTimeoutMs[1];
  let ableSinceMs = Number.POSITIVE_INFINITY;
  let committed = 0;
  let committedMs = 0;
  const look = (): void => {
    const now = scheduler.nowMs;
    if (now >= plan.healAtMs) return;
    if (ghost.committed.index > committed) committedMs = now;
    committed = ghost.committed.index;
    if (!always && !isAble(cluster)) ableSinceMs = Number.POSITIVE_INFINITY;
    else if (ableSinceMs === Number.POSITIVE_INFINITY) ableSinceMs = now;
    const silentMs = now - Math.max(ableSinceMs, committedMs);
    if (now > SETTLED_MS)
      evidence.check(
        'I42',
        silentMs <= limitMs,
        () => `a quorum is alive, and nothing was committed for ${Math.round(silentMs)} ms`,
      );
    scheduler.after(LOOK_EVERY_MS, '', look);
  };
  scheduler.at(0, '', look);
}

/** Whether those that run could decide something, by the newest configuration that any of them knows. */
function isAble({ nodes }: SimCluster): boolean {
  let newest: { readonly version: number; readonly conf: ConfState } | undefined;
  const up = new Set<string>();
  for (const { id, engine, process, running } of nodes) {
    const member = engine?.member;
    if (!running || process?.frozen === true || member === undefined) continue;
    up.add(id);
    if (newest === undefined || member.confVersion > newest.version) newest = { version: member.confVersion, conf: member.conf };
  }
  return newest !== undefined && quorumHas(newest.conf, (id) => up.has(id));
}
