/** Through which member a client works: one at a time, another when that is gone or of no use. */
import type { RaftError, RaftErrorCode } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Peers } from '../peers/peers.ts';
import type { Clock } from '../ports/clock.ts';

/** A member that was of no use is not asked again for so long, in ms, where there are others. */
const AVOID_MS = 1_000;
/** What says that another member may do better. */
const OF_NO_USE: ReadonlySet<RaftErrorCode> = new Set<RaftErrorCode>([
  'link-failed',
  'timeout',
  'stopped',
  'not-a-member',
  'not-admitted',
  'no-leader',
  'protocol-mismatch',
  'message-invalid',
  'busy',
]);

export class Hosts {
  readonly #peers: Peers;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #avoided = new Map<NodeId, number>();
  #host: NodeId | undefined;
  #clusterId: string | undefined;
  /** Counts the members that it has worked through. */
  generation = 0;

  constructor(peers: Peers, clock: Clock, onChange: () => void) {
    this.#peers = peers;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get host(): NodeId | undefined {
    return this.#host;
  }

  /** It has answered: this is its cluster, and no other will do. */
  answered(host: NodeId): void {
    this.#clusterId ??= this.#peers.get(host)?.hello?.clusterId;
    this.#avoided.delete(host);
  }

  /** Whether the same may be asked of another member. */
  failed(host: NodeId, error: RaftError): boolean {
    if (!OF_NO_USE.has(error.code)) return error.retryable;
    this.#avoided.set(host, this.#clock.monotonicMs() + AVOID_MS);
    if (host === this.#host) this.#leave();
    return true;
  }

  #leave(): void {
    this.#host = undefined;
    this.look();
  }

  /** Something about the links has changed, or time went by. */
  look(): void {
    const linked = this.#peers
      .belonging()
      .filter(({ clusterId }) => this.#clusterId === undefined || clusterId === this.#clusterId);
    if (this.#host !== undefined && linked.some(({ id }) => id === this.#host)) return;
    const now = this.#clock.monotonicMs();
    for (const [id, untilMs] of this.#avoided) if (untilMs <= now) this.#avoided.delete(id);
    const free = linked.filter(({ id }) => !this.#avoided.has(id));
    const before = this.#host;
    // Any: many clients are to spread over the members.
    this.#host = free[Math.floor(this.#clock.random() * free.length)]?.id;
    if (this.#host === before) return;
    this.generation++;
    this.#onChange();
  }
}
