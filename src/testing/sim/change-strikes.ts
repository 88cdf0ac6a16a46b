/** Membership changes as a plan has them: what is asked, and of whom. */
import type { NodeId } from '../../core/types.ts';
import type { Membership } from '../../runtime/api/api.ts';
import type { Strike } from './plan.ts';

export type ChangeStrike = Extract<Strike, { kind: 'demote' | 'promote' | 'remove' | 'replace' | 'reshape' }>;

/** Who could be meant. */
export interface ChangeTargets {
  readonly voter: NodeId | undefined;
  readonly learner: NodeId | undefined;
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** A voter may go for good: another can come in its place. */
  readonly replaceable: boolean;
}

/** undefined: the configuration is not one in which this could be asked. */
export function askChange(
  strike: ChangeStrike,
  membership: Membership,
  { voter, learner, voters, learners, replaceable }: ChangeTargets,
  timeoutMs: number,
): Promise<unknown> | undefined {
  const options = { timeoutMs };
  if (strike.kind === 'reshape') {
    const all = [...voters, ...learners];
    const chosen = all.filter((_, i) => (strike.voters & (1 << i)) !== 0);
    if (chosen.length === 0) return undefined;
    return membership.change({ voters: chosen, learners: all.filter((id) => !chosen.includes(id)) }, options);
  }
  if (strike.kind === 'promote') return learner === undefined ? undefined : membership.promote(learner, options);
  if (voter === undefined || voters.length < 2) return undefined;
  if (strike.kind === 'demote') return membership.demote(voter, options);
  if (strike.kind === 'replace') return learner === undefined ? undefined : membership.replace(voter, learner, options);
  return replaceable ? membership.remove(voter, options) : undefined;
}
