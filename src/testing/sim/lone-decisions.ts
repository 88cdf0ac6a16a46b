/**
 * What leaders of two have begun to decide alone. It is decided by being durable with its commit index, whether or not
 * anybody is told: the page may be gone by then.
 */
import type { Index, NodeId, Term } from '../../core/types.ts';
import { type DurableView, holds } from './facts.ts';

export interface LoneDecision {
  readonly index: Index;
  readonly term: Term;
}

export class LoneDecisions {
  readonly #begun = new Map<NodeId, LoneDecision>();

  begun(id: NodeId, decision: LoneDecision): void {
    this.#begun.set(id, decision);
  }

  /** Whether the entry at `index` is one that the node decides alone, and has not yet. */
  decides(id: NodeId, index: Index): boolean {
    return this.#begun.get(id)?.index === index;
  }

  /** A batch of that node is durable. The decision that it made, once. */
  durable(id: NodeId, durable: DurableView): LoneDecision | undefined {
    const decision = this.#begun.get(id);
    if (decision === undefined || durable.hardState.commit < decision.index) return undefined;
    if (!holds(durable, decision.index, decision.term)) return undefined;
    this.#begun.delete(id);
    return decision;
  }
}
