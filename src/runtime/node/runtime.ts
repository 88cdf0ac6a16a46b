/** A node whose two sides stand in one thread: consensus and application call each other over the seam. */
import type { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { ReplicatedState } from '../../state/replicated-state.ts';
import type { Machine } from '../../state/state-machine.ts';
import type { NodeStore, StoreFault } from '../../storage/storage.ts';
import type { Goodbye } from '../../wire/peer-message.ts';
import type { Admin, Membership, Presence, TraceEvent, TuningOptions } from '../api/api.ts';
import type { Emitter } from '../api/emitter.ts';
import type { NodeOptions } from '../api/options.ts';
import type { Registration } from '../api/registration.ts';
import type { NodeView } from '../api/view.ts';
import type { Discovery } from '../duties/discovery.ts';
import type { ClusterSettings } from '../member/configuration.ts';
import type { Member } from '../member/member.ts';
import type { Peers } from '../peers/peers.ts';
import type { Clock } from '../ports/clock.ts';
import { ONE_THREAD } from '../ports/seam.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Reports } from '../standing/reports.ts';
import type { Speakers } from '../standing/speakers.ts';
import type { Standing } from '../standing/standing.ts';
import type { Trust } from '../standing/trust.ts';
import { ApplicationNode } from './application-node.ts';
import { ConsensusNode } from './consensus-node.ts';
import type { Duties } from './duties.ts';
import { factsOf, stateFor } from './keeping.ts';
import type { NodeParts } from './node-parts.ts';
import type { ProposalJudge } from './proposal-guard.ts';
import { NodeAdmin } from './public-admin.ts';
import { NodeMembership } from './public-membership.ts';

export class Runtime implements NodeParts {
  readonly consensus: ConsensusNode;
  readonly application: ApplicationNode;
  readonly state: ReplicatedState;
  readonly membership: Membership;
  readonly admin: Admin;

  constructor(options: NodeOptions, store: NodeStore, machine: Machine, settings: ClusterSettings, emitter: Emitter) {
    const { clock, tuning, crossing = ONE_THREAD } = options;
    const state = stateFor(machine, settings, store);
    state.trust.authorize = options.authorize;
    this.state = state;
    this.consensus = new ConsensusNode({
      options,
      store,
      machine: factsOf(machine),
      judge: judgeOf(state),
      settings,
      emitter,
      pendingWrites: () => this.application.writes.size,
    });
    const { view, waiters } = this.consensus;
    const consensus = crossing.consensus(this.consensus.side);
    const { identity } = store;
    this.application = new ApplicationNode({ identity, state, clock, tuning, emitter, view, waiters, consensus });
    this.consensus.join(crossing.application(this.application.side));
    this.membership = new NodeMembership(this.consensus);
    this.admin = new NodeAdmin(this.consensus, this.application);
  }

  get options(): NodeOptions {
    return this.consensus.options;
  }
  get store(): NodeStore {
    return this.consensus.store;
  }
  get emitter(): Emitter {
    return this.consensus.emitter;
  }
  get recorder(): Recorder | undefined {
    return this.consensus.recorder;
  }
  get peers(): Peers {
    return this.consensus.peers;
  }
  get speakers(): Speakers {
    return this.consensus.speakers;
  }
  get trust(): Trust {
    return this.consensus.trust;
  }
  get reports(): Reports {
    return this.consensus.reports;
  }
  get duties(): Duties {
    return this.consensus.duties;
  }
  get discovery(): Discovery {
    return this.consensus.discovery;
  }
  get standing(): Standing {
    return this.consensus.standing;
  }
  get member(): Member | undefined {
    return this.consensus.standing.member;
  }
  get view(): NodeView {
    return this.consensus.view;
  }
  get id(): NodeId {
    return this.consensus.view.id;
  }
  get term(): number {
    return this.consensus.view.term;
  }
  get ended(): RaftError | undefined {
    return this.consensus.ended;
  }
  get room(): string {
    return this.options.room;
  }
  get roomLink(): string | undefined {
    return this.trust.roomLink;
  }
  get clock(): Clock {
    return this.options.clock;
  }
  get tuning(): TuningOptions {
    return this.options.tuning;
  }
  get presence(): Presence {
    return this.duties.presence;
  }

  trace(listener: (event: TraceEvent) => void, signal?: AbortSignal): Registration {
    return this.consensus.traces.add(listener, signal);
  }

  start(): Promise<void> {
    return this.consensus.start();
  }

  pause(): void {
    this.consensus.pause();
  }

  resume(): void {
    this.consensus.resume();
  }

  onStoreFault(fault: StoreFault): void {
    this.consensus.onStoreFault(fault);
  }

  onEnd(run: () => void): void {
    this.consensus.ending.onEnd(run);
  }

  kill(): void {
    this.consensus.ending.kill();
  }

  stop(reason: Goodbye['reason']): Promise<void> {
    return this.consensus.ending.stop(reason);
  }
}

/** Looked up where the log is applied. */
function judgeOf(state: ReplicatedState): ProposalJudge {
  return {
    ownerOf: (session) => state.sessions.ownerOf(session),
    get authorize() {
      return state.trust.authorize;
    },
    decode: (command) => state.machine.decode(command),
  };
}
