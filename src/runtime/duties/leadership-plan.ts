/** Who leads: from what is known of the voters to a clearly better leader, as a pure function. */
import type { NodeId } from '../../core/types.ts';
import type { AutopilotOptions } from '../api/options.ts';
import { RELUCTANT_LEADS_MAX } from '../member/core-config.ts';
import { byPreference, type MemberFacts } from './member-facts.ts';

export interface LeadershipInput {
  readonly self: NodeId;
  readonly members: readonly MemberFacts[];
  readonly options: Pick<AutopilotOptions, 'settleMs' | 'calmMs'>;
}

/** A voter must have been heard for so many times `settleMs` before it is asked to lead. */
const SETTLED_TIMES = 3;

/**
 * A voter that should rather lead than this node; undefined when there is none. A higher priority is somebody's wish, and goes
 * before everything; then who is reluctant leads two, and no more; of equals one that has been free of what has slowed this leader down, both for `calmMs`. Whoever is
 * slowed down as much does not lead any better: a hidden tab that is alone, or among hidden ones, goes on.
 */
export function betterLeader({ self, members, options }: LeadershipInput): MemberFacts | undefined {
  const own = members.find(({ id }) => id === self);
  if (own === undefined) return undefined;
  const voters = members.filter(({ suffrage }) => suffrage === 'voter').length;
  return members
    .filter(
      ({ id, suffrage, caughtUp, heardForMs }) =>
        id !== self && suffrage === 'voter' && caughtUp && heardForMs > 0 && heardForMs >= SETTLED_TIMES * options.settleMs,
    )
    .filter((other) => isClearlyBetter(other, own, voters, options.calmMs))
    .sort(byPreference)[0];
}

function isClearlyBetter(other: MemberFacts, own: MemberFacts, voters: number, calmMs: number): boolean {
  if (other.priority !== own.priority) return other.priority > own.priority;
  if (other.reluctant !== own.reluctant) return voters <= RELUCTANT_LEADS_MAX ? other.reluctant : own.reluctant;
  if (own.shortOfSpace !== other.shortOfSpace) return own.shortOfSpace;
  return other.burden < own.burden && other.burdenForMs >= calmMs && own.burdenForMs >= calmMs;
}

/** For people: why one that is clearly better is. */
export function whyBetter(other: MemberFacts, own: MemberFacts): string {
  if (other.priority > own.priority) return 'its priority is higher';
  if (other.reluctant !== own.reluctant)
    return own.reluctant ? 'this node leads only when nobody else can' : 'of two voters it is the one that stays';
  return 'nothing slows it down as much';
}
