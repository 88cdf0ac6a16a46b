/** How leadership passes on: at a goodbye, and when somebody asks for it (§3.10). */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { Goodbye } from '../../wire/peer-message.ts';
import { contextOf } from '../member/configuration.ts';
import type { Member } from '../member/member.ts';
import type { Standing } from '../standing/standing.ts';

/** The successor waits this long, in ms, so that the others have heard the goodbye too and do not refuse it (§4.2.3). */
const CAMPAIGN_AFTER_MS = 20;

export class Handover {
  readonly #standing: Standing;
  readonly #wake: () => void;
  readonly #isReluctant: (id: NodeId) => boolean;
  #transferring: { readonly target: NodeId; readonly untilMs: number } | undefined;

  constructor(standing: Standing, wake: () => void, isReluctant: (id: NodeId) => boolean) {
    this.#standing = standing;
    this.#wake = wake;
    this.#isReluctant = isReluctant;
  }

  /** On the leader: hands leadership over, and again when the target could not take it yet (it lags, or has a change to apply). */
  transfer(target: NodeId, timeoutMs: number): void {
    this.#transferring = { target, untilMs: this.#standing.clock.monotonicMs() + timeoutMs };
    this.tick();
  }

  tick(): void {
    if (this.#transferring === undefined) return;
    const { member, clock } = this.#standing;
    const { target, untilMs } = this.#transferring;
    if (member?.isLeader !== true || clock.monotonicMs() > untilMs) {
      this.#transferring = undefined;
    } else if (member.core.status().transferee === NO_NODE) {
      member.core.transferLeader(target);
      this.#wake();
    }
  }

  /** This node ends: everybody hears it, and a leader leaves its vote to the best of the voters that are linked (docs/CORE.md, P1). */
  sayGoodbye(reason: Goodbye['reason']): void {
    const { member, peers } = this.#standing;
    member?.bequeath(heirs(this.#standing, this.#isReluctant));
    peers.goodbye(reason);
  }

  /** This node stays and cannot write: a leader leaves its vote, or tells the others that it leads no more. */
  standAside(): void {
    const { member, peers } = this.#standing;
    if (member?.soft.role === 'leader' && !member.bequeath(heirs(this.#standing, this.#isReluctant))) peers.goodbye('stop');
  }

  /**
   * When the leader leaves with a goodbye nobody has to wait for a timeout: the linked voter with the smallest id, of those that like to
   * lead, campaigns at once; if it cannot, the others' timeouts still run.
   */
  onGoodbye(peer: NodeId): void {
    const { member, peers, id, clock } = this.#standing;
    if (member === undefined || member.soft.leader !== peer || campaigns(member)) return;
    member.core.forgetLeader();
    this.#wake();
    const others = member.conf.voters.filter((other) => other !== peer && (other === id || peers.isLinked(other)));
    const [first] = others.sort((a, b) => Number(this.#isReluctant(a)) - Number(this.#isReluctant(b)) || (a < b ? -1 : 1));
    if (first !== id) return;
    clock.after(CAMPAIGN_AFTER_MS, () => {
      if (this.#standing.member !== member || member.replica.isStopped || member.soft.leader !== NO_NODE) return;
      if (campaigns(member)) return;
      member.core.campaign();
      this.#wake();
    });
  }
}

/**
 * It stands for election already: the leader that says goodbye has left it its vote, and told it to. Another campaign would be of
 * another term, in which that vote counts for nothing; its own may take the disk a while. Of the core itself: what was told of it is older.
 */
function campaigns(member: Member): boolean {
  const { role } = member.core.status();
  return role === 'candidate' || role === 'pre-candidate' || role === 'leader';
}

/** Linked voters, the preferred first. */
function heirs({ member, peers, id }: Standing, isReluctant: (id: NodeId) => boolean): NodeId[] {
  const voters = member?.conf.voters.filter((other) => other !== id && peers.isLinked(other)) ?? [];
  const priorityOf = (other: NodeId): number => (member === undefined ? 0 : contextOf(member.conf, other).priority);
  return voters.sort(
    (a, b) => priorityOf(b) - priorityOf(a) || Number(isReluctant(a)) - Number(isReluctant(b)) || (a < b ? -1 : 1),
  );
}

/** The linked voter whose log is the furthest, as the leader knows it. Errors: transfer-refused. */
export function bestSuccessor(standing: Standing, isHeard: (id: NodeId) => boolean): NodeId {
  const { member, leaderId } = standing;
  const progress = new Map(member?.core.status().progress.map((one) => [one.id, one.matchIndex]));
  const others = member?.conf.voters.filter((id) => id !== leaderId && isHeard(id)) ?? [];
  const [best] = others.sort((a, b) => (progress.get(b) ?? 0) - (progress.get(a) ?? 0));
  if (best === undefined) throw new RaftError('transfer-refused', 'No other voter is linked and caught up.');
  return best;
}
