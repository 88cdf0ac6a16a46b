/**
 * Crashes put exhaustively: a scenario is run once to count the writes of each disk, then once for each of them with
 * the machine dying at that very moment, what was on its way lost or kept.
 */
import type { NodeId } from '../../core/types.ts';
import type { SimCluster } from './cluster.ts';
import { CALM_DISK } from './disk.ts';
import { CALM_NETWORK } from './network.ts';
import { type Plan, planOf, type Strike } from './plan.ts';
import { type RunReport, simulate } from './simulate.ts';

/** A crash of a node at one of its writes, counted from 1. */
export interface CrashPoint {
  readonly node: NodeId;
  readonly boundary: number;
  /** What was on its way to the disk. */
  readonly keeps: 'none' | 'all';
}

export interface CrashRun {
  readonly scenario: string;
  readonly points: readonly CrashPoint[];
  readonly report: RunReport;
}

/** How long a crashed machine stays down, in ms. */
const DOWN_MS = 250;

/** Runs a plan with machines dying at these points. */
export function simulateWithCrashes(plan: Plan, points: readonly CrashPoint[]): Promise<RunReport> {
  return simulate(plan, { onCluster: (cluster) => putCrashes(cluster, points) });
}

function putCrashes(cluster: SimCluster, points: readonly CrashPoint[]): void {
  cluster.onDisk = (disk) => {
    const own = points.filter(({ node }) => node === disk.nodeId);
    if (own.length === 0) return;
    disk.onBoundary = (_disk, boundary) => {
      const point = own.find((one) => one.boundary === boundary);
      const node = cluster.nodes.find(({ id }) => id === disk.nodeId);
      if (point === undefined || node === undefined || !node.running || isOutside(cluster)) return;
      disk.keepsAtCrash = point.keeps;
      cluster.evidence.mark('fault:crash-point');
      node.crash('power');
      cluster.scheduler.after(DOWN_MS, '', () => node.start('enter'));
    };
  };
}

/** Before the room has a cluster (who dies founding one is looked at in test/runtime/founding), and when all is over. */
function isOutside({ calm, room }: SimCluster): boolean {
  return calm || room.clusterId === undefined;
}

/** How many writes each disk sees when nothing fails. */
export async function countBoundaries(plan: Plan): Promise<ReadonlyMap<NodeId, number>> {
  const counts = new Map<NodeId, number>();
  await simulate(plan, {
    onCluster: (cluster) => {
      cluster.onDisk = (disk) => {
        disk.onBoundary = (_disk, boundary) => {
          if (!isOutside(cluster)) counts.set(disk.nodeId, boundary);
        };
      };
    },
  });
  return counts;
}

export interface CrashSearchOptions {
  /** Every so many points only: 1 for all. */
  readonly every?: number;
  /** Ends the search after so many that failed. */
  readonly failuresMax?: number;
  /** Pairs of points instead of single ones, this many of them. */
  readonly pairs?: number;
}

/** All crash points of a plan, or pairs of them. */
export async function crashPointsOf(plan: Plan, options: CrashSearchOptions = {}): Promise<CrashPoint[][]> {
  const counts = await countBoundaries(plan);
  const points: CrashPoint[] = [];
  for (const [node, count] of counts) {
    for (let boundary = 1; boundary <= count; boundary += 1) {
      points.push({ node, boundary, keeps: 'none' }, { node, boundary, keeps: 'all' });
    }
  }
  if (options.pairs === undefined) return points.filter((_, i) => i % (options.every ?? 1) === 0).map((point) => [point]);
  const pairs: CrashPoint[][] = [];
  const stride = Math.max(1, Math.floor((points.length * points.length) / options.pairs));
  for (let i = 0; i < points.length * points.length; i += stride) {
    const first = points[Math.floor(i / points.length)];
    const second = points[i % points.length];
    if (first !== undefined && second !== undefined && first !== second) pairs.push([first, second]);
  }
  return pairs;
}

/** Tries the crash points of one scenario; the runs that failed. */
export async function searchCrashes(
  name: string,
  options: CrashSearchOptions = {},
): Promise<{ readonly runs: number; readonly failed: readonly CrashRun[] }> {
  const plan = crashScenarios()[name];
  if (plan === undefined) throw new RangeError(`There is no scenario named ${name}.`);
  const failed: CrashRun[] = [];
  let runs = 0;
  const all = await crashPointsOf(plan, options);
  for (const points of all) {
    const report = await simulateWithCrashes(plan, points);
    runs += 1;
    if (report.violations.length > 0) failed.push({ scenario: name, points, report });
    if (failed.length >= (options.failuresMax ?? Number.POSITIVE_INFINITY)) break;
  }
  return { runs, failed };
}

/** Short runs, each about one thing that is written. */
export function crashScenarios(): Readonly<Record<string, Plan>> {
  return {
    'one node writes': scenario('one', { voters: 1 }, []),
    'three nodes write': scenario('three', { voters: 3 }, []),
    'one transaction at a time': scenario('unfolded', { voters: 3, disk: { ...CALM_DISK, fold: 0 } }, []),
    'the leader is replaced': scenario('transfer', { voters: 3 }, [{ kind: 'transfer', target: 1, atMs: 2600 }]),
    'the leader is cut off': scenario('isolated', { voters: 3 }, [
      { kind: 'isolate', target: 'leader', forMs: 1200, atMs: 2600 },
    ]),
    'snapshots every three entries': scenario('snapshots', { voters: 2, tuning: tuned(3, 0) }, []),
    'a follower needs a snapshot': scenario('lagging', { voters: 3, tuning: tuned(3, 0) }, [
      { kind: 'isolate', target: 2, forMs: 900, atMs: 2500 },
    ]),
    'a conflicting end is cut off': scenario('conflict', { voters: 3, clients: 3, thinkMs: [20, 60] }, [
      { kind: 'isolate', target: 'leader', forMs: 700, atMs: 2500 },
      { kind: 'isolate', target: 'leader', forMs: 700, atMs: 4000 },
    ]),
    'a learner comes along': scenario('learner', { voters: 2, learners: 1 }, []),
    'a voter is demoted and promoted': scenario('demote', { voters: 3 }, [
      { kind: 'demote', target: 2, other: 0, atMs: 2500 },
      { kind: 'promote', target: 2, other: 0, atMs: 3200 },
    ]),
    'a voter is removed and another joins': scenario('remove', { voters: 3 }, [
      { kind: 'remove', target: 2, other: 0, atMs: 2500 },
    ]),
    'a voter is replaced in one joint change': scenario('replace', { voters: 3, learners: 1 }, [
      { kind: 'replace', target: 1, other: 3, atMs: 2500 },
    ]),
    'everybody restarts': scenario('restart', { voters: 3, tuning: tuned(10, 2) }, [
      { kind: 'crash-all', crash: 'power', forMs: 100, atMs: 2800 },
    ]),
    'sessions are pushed out': scenario('sessions', { voters: 2, sessionsMax: 1 }, []),
  };
}

function tuned(snapshotEveryEntries: number, keepEntries: number): Plan['tuning'] {
  return { ...planOf('tuning').tuning, heartbeatMs: 150, electionTimeoutMs: [450, 900], snapshotEveryEntries, keepEntries };
}

function scenario(seed: string, change: Partial<Plan>, strikes: readonly Strike[]): Plan {
  return {
    ...planOf(`crash-points/${seed}`),
    learners: 0,
    tuning: tuned(10_000, 0),
    sessionsMax: 4_096,
    network: CALM_NETWORK,
    disk: CALM_DISK,
    drift: 0,
    clients: 2,
    keys: ['a', 'list:a'],
    thinkMs: [150, 400],
    reads: 0.3,
    lostAtHeal: 0,
    healAtMs: 4_500,
    ...change,
    strikes,
  };
}
