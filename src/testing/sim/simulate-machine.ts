/** For applications: their own state machine on a cluster in virtual time, with everything that can go wrong going wrong. */
import { TypedMachine } from '../../state/typed-machine.ts';
import type { Command, Handlers, Queries, StateMachine } from '../../state/types.ts';
import type { Prng } from '../prng.ts';
import { type Plan, planOf } from './plan.ts';
import { type RunReport, simulate } from './simulate.ts';

export interface MachineWorkload<S, C extends Handlers<S>> {
  /** The next command of a client; `id` is unlike that of any other. */
  readonly command: (random: Prng, id: string) => Command<C>;
  /** Looked at after every command, on every node: says what is wrong with a state, or nothing. */
  readonly check?: (state: Readonly<S>) => string | undefined;
  /** 1 when not given. */
  readonly seeds?: Iterable<string>;
  /** Changes a plan before it is run: its size, its faults. */
  readonly plan?: (plan: Plan) => Plan;
}

export interface MachineRun {
  readonly report: RunReport;
  /** What `check` found, with the node's command count at which it did. */
  readonly wrong: readonly string[];
}

/** Wrong states that are kept of one run. */
const WRONG_MAX = 20;

/**
 * Runs the machine over seeds, up to and including the first that fails. A handler that is not deterministic shows as
 * a violation of I7, I20 or I25: members that came to different results, snapshots or states.
 */
export async function simulateMachine<S, C extends Handlers<S>, Q extends Queries<S>>(
  definition: StateMachine<S, C, Q>,
  workload: MachineWorkload<S, C>,
): Promise<readonly MachineRun[]> {
  const runs: MachineRun[] = [];
  for (const seed of workload.seeds ?? ['1']) {
    const wrong: string[] = [];
    const plan = planOf(seed);
    const report = await simulate(workload.plan?.(plan) ?? plan, {
      command: workload.command,
      machine: () => watched(new TypedMachine(definition), workload.check, wrong),
    });
    runs.push({ report, wrong });
    if (report.violations.length > 0 || wrong.length > 0) break;
  }
  return runs;
}

function watched<S, C extends Handlers<S>, Q extends Queries<S>>(
  machine: TypedMachine<S, C, Q>,
  check: ((state: Readonly<S>) => string | undefined) | undefined,
  wrong: string[],
): TypedMachine<S, C, Q> {
  if (check === undefined) return machine;
  const apply = machine.apply.bind(machine);
  machine.apply = (command, context) => {
    const outcome = apply(command, context);
    const found = check(machine.state);
    if (found !== undefined && wrong.length < WRONG_MAX) wrong.push(`at ${context.index}: ${found}`);
    return outcome;
  };
  return machine;
}
