/**
 * One node, wired: peers, membership of a cluster, writes, reads, signaling. Every input (a message, a tick, a
 * call) ends in `wake`, and one pump per burst does the work, so that what arrives together goes out together.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import { ReplicatedState } from '../../state/replicated-state.ts';
import type { Machine } from '../../state/state-machine.ts';
import type { ClusterIdentity, NodeStore, StagedSnapshot, StoreFault } from '../../storage/storage.ts';
import type { Goodbye, Hello } from '../../wire/peer-message.ts';
import { PROTOCOL_VERSION_MAX, PROTOCOL_VERSION_MIN } from '../../wire/peer-message.ts';
import type { CallOptions, NodeRole } from '../api/api.ts';
import type { Emitter } from '../api/emitter.ts';
import type { NodeOptions } from '../api/options.ts';
import type { Proposer } from '../client/pending-write.ts';
import { Reads } from '../client/reads.ts';
import { Writes } from '../client/writes.ts';
import { Room, type RoomHooks } from '../duties/discovery.ts';
import { Bootstrap } from '../duties/join.ts';
import { clearIfUnused } from '../duties/unused-cluster.ts';
import { type ClusterSettings, decodeSettings, MEMBER_DEFAULTS, suffrageOf } from '../member/configuration.ts';
import { tickMs } from '../member/core-config.ts';
import { uncommittedEntries } from '../member/log-cache.ts';
import { Member, type MemberHooks } from '../member/member.ts';
import { storageErrorOf } from '../member/storage-error.ts';
import { Peers } from '../peers/peers.ts';
import { Recorder } from '../record/recorder.ts';
import { hasCaughtUp } from '../standing/freshness.ts';
import { Watch } from '../watch/events.ts';
import { CallDesk } from './routes.ts';

/** A node whose storage failed looks whether it works again this often, in ms. */
const STORAGE_RETRY_MS = 2_000;

export class Engine {
  readonly options: NodeOptions;
  readonly store: NodeStore;
  readonly state: ReplicatedState;
  readonly peers: Peers;
  readonly writes: Writes;
  readonly reads: Reads;
  readonly watch: Watch;
  readonly desk: CallDesk;
  readonly room: Room;
  readonly emitter: Emitter;
  member: Member | undefined;
  cluster: ClusterIdentity | undefined;
  /** Why this node has ended, if it has. */
  ended: RaftError | undefined;
  /** Its storage failed: it takes no part until it works again. */
  suspended: RaftError | undefined;
  readonly recorder: Recorder | undefined;
  private readonly bootstrap: Bootstrap;
  private ticking: { stop(): void } | undefined;
  private readonly endings: (() => void)[] = [];
  /** What has passed since then the core has not seen yet. */
  lastTickMs = 0;
  /** First index of this node's leadership: once that is applied its state is the newest. */
  leadSince = 0;
  private woken = false;
  private role: NodeRole = 'follower';

  constructor(options: NodeOptions, store: NodeStore, machine: Machine, settings: ClusterSettings, emitter: Emitter) {
    const { clock, transport, tuning } = options;
    const { nodeId, bootNonce } = store.identity;
    this.options = options;
    this.store = store;
    this.emitter = emitter;
    this.recorder = options.record === undefined ? undefined : new Recorder(options.record);
    this.state = new ReplicatedState(machine, settings);
    this.watch = new Watch(this);
    this.desk = new CallDesk(this);
    this.room = new Room(options.signaling);
    this.peers = new Peers(nodeId, transport, clock, this.desk.peerHooks());
    this.reads = new Reads(bootNonce, clock, {
      ask: (context) => this.member !== undefined && this.leaderId !== NO_NODE && this.member.core.readIndex(context).ok,
      hasLeader: () => this.leaderId !== NO_NODE,
      wake: () => this.wake(),
    });
    this.writes = new Writes(
      { id: nodeId, bootNonce, bootCount: store.identity.bootCount },
      machine.version,
      tuning.pendingCallsMax,
      clock,
      {
        proposer: () => this.proposer(),
        wake: () => this.wake(),
      },
    );
    const { name, priority, suffrage: wants, replaces = NO_NODE } = options;
    const member = { ...MEMBER_DEFAULTS, name, priority, wants, replaces };
    this.bootstrap = new Bootstrap({ self: nodeId, mode: options.mode, member, settings }, store, clock, {
      candidates: () => this.peers.belonging(),
      call: (peer, body, timeoutMs, done) => this.peers.call(peer, 'join', body, timeoutMs, done),
      onMember: (cluster, how) => void this.becomeMember(cluster, how),
      onFault: (error) => this.emitter.emit('fault', { error }),
      onHopeless: (error) => this.end(error),
    });
  }

  get id(): NodeId {
    return this.store.identity.nodeId;
  }

  get leaderId(): NodeId {
    return this.member === undefined || this.member.removed ? NO_NODE : this.member.soft.leader;
  }

  get term(): number {
    return this.member?.hard.term ?? 0;
  }
  /** Starts links, signaling and the clock. Errors: webrtc-unavailable, room-invalid, and those of storage. */
  async start(): Promise<void> {
    const { transport, clock, room, tuning, mode } = this.options;
    const loaded = await this.store.load();
    await this.writes.inherit(loaded.records, () => uncommittedEntries(this.store, loaded));
    await transport.start(this.id, this.desk.transportHandlers(), this.room);
    if (loaded.cluster !== undefined) await this.activate();
    this.lastTickMs = clock.monotonicMs();
    this.ticking = clock.startTicks(tickMs(tuning), () => this.tick());
    const { nodeId, bootNonce } = this.store.identity;
    const mayFound = mode === 'enter' || mode === 'create';
    await this.room.enter({ room, nodeId, bootNonce, clusterId: loaded.cluster?.clusterId, mayFound }, this.roomHooks());
  }

  private roomHooks(): RoomHooks {
    return {
      onGrant: () => this.bootstrap.onGrant(),
      onCluster: (clusterId) => this.bootstrap.onCluster(clusterId),
      onState: (state, error) => {
        // Another node of the same id is alive, or the room belongs to another cluster: going on would harm both.
        if (error?.code === 'identity-in-use' || error?.code === 'cluster-mismatch') return this.end(error);
        this.emitter.emit('signaling', { state, error });
      },
    };
  }

  /** Errors: stopped, or what ended the node. */
  assertRunning(): void {
    if (this.member?.removed === true) throw new RaftError('removed', 'This node was removed from the cluster.');
    if (this.ended === undefined) return;
    const { code, message } = this.ended;
    throw new RaftError(code === 'stopped' || code === 'removed' ? code : 'stopped', message, {
      cause: this.ended,
      mayHaveApplied: false,
    });
  }

  /** Resolves when the condition holds; looked at after every event. Errors: timeout, aborted, stopped. */
  waitUntil(holds: () => boolean, options: CallOptions): Promise<void> {
    return this.watch.waitUntil(holds, options);
  }

  /** Resolves when this node has caught up with a leader once. */
  whenReady(): Promise<void> {
    return this.watch.waitUntil(() => hasCaughtUp(this), { timeoutMs: Number.POSITIVE_INFINITY });
  }

  reportListenerError(error: unknown): void {
    this.emitter.emit('fault', {
      error: new RaftError('handler-failed', `A listener failed: ${String(error)}`, { cause: error }),
    });
  }

  /** Asks for one pump after the present burst of inputs. */
  wake(): void {
    if (this.woken || this.ended !== undefined) return;
    this.woken = true;
    this.options.clock.soon(() => {
      this.woken = false;
      this.pump();
    });
  }

  private pump(): void {
    const member = this.member;
    if (member === undefined || this.ended !== undefined) return;
    // What has arrived first, so that calls see the leader it tells of; then what the calls have to say.
    member.pump();
    this.reads.flush();
    const outbox = this.writes.flush();
    member.pump('answered');
    if (outbox !== undefined) void this.store.write(outbox).catch(() => {});
  }

  private tick(): void {
    if (this.ended !== undefined) return;
    const now = this.options.clock.monotonicMs();
    const elapsed = now - this.lastTickMs;
    this.lastTickMs = now;
    this.peers.tick();
    if (this.member === undefined) this.bootstrap.tick();
    else this.member.tick(elapsed - tickMs(this.options.tuning));
    this.writes.tick();
    this.reads.tick();
    this.desk.tick();
    this.watch.tick();
    this.wake();
  }

  /** Who takes proposals now, if it can be reached. */
  private proposer(): Proposer | undefined {
    const { member, leaderId } = this;
    if (member === undefined || leaderId === NO_NODE || this.suspended !== undefined) return undefined;
    if (leaderId === this.id)
      return { leaderId, term: this.term, isSelf: true, propose: (data, done) => this.desk.proposeHere(data, done) };
    if (!this.peers.isLinked(leaderId)) return undefined;
    return { leaderId, term: this.term, isSelf: false, propose: (data, done) => this.desk.proposeThere(leaderId, data, done) };
  }

  private async becomeMember(cluster: ClusterIdentity, how: 'founded' | 'joined'): Promise<void> {
    try {
      await this.activate();
      if (how === 'founded') this.room.founded(cluster.clusterId);
      this.peers.announce();
      this.watch.onMember();
    } catch (error) {
      this.onMemberFatal(storageErrorOf(error));
    }
  }

  /** Makes the member from what storage holds. */
  private async activate(): Promise<void> {
    const loaded = await this.store.load();
    this.suspended = undefined;
    // Its storage failed before it belonged to a cluster: it goes on looking for one.
    if (loaded.cluster === undefined) return this.updateRole();
    const { clock, tuning, priority, inspect } = this.options;
    const { id: self, store, state, recorder } = this;
    const hooks = this.memberHooks();
    const member = await Member.open({ self, store, state, clock, tuning, priority, inspect, hooks, recorder }, loaded);
    if (this.ended !== undefined) return;
    this.bootstrap.stop();
    this.cluster = loaded.cluster;
    this.member = member;
    this.watch.onOpened(member.appliedIndex);
    member.pump();
    // Alone in its configuration nobody else can lead: no need to wait for a timeout.
    if (member.conf.voters.length === 1 && member.conf.voters[0] === this.id) member.core.campaign();
    this.updateRole();
    this.wake();
  }

  private memberHooks(): MemberHooks {
    return {
      send: (message) => this.peers.sendRaft(message),
      sendSnapshot: (peer, message) => this.peers.send(peer, message, message.kind === 'snapshot-chunk' ? 'bulk' : 'urgent'),
      onSoftState: (soft, previous) => {
        if (soft.role === 'leader' && previous.role !== 'leader')
          this.leadSince = this.member?.core.status().leaderSinceIndex ?? 0;
        if (soft.leader !== previous.leader) this.reads.onLeaderChange();
        this.updateRole();
        if (soft.leader !== previous.leader) this.watch.onLeader(soft.leader);
        this.wake();
      },
      onReadState: (read) => this.reads.onReadState(read),
      onCommit: (hard, previous) => {
        if (hard.commit !== previous.commit) this.watch.onCommit(hard.commit);
        if (hard.term !== previous.term) this.updateRole();
      },
      onApplied: (entry, applied) => {
        this.writes.onApplied(applied);
        this.watch.onApplied(entry, applied);
      },
      onAppliedTo: (index) => {
        this.reads.onAppliedTo(index);
        this.watch.onAppliedTo(index);
      },
      onConfig: (conf) => {
        this.state.sessions.setLimits(decodeSettings(conf.context));
        this.updateRole();
        this.watch.onConfig();
      },
      onDeparted: (ids) => this.desk.tellRemoved(ids),
      onInstalled: () => {
        this.writes.onInstalled(this.state.sessions);
        this.watch.onInstalled();
      },
      onResync: (staged) => void this.reopenFrom(staged),
      onSnapshot: (kind, info) => this.emitter.emit('snapshot', { ...info, kind }),
      onFault: (error) => this.emitter.emit('fault', { error }),
      onFatal: (error) => this.onMemberFatal(error),
      wake: () => this.wake(),
    };
  }

  hello(): Hello {
    return {
      kind: 'hello',
      versionMin: PROTOCOL_VERSION_MIN,
      versionMax: PROTOCOL_VERSION_MAX,
      nodeId: this.id,
      bootNonce: this.store.identity.bootNonce,
      clusterId: this.cluster?.clusterId ?? '',
      epoch: this.cluster?.epoch ?? 0,
      machineVersion: this.state.machine.version,
      name: this.options.name,
    };
  }

  currentRole(): NodeRole {
    if (this.ended !== undefined || this.suspended !== undefined) return 'stopped';
    const member = this.member;
    if (member === undefined) return 'learner';
    if (member.removed) return 'removed';
    if (member.soft.role !== 'follower') return member.soft.role;
    return suffrageOf(member.conf, this.id) === 'voter' ? 'follower' : 'learner';
  }

  updateRole(): void {
    const to = this.currentRole();
    const from = this.role;
    if (to === from) return;
    this.role = to;
    this.watch.onRole(from, to);
  }

  /** The member cannot go on. A full or failing disk may recover; anything else ends the node. */
  private onMemberFatal(error: RaftError): void {
    this.member?.stop(error);
    this.member = undefined;
    if (error.code !== 'quota' && error.code !== 'storage') return this.end(error);
    this.suspended = error;
    this.emitter.emit('fault', { error });
    this.updateRole();
    this.reads.onLeaderChange();
    this.options.clock.after(STORAGE_RETRY_MS, () => void this.resume());
  }

  /** Takes the leader's state for its own and applies the rest of its log to it. */
  private async reopenFrom(staged: StagedSnapshot): Promise<void> {
    try {
      this.member?.stop(new RaftError('leadership-lost', 'This node takes its state anew.'));
      await this.store.write({ snapshot: { staged, keepLogAfter: true } });
      await this.activate();
    } catch (error) {
      this.onMemberFatal(storageErrorOf(error));
    }
  }

  private async resume(): Promise<void> {
    if (this.ended !== undefined || this.suspended === undefined) return;
    try {
      await this.activate();
    } catch (error) {
      this.onMemberFatal(storageErrorOf(error));
    }
  }

  /** Storage died under the node: closed or deleted by the browser, or a newer build waits for it. */
  onStoreFault(fault: StoreFault): void {
    if (this.ended !== undefined || this.suspended !== undefined) return;
    this.onMemberFatal(new RaftError(fault.code, fault.message, { cause: fault.cause }));
  }

  /** Runs once when the node ends, however it does. */
  onEnd(run: () => void): void {
    this.endings.push(run);
  }

  /** Ends the node for good; every call is told. */
  end(error: RaftError): void {
    if (this.ended !== undefined) return;
    this.halt(error);
    if (error.code === 'cluster-mismatch') void clearIfUnused(this.store, this.member);
    this.emitter.emit('fatal', { error });
  }

  private halt(error: RaftError): void {
    this.ended = error;
    this.ticking?.stop();
    this.bootstrap.stop();
    this.member?.stop(error);
    this.writes.stop('stopped', error.message);
    this.reads.stop(error);
    this.peers.stop(error);
    this.updateRole();
    this.watch.stop(error);
    for (const run of this.endings.splice(0)) run();
  }

  /** Ends at once, like a process that is killed: no goodbye, nothing more is written. For tests. */
  kill(): void {
    this.halt(new RaftError('stopped', 'The node was killed.'));
  }

  /** Stops on purpose: says goodbye, lets what is being written finish, gives the identity back. */
  async stop(reason: Goodbye['reason']): Promise<void> {
    const error = new RaftError('stopped', 'The node was stopped.');
    if (this.ended === undefined) {
      this.peers.goodbye(reason, this.member?.hard.commit ?? 0);
      this.halt(error);
      this.store.write(this.writes.lastFlush() ?? {}).catch(() => {});
    }
    await Promise.allSettled([this.options.transport.stop(), this.room.close()]);
    await this.store.close().catch(() => {});
  }
}
