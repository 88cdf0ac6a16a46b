/**
 * PORT: the seam of a node. On one side consensus (core, replica, log, snapshots in transit, peers), on the other the application
 * (state machine, sessions, callers, reads, subscriptions, the change feed). What crosses is plain data that survives a structured
 * clone: the two may stand in one thread, where a crossing is a call, or in two.
 */
import type { RaftErrorCode } from '../../core/errors.ts';
import type { Entry, Index, NodeId, ReadState, Term } from '../../core/types.ts';
import type { WriteBatch } from '../../storage/storage.ts';
import type { MemberRole } from '../../trust/roles.ts';
import type { ClientQuestion } from '../../wire/client-bodies.ts';

/** A coded error as it crosses: a class does not survive a structured clone. */
export interface ErrorData {
  readonly code: RaftErrorCode;
  readonly message: string;
  readonly index: Index | undefined;
  readonly leaderHint: NodeId | undefined;
  readonly retryAfterMs: number | undefined;
  readonly mayHaveApplied: boolean | undefined;
}

/** Who takes proposals now. */
export interface Leadership {
  readonly leaderId: NodeId;
  readonly term: Term;
  /** This node leads. */
  readonly isSelf: boolean;
}

/** Commands for the leader that `leadership` names, answered once with the same ticket (`Application.proposed`). */
export interface ProposalBatch {
  readonly ticket: number;
  readonly leadership: Leadership;
  /** Each a whole envelope. */
  readonly data: readonly Uint8Array[];
}

/** What the consensus side asks of the application side. Only what returns a promise fails. */
export interface Application {
  /** A member opens: the state is to be that of the initial machine. Errors: handler-failed. */
  reset(): Promise<void>;
  /** The state becomes a snapshot's. Errors: corrupt, version-mismatch. */
  restore(chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** The member goes on from a state that covers the log up to `applied`; what was remembered of an earlier one is void. */
  opened(applied: Index): void;
  /** A leader's snapshot took the place of entries that were never applied here one by one. */
  installed(applied: Index): void;
  /** Committed entries in order, none of them a configuration change. Answered by `Consensus.applied` when all are applied. */
  committed(entries: readonly Entry[]): void;
  /** A configuration took effect at `index`, in its place between the entries; `context` holds the cluster's settings. */
  configured(index: Index, context: Uint8Array, roles: readonly (readonly [id: NodeId, role: MemberRole])[]): void;
  /** After each run of committed entries and configuration changes. */
  caughtUp(applied: Index): void;
  /** The state of now; what is applied later does not change it. */
  snapshot(): AsyncIterable<Uint8Array>;
  /** The leader took the proposals into its log (`error` undefined), or did not. */
  proposed(ticket: number, error: ErrorData | undefined): void;
  /** A round of reads was confirmed, or must be asked again. */
  confirmed(read: ReadState): void;
  /** Another leader, or none: rounds asked of the last are lost. */
  leaderChanged(): void;
  /** The member has ended: nothing more is applied before the next `reset`. */
  halt(): void;
  /** What an earlier life of this node left in its database beside the log; before anything else crosses. Errors: those of storage. */
  inherit(records: ReadonlyMap<string, Uint8Array>): Promise<void>;
  /** Hands over now what waits to be asked or proposed. */
  flush(): void;
  /** Time goes by: what has waited too long ends. */
  tick(): void;
  /** How this node stands is another (NodeView): its role, its leader, its configuration. */
  stood(): void;
  /** This node was removed: whoever waits is told, for nothing will come any more. */
  removed(): void;
  /** The node is stopped on purpose: what its callers want to be kept is handed to storage now. */
  stopping(): void;
  /** The node has ended (NodeView.ended says why): every call is told. */
  ended(): void;
  /** After the end: what is still to be stored beside the log. */
  lastRecords(): Promise<WriteBatch | undefined>;
  /** A decision about who may come in, written in this node's session and by this role. Errors: those of the ledger and of a write. */
  decide(command: Uint8Array, role: MemberRole, timeoutMs: number): Promise<void>;
  /** A member asks about digests of the state (wire/digest-bodies). Errors: message-invalid. */
  digest(peer: NodeId, question: Uint8Array): Promise<Uint8Array>;
  /** What a client asks of this node's state, or writes (wire/client-bodies), answered as its bytes. Errors: timeout, busy, and those of a query. */
  client(client: NodeId, question: ClientQuestion): Promise<Uint8Array>;
  /** The leader's state, asked for by `Consensus.resync`, does not come. */
  resyncFailed(): void;
}

/** How the two sides meet. In one thread they call each other; a test puts a structured clone between them. */
export interface Crossing {
  /** The application side as consensus reaches it. */
  application(inner: Application): Application;
  /** The consensus side as the application reaches it. */
  consensus(inner: Consensus): Consensus;
}

export const ONE_THREAD: Crossing = { application: (inner) => inner, consensus: (inner) => inner };

/** What the application side asks of the consensus side. None of these throws; what returns a promise may reject. */
export interface Consensus {
  /** Everything up to `index` is applied. */
  applied(index: Index): void;
  /** The state machine cannot go on: this member ends. */
  failed(error: ErrorData): void;
  /** Undefined when nobody is known who leads and can be reached. */
  leadership(): Leadership | undefined;
  propose(batch: ProposalBatch): void;
  /** Takes a client's envelopes to whoever leads, in the client's name. Errors: no-leader, and those of a proposal. */
  proposeFor(client: NodeId, data: readonly Uint8Array[]): Promise<void>;
  /** The ledger (trust/ledger-codec) is another: by an entry, a snapshot, or a new beginning. */
  decided(ledger: Uint8Array): void;
  /** Asks one round of reads of the leader (§6.4); false when nobody can be asked now. */
  askReadRound(context: string): boolean;
  /** Something waits on the application side that the next pump should take along. */
  wake(): void;
  /** Records to be stored beside the log; nobody waits for them. */
  keep(batch: WriteBatch): void;
  /** Stores records that somebody waits for. Errors: quota, storage. */
  store(batch: WriteBatch): Promise<void>;
  /** The end of the log that was found at the start and is not known to be committed. Errors: those of storage. */
  uncommitted(): Promise<readonly Entry[]>;
  /** Applied entries in [from, to], as many as `bytesMax` holds. Errors: index-compacted, not-a-member, and those of storage. */
  entries(from: Index, to: Index, bytesMax: number): Promise<readonly Entry[]>;
  /** A question about digests to every linked member; nobody waits for the answers. */
  tellDigest(question: Uint8Array): void;
  /** Undefined when it was not answered in time. */
  askDigest(peer: NodeId, question: Uint8Array, timeoutMs: number): Promise<Uint8Array | undefined>;
  /** The other members that have a state to compare. */
  stateHolders(): Promise<readonly NodeId[]>;
  /** Asks the leader for its state in place of this node's; `stateQuestion` is the question that does. */
  resync(stateQuestion: Uint8Array): void;
  /** Sends a member the state of now, on the leader. */
  sendState(peer: NodeId): void;
}
