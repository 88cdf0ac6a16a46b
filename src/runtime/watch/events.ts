/** What happens where consensus is, as typed events for those who watch this node; and whoever waits for a condition is asked again. */
import { RaftError } from '../../core/errors.ts';
import type { Index, NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { NodeRole, PeerStatus } from '../api/api.ts';
import type { Emitter } from '../api/emitter.ts';
import { clusterConfig } from '../member/configuration.ts';
import type { Reports } from '../standing/reports.ts';
import type { Standing } from '../standing/standing.ts';
import { QuorumWatch } from './quorum-watch.ts';
import type { Waiters } from './waiters.ts';

export class Events {
  readonly #standing: Standing;
  readonly #emitter: Emitter;
  readonly #waiters: Waiters;
  readonly #quorum: QuorumWatch;

  constructor(standing: Standing, reports: Reports, emitter: Emitter, waiters: Waiters) {
    this.#standing = standing;
    this.#emitter = emitter;
    this.#waiters = waiters;
    this.#quorum = new QuorumWatch(standing, reports, emitter);
  }

  /** An application's listener threw: that is its own affair, but somebody should see it. */
  readonly reportListenerError = (error: unknown): void => {
    this.#emitter.emit('fault', { error: listenerError(error) });
  };

  onRole(from: NodeRole, to: NodeRole): void {
    this.#emitter.emit('role', { from, to, term: this.#standing.term });
    if (to === 'removed') this.#emitter.emit('removed', {});
    this.#waiters.ask();
  }

  onLeader(leaderId: NodeId): void {
    this.#emitter.emit('leader', { leaderId: leaderId === NO_NODE ? undefined : leaderId, term: this.#standing.term });
    this.#waiters.ask();
  }

  onCommit(index: Index): void {
    this.#emitter.emit('commit', { index });
  }

  onConfig(): void {
    const { member } = this.#standing;
    if (member !== undefined) this.#emitter.emit('config', clusterConfig(member.conf, member.confVersion));
    this.#waiters.ask();
  }

  /** `status` is made only when somebody listens. */
  onPeer(status: () => PeerStatus): void {
    if (this.#emitter.has('peer')) this.#emitter.emit('peer', status());
    this.#waiters.ask();
  }

  tick(): void {
    this.#quorum.tick();
    this.#waiters.ask();
  }
}

export function listenerError(error: unknown): RaftError {
  return new RaftError('handler-failed', `A listener failed: ${String(error)}`, { cause: error });
}
