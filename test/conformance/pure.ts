/** Our quorum maths and configuration changes behind the interface of the conformance tables. */

import { type ChangeResult, changeSimply, enterJoint, leaveJoint } from '../../src/core/conf/changer.ts';
import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import { Tracker } from '../../src/core/progress/tracker.ts';
import { jointIndex, jointVote, type Voters } from '../../src/core/quorum/joint.ts';
import { type ConfState, NO_LIMIT } from '../../src/core/types.ts';
import type { Change } from './harness.ts';
import { changeOf, idOf, numberOf } from './texts.ts';

type Halves = readonly [incoming: readonly number[], outgoing: readonly number[]];

function halves([incoming, outgoing]: Halves): Voters {
  return { voters: incoming.map(idOf), votersOutgoing: outgoing.map(idOf) };
}

export function committedIndex(voters: Halves, ackedIndexOf: (id: number) => number | undefined): number {
  return jointIndex(halves(voters), (id) => ackedIndexOf(numberOf(id)));
}

export function voteResult(voters: Halves, votes: ReadonlyMap<number, boolean>): string {
  const result = jointVote(halves(voters), new Map([...votes].map(([id, vote]) => [idOf(id), vote])));
  return { won: 'VoteWon', lost: 'VoteLost', pending: 'VotePending' }[result];
}

interface Config {
  readonly conf: ConfState;
  readonly tracker: Tracker;
}

export function newConfig(): Config {
  return {
    conf: EMPTY_CONF,
    tracker: new Tracker('', EMPTY_CONF, 1, { maxInflightMessages: NO_LIMIT, maxInflightBytes: NO_LIMIT }),
  };
}

type Command = 'simple' | 'enter-joint' | 'leave-joint';

export function change(
  { conf, tracker }: Config,
  last: number,
  command: Command,
  changes: readonly Change[],
  autoLeave: boolean,
): { config: Config; text: string } {
  const result = apply(conf, command, changes, autoLeave);
  if ('refused' in result) throw new Error(result.refused);
  tracker.reconfigure(result.conf, result.added, Math.max(last, 1), true);
  const lines = tracker.all.map(({ id, match, next, learner }) => {
    return `${numberOf(id)}: StateProbe match=${match} next=${next}${learner ? ' learner' : ''}`;
  });
  return { config: { conf: result.conf, tracker }, text: [textOf(result.conf), ...lines].join('\n') };
}

function apply(conf: ConfState, command: Command, changes: readonly Change[], autoLeave: boolean): ChangeResult {
  const wanted = changeOf({ v1: false, transition: 'auto', changes });
  if (command === 'simple') return changeSimply(conf, wanted);
  return command === 'enter-joint' ? enterJoint(conf, wanted, autoLeave) : leaveJoint(conf);
}

function textOf(conf: ConfState): string {
  const list = (ids: readonly string[]): string => `(${ids.map(numberOf).join(' ')})`;
  const parts = [`voters=${list(conf.voters)}`];
  if (conf.votersOutgoing.length > 0) parts[0] += `&&${list(conf.votersOutgoing)}`;
  if (conf.learners.length > 0) parts.push(`learners=${list(conf.learners)}`);
  if (conf.learnersNext.length > 0) parts.push(`learners_next=${list(conf.learnersNext)}`);
  if (conf.autoLeave) parts.push('autoleave');
  return parts.join(' ');
}
