/**
 * What each peer is to this node. Members are those of the configuration in force here, and those that its voters have told of:
 * a node whose configuration lags behind would else not hear whoever leads by now.
 */
import type { Index, NodeId, Term } from '../../core/types.ts';
import type { Introduction } from '../../wire/bodies.ts';
import { memberIds } from '../member/configuration.ts';
import type { Member } from '../member/member.ts';
import type { InboxView, Speaker } from '../peers/inbox.ts';
import { hasCaughtUp } from './freshness.ts';
import type { Standing } from './standing.ts';

const NOBODY: Introduction = { version: 0, term: 0, voters: [], others: [] };

export class Speakers implements InboxView {
  readonly #standing: Standing;
  #told: Introduction = NOBODY;

  constructor(standing: Standing) {
    this.#standing = standing;
  }

  /** Somebody who may say so tells of a configuration. One that is older than what is known here is of no use. */
  introduce(introduction: Introduction): void {
    if (introduction.version > this.#told.version && introduction.version > this.ownVersion) this.#told = introduction;
  }

  /**
   * What was told was for a node that lags: once the leader is a voter of the configuration in force, and all that is known to be
   * committed is applied, that configuration says who belongs.
   */
  tick(): void {
    const { member, leaderId } = this.#standing;
    if (this.#told.version > 0 && member?.conf.voters.includes(leaderId) === true && hasCaughtUp(this.#standing))
      this.#told = NOBODY;
  }

  /** Whether this node knows anybody whom it would hear. */
  get knowsNobody(): boolean {
    const { member, id } = this.#standing;
    if (member === undefined || this.#told.version > 0) return false;
    return [...memberIds(member.conf), ...member.namedInLog.map((named) => named.id)].every((other) => other === id);
  }

  /** Who votes, by the configuration in force here and by what it was told. */
  get votersKnown(): readonly NodeId[] {
    const { member } = this.#standing;
    return [...(member?.conf.voters ?? []), ...(member?.conf.votersOutgoing ?? []), ...this.#told.voters];
  }

  get ownVersion(): Index {
    return this.#standing.member?.confVersion ?? 0;
  }

  get term(): Term {
    return this.#standing.term;
  }

  get knownTerm(): Term {
    return Math.max(this.#standing.term, this.#told.term);
  }

  get lastIndex(): Index {
    return this.#standing.member?.view.lastIndex() ?? 0;
  }

  get leaderId(): NodeId {
    return this.#standing.leaderId;
  }

  speaker(peer: NodeId): Speaker {
    const { member, peers } = this.#standing;
    const known = peers.get(peer);
    if (known?.hello === undefined || !known.fits) return 'stranger';
    if (!known.trusted || member === undefined) return 'newcomer';
    return this.#placeOf(member, peer) ?? 'newcomer';
  }

  /** Whether this node knows the peer as one of its cluster, whatever its hello says. */
  knows(peer: NodeId): boolean {
    const { member } = this.#standing;
    return member !== undefined && this.#placeOf(member, peer) !== undefined;
  }

  #placeOf(member: Member, peer: NodeId): 'voter' | 'member' | undefined {
    const { voters, votersOutgoing, learners, learnersNext } = member.conf;
    if (voters.includes(peer) || votersOutgoing.includes(peer)) return 'voter';
    const told = this.#told.version > member.confVersion ? this.#told : NOBODY;
    if (told.voters.includes(peer)) return 'voter';
    const named = member.namedInLog.findLast(({ index, id }) => id === peer && index > member.confVersion)?.op;
    if (named === 'voter' || named === 'witness') return 'voter';
    const belongs = learners.includes(peer) || learnersNext.includes(peer) || told.others.includes(peer) || named === 'learner';
    return belongs ? 'member' : undefined;
  }

  /** What this node tells of its own configuration. */
  own(): Introduction {
    const { member, term } = this.#standing;
    if (member === undefined) return NOBODY;
    const { voters, votersOutgoing } = member.conf;
    const voting = [...new Set([...voters, ...votersOutgoing])];
    return {
      version: member.confVersion,
      term,
      voters: voting,
      others: memberIds(member.conf).filter((id) => !voting.includes(id)),
    };
  }
}
