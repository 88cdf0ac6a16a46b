/**
 * The consensus side of a node, wired: all of it but the state machine and those who call it. Every input (a message, a tick, a
 * call) ends in `wake`, and one pump per burst does the work. The only writer of how the node stands.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId, SoftState } from '../../core/types.ts';
import type { ClusterIdentity, NodeStore, StoreFault } from '../../storage/storage.ts';
import type { Hello } from '../../wire/peer-message.ts';
import type { NodeRole } from '../api/api.ts';
import type { Emitter } from '../api/emitter.ts';
import type { NodeOptions } from '../api/options.ts';
import { Discovery } from '../duties/discovery.ts';
import { Join } from '../duties/join.ts';
import type { Renewal } from '../duties/renewal.ts';
import type { ClusterSettings } from '../member/configuration.ts';
import { tickMs } from '../member/core-config.ts';
import { uncommittedEntries } from '../member/log-cache.ts';
import type { Member, MemberHooks } from '../member/member.ts';
import { storageErrorOf } from '../member/storage-error.ts';
import { helloOf, misfit } from '../peers/acquaintance.ts';
import { type Peer, Peers } from '../peers/peers.ts';
import type { Application, Consensus } from '../ports/seam.ts';
import { Recorder } from '../record/recorder.ts';
import { Reports } from '../standing/reports.ts';
import { Speakers } from '../standing/speakers.ts';
import { type Standing, StandingRecord } from '../standing/standing.ts';
import type { Trust } from '../standing/trust.ts';
import { Events } from '../watch/events.ts';
import { OwnView } from '../watch/own-view.ts';
import { peerStatus, type StatusSources } from '../watch/status.ts';
import { Traces } from '../watch/traces.ts';
import { Waiters } from '../watch/waiters.ts';
import { ConsensusSide } from './consensus.ts';
import { type Decide, decideHook } from './decide.ts';
import { Duties } from './duties.ts';
import { Ending } from './ending.ts';
import { joinHooks } from './join-hooks.ts';
import { type MachineFacts, memberOptions, onState, renewalFor, versionOf } from './keeping.ts';
import { MemberLife } from './member-life.ts';
import { ownContext } from './own-context.ts';
import type { ProposalJudge } from './proposal-guard.ts';
import { RoomPresence } from './room-presence.ts';
import { Routes } from './routes.ts';
import { sourcesOf } from './status-sources.ts';
import { transportHandlers } from './transport-handlers.ts';
import { TrustSide } from './trust-side.ts';

export interface ConsensusNodeParts {
  readonly options: NodeOptions;
  readonly store: NodeStore;
  readonly machine: MachineFacts;
  readonly judge: ProposalJudge;
  readonly settings: ClusterSettings;
  readonly emitter: Emitter;
  /** Writes of the application side that have no answer yet. */
  readonly pendingWrites: () => number;
}

export class ConsensusNode {
  readonly options: NodeOptions;
  readonly store: NodeStore;
  readonly emitter: Emitter;
  readonly recorder: Recorder | undefined;
  readonly peers: Peers;
  readonly speakers: Speakers;
  readonly trust: Trust;
  readonly reports: Reports;
  readonly view: OwnView;
  readonly waiters: Waiters;
  readonly traces: Traces;
  readonly decide: Decide;
  readonly #machine: MachineFacts;
  readonly #events: Events;
  readonly duties: Duties;
  readonly discovery: Discovery;
  readonly #sources: StatusSources;
  readonly #standing: StandingRecord;
  readonly #consensus: ConsensusSide;
  readonly #routes: Routes;
  readonly #trustSide: TrustSide;
  readonly #join: Join;
  readonly #memberLife: MemberLife;
  readonly #presence: RoomPresence;
  /** On a keeper only. */
  readonly #renewal: Renewal | undefined;
  readonly ending: Ending;
  #ticking: { stop(): void } | undefined;
  #woken = false;
  #role: NodeRole = 'learner';
  #joined: Application | undefined;

  constructor({ options, store, machine, judge, settings, emitter, pendingWrites }: ConsensusNodeParts) {
    const { clock, transport, tuning, signaling } = options;
    const { nodeId: id, bootNonce } = store.identity;
    const wake = (): void => this.wake();
    const end = (error: RaftError): void => this.ending.end(error);
    const application = (): Application => this.#application;
    this.options = options;
    this.store = store;
    this.emitter = emitter;
    this.recorder = options.record === undefined ? undefined : new Recorder(options.record);
    this.#machine = machine;
    this.peers = new Peers(id, transport, clock);
    const standing = new StandingRecord({ id, clock, tuning, peers: this.peers });
    this.#standing = standing;
    this.speakers = new Speakers(standing);
    this.reports = new Reports(standing, this.speakers, (peer) => this.#tellOf(peer), end);
    this.waiters = new Waiters({ clock, timeoutMs: tuning.callTimeoutMs, ended: () => this.ended });
    this.#events = new Events(standing, this.reports, emitter, this.waiters);
    this.traces = new Traces((on) => void Object.assign(this.peers, { traced: on }), this.#events.reportListenerError);
    const member = ownContext(options);
    const { speakers, reports } = this;
    const common = { options, store, standing, speakers, emitter };
    const side = new TrustSide({ ...common, judge, application, end });
    const { trust, secret, decide, guard, gatekeeper } = side;
    this.trust = trust;
    this.decide = decide;
    this.#trustSide = side;
    const hooks = {
      decide: decideHook(decide),
      hurry: (): void => this.#hurry(),
      resyncFailed: (): void => this.#application.resyncFailed(),
      hosting: {
        hasState: !machine.isKeeper,
        propose: (...given: Parameters<ConsensusSide['proposeHere']>): void => this.#consensus.proposeHere(...given),
        answer: (...given: Parameters<Application['client']>) => this.#application.client(...given),
      },
    };
    this.duties = new Duties({ ...common, trust, secret, reports, member, wake, ...hooks });
    this.#consensus = new ConsensusSide({
      standing,
      store,
      emitter,
      freeSpace: this.duties.freeSpace,
      digests: this.duties.digests,
      guard,
      gatekeeper,
      machineVersion: machine.version,
      hosting: () => this.duties.hosting,
      application,
      fail: (error) => this.#memberLife.fail(error),
      wake,
    });
    this.discovery = new Discovery(signaling);
    this.#routes = this.#makeRoutes();
    this.peers.attach({
      hello: () => this.hello(),
      judge: (hello) => misfit(hello, standing.cluster),
      view: speakers,
      ...this.#routes.hooks(),
    });
    const ways = joinHooks(standing, speakers, emitter, { become: (...given) => void this.#becomeMember(...given), end });
    this.#join = new Join({ self: id, mode: options.mode, member, settings }, store, clock, ways);
    const { discovery, duties } = this;
    this.#presence = new RoomPresence({ standing, discovery, join: this.#join, options, bootNonce, emitter }, end);
    const halt = (error: RaftError): void => this.#halt(error);
    this.ending = new Ending({ standing, store, transport, discovery, duties, emitter, application, halt });
    this.#renewal = renewalFor(machine, standing, this.duties.handover, emitter);
    this.#memberLife = this.#makeLife();
    this.#sources = sourcesOf(this, pendingWrites);
    this.view = new OwnView(this.#sources, () => this.duties.autopilot.table());
  }

  /** Joins the two sides; called once, before `start`. */
  join(application: Application): void {
    this.#joined = application;
  }

  /** As the application side reaches it, in the same thread. */
  get side(): Consensus {
    return this.#consensus;
  }

  get #application(): Application {
    if (this.#joined === undefined) throw new RaftError('invariant', 'The two sides of this node are not joined yet.');
    return this.#joined;
  }

  get standing(): Standing {
    return this.#standing;
  }
  get id(): NodeId {
    return this.#standing.id;
  }
  get member(): Member | undefined {
    return this.#standing.member;
  }
  get leaderId(): NodeId {
    return this.#standing.leaderId;
  }
  get term(): number {
    return this.#standing.term;
  }
  /** Why this node has ended, if it has. */
  get ended(): RaftError | undefined {
    const { state } = this.#standing;
    return state.kind === 'ended' ? state.error : undefined;
  }

  /** Starts the member, then links: it never greets as one of no cluster; signaling, the clock. Errors: webrtc-unavailable, room-invalid, and those of storage. */
  async start(): Promise<void> {
    const { transport, clock, tuning } = this.options;
    const loaded = await this.store.load();
    await this.duties.secret.load(loaded.records);
    this.#consensus.found(() => uncommittedEntries(this.store, loaded));
    await this.#application.inherit(loaded.records);
    if (loaded.cluster !== undefined) await this.#memberLife.open();
    await transport.start(this.id, transportHandlers(this.peers, this.emitter), this.discovery);
    this.#standing.ticked();
    this.#ticking = clock.startTicks(tickMs(tuning), () => this.#tick());
    await this.#presence.enter();
  }

  /** Asks for one pump after the present burst of inputs. */
  wake(): void {
    if (this.#woken || this.#standing.state.kind === 'ended') return;
    this.#woken = true;
    this.options.clock.soon(() => {
      this.#woken = false;
      this.#pump();
    });
  }

  #pump(): void {
    const { member } = this.#standing;
    if (member === undefined) return;
    member.turn(() => this.#application.flush());
  }

  #tick(): void {
    const standing = this.#standing;
    if (standing.state.kind === 'ended') return;
    const elapsed = standing.passTime();
    this.peers.tick();
    if (standing.member === undefined) this.#join.tick();
    else standing.member.tick(elapsed - tickMs(standing.tuning));
    this.#application.tick();
    this.duties.tick(elapsed);
    this.#renewal?.tick();
    this.#events.tick();
    this.wake();
  }

  #hurry(): void {
    this.discovery.hurry();
    this.options.transport.hurry?.();
  }

  /** The page is put away (frozen, or kept for the way back): the others hear a goodbye now, and nothing more is said until `resume`. */
  pause(): void {
    if (this.#standing.state.kind === 'member') this.duties.handover.sayGoodbye('pagehide');
    this.#memberLife.pause();
  }

  /** Another life after `work` on the store at rest; the others hear who this node is then. Errors: those of `work`. */
  async renew<T>(work: () => Promise<T>): Promise<T> {
    const done = await this.#memberLife.renew(work);
    this.peers.announce();
    return done;
  }

  /** The page is here again, or seen again: what time went by is looked at now, and a paused node takes part again. */
  resume(): void {
    if (this.#standing.state.kind === 'ended') return;
    this.#tick();
    this.#memberLife.resume();
  }

  async #becomeMember(cluster: ClusterIdentity, how: 'founded' | 'joined'): Promise<void> {
    try {
      await this.#memberLife.open();
      this.discovery[how](cluster.clusterId);
      this.peers.announce();
      this.waiters.ask();
    } catch (error) {
      this.#memberLife.fail(storageErrorOf(error));
    }
  }

  #onOpened(): void {
    this.#join.stop();
    this.#updateRole();
    this.wake();
  }

  #memberHooks(): MemberHooks {
    return {
      send: (message) => this.peers.sendRaft(message),
      sendSnapshot: (peer, message) => this.peers.send(peer, message, message.kind === 'snapshot-chunk' ? 'bulk' : 'urgent'),
      onSoftState: (soft, previous) => this.#onSoftState(soft, previous),
      onCommit: (hard, previous) => {
        if (hard.commit !== previous.commit) this.#events.onCommit(hard.commit);
        if (hard.term !== previous.term) this.#updateRole();
      },
      onConfig: () => {
        this.#updateRole();
        this.#routes.onConfig();
        this.#trustSide.gatekeeper.onChange();
        this.#events.onConfig();
      },
      onDeparted: (ids) => this.#routes.tellRemoved(ids),
      onResync: (staged) => onState(staged, this.#renewal, (one) => this.#memberLife.reopenFrom(one)),
      onSnapshot: (kind, info) => this.emitter.emit('snapshot', { ...info, kind }),
      onFault: (error) => this.emitter.emit('fault', { error }),
      onFatal: (error) => this.#memberLife.fail(error),
      wake: () => this.wake(),
    };
  }

  #onSoftState(soft: SoftState, previous: SoftState): void {
    if (soft.role === 'leader' && previous.role !== 'leader')
      this.#standing.leadSince = this.#standing.member?.core.status().leaderSinceIndex ?? 0;
    if (soft.leader !== previous.leader) this.#application.leaderChanged();
    this.#updateRole();
    if (soft.leader !== previous.leader) this.#events.onLeader(soft.leader);
    this.wake();
  }

  #makeLife(): MemberLife {
    const { store, recorder, emitter } = this;
    const options = memberOptions(this.#machine, this.options);
    const standing = this.#standing;
    const parts = { options, store, standing, application: () => this.#application, recorder, emitter };
    return new MemberLife(parts, {
      member: this.#memberHooks(),
      onOpened: () => this.#onOpened(),
      onRoleChange: () => this.#updateRole(),
      standAside: () => this.duties.handover.standAside(),
      end: (error) => this.ending.end(error),
    });
  }

  #makeRoutes(): Routes {
    const { presence, admission, secret, hosting } = this.duties;
    const { speakers, emitter, waiters, traces, reports } = this;
    return new Routes({
      ...{ presence, admission, secret, hosting, speakers, emitter, waiters, traces, reports },
      standing: this.#standing,
      consensus: this.#consensus,
      digest: (peer, question) => this.#application.digest(peer, question),
      handover: this.duties.handover,
      autopilot: this.duties.autopilot,
      onPeer: (peer) => this.#onPeer(peer),
      onRoleChange: () => this.#updateRole(),
      end: (error) => this.ending.end(error),
    });
  }

  #onPeer(peer: Peer): void {
    if (peer.link === 'closed') {
      this.reports.forget(peer.id);
      this.duties.hosting.onGone(peer.id);
      this.#standing.member?.linkClosed(peer.id);
    }
    this.duties.presence.onPeer(peer);
    this.#tellOf(peer.id);
    this.wake();
  }

  #tellOf(peer: NodeId): void {
    this.#events.onPeer(() => peerStatus(this.#sources, peer));
  }

  hello(): Hello {
    return helloOf(this.store.identity, this.#standing.cluster, versionOf(this.#machine), this.options.name);
  }

  #updateRole(): void {
    const to = this.#standing.role;
    const from = this.#role;
    if (to === from) return;
    this.#role = to;
    if (to === 'removed') this.#application.removed();
    this.#events.onRole(from, to);
    this.#application.stood();
  }

  /** Storage died under the node: closed or deleted by the browser, or a newer build waits for it. */
  onStoreFault(fault: StoreFault): void {
    this.#memberLife.fail(new RaftError(fault.code, fault.message, { cause: fault.cause }));
  }

  #halt(error: RaftError): void {
    const { member } = this.#standing;
    this.#standing.end(error);
    this.#ticking?.stop();
    this.#join.stop();
    this.#trustSide.stop(error);
    member?.stop(error);
    this.#application.halt();
    this.#application.ended();
    this.peers.stop(error);
    this.duties.presence.stop();
    this.#updateRole();
    this.waiters.ask();
  }
}
