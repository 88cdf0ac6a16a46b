/**
 * For a cluster whose majority is gone for good: this node becomes its only voter, in a new epoch. In two deliberate steps: a plan
 * that names what may be lost, and its confirmation. Nobody but the people at the devices can decide this.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { recover } from '../../storage/recover.ts';
import type { RecoveryPlan } from '../api/admin.ts';
import { memberIds } from '../member/configuration.ts';
import type { Member } from '../member/member.ts';
import { outlookOf } from '../standing/outlook.ts';
import { assertRunning } from '../standing/standing.ts';
import type { ConsensusNode } from './consensus-node.ts';

/** A plan is of its moment: confirmed later than this it is refused, in ms. */
const PLAN_MS = 5 * 60_000;

interface Planned {
  readonly plan: RecoveryPlan;
  readonly untilMs: number;
  /** What it was made from; when that has changed, so may what is lost. */
  readonly facts: string;
}

export class Recovery {
  readonly #consensus: ConsensusNode;
  #planned: Planned | undefined;
  #busy = false;

  constructor(consensus: ConsensusNode) {
    this.#consensus = consensus;
  }

  /** Changes nothing. Errors: stopped, removed, not-a-member, rejected (a majority can be reached). */
  plan(): RecoveryPlan {
    const { standing, reports } = this.#consensus;
    const member = this.#member();
    const { missing } = outlookOf(standing, reports);
    const lastIndex = member.view.lastIndex();
    const removed = memberIds(member.conf).filter((id) => id !== standing.id);
    const furtherAhead = removed.find((id) => (reports.of(id)?.report.last ?? 0) > lastIndex && standing.peers.isLinked(id));
    const plan = {
      token: globalThis.crypto.randomUUID(),
      epoch: (standing.cluster?.epoch ?? 0) + 1,
      missing,
      removed,
      lastIndex,
      furtherAhead,
      mayBeLost: lossesOf(
        member,
        standing.id,
        missing.map(({ id, name }) => name || id),
        furtherAhead,
      ),
    };
    this.#planned = { plan, untilMs: standing.clock.monotonicMs() + PLAN_MS, facts: this.#facts(member) };
    return plan;
  }

  /** Does what the plan said. Errors: those of `plan`, and of storage; rejected also for a token that is none, or out of date. */
  async confirm(token: string): Promise<{ readonly epoch: number; readonly removed: readonly NodeId[] }> {
    const { store, options, standing } = this.#consensus;
    const member = this.#member();
    const planned = this.#planned;
    if (planned === undefined || planned.plan.token !== token || this.#busy)
      throw new RaftError('rejected', 'This is not the token of the last plan.');
    if (standing.clock.monotonicMs() > planned.untilMs || this.#facts(member) !== planned.facts)
      throw new RaftError('rejected', 'Things have changed since the plan was made: look at a new one.');
    this.#planned = undefined;
    this.#busy = true;
    try {
      const { epoch, removed } = await this.#consensus.renew(() => recover(store, options.clock.wallMs()));
      return { epoch, removed };
    } finally {
      this.#busy = false;
    }
  }

  #member(): Member {
    const { standing, reports, member } = this.#consensus;
    assertRunning(standing);
    if (member === undefined) throw new RaftError('not-a-member', 'This node belongs to no cluster: it has nothing to recover.');
    if (outlookOf(standing, reports).quorumAlive)
      throw new RaftError('rejected', 'A majority of the voters can be reached: nothing is to be recovered.');
    return member;
  }

  #facts({ hard, confVersion, view }: Member): string {
    return [this.#consensus.standing.cluster?.epoch, hard.term, confVersion, view.lastIndex()].join(' ');
  }
}

function lossesOf(member: Member, self: NodeId, names: readonly string[], furtherAhead: NodeId | undefined): string[] {
  const { conf, view } = member;
  const who = names.join(', ') || 'the others';
  const losses = [
    `Changes that were acknowledged by ${who} and that this device never got: everything after entry ${view.lastIndex()}.`,
    `Changes of ${who} that have no answer yet.`,
    'Whoever comes back of the old epoch joins anew; what it holds stays on its device, and is not merged.',
  ];
  if (!conf.voters.includes(self))
    losses.unshift('This device did not vote: it may be far behind what the voters have acknowledged.');
  if (furtherAhead !== undefined)
    losses.unshift(`${furtherAhead} is linked and holds more than this device: recover there instead.`);
  return losses;
}
