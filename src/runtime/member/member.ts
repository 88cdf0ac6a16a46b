/**
 * A node as a member of its cluster: the core and everything that works for it, made from what storage holds.
 * Lives from the moment the node belongs to a cluster until it stops or its storage fails.
 */
import { EMPTY_CONF } from '../../core/conf/conf-change.ts';
import { RaftError } from '../../core/errors.ts';
import { type InitialState, RawNode } from '../../core/raw-node.ts';
import type {
  ConfChangeOp,
  ConfState,
  Entry,
  HardState,
  Index,
  Message,
  NodeId,
  SnapshotMeta,
  SoftState,
} from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { ClusterIdentity, LoadedState, NodeStore, StagedSnapshot, StoredSnapshot } from '../../storage/storage.ts';
import type { SnapshotAck, SnapshotChunk, SnapshotOffer } from '../../wire/peer-message.ts';
import type { SnapshotInfo, TuningOptions } from '../api/api.ts';
import type { NodeOptions } from '../api/options.ts';
import type { Clock } from '../ports/clock.ts';
import type { CoreNode } from '../ports/core-node.ts';
import type { Application } from '../ports/seam.ts';
import type { Recorder } from '../record/recorder.ts';
import { MembershipQueue } from './change-queue.ts';
import { contextOf, memberIds } from './configuration.ts';
import { coreConfig, leaseSlackMs, RELUCTANT_LEADS_MAX, tickMs } from './core-config.ts';
import { LogView, uncommittedEntries } from './log-cache.ts';
import { Replica } from './replica.ts';
import { SnapshotMaker } from './snapshot-maker.ts';
import { SnapshotTransfers } from './snapshot-transfers.ts';
import { storageErrorOf } from './storage-error.ts';

export interface MemberHooks {
  send(message: Message): boolean;
  sendSnapshot(peer: NodeId, message: SnapshotOffer | SnapshotChunk | SnapshotAck): boolean;
  onSoftState(soft: SoftState, previous: SoftState): void;
  onCommit(hard: HardState, previous: HardState): void;
  onConfig(conf: ConfState, index: Index): void;
  /** On the leader: these are members no longer. Nobody else will tell them. */
  onDeparted(ids: readonly NodeId[]): void;
  /** The leader's state has arrived to replace this node's, which had diverged. */
  onResync(staged: StagedSnapshot): void;
  onSnapshot(kind: 'created' | 'sent' | 'installed', info: SnapshotInfo): void;
  /** Not the end: somebody should see it. */
  onFault(error: RaftError): void;
  /** The end of this member: storage failed, or the state machine cannot go on. */
  onFatal(error: RaftError): void;
  wake(): void;
}

export interface MemberParts {
  readonly self: NodeId;
  readonly store: NodeStore;
  readonly application: Application;
  readonly clock: Clock;
  readonly tuning: TuningOptions;
  readonly priority: number;
  /** Of three or more voters the others refuse to elect it, as long as one of them could be elected. */
  readonly reluctant: boolean;
  readonly inspect: NodeOptions['inspect'];
  readonly hooks: MemberHooks;
  /** Writes down what the core is told. */
  readonly recorder?: Recorder | undefined;
}

/** One step of a configuration change in the log. */
interface NamedInLog {
  readonly index: Index;
  readonly id: NodeId;
  readonly op: ConfChangeOp;
}

export class Member {
  readonly cluster: ClusterIdentity;
  readonly core: CoreNode;
  readonly replica: Replica;
  readonly view: LogView;
  readonly maker: SnapshotMaker;
  readonly transfers: SnapshotTransfers;
  readonly changes: MembershipQueue;
  conf: ConfState;
  /** Index of the entry that made `conf`. */
  confVersion: Index = 0;
  soft: SoftState = { leader: NO_NODE, role: 'follower' };
  hard: HardState;
  /** It was in the configuration once, and no longer is. */
  removed = false;
  /** Changes in the end of the log that was found at the start: not known to be committed, but a leader's word. */
  readonly namedInLog: readonly NamedInLog[];
  readonly #parts: MemberParts;
  /** By how much ticks were late since a lease was last made void for it. */
  #lateMs = 0;

  private constructor(parts: MemberParts, cluster: ClusterIdentity, loaded: LoadedState, uncommitted: readonly Entry[]) {
    const { store, application, clock, tuning, hooks } = parts;
    this.#parts = parts;
    this.cluster = cluster;
    this.hard = loaded.hardState;
    this.conf = loaded.snapshot?.conf ?? EMPTY_CONF;
    const applied = loaded.snapshot?.index ?? 0;
    this.confVersion = applied;
    this.namedInLog = namedIn(uncommitted);
    this.view = new LogView(
      store,
      loaded,
      () => {
        this.core.onEntriesFetched();
        hooks.wake();
      },
      (error) => hooks.onFatal(storageErrorOf(error)),
    );
    const config = coreConfig(parts.self, tuning, this.#standsWith(parts.priority), clock, parts.inspect);
    const initial: InitialState = { hardState: loaded.hardState, conf: this.conf, applied };
    this.core = parts.recorder?.open(config, this.view, initial) ?? new RawNode(config, this.view, initial);
    this.maker = new SnapshotMaker({ store, view: this.view, application }, tuning, applied, {
      onMade: (info) => hooks.onSnapshot('created', info),
      onFault: (error) => hooks.onFault(error),
    });
    this.transfers = new SnapshotTransfers(
      { self: parts.self, store, view: this.view, clock, maker: this.maker },
      this.#transferHooks(),
    );
    this.changes = new MembershipQueue(clock);
    this.replica = new Replica({ core: this.core, view: this.view, store, application, hooks: this.#replicaHooks() }, applied);
  }

  /** Reads what storage holds and brings the state machine to its snapshot. Errors: corrupt, version-mismatch, storage. */
  static async open(parts: MemberParts, loaded: LoadedState): Promise<Member> {
    if (loaded.cluster === undefined) throw new RaftError('invariant', 'A node without a cluster cannot be a member.');
    await parts.application.reset();
    if (loaded.snapshot !== undefined) {
      const stored = await parts.store.snapshot();
      if (stored === undefined) throw new RaftError('corrupt', 'The snapshot named by the log is missing.');
      await parts.application.restore(stored.chunks());
    }
    return new Member(parts, loaded.cluster, loaded, await uncommittedEntries(parts.store, loaded));
  }

  /** The leader says that this node is out. */
  onToldRemoved(): void {
    this.removed = true;
  }

  get isLeader(): boolean {
    return this.soft.role === 'leader' && !this.replica.isStopped;
  }

  get appliedIndex(): Index {
    return this.replica.appliedIndex;
  }

  /** A verified message from a peer, or a snapshot that has arrived. */
  step(message: Message): void {
    this.replica.step(message);
    this.#parts.hooks.wake();
  }

  onSnapshotMessage(peer: NodeId, message: SnapshotOffer | SnapshotChunk | SnapshotAck): void {
    this.transfers.onMessage(peer, message);
  }

  /** One logical tick (Figure 2's timers). `pausedMs` is how long the process did nothing before it. */
  tick(pausedMs: number): void {
    this.core.setTime(this.#parts.clock.wallMs());
    // A page that was frozen may have been deposed meanwhile: what it believes of its leadership is void.
    if (pausedMs > this.#parts.tuning.electionTimeoutMs[0] / 2)
      this.core.resumeAfterPause(Math.floor(pausedMs / tickMs(this.#parts.tuning)));
    else if (this.isLeader && this.#parts.tuning.leaseReads) this.#watchLease(pausedMs);
    // Also of one that was told that it is out: its time goes on, else it would hear its last leader for ever, and refuse those
    // who still need its vote. It disturbs nobody by campaigning (§4.2.3): whoever knows that it is out does not hear it.
    this.core.tick();
    this.#leadAlone();
    this.transfers.tick();
    this.changes.tick();
  }

  /** Where it alone votes nobody else can lead: no need to wait for a timeout. What is committed has to be applied first; the core sees to that. */
  #leadAlone(): void {
    const { voters, votersOutgoing } = this.conf;
    const isAlone = voters.length === 1 && voters[0] === this.#parts.self && votersOutgoing.length === 0;
    if (isAlone && !this.removed && this.soft.role === 'follower' && this.soft.leader === NO_NODE) this.core.campaign();
  }

  /** A lease is counted in ticks: many that are a little late are a pause as well. */
  #watchLease(lateMs: number): void {
    this.#lateMs += Math.max(0, lateMs);
    if (this.#lateMs <= leaseSlackMs(this.#parts.tuning)) return;
    this.#lateMs = 0;
    this.core.resumeAfterPause(0);
  }

  /**
   * What has arrived first, so that calls see the leader it tells of; then what the calls have to `say`. Whoever is answered by
   * what has arrived just now speaks after this task: the next turn takes it along.
   */
  turn<T>(say: () => T): T {
    const hadTheirTurn = this.replica.isResting;
    this.pump();
    const said = say();
    this.pump(hadTheirTurn || !this.replica.isResting ? 'answered' : undefined);
    return said;
  }

  /** Everything that waited for a batch of inputs to be complete; `answered`: calls have had their chance to go along. */
  pump(after?: 'answered'): void {
    if (after === 'answered') this.replica.resume();
    this.replica.pump();
    if (this.isLeader) {
      this.changes.flush(this.core, this.conf, this.confVersion);
      this.replica.pump();
    }
  }

  /**
   * This node ends: a leader leaves its vote to one of these, the preferred first, so that nobody has to wait for a timeout.
   * From then on nothing else leaves it. False when nobody can take it. Also when its disk has failed just now: what it holds in
   * memory is what it has sent, and its next life makes the vote count as spent (S1).
   */
  bequeath(candidates: readonly NodeId[]): boolean {
    if (this.soft.role !== 'leader') return false;
    const farewell = this.core.giveProxyVote(candidates);
    if (farewell === undefined) return false;
    this.replica.stop();
    for (const message of farewell.messages) this.#parts.hooks.send(message);
    return true;
  }

  linkClosed(peer: NodeId): void {
    this.transfers.linkClosed(peer);
    this.core.reportUnreachable(peer);
  }

  snapshotMeta(): SnapshotMeta {
    const index = this.appliedIndex;
    const term = this.view.term(index);
    if (typeof term !== 'number') throw new RaftError('invariant', `The term of the applied index ${index} is not known.`);
    return { index, term, conf: this.conf, data: undefined };
  }

  stop(error: RaftError): void {
    this.replica.stop();
    this.changes.clear(error);
    this.transfers.stop();
  }

  #transferHooks(): ConstructorParameters<typeof SnapshotTransfers>[1] {
    const { hooks } = this.#parts;
    return {
      sendMessage: (peer, message) => hooks.sendSnapshot(peer, message),
      metaNow: () => this.snapshotMeta(),
      onSent: (peer, ok, sent) => this.#onSnapshotSent(peer, ok, sent),
      onProgress: (peer) => this.core.reportSnapshotProgress(peer),
      onFollow: (request) => this.step(request),
      onResync: (staged) => hooks.onResync(staged),
      onFault: (error) => hooks.onFault(storageErrorOf(error)),
    };
  }

  #onSnapshotSent(peer: NodeId, ok: boolean, sent: StoredSnapshot | undefined): void {
    if (this.replica.isStopped) return;
    this.core.reportSnapshot(peer, ok);
    if (ok && sent !== undefined) {
      const { meta, bytes, digest } = sent;
      this.#parts.hooks.onSnapshot('sent', { index: meta.index, term: meta.term, bytes, digest });
    }
    this.#parts.hooks.wake();
  }

  #replicaHooks(): ConstructorParameters<typeof Replica>[0]['hooks'] {
    const { hooks } = this.#parts;
    return {
      send: (message) => this.#send(message),
      onSoftState: (soft) => this.#onSoftState(soft),
      onCommit: (commit, hard) => {
        const previous = this.hard;
        this.hard = { ...(hard ?? previous), commit };
        hooks.onCommit(this.hard, previous);
      },
      onConfig: (conf, index, error) => this.#onConfig(conf, index, error),
      wake: () => hooks.wake(),
      onAppliedTo: (index) => {
        this.maker.maybe(index, () => this.snapshotMeta());
      },
      onInstalled: (meta) => {
        this.maker.installed(meta.index);
        hooks.onSnapshot('installed', { index: meta.index, term: meta.term, bytes: 0, digest: '' });
      },
      takeStaged: (meta) => {
        this.maker.superseded(meta.index);
        return this.transfers.takeStaged(meta);
      },
      onConflict: (error) => hooks.onFault(error),
      onFault: (error) => hooks.onFatal(error),
    };
  }

  #send(message: Message): void {
    if (message.type === 'snapshot-request') return this.transfers.sendToFollow(message);
    if (!this.#parts.hooks.send(message) && message.type === 'append-request') this.core.reportUnreachable(message.to);
  }

  #onSoftState(soft: SoftState): void {
    const previous = this.soft;
    this.soft = soft;
    if (soft.leader !== previous.leader) this.transfers.leaderChanged();
    if (previous.role === 'leader' && soft.role !== 'leader') {
      this.transfers.leadershipLost();
      this.changes.clear(
        new RaftError('leadership-lost', 'This node no longer leads.', {
          leaderHint: soft.leader === NO_NODE ? undefined : soft.leader,
        }),
      );
    }
    this.#parts.hooks.onSoftState(soft, previous);
  }

  /** One below that of its equals where it is reluctant. */
  #standsWith(priority: number): number {
    return this.#parts.reluctant && this.conf.voters.length > RELUCTANT_LEADS_MAX ? priority - 1 : priority;
  }

  #onConfig(conf: ConfState, index: Index, error: RaftError | undefined): void {
    const self = this.#parts.self;
    const before = memberIds(this.conf);
    const wasMember = before.includes(self);
    this.conf = conf;
    if (error === undefined) this.confVersion = index;
    this.changes.onConfig(conf, index, error);
    const after = memberIds(conf);
    const isMember = after.includes(self);
    // What is committed changes elections at once; what the node was opened with counts until then.
    if (isMember) this.core.setPriority(this.#standsWith(contextOf(conf, self).priority));
    if (isMember) this.removed = false;
    else if (wasMember) this.removed = true;
    if (this.isLeader) this.#parts.hooks.onDeparted(before.filter((id) => !after.includes(id) && id !== self));
    this.#parts.hooks.onConfig(conf, index);
  }
}

function namedIn(entries: readonly Entry[]): NamedInLog[] {
  return entries.flatMap(({ index, change }) => change?.steps.map(({ id, op }) => ({ index, id, op })) ?? []);
}
