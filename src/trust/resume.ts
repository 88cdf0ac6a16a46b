/**
 * Sessions to resume: per peer the key that the last proof left behind, known to that identity and to this one alone. Only in memory: what
 * is not kept cannot be stolen from a disk. A resumed session saves the signatures; whether the peer may come in is decided anew.
 */
import type { NodeId } from '../core/types.ts';
import type { Resumption } from './handshake/keys.ts';
import { RESUME_TTL_MS, RESUMES_MAX } from './limits.ts';

interface Entry {
  readonly session: Resumption;
  readonly untilMs: number;
}

export class ResumeCache {
  readonly #entries = new Map<NodeId, Entry>();

  get(peer: NodeId, nowMs: number): Resumption | undefined {
    const entry = this.#entries.get(peer);
    if (entry === undefined) return undefined;
    if (nowMs < entry.untilMs) return entry.session;
    this.#entries.delete(peer);
    return undefined;
  }

  /** Takes the place of an earlier session with this peer; when it is full, of the oldest. */
  put(peer: NodeId, session: Resumption, nowMs: number): void {
    this.#entries.delete(peer);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= RESUMES_MAX && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(peer, { session, untilMs: nowMs + RESUME_TTL_MS });
  }

  forget(peer: NodeId): void {
    this.#entries.delete(peer);
  }

  get size(): number {
    return this.#entries.size;
  }
}
