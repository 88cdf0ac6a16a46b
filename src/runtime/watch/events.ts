/** What the node's events become for those who watch it: typed events, subscriptions, changes, leadership, traces. */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { Applied } from '../../state/replicated-state.ts';
import type { Goodbye, PeerMessage } from '../../wire/peer-message.ts';
import type { CallOptions, NodeRole, TraceEvent } from '../api/api.ts';
import { awaitCall } from '../api/call-options.ts';
import { Digests } from '../duties/divergence.ts';
import { clusterConfig } from '../member/configuration.ts';
import type { Engine } from '../node/runtime.ts';
import { describePeerMessage } from '../peers/trace-text.ts';
import { ChangeFeed } from './change-feed.ts';
import { LeaderWatch } from './leader-work.ts';
import { peerStatus, quorumOf } from './status.ts';
import { Subscriptions } from './subscriptions.ts';

export class Watch {
  readonly subscriptions: Subscriptions;
  readonly feed: ChangeFeed;
  readonly leadership: LeaderWatch;
  readonly digests: Digests;
  private readonly engine: Engine;
  private readonly tracers = new Set<(event: TraceEvent) => void>();
  private readonly waiters = new Set<() => void>();
  private quorumAlive: boolean | undefined;

  constructor(engine: Engine) {
    this.engine = engine;
    this.subscriptions = new Subscriptions(engine);
    this.feed = new ChangeFeed(engine);
    this.leadership = new LeaderWatch(engine);
    this.digests = new Digests(engine);
  }

  /** Resolves when the condition holds; looked at after every event and on every tick. Errors: timeout, aborted, stopped. */
  waitUntil(holds: () => boolean, options: CallOptions): Promise<void> {
    const { clock, tuning } = this.engine.options;
    const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? tuning.callTimeoutMs);
    return awaitCall<void>(options.signal, (resolve, reject) => {
      const end = (settle: () => void): void => {
        this.waiters.delete(look);
        settle();
      };
      const look = (): void => {
        if (holds()) return end(resolve);
        if (this.engine.ended !== undefined)
          return end(() => reject(new RaftError('stopped', 'The node stopped.', { cause: this.engine.ended })));
        if (clock.monotonicMs() >= deadlineMs)
          end(() => reject(new RaftError('timeout', 'It did not come about in time.', { mayHaveApplied: false })));
      };
      this.waiters.add(look);
      return () => end(() => reject(new RaftError('aborted', 'The call was aborted.', { mayHaveApplied: false })));
    });
  }

  trace(listener: (event: TraceEvent) => void): Disposable {
    this.tracers.add(listener);
    this.engine.peers.traced = true;
    return {
      [Symbol.dispose]: () => {
        this.tracers.delete(listener);
        this.engine.peers.traced = this.tracers.size > 0;
      },
    };
  }

  onRole(from: NodeRole, to: NodeRole): void {
    this.engine.emitter.emit('role', { from, to, term: this.engine.term });
    if (to === 'removed') this.onRemoved();
    this.leadership.look();
    this.look();
  }

  /** Whoever waits is told now: nothing will come any more. */
  private onRemoved(): void {
    const text = 'This node was removed from the cluster.';
    this.engine.writes.stop('removed', text);
    this.engine.reads.stop(new RaftError('removed', text));
    this.engine.emitter.emit('removed', {});
  }

  onLeader(leaderId: NodeId): void {
    this.engine.emitter.emit('leader', { leaderId: leaderId === NO_NODE ? undefined : leaderId, term: this.engine.term });
    this.look();
  }

  onCommit(index: Index): void {
    this.engine.emitter.emit('commit', { index });
  }

  onApplied(entry: Entry, applied: Applied): void {
    this.feed.onApplied(entry, applied);
    this.digests.onApplied(entry.index);
  }

  onAppliedTo(index: Index): void {
    this.engine.emitter.emit('apply', { index });
    this.subscriptions.onAppliedTo(index);
    this.leadership.look();
    this.look();
  }

  onConfig(): void {
    const member = this.engine.member;
    if (member !== undefined) this.engine.emitter.emit('config', clusterConfig(member.conf, member.confVersion));
    this.look();
  }

  onInstalled(): void {
    this.feed.onInstalled();
  }

  onMember(): void {
    this.look();
  }

  onPeer(id: NodeId): void {
    if (this.engine.emitter.has('peer')) this.engine.emitter.emit('peer', peerStatus(this.engine, id));
    this.look();
  }

  onReport(id: NodeId): void {
    this.onPeer(id);
  }

  onGoodbye(id: NodeId, _reason: Goodbye['reason']): void {
    this.onPeer(id);
  }

  onTrace(direction: 'sent' | 'received', peer: NodeId, message: PeerMessage): void {
    const at = this.engine.options.clock.wallMs();
    const kind = message.kind === 'raft' ? message.message.type : message.kind;
    const event: TraceEvent = { at, direction, peer, kind, text: describePeerMessage(message) };
    for (const tracer of [...this.tracers]) tracer(event);
  }

  /** The member starts from storage: what was remembered of an earlier one is void. */
  onOpened(applied: Index): void {
    this.feed.onOpened(applied);
    this.digests.onOpened();
  }

  tick(): void {
    const { alive, need } = quorumOf(this.engine);
    const now = this.engine.member === undefined ? undefined : alive >= need;
    if (now !== undefined && now !== this.quorumAlive) {
      if (this.quorumAlive !== undefined) this.engine.emitter.emit(now ? 'quorum-restored' : 'quorum-lost', { alive, need });
      this.quorumAlive = now;
    }
    this.look();
  }

  stop(error: RaftError): void {
    this.leadership.stop();
    this.feed.stop(error);
    this.look();
  }

  private look(): void {
    if (this.waiters.size === 0) return;
    for (const look of [...this.waiters]) look();
  }
}
