/**
 * The vocabulary of the core: what a log entry, a message, a configuration and a Ready are.
 *
 * Everything here is plain read-only data. The core never mutates what it has handed out, and the
 * environment never mutates what it has handed in.
 */

/** A member's identity: random, never reused, compared by code unit. `''` (NO_NODE) means "nobody". */
export type NodeId = string & { readonly __brand?: 'NodeId' };
/** A leadership period, counted from 1. 0 means "before any election". */
export type Term = number & { readonly __brand?: 'Term' };
/** A position in the log, counted from 1. 0 means "before the first entry". */
export type Index = number & { readonly __brand?: 'Index' };

export const NO_NODE: NodeId = '';
/** For limits in bytes or messages: no limit. */
export const NO_LIMIT: number = Number.MAX_SAFE_INTEGER;

export type Role = 'leader' | 'candidate' | 'pre-candidate' | 'follower';

/** `normal` carries an opaque command (or nothing: a no-op); `conf` carries a membership change. */
export type EntryType = 'normal' | 'conf';

/**
 * One log entry (Figure 2). All entries have the same shape, so that engines keep one hidden class:
 * always build them with `makeEntry`.
 */
export interface Entry {
  readonly index: Index;
  readonly term: Term;
  readonly type: EntryType;
  /** The leader's clock when it appended the entry, in ms since the epoch; 0 when not known. */
  readonly time: number;
  /** The command as its proposer encoded it; empty for a no-op and for `conf` entries. Never mutated. */
  readonly data: Uint8Array;
  /** The membership change of a `conf` entry. */
  readonly change: ConfChange | undefined;
}

export type ConfChangeOp = 'voter' | 'learner' | 'witness' | 'remove' | 'update';

export interface ConfChangeStep {
  readonly op: ConfChangeOp;
  readonly id: NodeId;
  /** What is kept about the member in the configuration: opaque to the core. undefined leaves it as it is. */
  readonly context: Uint8Array | undefined;
}

/** How a change of more than one voter is entered and left (thesis §4.3). */
export type ConfChangeTransition = 'auto' | 'implicit' | 'explicit';

/** One membership change. No steps at all means: leave the joint configuration. */
export interface ConfChange {
  readonly transition: ConfChangeTransition;
  readonly steps: readonly ConfChangeStep[];
  /** The cluster-wide opaque part of the configuration; undefined leaves it as it is. */
  readonly context: Uint8Array | undefined;
}

/** What is kept about one member in the configuration. */
export interface MemberContext {
  readonly id: NodeId;
  readonly context: Uint8Array;
}

/** The configuration in force: plain sorted arrays, fit for storage and for the wire. */
export interface ConfState {
  readonly voters: readonly NodeId[];
  /** The outgoing half of a joint configuration; empty when not joint (thesis §4.3). */
  readonly votersOutgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** Voters of the outgoing half that become learners when the joint configuration is left. */
  readonly learnersNext: readonly NodeId[];
  /** The voters that vote but keep no command data. A subset of voters and votersOutgoing. */
  readonly witnesses: readonly NodeId[];
  readonly autoLeave: boolean;
  /** Opaque per-member data (public key, profile domain, priority, name …), sorted by id. */
  readonly members: readonly MemberContext[];
  /** Opaque cluster-wide data (machine version, target voters …). Empty when never set. */
  readonly context: Uint8Array;
}

/** What must be durable before anything that promises it leaves (Figure 2, "persistent state"). */
export interface HardState {
  readonly term: Term;
  readonly vote: NodeId;
  readonly commit: Index;
}

export interface SoftState {
  readonly leader: NodeId;
  readonly role: Role;
}

/**
 * A snapshot as the core sees it: the point it stands for and the configuration there. The machine's
 * state itself travels and is stored outside the core, named by (index, term).
 */
export interface SnapshotMeta {
  readonly index: Index;
  readonly term: Term;
  readonly conf: ConfState;
  /** Small inline state, opaque to the core: used where there is no stream beside it. */
  readonly data: Uint8Array | undefined;
}

interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  /** The sender's term; for a PreVote request and its grant the term asked about (thesis §9.6). */
  readonly term: Term;
}

/** AppendEntries (§3.5). */
export interface AppendRequest extends Envelope {
  readonly type: 'append-request';
  readonly prevIndex: Index;
  readonly prevTerm: Term;
  readonly commit: Index;
  readonly entries: readonly Entry[];
}
export interface AppendResponse extends Envelope {
  readonly type: 'append-response';
  /** Accepted: the last index known to match. Rejected: the prevIndex that was refused. */
  readonly index: Index;
  readonly reject: boolean;
  /** Rejected: the greatest (index, term) the follower could still agree on. */
  readonly hintIndex: Index;
  readonly hintTerm: Term;
  /** The sender's own commit index; 0 when it does not say. */
  readonly commit: Index;
}
/** The empty AppendEntries that keeps followers, apart so that it can carry a round (§3.4, §6.4). */
export interface HeartbeatRequest extends Envelope {
  readonly type: 'heartbeat-request';
  readonly commit: Index;
  /** ReadIndex round this heartbeat confirms; 0 for none. */
  readonly round: number;
}
export interface HeartbeatResponse extends Envelope {
  readonly type: 'heartbeat-response';
  readonly round: number;
}
/** RequestVote (§3.4) and PreVote (§9.6). */
export interface VoteRequest extends Envelope {
  readonly type: 'vote-request';
  readonly pre: boolean;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** Sent on behalf of a leadership transfer: a voter that still hears its leader answers all the same (§4.2.3). */
  readonly transfer: boolean;
  readonly priority: number;
  /** The candidate's commit index and the term of the entry there; 0 when it does not say. */
  readonly commit: Index;
  readonly commitTerm: Term;
}
export interface VoteResponse extends Envelope {
  readonly type: 'vote-response';
  readonly pre: boolean;
  readonly reject: boolean;
  readonly commit: Index;
  readonly commitTerm: Term;
}
/** InstallSnapshot (ch. 5). */
export interface SnapshotRequest extends Envelope {
  readonly type: 'snapshot-request';
  readonly snapshot: SnapshotMeta;
}
/** Leadership transfer (§3.10): `target` is who shall lead. */
export interface TransferRequest extends Envelope {
  readonly type: 'transfer-request';
  readonly target: NodeId;
}
export interface TimeoutNow extends Envelope {
  readonly type: 'timeout-now';
}
/**
 * A leader that ends leaves its vote of the next term to the receiver, just before it tells it to campaign. It counts
 * where the log of the receiver ends in (lastIndex, lastTerm), as the sender's does.
 */
export interface ProxyVote extends Envelope {
  readonly type: 'proxy-vote';
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** The sender holds its own seal durably, and no membership change that it has not applied. */
  readonly sealed: boolean;
}
/** The target of a transfer says at once that it cannot campaign. */
export interface TransferRefused extends Envelope {
  readonly type: 'transfer-refused';
}
/** A proposal on its way to the leader. Index and term of the entries are 0. */
export interface ProposeRequest extends Envelope {
  readonly type: 'propose-request';
  readonly entries: readonly Entry[];
}
/** ReadIndex asked by a follower (§6.4). */
export interface ReadIndexRequest extends Envelope {
  readonly type: 'read-index-request';
  readonly context: string;
}
export interface ReadIndexResponse extends Envelope {
  readonly type: 'read-index-response';
  readonly context: string;
  readonly index: Index;
  /** The leader could not confirm it (stepped down, queue full): ask again. */
  readonly reject: boolean;
}

export type Message =
  | AppendRequest
  | AppendResponse
  | HeartbeatRequest
  | HeartbeatResponse
  | VoteRequest
  | VoteResponse
  | SnapshotRequest
  | TransferRequest
  | TimeoutNow
  | ProxyVote
  | TransferRefused
  | ProposeRequest
  | ReadIndexRequest
  | ReadIndexResponse;
export type MessageType = Message['type'];

/** A linearizable read may be served once everything up to `index` is applied (§6.4). */
export interface ReadState {
  readonly context: string;
  readonly index: Index;
  /** The read could not be confirmed and will not be; ask again. */
  readonly rejected: boolean;
}

/**
 * Names a write that was handed out, to be given back when it is durable. A late mark of an older
 * term, or of entries replaced meanwhile, is recognised and ignored.
 */
export interface PersistMark {
  readonly term: Term;
  /** The last entry handed out so far and not known to be durable, also when this write carries none; 0 when there is none. */
  readonly index: Index;
  readonly logTerm: Term;
  /** Index of the snapshot of the write, 0 when it carried none. */
  readonly snapshotIndex: Index;
  /** The commit index that becomes true with this write, or with one before it: a leader of two that goes on alone. */
  readonly commitWith?: Index;
}

/**
 * Everything the environment must now do. Plain data; the order of work:
 *  1. send `messages` at once, also while the write of 2 is in flight (§10.2.1);
 *  2. in ONE atomic durable write: snapshot, then entries (truncating what they replace), hard state;
 *  3. when it is durable: give `mark` back, then send `messagesAfterPersist` (those to oneself go back into step);
 *  4. apply `committedEntries` in order, call applyConfChange for each `conf` entry, then report applied(index);
 *  5. answer `readStates` once their index is applied.
 */
export interface Ready {
  readonly softState: SoftState | undefined;
  /**
   * To be written. Its commit index may be ahead of `commitIndex`: one that becomes true by being durable. No later write
   * may carry a lower one.
   */
  readonly hardState: HardState | undefined;
  /** What is committed now: all that may be told to anybody. */
  readonly commitIndex: Index;
  readonly snapshot: SnapshotMeta | undefined;
  readonly entries: readonly Entry[];
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
  readonly messagesAfterPersist: readonly Message[];
  readonly readStates: readonly ReadState[];
  /** False when the write holds nothing a crash may not lose (a new commit index, or nothing at all). */
  readonly mustSync: boolean;
  /** undefined when there is nothing to write. */
  readonly mark: PersistMark | undefined;
}

/**
 * The stable part of the log, as the core reads it: synchronous, and allowed to say "not now".
 * `compacted`: below firstIndex - 1. `unavailable`: not in memory; the environment fetches it and
 * then calls `RawNode.onEntriesFetched()`.
 */
export interface LogReader {
  /** Index of the first entry held; lastIndex() + 1 when the log is empty. */
  firstIndex(): Index;
  lastIndex(): Index;
  /** Term of the entry at index, also at firstIndex() - 1 (the snapshot's). */
  term(index: Index): Term | 'compacted' | 'unavailable';
  /** Entries [from, to), at least one, then as many as fit into maxBytes. */
  entries(from: Index, to: Index, maxBytes: number): readonly Entry[] | 'compacted' | 'unavailable';
  /** The latest snapshot; unavailable while it is being made. */
  snapshot(): SnapshotMeta | 'unavailable';
}

export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The one constructor of entries: every entry has the same hidden class. */
export function makeEntry(
  index: Index,
  term: Term,
  type: EntryType,
  time: number,
  data: Uint8Array,
  change: ConfChange | undefined,
): Entry {
  return { index, term, type, time, data, change };
}
