/**
 * One node, wired. Every input (a message, a tick, a call) ends in `wake`, and one pump per burst does the work, so that what
 * arrives together goes out together. The only writer of how the node stands.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId, SoftState } from '../../core/types.ts';
import type { ReplicatedState } from '../../state/replicated-state.ts';
import type { Machine } from '../../state/state-machine.ts';
import type { ClusterIdentity, NodeStore, StoreFault } from '../../storage/storage.ts';
import type { Goodbye, Hello } from '../../wire/peer-message.ts';
import type { NodeRole } from '../api/api.ts';
import type { Emitter } from '../api/emitter.ts';
import type { NodeOptions } from '../api/options.ts';
import { Discovery } from '../duties/discovery.ts';
import { Join } from '../duties/join.ts';
import type { Renewal } from '../duties/renewal.ts';
import { leaveStore } from '../duties/unused-cluster.ts';
import type { ClusterSettings } from '../member/configuration.ts';
import { tickMs } from '../member/core-config.ts';
import { uncommittedEntries } from '../member/log-cache.ts';
import type { Member, MemberHooks } from '../member/member.ts';
import { storageErrorOf } from '../member/storage-error.ts';
import { helloOf, misfit } from '../peers/acquaintance.ts';
import { type Peer, Peers } from '../peers/peers.ts';
import { ONE_THREAD } from '../ports/seam.ts';
import { Recorder } from '../record/recorder.ts';
import { Reports } from '../standing/reports.ts';
import { Speakers } from '../standing/speakers.ts';
import { type Standing, StandingRecord } from '../standing/standing.ts';
import type { Trust } from '../standing/trust.ts';
import { peerStatus, type StatusSources } from '../watch/status.ts';
import { ApplicationParts } from './application-parts.ts';
import { ConsensusSide } from './consensus.ts';
import { Duties } from './duties.ts';
import { joinHooks } from './join-hooks.ts';
import { memberOptions, onState, renewalFor, stateFor, versionOf } from './keeping.ts';
import { MemberLife } from './member-life.ts';
import { ownContext } from './own-context.ts';
import { RoomPresence } from './room-presence.ts';
import { Routes } from './routes.ts';
import { type StoreKept, storeKept } from './store-kept.ts';
import { transportHandlers } from './transport-handlers.ts';
import { TrustSide } from './trust-side.ts';

export class Runtime {
  readonly options: NodeOptions;
  readonly store: NodeStore;
  readonly emitter: Emitter;
  readonly state: ReplicatedState;
  readonly recorder: Recorder | undefined;
  readonly peers: Peers;
  readonly speakers: Speakers;
  readonly trust: Trust;
  readonly reports: Reports;
  readonly application: ApplicationParts;
  readonly duties: Duties;
  readonly discovery: Discovery;
  readonly statusSources: StatusSources;
  readonly #standing: StandingRecord;
  readonly #consensus: ConsensusSide;
  readonly #routes: Routes;
  readonly #trustSide: TrustSide;
  readonly #join: Join;
  readonly #memberLife: MemberLife;
  readonly #presence: RoomPresence;
  /** On a keeper only. */
  readonly #renewal: Renewal | undefined;
  readonly #endings: (() => void)[] = [];
  #ticking: { stop(): void } | undefined;
  /** What it holds is given back, once: by its own end or by `stop`. */
  #released: Promise<void> | undefined;
  #woken = false;
  #role: NodeRole = 'learner';

  constructor(options: NodeOptions, store: NodeStore, machine: Machine, settings: ClusterSettings, emitter: Emitter) {
    const { clock, transport, tuning, signaling } = options;
    const { nodeId: id, bootNonce } = store.identity;
    const wake = (): void => this.wake();
    const end = (error: RaftError): void => this.end(error);
    this.options = options;
    this.store = store;
    this.emitter = emitter;
    this.recorder = options.record === undefined ? undefined : new Recorder(options.record);
    this.state = stateFor(machine, settings, store);
    this.peers = new Peers(id, transport, clock);
    const standing = new StandingRecord({ id, clock, tuning, peers: this.peers });
    this.#standing = standing;
    this.speakers = new Speakers(standing);
    this.reports = new Reports(standing, this.speakers, (peer) => this.#tellOf(peer), end);
    const member = ownContext(options);
    const { speakers, reports, state } = this;
    const common = { options, store, standing, speakers, emitter };
    const side = new TrustSide({ ...common, state, application: () => this.application, end });
    const { trust, decide, secret } = side;
    this.trust = trust;
    this.#trustSide = side;
    const hurry = (): void => this.#hurry();
    this.duties = new Duties({ ...common, trust, secret, reports, member, decide, wake, hurry });
    this.#consensus = new ConsensusSide(standing, this.duties.freeSpace, machine.version, side, wake);

    const fail = (error: RaftError): void => this.#memberLife.fail(error);
    const keep: StoreKept = (batch) => storeKept(batch, standing, store, emitter, fail);
    const { crossing = ONE_THREAD } = options;
    this.application = new ApplicationParts(standing, reports, store.identity, state, this.#consensus, emitter, crossing, keep);
    this.discovery = new Discovery(signaling);
    this.#routes = this.#makeRoutes();
    const judge = (hello: Hello): RaftError | undefined => misfit(hello, standing.cluster);
    this.peers.attach({ hello: () => this.hello(), judge, view: this.speakers, ...this.#routes.hooks() });
    const hooks = joinHooks(standing, speakers, emitter, { become: (...given) => void this.#becomeMember(...given), end });
    this.#join = new Join({ self: id, mode: options.mode, member, settings }, store, clock, hooks);
    const { discovery } = this;
    this.#presence = new RoomPresence({ standing, discovery, join: this.#join, options, bootNonce, emitter }, end);
    this.#renewal = renewalFor(machine, standing, this.duties.handover, emitter);
    const kept = memberOptions(machine, options);
    this.#memberLife = new MemberLife(
      { options: kept, store, standing, application: this.application.side, recorder: this.recorder, emitter },
      {
        member: this.#memberHooks(),
        onOpened: () => this.#onOpened(),
        onRoleChange: () => this.#updateRole(),
        end,
      },
    );
    this.statusSources = {
      standing,
      reports: this.reports,
      room: options.room,
      access: () => this.trust.access,
      bootNonce,
      kept: store.identity.kept ?? { kind: options.storage.kind, fallback: '' },
      pendingWrites: () => this.application.writes.size,
      links: () => transport.links(),
      signaling: () => this.discovery,
    };
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

  /** Starts links, signaling and the clock. Errors: webrtc-unavailable, room-invalid, and those of storage. */
  async start(): Promise<void> {
    const { transport, clock, tuning } = this.options;
    const loaded = await this.store.load();
    await this.duties.secret.load(loaded.records);
    await this.application.writes.inherit(loaded.records, () => uncommittedEntries(this.store, loaded));
    this.application.outbox.inherit(loaded.records);
    await transport.start(this.id, transportHandlers(this.peers, this.emitter), this.discovery);
    if (loaded.cluster !== undefined) await this.#memberLife.open();
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
    const journal = member.turn(() => {
      this.application.reads.flush();
      return this.application.writes.flush();
    });
    if (journal !== undefined) void this.store.write(journal).catch(() => {});
  }

  #tick(): void {
    const standing = this.#standing;
    if (standing.state.kind === 'ended') return;
    const elapsed = standing.passTime();
    this.peers.tick();
    if (standing.member === undefined) this.#join.tick();
    else standing.member.tick(elapsed - tickMs(standing.tuning));
    this.application.tickCalls();
    this.duties.tick(elapsed);
    this.application.divergence.tick();
    this.#renewal?.tick();
    this.application.events.tick();
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
      this.application.events.askWaiters();
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
        if (hard.commit !== previous.commit) this.application.events.onCommit(hard.commit);
        if (hard.term !== previous.term) this.#updateRole();
      },
      onConfig: () => {
        this.#updateRole();
        this.#routes.onConfig();
        this.#trustSide.gatekeeper.onChange();
        this.application.events.onConfig();
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
    if (soft.leader !== previous.leader) this.application.side.leaderChanged();
    this.#updateRole();
    if (soft.leader !== previous.leader) this.application.events.onLeader(soft.leader);
    this.wake();
  }

  #makeRoutes(): Routes {
    return new Routes({
      standing: this.#standing,
      speakers: this.speakers,
      emitter: this.emitter,
      events: this.application.events,
      presence: this.duties.presence,
      reports: this.reports,
      consensus: this.#consensus,
      admission: this.duties.admission,
      secret: this.duties.secret,
      divergence: this.application.divergence,
      handover: this.duties.handover,
      autopilot: this.duties.autopilot,
      onPeer: (peer) => this.#onPeer(peer),
      onRoleChange: () => this.#updateRole(),
      end: (error) => this.end(error),
    });
  }

  #onPeer(peer: Peer): void {
    if (peer.link === 'closed') {
      this.reports.forget(peer.id);
      this.#standing.member?.linkClosed(peer.id);
    }
    this.duties.presence.onPeer(peer);
    this.#tellOf(peer.id);
    this.wake();
  }

  #tellOf(peer: NodeId): void {
    this.application.events.onPeer(() => peerStatus(this.statusSources, peer));
  }

  hello(): Hello {
    const { machine } = this.state;
    return helloOf(this.store.identity, this.#standing.cluster, versionOf(machine), this.options.name);
  }

  #updateRole(): void {
    const to = this.#standing.role;
    const from = this.#role;
    if (to === from) return;
    this.#role = to;
    if (to === 'removed') this.#onRemoved();
    this.application.events.onRole(from, to);
    this.application.leaderWork.follow();
  }

  /** Whoever waits is told now: nothing will come any more. */
  #onRemoved(): void {
    this.application.stopCalls('removed', new RaftError('removed', 'This node was removed from the cluster.'));
  }

  /** Storage died under the node: closed or deleted by the browser, or a newer build waits for it. */
  onStoreFault(fault: StoreFault): void {
    this.#memberLife.fail(new RaftError(fault.code, fault.message, { cause: fault.cause }));
  }

  /** Once, however it ends. */
  onEnd(run: () => void): void {
    this.#endings.push(run);
  }

  /** Ends the node by itself and for good: every call is told, the others hear a goodbye, identity and links are given back. */
  end(error: RaftError): void {
    if (this.ended !== undefined) return;
    const { member } = this.#standing;
    this.duties.handover.sayGoodbye('stop');
    this.#halt(error);
    this.#released = leaveStore(this.store, member, error).then(() => this.#release());
    this.emitter.emit('fatal', { error });
  }

  #halt(error: RaftError): void {
    const { member } = this.#standing;
    this.#standing.end(error);
    this.#ticking?.stop();
    this.#join.stop();
    this.#trustSide.stop(error);
    member?.stop(error);
    this.application.side.halt();
    this.application.stopCalls('stopped', error);
    this.peers.stop(error);
    this.duties.presence.stop();
    this.#updateRole();
    this.application.leaderWork.stop();
    this.application.feed.stop(error);
    this.application.events.askWaiters();
    for (const run of this.#endings.splice(0)) run();
  }

  async #release(): Promise<void> {
    // What the relay carries goes over the connection to the server: that closes last.
    const silent = this.options.transport.stop().catch(() => {});
    await silent.then(() => this.discovery.close()).catch(() => {});
    await this.store.close().catch(() => {});
  }

  /** Ends at once, like a process that is killed: no goodbye, nothing more is written. For tests. */
  kill(): void {
    if (this.ended === undefined) this.#halt(new RaftError('stopped', 'The node was killed.'));
  }

  /** Stops on purpose: says goodbye, lets what is being written finish, gives the identity back. */
  async stop(reason: Goodbye['reason']): Promise<void> {
    if (this.ended === undefined) {
      this.duties.handover.sayGoodbye(reason);
      this.application.outbox.flush();
      this.#halt(new RaftError('stopped', 'The node was stopped.'));
      this.store.write(this.application.writes.lastFlush() ?? {}).catch(() => {});
    }
    this.#released ??= this.#release();
    await this.#released;
  }
}
