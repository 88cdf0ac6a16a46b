/** What happens on this node, for those who watch it: typed events, conditions that are waited for, traces of messages. */
import { RaftError } from '../../core/errors.ts';
import type { Index, NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { PeerMessage } from '../../wire/peer-message.ts';
import type { CallOptions, NodeRole, PeerStatus, TraceEvent } from '../api/api.ts';
import { awaitCall } from '../api/call-options.ts';
import type { Emitter } from '../api/emitter.ts';
import { type Registration, registration } from '../api/registration.ts';
import { clusterConfig } from '../member/configuration.ts';
import { describePeerMessage } from '../peers/trace-text.ts';
import type { Reports } from '../standing/reports.ts';
import type { Standing } from '../standing/standing.ts';
import { QuorumWatch } from './quorum-watch.ts';

/** Calls that wait for a condition at once; one more is refused with `busy`. */
export const WAITERS_MAX = 100_000;
/** Listeners of traces at once; one more is refused with `busy`. */
export const TRACERS_MAX = 100;

export class Events {
  readonly #standing: Standing;
  readonly #emitter: Emitter;
  readonly #tracers = new Set<(event: TraceEvent) => void>();
  readonly #waiters = new Set<() => void>();
  readonly #quorum: QuorumWatch;

  constructor(standing: Standing, reports: Reports, emitter: Emitter) {
    this.#standing = standing;
    this.#emitter = emitter;
    this.#quorum = new QuorumWatch(standing, reports, emitter);
  }

  /**
   * Resolves when the condition holds; it is asked after every event and on every tick.
   * Errors: timeout, aborted, stopped, busy, handler-failed when the condition throws.
   */
  waitUntil(holds: () => boolean, options: CallOptions): Promise<void> {
    const { clock, tuning } = this.#standing;
    if (this.#waiters.size >= WAITERS_MAX) return Promise.reject(new RaftError('busy', `${WAITERS_MAX} calls wait already.`));
    const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? tuning.callTimeoutMs);
    return awaitCall<void>(options.signal, (resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#waiters.delete(ask);
        settle();
      };
      const ask = (): void => {
        const answer = askOnce(holds);
        const { state } = this.#standing;
        if (answer === true) return end(resolve);
        if (RaftError.is(answer)) return end(() => reject(answer));
        if (state.kind === 'ended')
          return end(() => reject(new RaftError('stopped', 'The node stopped.', { cause: state.error })));
        if (clock.monotonicMs() >= deadlineMs)
          end(() => reject(new RaftError('timeout', 'It did not come about in time.', { mayHaveApplied: false })));
      };
      this.#waiters.add(ask);
      // It may hold already, and a node that has ended asks nobody any more.
      ask();
      return () => end(() => reject(new RaftError('aborted', 'The call was aborted.', { mayHaveApplied: false })));
    });
  }

  /** Errors: busy. */
  trace(listener: (event: TraceEvent) => void, signal?: AbortSignal): Registration {
    if (this.#tracers.size >= TRACERS_MAX) throw new RaftError('busy', `There are ${TRACERS_MAX} listeners of traces.`);
    // Wrapped, so that the same function can listen twice.
    const tracer = (event: TraceEvent): void => listener(event);
    this.#tracers.add(tracer);
    this.#standing.peers.traced = true;
    return registration(() => {
      this.#tracers.delete(tracer);
      this.#standing.peers.traced = this.#tracers.size > 0;
    }, signal);
  }

  /** An application's listener threw: that is its own affair, but somebody should see it. */
  readonly reportListenerError = (error: unknown): void => {
    this.#emitter.emit('fault', { error: listenerError(error) });
  };

  /** In a development build: what the application does will go wrong later. */
  readonly reportMisuse = (mistake: string): void => {
    this.#emitter.emit('fault', { error: new RaftError('misuse', mistake) });
  };

  onRole(from: NodeRole, to: NodeRole): void {
    this.#emitter.emit('role', { from, to, term: this.#standing.term });
    if (to === 'removed') this.#emitter.emit('removed', {});
    this.askWaiters();
  }

  onLeader(leaderId: NodeId): void {
    this.#emitter.emit('leader', { leaderId: leaderId === NO_NODE ? undefined : leaderId, term: this.#standing.term });
    this.askWaiters();
  }

  onCommit(index: Index): void {
    this.#emitter.emit('commit', { index });
  }

  onAppliedTo(index: Index): void {
    this.#emitter.emit('apply', { index });
    this.askWaiters();
  }

  onConfig(): void {
    const { member } = this.#standing;
    if (member !== undefined) this.#emitter.emit('config', clusterConfig(member.conf, member.confVersion));
    this.askWaiters();
  }

  /** `status` is made only when somebody listens. */
  onPeer(status: () => PeerStatus): void {
    if (this.#emitter.has('peer')) this.#emitter.emit('peer', status());
    this.askWaiters();
  }

  onTrace(direction: 'sent' | 'received', peer: NodeId, message: PeerMessage): void {
    const at = this.#standing.clock.wallMs();
    const kind = message.kind === 'raft' ? message.message.type : message.kind;
    // Who only counts messages must not pay for words: an append may have hundreds of entries.
    let words: string | undefined;
    const event: TraceEvent = {
      at,
      direction,
      peer,
      kind,
      get text() {
        words ??= describePeerMessage(message);
        return words;
      },
    };
    for (const tracer of [...this.#tracers]) {
      try {
        tracer(event);
      } catch (error) {
        this.reportListenerError(error);
      }
    }
  }

  tick(): void {
    this.#quorum.tick();
    this.askWaiters();
  }

  /** Something has changed that a condition may have waited for. */
  askWaiters(): void {
    if (this.#waiters.size === 0) return;
    for (const ask of [...this.#waiters]) ask();
  }
}

export function listenerError(error: unknown): RaftError {
  return new RaftError('handler-failed', `A listener failed: ${String(error)}`, { cause: error });
}

/** The condition is the application's: what it throws is its caller's to hear, not the node's to end by. */
function askOnce(holds: () => boolean): boolean | RaftError {
  try {
    return holds();
  } catch (error) {
    return new RaftError('handler-failed', `The condition threw: ${String(error)}`, { cause: error });
  }
}
