/** Makes a failing plan smaller, as long as it fails in the same way. */
import { CALM_DISK } from './disk.ts';
import { CALM_NETWORK } from './network.ts';
import type { Plan } from './plan.ts';
import { type RunReport, type SimulateOptions, simulate } from './simulate.ts';

/** Runs that may be spent on making one plan smaller. */
export const SHRINK_RUNS_MAX = 250;

export interface Shrunk {
  readonly plan: Plan;
  readonly report: RunReport;
  readonly runs: number;
}

/** The smallest plan found that violates the same invariant first. The plan given must fail. */
export async function shrink(plan: Plan, options: SimulateOptions = {}, runsMax: number = SHRINK_RUNS_MAX): Promise<Shrunk> {
  const first = await simulate(plan, options);
  const id = first.violations[0]?.id;
  if (id === undefined) return { plan, report: first, runs: 1 };
  const search = new Search(plan, first, id, options, runsMax);
  await search.run();
  return { plan: search.best, report: search.report, runs: search.runs };
}

class Search {
  best: Plan;
  report: RunReport;
  runs = 1;
  readonly #id: string;
  readonly #options: SimulateOptions;
  readonly #runsMax: number;

  constructor(plan: Plan, report: RunReport, id: string, options: SimulateOptions, runsMax: number) {
    this.best = plan;
    this.report = report;
    this.#id = id;
    this.#options = options;
    this.#runsMax = runsMax;
  }

  async run(): Promise<void> {
    await this.#shorten();
    for (let before = Number.POSITIVE_INFINITY; sizeOf(this.best) < before && this.runs < this.#runsMax; ) {
      before = sizeOf(this.best);
      await this.#simplify();
      await this.#dropStrikes();
      await this.#shorten();
    }
  }

  /** True, and the plan is the new best, when it fails in the same way. */
  async #try(change: Partial<Plan>): Promise<boolean> {
    if (this.runs >= this.#runsMax) return false;
    this.runs += 1;
    const plan = { ...this.best, ...change };
    const report = await simulate(plan, this.#options);
    if (report.violations[0]?.id !== this.#id) return false;
    this.best = plan;
    this.report = report;
    return true;
  }

  /** Nothing after the violation is needed. */
  async #shorten(): Promise<void> {
    const failedMs = this.report.violations[0]?.timeMs ?? Number.POSITIVE_INFINITY;
    const strikes = this.best.strikes.filter(({ atMs }) => atMs <= failedMs);
    if (strikes.length < this.best.strikes.length) await this.#try({ strikes });
  }

  async #simplify(): Promise<void> {
    await this.#try({ network: CALM_NETWORK });
    for (const name of ['drop', 'duplicate', 'reorder', 'spike', 'corrupt'] as const) {
      if (this.best.network[name] > 0) await this.#try({ network: { ...this.best.network, [name]: 0 } });
    }
    await this.#try({ disk: { ...CALM_DISK, fold: this.best.disk.fold } });
    await this.#try({ drift: 0 });
    if (this.best.learners > 0) await this.#try({ learners: 0 });
    while (this.best.clients > 1 && (await this.#try({ clients: this.best.clients - 1 })));
    while (this.best.keys.length > 1 && (await this.#try({ keys: this.best.keys.slice(0, -1) })));
    while (this.best.voters > 1 && (await this.#try({ voters: this.best.voters - 1 })));
  }

  /** Delta debugging: ever smaller parts are left out. */
  async #dropStrikes(): Promise<void> {
    for (let part = Math.ceil(this.best.strikes.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
      for (let from = 0; from < this.best.strikes.length; ) {
        const strikes = this.best.strikes.filter((_, i) => i < from || i >= from + part);
        if (!(await this.#try({ strikes }))) from += part;
      }
    }
  }
}

function sizeOf(plan: Plan): number {
  return plan.strikes.length * 10 + plan.voters + plan.learners + plan.clients + plan.keys.length;
}
