/**
 * A member that knows less than its leader has seen it acknowledge has lost it: an older copy of its profile came back, or its disk
 * went back in time. It must not vote under its name again. Messages may overtake each other, so only an answer counts: it was
 * given after the question, which was asked after the acknowledgement; and nobody truncates within a term what was acknowledged in it.
 */
import { RaftError } from '../../core/errors.ts';
import type { Index, NodeId, Term } from '../../core/types.ts';
import type { PeerReport } from '../../wire/bodies.ts';
import type { Standing } from '../standing/standing.ts';

/** What this node, if it leads, had seen a member acknowledge when it asked. */
export interface Acknowledged {
  readonly term: Term;
  readonly index: Index;
}

export class Rollback {
  readonly #standing: Standing;
  readonly #lost = new Map<NodeId, { readonly term: Term; readonly error: RaftError }>();

  constructor(standing: Standing) {
    this.#standing = standing;
  }

  /** Of all members, now; empty on who does not lead. */
  acknowledged(): ReadonlyMap<NodeId, Acknowledged> {
    const { member, term } = this.#standing;
    const progress = member?.isLeader === true ? member.core.status().progress : [];
    return new Map(progress.map(({ id, matchIndex: index }) => [id, { term, index }]));
  }

  onAnswer(peer: NodeId, asked: Acknowledged | undefined, report: PeerReport): void {
    const { member, term } = this.#standing;
    if (asked === undefined || member?.isLeader !== true || asked.term !== term || report.term !== term) return;
    if (report.role === 'stopped' || report.last >= asked.index) return;
    const text = `This node has acknowledged entry ${asked.index} and holds entries up to ${report.last}: an older copy of its storage has come back.`;
    this.#lost.set(peer, { term, error: new RaftError('corrupt', text) });
  }

  /** What a member must be told when it asks; undefined when all is well. */
  toldTo(peer: NodeId): RaftError | undefined {
    const { member, term } = this.#standing;
    const lost = this.#lost.get(peer);
    if (lost === undefined) return undefined;
    if (member?.isLeader === true && lost.term === term) return lost.error;
    this.#lost.clear();
    return undefined;
  }
}
