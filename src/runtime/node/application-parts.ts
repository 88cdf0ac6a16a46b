/** The parts of the application side, joined to the consensus side. */
import type { RaftError } from '../../core/errors.ts';
import type { ReplicatedState } from '../../state/replicated-state.ts';
import type { NodeIdentity, WriteBatch } from '../../storage/storage.ts';
import type { Emitter } from '../api/emitter.ts';
import { ApplicationSide } from '../client/application.ts';
import { Expected } from '../client/expected.ts';
import { Outbox } from '../client/outbox.ts';
import { Proposals } from '../client/proposals.ts';
import { Reads } from '../client/reads.ts';
import { Writes } from '../client/writes.ts';
import { Divergence } from '../duties/divergence.ts';
import type { Application, Crossing } from '../ports/seam.ts';
import type { Reports } from '../standing/reports.ts';
import type { Standing } from '../standing/standing.ts';
import { ChangeFeed } from '../watch/change-feed.ts';
import { Events } from '../watch/events.ts';
import { LeaderWork } from '../watch/leader-work.ts';
import { Subscriptions } from '../watch/subscriptions.ts';
import type { ConsensusSide } from './consensus.ts';

export class ApplicationParts {
  readonly state: ReplicatedState;
  readonly reads: Reads;
  readonly writes: Writes;
  readonly outbox: Outbox;
  readonly events: Events;
  readonly subscriptions: Subscriptions;
  readonly expected: Expected;
  /** Of the expected state. */
  readonly expectations: Subscriptions;
  readonly feed: ChangeFeed;
  readonly leaderWork: LeaderWork;
  readonly divergence: Divergence;
  /** As the consensus side reaches it. */
  readonly side: Application;

  constructor(
    standing: Standing,
    reports: Reports,
    identity: NodeIdentity,
    state: ReplicatedState,
    consensusSide: ConsensusSide,
    emitter: Emitter,
    crossing: Crossing,
    store: (batch: WriteBatch) => Promise<void>,
  ) {
    const consensus = crossing.consensus(consensusSide);
    const { clock, tuning } = standing;
    const { nodeId: id, bootNonce, bootCount } = identity;
    const proposals = new Proposals(consensus);
    this.state = state;
    this.reads = new Reads(bootNonce, clock, consensus);
    this.writes = new Writes({ id, bootNonce, bootCount }, state.machine.version, tuning.pendingCallsMax, clock, proposals);
    this.events = new Events(standing, reports, emitter);
    const { reportListenerError, reportMisuse } = this.events;
    state.machine.onMisuse?.(reportMisuse);
    this.outbox = new Outbox({
      writes: this.writes,
      bootCount,
      clock,
      store,
      wake: () => consensus.wake(),
      onFault: (error) => emitter.emit('fault', { error }),
      onListenerError: reportListenerError,
    });
    this.outbox.showAs((command) => state.machine.decode(command));
    this.subscriptions = new Subscriptions(state.machine, clock, reportListenerError);
    const expected = new Expected(state.machine, id, clock, (index) => this.expectations.onAppliedTo(index));
    this.expected = expected;
    this.expectations = new Subscriptions(viewOf(expected), clock, reportListenerError);
    this.feed = new ChangeFeed();
    this.leaderWork = new LeaderWork(standing, reportListenerError);
    this.divergence = new Divergence(standing, state, emitter);
    // In this order they hear of each entry.
    const listeners = [this.writes, this.expected, this.feed, this.divergence, this.subscriptions, this.leaderWork, this.events];
    this.side = crossing.application(new ApplicationSide({ state, reads: this.reads, proposals, listeners }, consensus));
    consensusSide.join(this.side);
  }

  tickCalls(): void {
    this.writes.tick();
    this.outbox.tick();
    this.reads.tick();
  }

  /** Whoever waits is told: nothing will come any more. */
  stopCalls(code: 'stopped' | 'removed', error: RaftError): void {
    this.outbox.stop(code, error.message);
    this.writes.stop(code, error.message);
    this.reads.stop(error);
  }
}

/** What is expected is a copy already, which nobody changes. */
function viewOf(expected: Expected): ConstructorParameters<typeof Subscriptions>[0] {
  return {
    get view() {
      return expected.state;
    },
    publish: (value) => value,
  };
}
