/**
 * Time that no tick has told of. A page that is frozen and a machine that sleeps do not tick, and on some machines the monotonic
 * clock stands still meanwhile: then only the wall clock knows.
 */
import type { TuningOptions } from '../api/api.ts';
import type { Clock } from '../ports/clock.ts';

interface Ticked {
  readonly clock: Clock;
  readonly tuning: TuningOptions;
  readonly lastTickMs: number;
  readonly lastTickWallMs: number;
}

/** How long ago the last tick was, in ms, by whichever clock saw more of it. */
export function unseenMs(standing: Ticked): number {
  return standing.clock.monotonicMs() - standing.lastTickMs + stoodStillMs(standing);
}

/** By how much the monotonic clock fell behind the wall clock since the last tick, in ms; 0 for less than a tab sleeps. */
export function stoodStillMs(standing: Ticked): number {
  const { clock, lastTickMs, lastTickWallMs } = standing;
  const behindMs = clock.wallMs() - lastTickWallMs - (clock.monotonicMs() - lastTickMs);
  return behindMs > sleepMs(standing) ? behindMs : 0;
}

/** It may have slept: what it knew of others may be over. */
export function mayHaveSlept(standing: Ticked): boolean {
  return unseenMs(standing) > sleepMs(standing);
}

/** A pause that is longer than this is a sleep, in ms: half of the time in which others may elect a leader. */
export function sleepMs({ tuning }: Pick<Ticked, 'tuning'>): number {
  return tuning.electionTimeoutMs[0] / 2;
}
