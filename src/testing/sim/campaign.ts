/** Many seeds, one summary: what was run, which faults struck, what was really tested. */
import { SAID } from './hostile-messages.ts';
import { STANDINGS } from './intruder.ts';
import { FAULT_KINDS, type Plan, type PlanOptions, planOf } from './plan.ts';
import { type RunReport, type SimulateOptions, simulate } from './simulate.ts';

export interface Summary {
  seeds: number;
  failed: number;
  void: number;
  repeated: number;
  events: number;
  ticks: number;
  virtualMs: number;
  operations: number;
  acknowledged: number;
  /** Runs in which a fault or happening occurred, and how often. */
  readonly marks: Record<string, number>;
  readonly evaluated: Record<string, number>;
  readonly states: Set<string>;
}

export interface CampaignOptions extends SimulateOptions {
  readonly plan?: PlanOptions;
  /** Every so many seeds is run twice, and must come to the same trace. 0: never. Default 100. */
  readonly repeatEvery?: number;
  /** Called after each seed; false ends the campaign. */
  readonly onReport?: (report: RunReport, summary: Summary) => boolean;
}

/** Fewer seeds need not meet everything. */
const EVIDENCE_SEEDS_MIN = 500;
/** The invariants that a campaign must have tested: docs/RELIABILITY.md says what each is. */
export const CHECKED_IDS: readonly string[] = [
  ...['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9', 'I10', 'I11', 'I12', 'I13', 'I14', 'I15', 'I16', 'I17', 'I18'],
  ...['I19', 'I20', 'I21', 'I22', 'I23', 'I24', 'I25', 'I26', 'I27', 'I28', 'I29', 'I30', 'I31', 'I32', 'I33', 'I34', 'I35'],
  ...['I36', 'I37', 'I39', 'I40', 'I41', 'I43'],
];

/** What applications and visitors must have done, by the names of its marks. */
const MARKS: readonly string[] = [
  ...STANDINGS.map((standing) => `intruder:${standing}`),
  ...['intruder:is learner', 'intruder:is removed'],
  ...SAID.map((what) => `said:${what}`),
  ...['event', 'trace', 'selector', 'subscriber', 'leader work', 'condition'].map((what) => `callback:${what}`),
  ...['read-after-return', 'write:unforwarded', 'write:expiring done', 'write:expiring timeout'],
];

export function emptySummary(): Summary {
  return {
    seeds: 0,
    failed: 0,
    void: 0,
    repeated: 0,
    events: 0,
    ticks: 0,
    virtualMs: 0,
    operations: 0,
    acknowledged: 0,
    marks: {},
    evaluated: {},
    states: new Set(),
  };
}

/** Runs plans one after the other. */
export async function runCampaign(seeds: Iterable<string | Plan>, options: CampaignOptions = {}): Promise<Summary> {
  const summary = emptySummary();
  const repeatEvery = options.repeatEvery ?? 100;
  for (const seed of seeds) {
    const plan = typeof seed === 'string' ? planOf(seed, options.plan) : seed;
    let report = await simulate(plan, options);
    if (repeatEvery > 0 && summary.seeds % repeatEvery === 0) report = await repeated(report, options, summary);
    add(summary, report);
    if (options.onReport?.(report, summary) === false) break;
  }
  return summary;
}

/** I39: the same seed must come to the same trace. */
async function repeated(report: RunReport, options: SimulateOptions, summary: Summary): Promise<RunReport> {
  const again = await simulate(report.plan, options);
  summary.repeated += 1;
  summary.evaluated['I39'] = (summary.evaluated['I39'] ?? 0) + 1;
  if (again.hash === report.hash && again.events === report.events) return report;
  const text = `two runs came to the traces ${report.hash} and ${again.hash}`;
  return { ...report, violations: [...report.violations, { id: 'I39', text, timeMs: report.virtualMs, event: report.events }] };
}

function add(summary: Summary, report: RunReport): void {
  summary.seeds += 1;
  if (report.violations.length > 0) summary.failed += 1;
  if (report.void !== undefined) summary.void += 1;
  summary.events += report.events;
  summary.ticks += report.ticks;
  summary.virtualMs += report.virtualMs;
  summary.operations += report.operations;
  summary.acknowledged += report.acknowledged;
  for (const [name, count] of report.marks) summary.marks[name] = (summary.marks[name] ?? 0) + count;
  for (const [name, count] of report.evaluated) summary.evaluated[name] = (summary.evaluated[name] ?? 0) + count;
  for (const state of report.states) summary.states.add(state);
}

/** Adds what another process has summed up. */
export function mergeSummary(into: Summary, part: Summary): void {
  for (const name of SUMS) into[name] += part[name];
  for (const [name, count] of Object.entries(part.marks)) into.marks[name] = (into.marks[name] ?? 0) + count;
  for (const [name, count] of Object.entries(part.evaluated)) into.evaluated[name] = (into.evaluated[name] ?? 0) + count;
  for (const state of part.states) into.states.add(state);
}

const SUMS = ['seeds', 'failed', 'void', 'repeated', 'events', 'ticks', 'virtualMs', 'operations', 'acknowledged'] as const;

/** What so many seeds must have met at least once: a kind of fault or a check that has died out is a failure (I40). */
export function missingEvidence(summary: Summary): string[] {
  if (summary.seeds < EVIDENCE_SEEDS_MIN) return [];
  return [
    ...FAULT_KINDS.filter((kind) => (summary.marks[`fault:${kind}`] ?? 0) === 0).map((kind) => `fault ${kind}`),
    ...CHECKED_IDS.filter((id) => (summary.evaluated[id] ?? 0) === 0),
    ...MARKS.filter((name) => (summary.marks[name] ?? 0) === 0),
  ];
}

/** The summary for people. */
export function describeSummary(summary: Summary, cpuMs: number): string {
  const seconds = cpuMs / 1000;
  const perSecond = Math.round(summary.ticks / seconds);
  const speed = Math.round(summary.virtualMs / cpuMs);
  const list = (record: Readonly<Record<string, number>>, prefix = ''): string =>
    Object.entries(record)
      .filter(([name]) => name.startsWith(prefix))
      .sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1))
      .map(([name, count]) => `${name.slice(prefix.length)} ${count}`)
      .join(', ');
  return [
    `${summary.seeds} seeds, ${summary.failed} failed, ${summary.void} void, ${summary.repeated} run twice`,
    `${summary.acknowledged} of ${summary.operations} calls answered, ${summary.events} events, ${summary.ticks} ticks`,
    `${seconds.toFixed(1)} CPU-seconds: ${perSecond} ticks per CPU-second, ${speed} times real time, ${(cpuMs / Math.max(1, summary.seeds)).toFixed(0)} ms per seed`,
    `faults: ${list(summary.marks, 'fault:')}`,
    `network: ${list(summary.marks, 'network:')}`,
    `disk: ${list(summary.marks, 'disk:')}`,
    `intruder: ${list(summary.marks, 'intruder:')}; said ${list(summary.marks, 'said:')}`,
    `callbacks that threw: ${list(summary.marks, 'callback:')}`,
    `writes: ${list(summary.marks, 'write:')}; reads after a return: ${summary.marks['read-after-return'] ?? 0}`,
    `invariants: ${list(summary.evaluated)}`,
    `${summary.states.size} abstract states (message, role, term relation)`,
  ].join('\n');
}
