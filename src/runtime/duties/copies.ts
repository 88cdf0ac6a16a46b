/** How many devices a command must be on before it is acknowledged, as whoever founded the cluster has asked for. */
import { copiesOf } from '../../core/conf/conf-state.ts';
import { RaftError } from '../../core/errors.ts';
import type { ConfState } from '../../core/types.ts';
import { decodeSettings } from '../member/configuration.ts';
import type { MemberFacts } from './member-facts.ts';

/** Copies of which a lone voter can have the others made good at once: more than these and it never goes on alone. */
const ALONE_COPIES_MAX = 2;

/** On the leader: why no command is taken now, if none is. */
export function tooFewCopies(conf: ConfState): RaftError | undefined {
  const { minCopies } = decodeSettings(conf.context);
  const copies = copiesOf(conf);
  if (copies >= minCopies) return undefined;
  const text = `Changes would be kept by ${copies} voter${copies === 1 ? '' : 's'}; this cluster asks for ${minCopies}. Open another tab or device.`;
  return new RaftError('no-quorum', text, { mayHaveApplied: false });
}

/**
 * Whether the leader of two may go on alone by this: with one copy it may; with two only beside a learner that holds all there is,
 * which votes next, so that nothing is written on one device only; with more it waits for the other.
 */
export function mayGoAlone(minCopies: number, members: readonly MemberFacts[]): boolean {
  if (minCopies <= 1) return true;
  if (minCopies > ALONE_COPIES_MAX) return false;
  return members.some(
    ({ suffrage, wantsVote, heardForMs, holdsAll }) => suffrage === 'learner' && wantsVote && heardForMs > 0 && holdsAll,
  );
}
