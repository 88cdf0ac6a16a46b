/**
 * Every order of events, up to a bound: breadth first over what may happen next, each state visited once. The core
 * cannot be copied, so a state is kept as the choices that led to it, and reached again by making them.
 */
import { type Choice, CoreModel, type ModelLimits } from './core-model.ts';
import type { Violation } from './evidence.ts';

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** Choices from the start to the deepest state. */
  readonly depth: number;
  /** All states within the limits were visited. */
  readonly complete: boolean;
  readonly evaluated: ReadonlyMap<string, number>;
  /** The shortest way to something wrong. */
  readonly violation: Violation | undefined;
  readonly path: readonly Choice[];
}

export interface ExploreOptions extends ModelLimits {
  readonly statesMax: number;
  readonly depthMax: number;
}

export const EXPLORE_DEFAULTS: ExploreOptions = {
  nodes: 2,
  campaigns: 2,
  proposals: 1,
  crashes: 1,
  losses: 0,
  statesMax: 20_000,
  depthMax: 40,
};

/** Makes the choices from the start. */
export function replayChoices(limits: ModelLimits, path: readonly Choice[]): CoreModel {
  const model = new CoreModel(limits);
  for (const choice of path) model.take(choice);
  return model;
}

export function explore(options: ExploreOptions = EXPLORE_DEFAULTS): Exploration {
  const seen = new Set<string>();
  const evaluated = new Map<string, number>();
  let frontier: (readonly Choice[])[] = [[]];
  let transitions = 0;
  let depth = 0;
  seen.add(new CoreModel(options).key());
  for (; frontier.length > 0 && depth < options.depthMax; depth += 1) {
    const next: (readonly Choice[])[] = [];
    for (const path of frontier) {
      for (const choice of replayChoices(options, path).choices()) {
        const longer = [...path, choice];
        const model = replayChoices(options, longer);
        transitions += 1;
        const violation = model.evidence.violations[0];
        for (const [id, count] of model.evidence.evaluated) evaluated.set(id, (evaluated.get(id) ?? 0) + count);
        if (violation !== undefined) {
          return { states: seen.size, transitions, depth, complete: false, evaluated, violation, path: longer };
        }
        const key = model.key();
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(longer);
        if (seen.size >= options.statesMax) {
          return { states: seen.size, transitions, depth, complete: false, evaluated, violation: undefined, path: [] };
        }
      }
    }
    frontier = next;
  }
  return { states: seen.size, transitions, depth, complete: frontier.length === 0, evaluated, violation: undefined, path: [] };
}
