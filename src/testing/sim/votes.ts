/** Who voted for whom, in which term, over all lives of all nodes. */
import type { NodeId, Term } from '../../core/types.ts';

export class Votes {
  /** By term, then by voter. */
  readonly #byTerm = new Map<Term, Map<NodeId, NodeId>>();

  of(voter: NodeId, term: Term): NodeId | undefined {
    return this.#byTerm.get(term)?.get(voter);
  }

  cast(voter: NodeId, term: Term, candidate: NodeId): void {
    const votes = this.#byTerm.get(term) ?? new Map<NodeId, NodeId>();
    this.#byTerm.set(term, votes.set(voter, candidate));
  }

  /** Somebody else than itself voted for it. */
  wasGiven(candidate: NodeId, term: Term): boolean {
    return [...(this.#byTerm.get(term) ?? [])].some(([voter, voted]) => voted === candidate && voter !== candidate);
  }
}
