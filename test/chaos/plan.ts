/** Which faults happen, to whom and for how long: all of it drawn from the seed, before anything runs. */
import { Prng } from '../../src/testing/prng.ts';

export const FAULT_KINDS = [
  'hidden',
  'frozen',
  'crashed',
  'killed',
  'throttled',
  'offline',
  'quota',
  'wiped',
  'duplicated',
  'signaling-down',
  'partitioned',
  'asleep',
  'reloaded',
  'closed',
  'edge-killed',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface PlannedFault {
  readonly kind: FaultKind;
  /** Whether it shall hit who leads, where that can be chosen. */
  readonly leader: boolean;
  /** Which of the others, in [0, 1). */
  readonly pick: number;
  readonly holdMs: number;
}

/** From shorter than an election timeout to long enough for one and its repair. */
const HOLD_MS = [700, 5_000] as const;

export function planOf(seed: string, count: number, kinds: readonly FaultKind[] = FAULT_KINDS): readonly PlannedFault[] {
  const random = new Prng(seed).fork('faults');
  const plan: PlannedFault[] = [];
  // Each kind comes once before any comes twice.
  for (let round: FaultKind[] = []; plan.length < count; ) {
    if (round.length === 0) round = random.shuffle(kinds);
    const kind = round.pop();
    if (kind === undefined) break;
    plan.push({ kind, leader: random.chance(0.5), pick: random.float(), holdMs: Math.round(random.span(...HOLD_MS)) });
  }
  return plan;
}

export function isFaultKind(name: string): name is FaultKind {
  return (FAULT_KINDS as readonly string[]).includes(name);
}
