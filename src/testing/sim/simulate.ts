/** Runs one plan to its end and says what was found. */
import type { Machine } from '../../state/state-machine.ts';
import { TypedMachine } from '../../state/typed-machine.ts';
import { History } from '../history/history.ts';
import { checkLinearizable, describeVerdict } from '../history/linearizability.ts';
import { Prng } from '../prng.ts';
import { type AnyCommand, SimClient } from './client.ts';
import { SimCluster } from './cluster.ts';
import type { Violation } from './evidence.ts';
import { judgeEnd } from './judge.ts';
import { objectsMachine } from './machine.ts';
import type { Plan } from './plan.ts';

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
}

export interface SimulateOptions {
  /** The machine that the nodes run; its state must be that of `objectsMachine`. Default: that one. */
  readonly machine?: () => Machine;
  /** What clients call of that machine. Then nothing is read, and the history is not checked against a model. */
  readonly command?: (random: Prng, id: string) => AnyCommand;
  /** Sees the cluster before it starts. */
  readonly onCluster?: (cluster: SimCluster) => void;
}

/** Events between two looks at the leaders' view of their followers. */
const COMPARE_EVERY_EVENTS = 500;
/** How often a run that has healed is looked at, in virtual ms. */
const SETTLE_STEP_MS = 100;

export async function simulate(plan: Plan, options: SimulateOptions = {}): Promise<RunReport> {
  const cluster = new SimCluster(plan, options.machine ?? (() => new TypedMachine(objectsMachine)));
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
    closing: () => closing,
  };
  const { command } = options;
  const reads = command === undefined ? plan.reads : 0;
  const client = { keys: plan.keys, thinkMs: plan.thinkMs, timeoutMs: 4_000, reads, retries: 3, command };
  for (let i = 0; i < plan.clients; i += 1) {
    clients.push(new SimClient({ ...client, name: `c${i + 1}` }, world, random.fork(`c${i + 1}`)));
  }
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
  return report(cluster, history, acknowledged);
}

/** False when something was violated, or the run is out of events. */
async function runTo(cluster: SimCluster, untilMs: number): Promise<boolean> {
  const { scheduler, evidence, plan } = cluster;
  while (scheduler.nextMs <= untilMs) {
    const settling = stepSafely(cluster);
    if (settling !== undefined) await settling.catch((error: unknown) => evidence.fail('I38', thrownText(error)));
    if (scheduler.events % COMPARE_EVERY_EVENTS === 0) cluster.compareProgress();
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
  const verdict = checkLinearizable(history.operations);
  evidence.check('I29', verdict.ok, () => describeVerdict(verdict));
}

function report(cluster: SimCluster, history: History, acknowledged: number): RunReport {
  const { plan, evidence, scheduler, hash, network } = cluster;
  for (const [name, count] of Object.entries(network.counts)) if (count > 0) evidence.mark(`network:${name}`, count);
  for (const { disk } of cluster.nodes) {
    for (const [name, count] of Object.entries(disk.counts)) if (count > 0) evidence.mark(`disk:${name}`, count);
  }
  const committed = cluster.ghost.committed.index;
  const elections = evidence.marks.get('leader-elected') ?? 0;
  const tooLittle = acknowledged < 5 || committed < 5 || elections < 1;
  return {
    plan,
    violations: evidence.violations,
    void: tooLittle ? `${acknowledged} calls answered, ${committed} entries committed, ${elections} elections` : undefined,
    hash: hash.value,
    events: scheduler.events,
    virtualMs: scheduler.nowMs,
    ticks: Math.floor((scheduler.nowMs * 3) / plan.tuning.heartbeatMs),
    operations: history.operations.length,
    acknowledged,
    evaluated: evidence.evaluated,
    states: evidence.states,
    marks: evidence.marks,
  };
}
