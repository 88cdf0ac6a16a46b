/** A node whose two sides stand in one thread: consensus and application call each other over the seam. */
import type { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { ReplicatedState } from '../../state/replicated-state.ts';
import type { Machine } from '../../state/state-machine.ts';
import type { NodeStore, StoreFault } from '../../storage/storage.ts';
import type { Goodbye } from '../../wire/peer-message.ts';
import type { Membership, TraceEvent } from '../api/api.ts';
import type { Emitter } from '../api/emitter.ts';
import type { NodeOptions } from '../api/options.ts';
import type { Registration } from '../api/registration.ts';
import type { NodeView } from '../api/view.ts';
import type { Discovery } from '../duties/discovery.ts';
import type { ClusterSettings } from '../member/configuration.ts';
import type { Member } from '../member/member.ts';
import type { Peers } from '../peers/peers.ts';
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
import { judgeOf } from './proposal-guard.ts';
import { NodeAdmin } from './public-admin.ts';
import { NodeMembership } from './public-membership.ts';

/** Builds both sides of a node, and joins them. */
export type BuildNode = (
  options: NodeOptions,
  store: NodeStore,
  machine: Machine,
  settings: ClusterSettings,
  emitter: Emitter,
) => Runtime;

/** In one thread: a crossing is a call. */
export const oneThread: BuildNode = (options, store, machine, settings, emitter) => {
  const { clock, tuning, room, crossing = ONE_THREAD } = options;
  const state = stateFor(machine, settings, store);
  state.trust.authorize = options.authorize;
  const consensus = new ConsensusNode({
    options,
    store,
    machine: factsOf(machine),
    judge: judgeOf(state),
    settings,
    emitter,
    pendingWrites: () => application.writes.size,
  });
  const { view, waiters } = consensus;
  const { identity } = store;
  const near = crossing.consensus(consensus.side);
  const application = new ApplicationNode({ identity, state, clock, tuning, emitter, view, waiters, consensus: near });
  consensus.join(crossing.application(application.side));
  return new Runtime(consensus, {
    room,
    get roomLink() {
      return consensus.trust.roomLink;
    },
    view,
    clock,
    tuning,
    emitter,
    application,
    presence: consensus.duties.presence,
    membership: new NodeMembership(consensus),
    admin: new NodeAdmin(consensus, application),
    recorder: consensus.recorder,
    trace: (listener, signal) => consensus.traces.add(listener, signal),
    stop: (reason) => consensus.ending.stop(reason),
  });
};

/** Both sides of a node at hand: what drives it, and what simulation and tests look into. */
export class Runtime {
  readonly consensus: ConsensusNode;
  /** What the public node is made of. */
  readonly parts: NodeParts;

  constructor(consensus: ConsensusNode, parts: NodeParts) {
    this.consensus = consensus;
    this.parts = parts;
  }

  get application(): ApplicationNode {
    return this.parts.application;
  }
  get state(): ReplicatedState {
    return this.parts.application.state;
  }
  get membership(): Membership {
    return this.parts.membership;
  }
  get view(): NodeView {
    return this.parts.view;
  }
  get emitter(): Emitter {
    return this.parts.emitter;
  }
  get options(): NodeOptions {
    return this.consensus.options;
  }
  get store(): NodeStore {
    return this.consensus.store;
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
  get id(): NodeId {
    return this.consensus.view.id;
  }
  get term(): number {
    return this.consensus.view.term;
  }
  get ended(): RaftError | undefined {
    return this.consensus.ended;
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

  /** Consensus, where it stands in another thread, is gone for good. */
  lost(_error: RaftError): void {}

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
