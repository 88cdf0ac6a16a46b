/** Questions about a configuration. */
import { jointVote, type Voters } from '../quorum/joint.ts';
import { quorumOf } from '../quorum/majority.ts';
import type { ConfState, NodeId } from '../types.ts';

export function isVoter(conf: ConfState, id: NodeId): boolean {
  return conf.voters.includes(id) || conf.votersOutgoing.includes(id);
}

export function isMember(conf: ConfState, id: NodeId): boolean {
  return isVoter(conf, id) || conf.learners.includes(id);
}

/** May become leader: votes, in either half, and holds the data. */
export function canLead(conf: ConfState, id: NodeId): boolean {
  return isVoter(conf, id) && !conf.witnesses.includes(id);
}

/** The voters of both halves, sorted, each once. */
export function allVoters(conf: ConfState): readonly NodeId[] {
  if (conf.votersOutgoing.length === 0) return conf.voters;
  return [...new Set([...conf.voters, ...conf.votersOutgoing])].sort();
}

export function isSingleVoter(conf: ConfState): boolean {
  return conf.voters.length === 1 && conf.votersOutgoing.length === 0;
}

/** How many voters with data are in every quorum, at the least: a witness may always be one of a quorum. */
export function copiesOf({ voters, votersOutgoing, witnesses }: ConfState): number {
  const copies = (half: readonly NodeId[]): number =>
    half.length === 0 ? 0 : quorumOf(half.length) - half.filter((id) => witnesses.includes(id)).length;
  return Math.max(copies(voters), copies(votersOutgoing), voters.length === 0 ? 0 : 1);
}

export type { Voters };
export { jointVote };

/** Why it is no configuration: a part unsorted or with doubles, voter and learner at once, … undefined when it is one. */
export function brokenConf(conf: ConfState): string | undefined {
  const { voters, votersOutgoing, learners, learnersNext, witnesses } = conf;
  for (const ids of [voters, votersOutgoing, learners, learnersNext, witnesses, conf.members.map(({ id }) => id)]) {
    for (let i = 1; i < ids.length; i++) {
      const before = ids[i - 1] as NodeId;
      if (before >= (ids[i] as NodeId)) return 'a part is not sorted, or holds an id twice';
    }
  }
  if (learners.some((id) => voters.includes(id) || votersOutgoing.includes(id))) return 'a learner is also a voter';
  if (learnersNext.some((id) => !votersOutgoing.includes(id))) return 'a next learner is no outgoing voter';
  if (learnersNext.some((id) => voters.includes(id))) return 'a next learner is an incoming voter';
  if (witnesses.some((id) => !isVoter(conf, id))) return 'a witness is no voter';
  if (votersOutgoing.length === 0 && conf.autoLeave) return 'a configuration that is not joint leaves by itself';
  if (votersOutgoing.length > 0 && voters.length === 0) return 'a joint configuration has no incoming voters';
  return undefined;
}
