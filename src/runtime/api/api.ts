/// <reference lib="esnext.disposable" preserve="true" />
/** The public face of a node: what an application calls. RaftNode (raft-node.ts) implements it. What operators call is in admin.ts. */
import type { RaftError } from '../../core/errors.ts';
import type { Entry, Index, NodeId, Term } from '../../core/types.ts';
import type { ByteMachine } from '../../state/state-machine.ts';
import type { Change, Command, Handlers, Queries, QueryArguments, QueryResult, ResultOf } from '../../state/types.ts';
import type { MemberRole } from '../../trust/roles.ts';
import type { NodeRole } from '../../wire/bodies.ts';
import type { Recording } from '../record/recording.ts';
import type { Admin, SnapshotInfo } from './admin.ts';
import type { CallOptions, ClusterConfig, Suffrage, WantedSuffrage } from './basics.ts';
import type { Applied, PendingWrite, ProposeOptions, ReadOptions, StopOptions } from './calls.ts';
import type { Forecast, MissingVoter } from './forecast.ts';
import type { ExpectedState, OptimisticWrite, Rollback } from './optimistic.ts';
import type { ByteOutbox, Outbox } from './outbox.ts';
import type { Presence } from './presence.ts';
import type { Registration } from './registration.ts';
import type { WriteEvent } from './write-event.ts';

export type * from './calls.ts';
export type * from './client.ts';
export type { MemberRole, NodeRole };

export type PeerState = 'probe' | 'replicate' | 'snapshot' | 'unreachable' | 'unknown';

export interface PeerStatus {
  readonly id: NodeId;
  readonly name: string;
  readonly suffrage: Suffrage | 'none';
  /** What the peer last said of itself, or what the leader knows; undefined when never heard. */
  readonly role: NodeRole | undefined;
  readonly term: Term | undefined;
  readonly commitIndex: Index | undefined;
  readonly appliedIndex: Index | undefined;
  readonly lastIndex: Index | undefined;
  /** Whom it follows, as it last said. */
  readonly leaderId: NodeId | undefined;
  /** Known to the leader only. */
  readonly matchIndex: Index | undefined;
  readonly lagEntries: number | undefined;
  readonly progress: PeerState;
  readonly link: 'connecting' | 'open' | 'closed' | 'none';
  readonly linkKind: string;
  /** ms since something was heard of it; undefined for never. */
  readonly lastContactMs: number | undefined;
  readonly rttMs: number | undefined;
  /** Part of what is sent to it that gets lost, 0 to 1; undefined where the link cannot see it. */
  readonly loss: number | undefined;
  /** What slows it down, as it last said. */
  readonly slowedBy: readonly ('hidden' | 'saving' | 'late' | 'full disk')[];
  /** Over the link that is open. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/**
 * Who may come into the room: `secret`: who knows its secret or has an invite; `open`: everybody who knows its name; `unguarded`:
 * links prove nothing (only in tests and simulation).
 */
export type RoomAccess = 'secret' | 'open' | 'unguarded';

export interface NodeStatus {
  readonly id: NodeId;
  readonly room: string;
  readonly access: RoomAccess;
  readonly clusterId: string;
  readonly epoch: number;
  readonly bootNonce: string;
  readonly role: NodeRole;
  readonly suffrage: Suffrage | 'none';
  readonly term: Term;
  readonly leaderId: NodeId | undefined;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  readonly lastIndex: Index;
  /** The last entry on this node's own disk. */
  readonly durableIndex: Index;
  readonly firstIndex: Index;
  readonly snapshotIndex: Index;
  /** How long nothing was heard that holds off an election, and how long is too long, in ms; undefined where none would be called. */
  readonly election: { readonly elapsedMs: number; readonly timeoutMs: number } | undefined;
  /** A majority was heard within an election timeout, as far as this node can tell. */
  readonly quorumAlive: boolean;
  /** How many more voters may fail before the cluster stops. 0 means: none. */
  readonly failureTolerance: number;
  /** Voters that hold a command before it is acknowledged, at the least: 1 when a single device decides. 0 outside a cluster. */
  readonly copies: number;
  readonly signaling: 'connecting' | 'open' | 'closed';
  /** What the node is kept in: 'indexeddb', 'opfs', 'lmdb', 'memory', or what a storage of your own calls itself. */
  readonly storageKind: string;
  /** Why it is not kept where it was asked to be, in a sentence; '' when it is. */
  readonly storageFallback: string;
  readonly pendingWrites: number;
  /** Every other member, and every linked node that is not one. */
  readonly peers: readonly PeerStatus[];
}

/** What an invite gives. */
export interface InviteTerms {
  /** Default voter. Nobody invites for more than its own role. */
  readonly role?: MemberRole;
  /** How many may come with it: 1 to 64. Default 1. */
  readonly uses?: number;
  /** At most 30 days. Default a day. */
  readonly expiresInMs?: number;
}

export interface Invite {
  readonly id: string;
  readonly role: MemberRole;
  readonly uses: number;
  /** ms since the epoch. */
  readonly expiresAt: number;
  /** To be put behind a page's URL, and given to whom it is for: it begins with `#`, so no server sees it. */
  readonly link: string;
}

export interface Membership {
  readonly current: ClusterConfig;
  /**
   * Lets somebody in who does not know the room's secret; each use is counted in the log. Errors: invalid-argument, not-authorized,
   * busy, clock-skew, and those of a write.
   */
  invite(terms?: InviteTerms, options?: CallOptions): Promise<Invite>;
  revokeInvite(id: string, options?: CallOptions): Promise<void>;
  /**
   * Makes a new secret for the room: whoever knows only the old one is let in no more, and who had come by it without being a member by
   * now is cut off. Members stay, and those that may let in voters get the new secret over their links. Resolves with the room's new
   * link once that is decided and kept here; the room stays where it is found. Open invites go on: take them back where they should not.
   * Errors: invalid-argument (an open room), not-a-member, not-authorized, membership-mismatch (another member did it meanwhile), busy,
   * and those of a write and of storage. After `timeout` or `outcome-unknown` the event `room-link` says whether it has happened.
   */
  rotateSecret(options?: CallOptions): Promise<string>;
  /** Removes a member for good: its key is not let in any more, whatever it knows. Settles like `remove`. */
  expel(id: NodeId, options?: CallOptions): Promise<Index>;
  /** Each settles when the change is committed and in force (also through a joint configuration), or with a code. */
  add(
    member: {
      readonly id: NodeId;
      readonly suffrage?: WantedSuffrage;
      readonly priority?: number;
      readonly name?: string;
      readonly meta?: unknown;
    },
    options?: CallOptions,
  ): Promise<Index>;
  remove(id: NodeId, options?: CallOptions): Promise<Index>;
  promote(id: NodeId, options?: CallOptions): Promise<Index>;
  demote(id: NodeId, options?: CallOptions): Promise<Index>;
  /** One joint change: `to` votes in the place of `from`. */
  replace(from: NodeId, to: NodeId, options?: CallOptions): Promise<Index>;
  change(
    next: { readonly voters: readonly NodeId[]; readonly learners?: readonly NodeId[] },
    options?: CallOptions & { readonly ifVersion?: Index },
  ): Promise<Index>;
  setPriority(id: NodeId, priority: number, options?: CallOptions): Promise<Index>;
  leave(options?: CallOptions): Promise<void>;
}

/** Times in ms, sizes in bytes; each is checked, and the error names the range allowed. */
export interface TuningOptions {
  readonly electionTimeoutMs: readonly [min: number, max: number];
  readonly heartbeatMs: number;
  /** Take a snapshot after so many entries applied since the last. */
  readonly snapshotEveryEntries: number;
  /** Entries kept behind a snapshot for slow followers. */
  readonly keepEntries: number;
  readonly inflightMessagesMax: number;
  readonly appendBytesMax: number;
  readonly commandBytesMax: number;
  readonly callTimeoutMs: number;
  readonly pendingCallsMax: number;
  /** How long a client session is kept without a write, in ms of log time. */
  readonly sessionTtlMs: number;
  readonly sessionsMax: number;
  /** Exchange a state digest every so many entries; 0 for never. */
  readonly digestEveryEntries: number;
  readonly leaseReads: boolean;
}

export interface TraceEvent {
  readonly at: number;
  readonly direction: 'sent' | 'received';
  readonly peer: NodeId;
  readonly kind: string;
  /** One line; made when it is read. */
  readonly text: string;
}

export interface RaftEvents {
  readonly role: { readonly from: NodeRole; readonly to: NodeRole; readonly term: Term };
  readonly leader: { readonly leaderId: NodeId | undefined; readonly term: Term };
  readonly config: ClusterConfig;
  readonly commit: { readonly index: Index };
  readonly apply: { readonly index: Index };
  readonly snapshot: SnapshotInfo & { readonly kind: 'created' | 'sent' | 'installed' };
  readonly peer: PeerStatus;
  readonly signaling: { readonly state: 'connecting' | 'open' | 'closed'; readonly error: RaftError | undefined };
  /** Also told to a newcomer, by whoever could not take it in. `text` says who is missing, since when, and what would help. */
  readonly 'quorum-lost': {
    readonly alive: number;
    readonly need: number;
    readonly missing: readonly MissingVoter[];
    readonly text: string;
  };
  readonly 'quorum-restored': { readonly alive: number; readonly need: number };
  /** On how many devices a change is kept before it is acknowledged has changed. */
  readonly copies: { readonly now: number; readonly before: number; readonly text: string };
  /** This replica's state differed from the leader's: `index` is the first bad entry, or (not exact) where it was found. It takes the leader's state. */
  readonly diverged: { readonly index: Index; readonly exact: boolean };
  readonly removed: Record<string, never>;
  /** The room's secret is another: the link to give to others from now on, undefined until this node knows it or where it never will. */
  readonly 'room-link': { readonly link: string | undefined };
  /** A write of this node has its answer. Not told: those found after a reload, which nobody waits for. */
  readonly write: WriteEvent;
  /** On the leader: the autopilot has changed who votes, or who belongs to the cluster. */
  readonly autopilot: { readonly kind: string; readonly members: readonly NodeId[]; readonly reason: string };
  /** An optimistic write of this node came to nothing. */
  readonly rollback: Rollback;
  /** Something that does not stop the node but that somebody should see. */
  readonly fault: { readonly error: RaftError };
  /** The node has stopped itself. */
  readonly fatal: { readonly error: RaftError };
}

/** What every node offers, whatever its state machine is written as. `S` is what readers look at. */
export interface BaseNode<S> extends AsyncDisposable {
  readonly id: NodeId;
  readonly clusterId: string;
  readonly room: string;
  /**
   * The link that lets others in, to be put behind a page's URL: it begins with `#`, so no server sees it. Undefined on a node that
   * came with an invite and knows no secret (membership.invite makes links for others).
   */
  readonly roomLink: string | undefined;
  readonly role: NodeRole;
  readonly term: Term;
  readonly leaderId: NodeId | undefined;
  /**
   * Resolves when the node has caught up with a leader once. Rejects when it stops before, and with the reason when that has not
   * come about within READY_TIMEOUT_MS (no signaling server, no majority): the node goes on trying, and `whenReady` waits again.
   */
  readonly ready: Promise<void>;
  /**
   * Waits (again) until the node has caught up with a leader. Default: as long as it takes.
   * Errors: signaling-unreachable, signaling-refused, no-leader, not-a-member, aborted, stopped, removed.
   */
  whenReady(options?: CallOptions): Promise<void>;
  readonly status: NodeStatus;
  /** How it stands with the majority, who is missing, and what would help. */
  forecast(): Forecast;
  readonly config: ClusterConfig;
  readonly membership: Membership;
  readonly admin: Admin;
  /** Who is here, and what they show of themselves; outside the log. */
  readonly presence: Presence;

  /** Writes without an answer yet, those found after a reload included. */
  pending(): readonly PendingWrite[];
  /** Stops retrying a pending write; it may have been applied all the same (`outcome-unknown`). */
  cancel(id: string): boolean;

  /** Linearizable unless asked otherwise (§6.4). */
  read<T>(select: (state: Readonly<S>) => T, options?: ReadOptions): Promise<T>;
  /** Local and synchronous, possibly behind; never behind what this handle's own calls have seen. */
  peek<T>(select: (state: Readonly<S>) => T): T;
  /** Calls back when the selected value changes (Object.is). */
  subscribe<T>(
    select: (state: Readonly<S>) => T,
    listener: (value: T, meta: { readonly index: Index }) => void,
    options?: { readonly signal?: AbortSignal },
  ): Registration;
  /** Resolves when everything committed before the call is applied here. */
  barrier(options?: CallOptions): Promise<Index>;
  waitFor(index: Index, options?: CallOptions): Promise<void>;
  /** Resolves when the predicate holds; looked at on every event. */
  until(predicate: (status: NodeStatus, state: Readonly<S>) => boolean, options?: CallOptions): Promise<void>;

  on<K extends keyof RaftEvents>(
    type: K,
    listener: (event: RaftEvents[K]) => void,
    options?: { readonly signal?: AbortSignal },
  ): Registration;
  /** Runs while this node leads, strictly one after the other; the signal aborts when leadership ends. */
  whileLeader(
    run: (lease: { readonly term: Term; readonly signal: AbortSignal }) => void | Promise<void>,
    options?: { readonly signal?: AbortSignal },
  ): Registration;
  trace(listener: (event: TraceEvent) => void, options?: { readonly signal?: AbortSignal }): Registration;
  /**
   * The inputs of this node's core since it opened, as a trace that `replay` (tabraft/testing) runs again bit for bit. Only of a
   * node opened with `record`: a recording begins with the core, whose state is then known. Errors: invalid-argument otherwise.
   */
  record(): Recording;

  stop(options?: StopOptions): Promise<void>;
}

/** A node whose state machine is typed commands and queries (`defineStateMachine`). */
export interface RaftNode<S, C extends Handlers<S>, Q extends Queries<S>> extends BaseNode<S> {
  /** Resolves with the handler's result after commit and apply, from any member (§6.2, §6.3). */
  propose<const T extends Command<C>>(command: T, options?: ProposeOptions): Promise<ResultOf<C, T>>;
  proposeDetailed<const T extends Command<C>>(command: T, options?: ProposeOptions): Promise<Applied<ResultOf<C, T>>>;
  batch<const T extends readonly Command<C>[]>(
    commands: T,
    options?: ProposeOptions,
  ): Promise<{ -readonly [I in keyof T]: ResultOf<C, T[I]> }>;
  /**
   * Proposes a command and shows its expected effect at once (`expected`), by the same handler. The truth takes its place when the command
   * is committed; when it fails it is rolled back, and the event `rollback` says why. Errors thrown: busy, and those of `propose` that
   * are known at the call.
   */
  optimistic<const T extends Command<C>>(command: T, options?: ProposeOptions): OptimisticWrite<ResultOf<C, T>>;
  /** Writes that are kept on this device until the cluster has taken them, over reloads. */
  readonly outbox: Outbox<S, C>;
  /** The state with this node's optimistic writes on it. */
  readonly expected: ExpectedState<S>;
  /** Of a named query; linearizable unless asked otherwise (§6.4). Errors: unknown-command, and those of `read`. */
  query<K extends keyof Q & string>(
    name: K,
    ...rest: [...QueryArguments<Q[K]>, options?: ReadOptions]
  ): Promise<QueryResult<Q[K]>>;
  /** Every command applied, from an index on (default: from now), each once and in order. */
  changes(options?: { readonly from?: Index; readonly signal?: AbortSignal }): AsyncIterable<Change<C>>;
}

/** A node whose state machine is three functions over bytes; readers look at the machine itself. */
export interface ByteNode<M extends ByteMachine> extends BaseNode<M> {
  /** Resolves with what `apply` answered, after commit and apply, from any member (§6.2, §6.3). The bytes are the caller's own. */
  propose(command: Uint8Array, options?: ProposeOptions): Promise<Uint8Array>;
  proposeDetailed(command: Uint8Array, options?: ProposeOptions): Promise<Applied<Uint8Array>>;
  batch(commands: readonly Uint8Array[], options?: ProposeOptions): Promise<readonly Uint8Array[]>;
  /** Writes that are kept on this device until the cluster has taken them, over reloads. */
  readonly outbox: ByteOutbox;
  /** Every command applied, from an index on (default: from now), each once and in order. */
  changes(options?: { readonly from?: Index; readonly signal?: AbortSignal }): AsyncIterable<ByteChange>;
}

/** One applied command of a ByteMachine, as `changes()` tells it. */
export interface ByteChange {
  readonly input: Uint8Array;
  readonly result: Uint8Array;
  readonly index: Index;
}

export type { Recording, RecordOptions } from '../record/recording.ts';
export type {
  Admin,
  AutopilotRow,
  AutopilotTable,
  EntryInfo,
  Explanation,
  NodeMetadata,
  RecoveryPlan,
  SnapshotInfo,
  VerifyReport,
} from './admin.ts';
export type { CallOptions, ClusterConfig, MemberInfo, Suffrage, WantedSuffrage } from './basics.ts';
export type { Forecast, MissingVoter } from './forecast.ts';
export type * from './optimistic.ts';
export type * from './outbox.ts';
export type * from './presence.ts';
export type { Registration } from './registration.ts';
export type { WriteEvent } from './write-event.ts';
export type { Entry };
