/** How soon a peer whose proof has failed is tried again: soon where more of the log may change it, slowly where nothing will. */
import type { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { FAILURES_MAX, REFUSED_RETRY_MS, RETRY_MAX_MS, RETRY_MIN_MS } from '../limits.ts';

interface Failures {
  readonly count: number;
  readonly untilMs: number;
}

export class Pauses {
  readonly #failures = new Map<NodeId, Failures>();

  failed(peer: NodeId, error: RaftError, nowMs: number): void {
    const count = (this.#failures.get(peer)?.count ?? 0) + 1;
    const doublingMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(count - 1, 16));
    const pauseMs = error.retryable ? doublingMs : REFUSED_RETRY_MS;
    this.#failures.delete(peer);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size >= FAILURES_MAX && oldest !== undefined) this.#failures.delete(oldest);
    this.#failures.set(peer, { count, untilMs: nowMs + pauseMs });
  }

  succeeded(peer: NodeId): void {
    this.#failures.delete(peer);
  }

  /** More is known of the cluster: who was not let in may be by now. */
  forgive(): void {
    this.#failures.clear();
  }

  /** How long it has to wait. */
  waitMs(peer: NodeId, nowMs: number): number {
    return Math.max(0, (this.#failures.get(peer)?.untilMs ?? 0) - nowMs);
  }
}
