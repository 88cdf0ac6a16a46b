/**
 * A run as plain data: its size, its tuning, its faults and when they strike. Made from a seed, cut down when it
 * fails, and small enough to be committed as a test.
 */
import type { TuningOptions } from '../../runtime/api/api.ts';
import { resolveTuning } from '../../runtime/api/options.ts';
import { Prng } from '../prng.ts';
import { CALM_DISK } from './disk.ts';
import { CALM_NETWORK, type NetworkFaults } from './network.ts';
import type { CrashKind, DiskFaults } from './sim-disk.ts';

/** Whom a fault strikes: the n-th node, counted round, or whoever leads. */
export type Target = number | 'leader';

export type Fault =
  | { readonly kind: 'crash'; readonly target: Target; readonly crash: CrashKind; readonly forMs: number }
  | { readonly kind: 'crash-all'; readonly crash: CrashKind; readonly forMs: number }
  | { readonly kind: 'stop'; readonly target: Target; readonly forMs: number }
  | { readonly kind: 'freeze'; readonly target: Target; readonly forMs: number }
  | { readonly kind: 'partition'; readonly left: number; readonly forMs: number }
  | { readonly kind: 'isolate'; readonly target: Target; readonly forMs: number }
  | {
      readonly kind: 'one-way';
      readonly target: Target;
      readonly other: number;
      readonly outward: boolean;
      readonly forMs: number;
    }
  | { readonly kind: 'clog'; readonly target: Target; readonly other: number; readonly forMs: number }
  | { readonly kind: 'cut'; readonly target: Target; readonly other: number }
  | { readonly kind: 'wall-clock'; readonly target: Target; readonly byMs: number }
  | { readonly kind: 'throttle'; readonly target: Target; readonly grainMs: number; readonly forMs: number }
  /** Throttled and cut off at once: a hidden tab whose network goes away. */
  | { readonly kind: 'doze'; readonly target: Target; readonly grainMs: number; readonly forMs: number }
  | { readonly kind: 'slow-disk'; readonly target: Target; readonly forMs: number }
  | { readonly kind: 'failing-disk'; readonly target: Target; readonly forMs: number }
  /** Two at once, so that the second fault meets a node or a cluster that has not got over the first. */
  | { readonly kind: 'failing-disks'; readonly target: Target; readonly other: number; readonly forMs: number }
  | { readonly kind: 'wipe' | 'bit-flip'; readonly target: number }
  /** Its storage is copied, as a browser profile can be, and opened by a second process. */
  | { readonly kind: 'copy'; readonly target: Target }
  /** Comes back as the next build: of a later version of the state machine and of the protocol. */
  | { readonly kind: 'upgrade'; readonly target: Target; readonly forMs: number }
  | { readonly kind: 'transfer'; readonly target: number }
  | { readonly kind: 'campaign'; readonly target: number }
  | { readonly kind: 'demote' | 'promote' | 'remove' | 'replace'; readonly target: number; readonly other: number }
  /** One joint change: those whose bit is set vote, the others learn. */
  | { readonly kind: 'reshape'; readonly target: number; readonly voters: number };
export type FaultKind = Fault['kind'];

export type Strike = Fault & { readonly atMs: number };

export interface Plan {
  readonly seed: string;
  readonly voters: number;
  readonly learners: number;
  /** How many shall vote. Default 7. */
  readonly votersTarget?: number | undefined;
  /** The highest protocol of every build. Default: 1, and 2 of those that are upgraded. */
  readonly protocol?: number | undefined;
  /** When each node comes, in ms. Default: one after the other, at once. */
  readonly arrivals?: readonly number[] | undefined;
  /** The device of each node. Default: each one of its own. */
  readonly devices?: readonly string[] | undefined;
  readonly tuning: TuningOptions;
  readonly sessionsMax: number;
  readonly network: NetworkFaults;
  readonly disk: DiskFaults;
  /** The store of IndexedDB and LMDB over a disk of bytes, in place of one of values. */
  readonly packed?: boolean;
  /** How far the nodes' clocks drift: 0.05 is five percent either way. */
  readonly drift: number;
  readonly clients: number;
  readonly keys: readonly string[];
  readonly thinkMs: readonly [number, number];
  readonly reads: number;
  /** Somebody who is no part of the cluster, and says whatever there is to say. */
  readonly intruder?: boolean;
  /** Every link is proven before anything is heard on it (proof-gate), and the intruder tries what it can. */
  readonly trust?: boolean;
  /** Every callback of the application throws. */
  readonly throwing?: boolean;
  /** Share of the writes that may not be forwarded. */
  readonly unforwarded?: number;
  /** Share of the writes that expire soon, by the clock of the node that is asked. */
  readonly expiring?: number;
  readonly strikes: readonly Strike[];
  /** How many voters stay down when the rest heals: never so many that a majority is lost. */
  readonly lostAtHeal: number;
  /** When everything heals; the run goes on until all is well, or too long. */
  readonly healAtMs: number;
  /** Events after which the run has failed to come to an end. */
  readonly eventsMax: number;
  /** A run in which less happened proves nothing, and fails: calls answered, faults that struck, and kinds of them. */
  readonly minimum?: { readonly operations: number; readonly faults: number; readonly kinds: number };
}

/** Boot: nodes join and are promoted undisturbed. */
const FIRST_FAULT_MS = 2_500;
/** How much is done at most in one run: far above what a healthy one needs. */
const EVENTS_PER_MS_MAX = 12;

/** Of a whole run: far less than any has that is worth its time. */
const MINIMUM = { operations: 6, faults: 3, kinds: 2 };
/** … and of a node alone, which is hard to strike while it is down. */
const ALONE_MINIMUM = { operations: 6, faults: 2, kinds: 1 };
/** Kinds of faults that every plan has of those that always find somebody, whatever its seed. */
const KINDS_MIN = 3;

/** Share of the seeds that run over bytes. */
const PACKED = 0.25;

const KEYS = ['a', 'b', 'list:a', 'list:b', 'counter:a'];

export interface PlanOptions {
  /** Length of the part with faults, in virtual ms. */
  readonly chaosMs?: number;
}

/** Seeds that begin so ask for the proof under every link, and for somebody who wants in. */
const TRUST_SEED = 'trust-';

/** A plan for a seed: which faults there are, how often, and all sizes, are the seed's. */
export function planOf(seed: string, options: PlanOptions = {}): Plan {
  const root = new Prng(seed);
  const random = root.fork('swarm');
  const chaosMs = options.chaosMs ?? 20_000;
  const healAtMs = FIRST_FAULT_MS + chaosMs;
  const voters = random.pick([1, 2, 3, 3, 3, 4, 5, 5]);
  const learners = random.pick([0, 0, 0, 1, 2]);
  return {
    seed,
    voters,
    learners,
    tuning: tuningOf(random),
    sessionsMax: random.pick([4_096, 4_096, 6]),
    network: networkOf(random),
    disk: diskOf(random),
    packed: root.fork('packed').chance(PACKED),
    drift: random.pick([0, 0.01, 0.05]),
    clients: random.between(2, 5),
    keys: random.shuffle(KEYS).slice(0, random.between(2, KEYS.length)),
    thinkMs: random.pick([
      [5, 60],
      [20, 200],
      [100, 600],
    ]) as [number, number],
    reads: random.pick([0.2, 0.4, 0.6]),
    ...applicationOf(root.fork('application')),
    ...(seed.startsWith(TRUST_SEED) && { trust: true, intruder: true }),
    strikes: strikesOf(root.fork('faults'), healAtMs, voters + learners),
    lostAtHeal: random.pick([0, 0, 1, 2]),
    healAtMs,
    eventsMax: (healAtMs + 60_000) * EVENTS_PER_MS_MAX,
    minimum: voters + learners === 1 ? ALONE_MINIMUM : MINIMUM,
  };
}

/** What applications and visitors do that nobody should have to suffer from. */
function applicationOf(random: Prng): Pick<Plan, 'intruder' | 'throwing' | 'unforwarded' | 'expiring'> {
  return {
    intruder: random.chance(0.3),
    throwing: random.chance(0.25),
    unforwarded: random.pick([0, 0, 0.2, 0.6]),
    expiring: random.pick([0, 0, 0.2]),
  };
}

function tuningOf(random: Prng): TuningOptions {
  return resolveTuning({
    heartbeatMs: random.pick([90, 150, 150]),
    electionTimeoutMs: random.pick([
      [450, 900],
      [750, 1500],
      [750, 1500],
    ]) as [number, number],
    snapshotEveryEntries: random.pick([3, 10, 40, 10_000]),
    keepEntries: random.pick([0, 2, 20]),
    inflightMessagesMax: random.pick([1, 2, 8, 64]),
    appendBytesMax: random.pick([1, 64, 512, 65_536]),
    sessionTtlMs: random.pick([3_600_000, 3_600_000, 20_000]),
    digestEveryEntries: random.pick([0, 20, 1_000]),
    leaseReads: random.chance(0.25),
    pendingCallsMax: random.pick([10_000, 10_000, 2]),
  });
}

function networkOf(random: Prng): NetworkFaults {
  const hostile = random.chance(0.5);
  return {
    ...CALM_NETWORK,
    delayMs: random.pick([
      [1, 5],
      [2, 30],
      [20, 80],
    ]) as [number, number],
    spike: random.pick([0, 0.01, 0.05]),
    spikeMs: random.pick([100, 1_000]),
    drop: hostile ? random.pick([0, 0.02, 0.1, 0.3]) : 0,
    duplicate: hostile ? random.pick([0, 0.05, 0.5]) : 0,
    reorder: hostile ? random.pick([0, 0.05, 0.3]) : 0,
    corrupt: random.chance(0.05) ? 0.002 : 0,
    queueBytesMax: random.pick([4 * 1024 * 1024, 4 * 1024 * 1024, 65_536]),
  };
}

function diskOf(random: Prng): DiskFaults {
  return {
    ...CALM_DISK,
    writeMs: random.pick([
      [0.2, 1],
      [1, 8],
      [10, 60],
    ]) as [number, number],
    readMs: random.pick([
      [0.1, 0.5],
      [1, 10],
      [20, 150],
    ]) as [number, number],
    slow: random.pick([0, 0, 0.002]),
    fold: random.pick([0, 0.5, 1]),
  };
}

/** Each kind with the chance that a run has it at all, and how often it then strikes. */
const KINDS: readonly (readonly [kind: FaultKind, chance: number, everyMs: number])[] = [
  ['crash', 0.5, 4_000],
  ['crash-all', 0.1, 9_000],
  ['stop', 0.15, 8_000],
  ['freeze', 0.35, 5_000],
  ['partition', 0.4, 5_000],
  ['isolate', 0.35, 5_000],
  ['one-way', 0.25, 5_000],
  ['clog', 0.2, 4_000],
  ['cut', 0.3, 3_000],
  ['wall-clock', 0.2, 6_000],
  ['throttle', 0.15, 8_000],
  ['doze', 0.15, 5_000],
  ['slow-disk', 0.15, 7_000],
  ['failing-disk', 0.12, 8_000],
  ['failing-disks', 0.12, 9_000],
  ['wipe', 0.12, 12_000],
  ['bit-flip', 0.4, 5_000],
  ['copy', 0.15, 5_000],
  ['upgrade', 0.12, 8_000],
  ['transfer', 0.25, 4_000],
  ['campaign', 0.15, 5_000],
  ['demote', 0.15, 7_000],
  ['promote', 0.15, 7_000],
  ['remove', 0.15, 10_000],
  ['replace', 0.2, 5_000],
  ['reshape', 0.25, 4_000],
];

/** Every kind of fault that a plan can have. */
export const FAULT_KINDS: readonly FaultKind[] = KINDS.map(([kind]) => kind);

function strikesOf(random: Prng, untilMs: number, nodes: number): Strike[] {
  const strikes: Strike[] = [];
  const chosen = new Set(KINDS.filter(([kind, chance]) => random.fork(kind).chance(chance)).map(([kind]) => kind));
  const more = random.fork('more').shuffle(ALWAYS_POSSIBLE);
  const sure = more.filter((kind) => chosen.has(kind)).length;
  for (const kind of more.filter((one) => !chosen.has(one)).slice(0, Math.max(0, KINDS_MIN - sure))) chosen.add(kind);
  for (const [kind, , everyMs] of KINDS) {
    if (!chosen.has(kind)) continue;
    const stream = random.fork(`${kind}/strikes`);
    for (let atMs = FIRST_FAULT_MS + stream.span(0, everyMs); atMs < untilMs; atMs += stream.span(0.3, 1.7) * everyMs) {
      strikes.push({ ...faultOf(stream, kind, nodes), atMs: Math.floor(atMs) });
    }
  }
  return strikes.sort((a, b) => a.atMs - b.atMs || (a.kind < b.kind ? -1 : 1));
}

/** Kinds for which there is somebody to strike even where one node is alone. */
const ALWAYS_POSSIBLE: readonly FaultKind[] = [
  'crash',
  'freeze',
  'wall-clock',
  'slow-disk',
  'failing-disk',
  'throttle',
  'crash-all',
];

function faultOf(random: Prng, kind: FaultKind, nodes: number): Fault {
  const target: Target = random.chance(0.4) ? 'leader' : random.below(nodes);
  const index = random.below(nodes);
  const other = random.below(nodes);
  const forMs = Math.floor(random.pick([random.span(20, 400), random.span(400, 3_000), random.span(2_000, 7_000)]));
  const crash: CrashKind = random.chance(0.5) ? 'process' : 'power';
  switch (kind) {
    case 'crash':
      return { kind, target, crash, forMs };
    case 'crash-all':
      return { kind, crash, forMs };
    case 'partition':
      return { kind, left: random.between(1, 2 ** nodes - 1), forMs };
    case 'one-way':
      return { kind, target, other, outward: random.chance(0.5), forMs };
    case 'clog':
      return { kind, target, other, forMs };
    case 'cut':
      return { kind, target, other };
    case 'wall-clock':
      return { kind, target, byMs: Math.floor(random.span(-3_600_000, 3_600_000)) };
    case 'throttle':
      return { kind, target, grainMs: random.pick([200, 1_000]), forMs };
    case 'doze':
      return { kind, target: random.chance(0.7) ? 'leader' : target, grainMs: random.pick([120, 250, 360]), forMs };
    case 'copy':
      return { kind, target };
    case 'failing-disks':
      return { kind, target, other, forMs };
    case 'wipe':
    case 'bit-flip':
    case 'transfer':
    case 'campaign':
      return { kind, target: index };
    case 'reshape':
      return { kind, target: index, voters: random.between(1, 2 ** (nodes + 1) - 1) };
    case 'demote':
    case 'promote':
    case 'remove':
    case 'replace':
      return { kind, target: index, other };
    default:
      return { kind, target, forMs };
  }
}
