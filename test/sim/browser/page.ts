/** The simulator as a page has it: what a seed comes to there. */
import { planOf, simulate } from '../../../src/testing/sim/index.ts';

export interface Simulated {
  readonly hash: string;
  readonly events: number;
  readonly violations: number;
}

async function run(seed: string): Promise<Simulated> {
  const { hash, events, violations } = await simulate(planOf(seed));
  return { hash, events, violations: violations.length };
}

Reflect.set(globalThis, 'harness', { run });
