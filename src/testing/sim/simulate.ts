/** Runs one plan to its end and says what was found. */
import type { Machine } from '../../state/state-machine.ts';
import { TypedMachine } from '../../state/typed-machine.ts';
import { History, type Operation } from '../history/history.ts';
import { checkLinearizable, describeVerdict, SEARCH_STEPS_MAX } from '../history/linearizability.ts';
import { Prng } from '../prng.ts';
import { checkBounds } from './bounds.ts';
import { type AnyCommand, SimClient } from './client.ts';
import { SimCluster } from './cluster.ts';
import type { Violation } from './evidence.ts';
import { judgeEnd } from './judge.ts';
import { type ObjectsState, objectsMachine } from './machine.ts';
import type { Plan } from './plan.ts';
import { SimWatcher } from './watcher.ts';

export interface RunReport {
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  /** Why the run proves nothing: too little happened. */
  readonly void: string | undefined;
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
  /** Virtual time in ticks of the nodes' logical clock. */
  readonly ticks: number;
  readonly operations: number;
  readonly acknowledged: number;
  readonly evaluated: ReadonlyMap<string, number>;
  readonly states: ReadonlySet<string>;
  readonly marks: ReadonlyMap<string, number>;
  /** What clients called and were told. */
  readonly history: readonly Operation[];
}

export interface SimulateOptions {
  /** The machine that the nodes run; its state must be that of `objectsMachine`. Default: that one. */
  readonly machine?: (version: number) => Machine;
  /** What clients call of that machine. Then nothing is read, and the history is not checked against a model. */
  readonly command?: (random: Prng, id: string) => AnyCommand;
  /** Sees the cluster before it starts. */
  readonly onCluster?: (cluster: SimCluster) => void;
}

/** Events between two looks at the leaders' view of their followers. */
const COMPARE_EVERY_EVENTS = 250;
/** How often a run that has healed is looked at, in virtual ms. */
const SETTLE_STEP_MS = 100;

export async function simulate(plan: Plan, options: SimulateOptions = {}): Promise<RunReport> {
  const cluster = new SimCluster(plan, options.machine ?? ((version) => new TypedMachine({ ...objectsMachine, version })));
  options.onCluster?.(cluster);
  const history = new History();
  let closing = false;
  const random = new Prng(plan.seed).fork('clients');
  cluster.boot();
  const clients: SimClient[] = [];
  const world = {
    scheduler: cluster.scheduler,
    history,
    nodes: () => cluster.nodes,
    committed: () => cluster.ghost.committed.index,
    evidence: cluster.evidence,
    witness: cluster.ghost.witness,
    closing: () => closing,
  };
  const { command } = options;
  const reads = command === undefined ? plan.reads : 0;
  const { unforwarded, expiring } = plan;
  const client = { unforwarded, expiring, keys: plan.keys, thinkMs: plan.thinkMs, timeoutMs: 4_000, reads, retries: 3, command };
  for (let i = 0; i < plan.clients; i += 1) {
    clients.push(new SimClient({ ...client, name: `c${i + 1}` }, world, random.fork(`c${i + 1}`)));
  }
  new SimWatcher(cluster, random.fork('watcher'));
  const healthy = await runTo(cluster, plan.healAtMs);
  if (healthy) {
    await judgeEnd(
      cluster,
      history,
      (untilMs) => runTo(cluster, untilMs),
      SETTLE_STEP_MS,
      () => {
        closing = true;
      },
    );
  }
  const acknowledged = clients.reduce((sum, one) => sum + one.acknowledged, 0);
  if (command === undefined) judgeHistory(cluster, history);
  if (command === undefined && cluster.evidence.violations.length === 0) judgeLists(cluster, history);
  return report(cluster, history, acknowledged);
}

/** False when something was violated, or the run is out of events. */
async function runTo(cluster: SimCluster, untilMs: number): Promise<boolean> {
  const { scheduler, evidence, plan } = cluster;
  while (scheduler.nextMs <= untilMs) {
    const settling = stepSafely(cluster);
    if (settling !== undefined) await settling.catch((error: unknown) => evidence.fail('I38', thrownText(error)));
    if (scheduler.events % COMPARE_EVERY_EVENTS === 0) {
      cluster.compareProgress();
      checkBounds(cluster);
    }
    if (evidence.violations.length > 0) return false;
    if (scheduler.events > plan.eventsMax) {
      evidence.fail('I34', `${plan.eventsMax} events were not enough`);
      return false;
    }
  }
  scheduler.nowMs = Math.max(scheduler.nowMs, untilMs);
  return evidence.violations.length === 0;
}

/** What a node throws into the event that ran it is a fault of the node (I38). */
function stepSafely({ scheduler, evidence }: SimCluster): Promise<void> | undefined {
  try {
    return scheduler.step();
  } catch (error) {
    evidence.fail('I38', thrownText(error));
    return undefined;
  }
}

function thrownText(error: unknown): string {
  return `thrown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function judgeHistory({ evidence }: SimCluster, history: History): void {
  const verdict = checkLinearizable(history.operations, { stepsMax: SEARCH_STEPS_MAX * PATIENCE });
  // A history that nobody can decide in that time accuses nobody, and proves nothing: the run is void.
  if (!verdict.ok && verdict.undecided) evidence.mark(UNDECIDED);
  else evidence.check('I29', verdict.ok, () => describeVerdict(verdict));
}

/** What the lists hold in the end, against what clients were told. */
function judgeLists({ ghost, leader }: SimCluster, history: History): void {
  const state = leader?.engine?.state.machine.state as ObjectsState | undefined;
  if (state === undefined) return;
  for (const { kind, key, input, end, outcome } of history.operations) {
    if (kind !== 'append') continue;
    ghost.witness.atTheEnd(state.lists[key] ?? [], { key, value: input, outcome: end === null ? 'unknown' : outcome });
  }
}

function report(cluster: SimCluster, history: History, acknowledged: number): RunReport {
  const { plan, evidence, scheduler, hash, network } = cluster;
  for (const [name, count] of Object.entries(network.counts)) if (count > 0) evidence.mark(`network:${name}`, count);
  for (const { disk } of cluster.nodes) {
    for (const [name, count] of Object.entries(disk.counts)) if (count > 0) evidence.mark(`disk:${name}`, count);
  }
  return {
    plan,
    violations: evidence.violations,
    void: tooLittle(cluster, acknowledged),
    hash: hash.value,
    events: scheduler.events,
    virtualMs: scheduler.nowMs,
    ticks: Math.floor((scheduler.nowMs * 3) / plan.tuning.heartbeatMs),
    operations: history.operations.length,
    acknowledged,
    evaluated: evidence.evaluated,
    states: evidence.states,
    marks: evidence.marks,
    history: history.operations,
  };
}

/** Writes that nobody knows the fate of double the search: a run in some thousands needs more than the checker takes by itself. */
const PATIENCE = 5;
const UNDECIDED = 'history-undecided';

/** I40: why a run proves nothing, if it does not: hardly anything was done, or hardly anything went wrong. */
function tooLittle({ plan, evidence, ghost }: SimCluster, acknowledged: number): string | undefined {
  if (evidence.marks.has(UNDECIDED)) return 'the search for one order that explains its history was cut off';
  const { operations, faults, kinds } = plan.minimum ?? NO_MINIMUM;
  const struck = [...evidence.marks].filter(([name]) => name.startsWith('fault:'));
  const strikes = struck.reduce((sum, [, count]) => sum + count, 0);
  const elections = evidence.marks.get('leader-elected') ?? 0;
  const committed = ghost.committed.index;
  const enough = acknowledged >= operations && committed >= COMMITTED_MIN && elections > 0;
  const holds = enough && strikes >= faults && struck.length >= kinds;
  if (evidence.violations.length === 0) evidence.check('I40', true, () => '');
  if (holds) return undefined;
  const did = struck.map(([name, count]) => `${name.slice('fault:'.length)} ${count}`).join(', ');
  return `${acknowledged} calls answered, ${committed} entries committed, ${elections} elections, faults: ${did || 'none'}`;
}

/** Entries that any run commits, its founding among them. */
const COMMITTED_MIN = 5;
/** Plans that were cut down, or written by hand, need little. */
const NO_MINIMUM: NonNullable<Plan['minimum']> = { operations: 5, faults: 0, kinds: 0 };
