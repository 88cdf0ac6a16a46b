/** The application side of a node, wired: the state machine, those who call and those who watch, joined to consensus by the seam. */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { ReplicatedState } from '../../state/replicated-state.ts';
import type { NodeIdentity, WriteBatch } from '../../storage/storage.ts';
import type { MemberRole } from '../../trust/roles.ts';
import type { ClientQuestion } from '../../wire/client-bodies.ts';
import type { TuningOptions } from '../api/api.ts';
import type { Emitter } from '../api/emitter.ts';
import type { NodeView } from '../api/view.ts';
import { ApplicationSide, type NodeCalls } from '../client/application.ts';
import { Divergence } from '../client/divergence.ts';
import { Expected } from '../client/expected.ts';
import { GuestsSide } from '../client/guests-side.ts';
import { Outbox } from '../client/outbox.ts';
import { Proposals } from '../client/proposals.ts';
import { Reads } from '../client/reads.ts';
import { Writes } from '../client/writes.ts';
import type { Clock } from '../ports/clock.ts';
import type { Application, Consensus } from '../ports/seam.ts';
import { ChangeFeed } from '../watch/change-feed.ts';
import { listenerError } from '../watch/events.ts';
import { LeaderWork } from '../watch/leader-work.ts';
import { Subscriptions } from '../watch/subscriptions.ts';
import type { Waiters } from '../watch/waiters.ts';

export interface ApplicationNodeParts {
  readonly identity: NodeIdentity;
  readonly state: ReplicatedState;
  readonly clock: Clock;
  readonly tuning: TuningOptions;
  readonly emitter: Emitter;
  readonly view: NodeView;
  readonly waiters: Waiters;
  /** As the application side reaches it. */
  readonly consensus: Consensus;
}

export class ApplicationNode implements NodeCalls {
  readonly state: ReplicatedState;
  readonly reads: Reads;
  readonly writes: Writes;
  readonly outbox: Outbox;
  readonly subscriptions: Subscriptions;
  readonly expected: Expected;
  /** Of the expected state. */
  readonly expectations: Subscriptions;
  readonly feed: ChangeFeed;
  readonly leaderWork: LeaderWork;
  readonly divergence: Divergence;
  /** What clients ask. */
  readonly guests: GuestsSide;
  readonly waiters: Waiters;
  /** As consensus reaches it, in the same thread. */
  readonly side: Application;
  readonly #parts: ApplicationNodeParts;

  constructor(parts: ApplicationNodeParts) {
    const { identity, state, clock, tuning, emitter, view, waiters, consensus } = parts;
    this.#parts = parts;
    const { nodeId: id, bootNonce, bootCount } = identity;
    const { machine } = state;
    const proposals = new Proposals(consensus);
    this.state = state;
    this.waiters = waiters;
    this.reads = new Reads(bootNonce, clock, consensus);
    this.writes = new Writes({ id, bootNonce, bootCount }, machine.version, tuning.pendingCallsMax, clock, proposals);
    machine.onMisuse?.(this.reportMisuse);
    this.outbox = new Outbox({
      writes: this.writes,
      bootCount,
      clock,
      store: (batch) => consensus.store(batch),
      wake: () => consensus.wake(),
      onFault: (error) => emitter.emit('fault', { error }),
      onListenerError: this.reportListenerError,
    });
    this.outbox.showAs((command) => machine.decode(command));
    this.subscriptions = new Subscriptions(machine, clock, this.reportListenerError);
    this.expected = new Expected(machine, id, clock, (index) => this.expectations.onAppliedTo(index));
    this.expectations = new Subscriptions(viewOf(this.expected), clock, this.reportListenerError);
    this.feed = new ChangeFeed();
    this.leaderWork = new LeaderWork(view, this.reportListenerError);
    this.divergence = new Divergence({ view, state, consensus, clock, emitter });
    this.guests = new GuestsSide(state, clock, this.reads, consensus);
    const applied = {
      onAppliedTo: (index: number): void => {
        emitter.emit('apply', { index });
        waiters.ask();
      },
    };
    // In this order they hear of each entry.
    const listeners = [
      this.writes,
      this.expected,
      this.feed,
      this.divergence,
      this.subscriptions,
      this.leaderWork,
      this.guests,
      applied,
    ];
    this.side = new ApplicationSide({ state, reads: this.reads, proposals, listeners, calls: this }, consensus);
  }

  /** An application's listener threw: that is its own affair, but somebody should see it. */
  readonly reportListenerError = (error: unknown): void => {
    this.#parts.emitter.emit('fault', { error: listenerError(error) });
  };

  /** In a development build: what the application does will go wrong later. */
  readonly reportMisuse = (mistake: string): void => {
    this.#parts.emitter.emit('fault', { error: new RaftError('misuse', mistake) });
  };

  async inherit(records: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await this.writes.inherit(records, () => this.#parts.consensus.uncommitted());
    this.outbox.inherit(records);
  }

  flush(): void {
    this.reads.flush();
    const journal = this.writes.flush();
    if (journal !== undefined) this.#parts.consensus.keep(journal);
  }

  tick(): void {
    this.writes.tick();
    this.outbox.tick();
    this.reads.tick();
    this.divergence.tick();
    this.guests.tick();
  }

  stood(): void {
    this.leaderWork.follow();
  }

  removed(): void {
    this.#stopCalls('removed', new RaftError('removed', 'This node was removed from the cluster.'));
  }

  /** Whoever waits is told: nothing will come any more. */
  #stopCalls(code: 'stopped' | 'removed', error: RaftError): void {
    this.outbox.stop(code, error.message);
    this.writes.stop(code, error.message);
    this.reads.stop(error);
    this.guests.stop(error);
  }

  stopping(): void {
    this.outbox.flush();
  }

  ended(): void {
    const error = this.#parts.view.ended ?? new RaftError('stopped', 'The node was stopped.');
    this.#stopCalls('stopped', error);
    this.leaderWork.stop();
    this.feed.stop(error);
  }

  async lastRecords(): Promise<WriteBatch | undefined> {
    return this.writes.lastFlush();
  }

  decide(command: Uint8Array, decidesAs: MemberRole, timeoutMs: number): Promise<void> {
    const deadlineMs = this.#parts.clock.monotonicMs() + timeoutMs;
    const write = { command, decidesAs, key: '', forward: true, expectedTerm: 0, notAfter: 0, deadlineMs };
    return new Promise((resolve, reject) => {
      this.writes.submit({
        ...write,
        done: (result) => {
          if (result.kind === 'failed') return reject(result.error);
          const { outcome, index } = result;
          if (outcome.kind === 'error') reject(new RaftError(outcome.code, outcome.message, { index }));
          else resolve();
        },
      });
    });
  }

  digest(peer: NodeId, question: Uint8Array): Promise<Uint8Array> {
    return this.divergence.onQuestion(peer, question);
  }

  client(client: NodeId, question: ClientQuestion): Promise<Uint8Array> {
    return this.guests.answer(client, question);
  }

  resyncFailed(): void {
    this.divergence.onResyncFailed();
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
