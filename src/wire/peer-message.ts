/**
 * What two nodes say to each other over a link: the Raft messages of the core, and what the runtime adds.
 * Sender, cluster and epoch are said once per link (`hello`) and hold for all that follows on it: a link
 * belongs to one pair of boots. Nothing is accepted before the hello.
 */
import type { RaftErrorCode } from '../core/errors.ts';
import type { Message, NodeId, SnapshotRequest } from '../core/types.ts';

/** Range of protocol versions this build speaks; a link uses the highest both know. */
export const PROTOCOL_VERSION_MIN = 1;
export const PROTOCOL_VERSION_MAX = 3;

export interface Hello {
  readonly kind: 'hello';
  readonly versionMin: number;
  readonly versionMax: number;
  readonly nodeId: NodeId;
  readonly bootNonce: string;
  /** '' for a node that belongs to no cluster yet (it wants to join). */
  readonly clusterId: string;
  /** Cluster epoch, raised by `recover`; 0 with no cluster. */
  readonly epoch: number;
  /** Version of the state machine's commands. */
  readonly machineVersion: number;
  /** A name for people; may be empty. */
  readonly name: string;
}

/** A Raft message of the group (0: the only one so far). */
export interface RaftEnvelope {
  readonly kind: 'raft';
  readonly group: number;
  readonly message: Message;
}

/** Asks another member's runtime for something; answered by exactly one Reply with the same id. */
export interface Call {
  readonly kind: 'call';
  /** Unique per link and direction; a safe integer from 1. */
  readonly id: number;
  readonly method: CallMethod;
  /** Encoded by the method's own codec; at most CALL_BODY_BYTES_MAX bytes. */
  readonly body: Uint8Array;
}
export type CallMethod = 'propose' | 'membership' | 'join' | 'status' | 'transfer' | 'digest' | 'secret' | 'client' | 'relay';

export interface Reply {
  readonly kind: 'reply';
  readonly id: number;
  /** null: done, the answer is in body. */
  readonly error: ReplyError | null;
  readonly body: Uint8Array;
}
export interface ReplyError {
  readonly code: RaftErrorCode;
  readonly message: string;
  readonly leaderHint: NodeId;
  /** 0: not said. */
  readonly retryAfterMs: number;
}

/** A snapshot is offered, fetched chunk by chunk from where the receiver stands, then stepped into its core. */
export interface SnapshotOffer {
  readonly kind: 'snapshot-offer';
  readonly transfer: number;
  readonly request: SnapshotRequest;
  readonly bytes: number;
  readonly digest: string;
}
export interface SnapshotChunk {
  readonly kind: 'snapshot-chunk';
  readonly transfer: number;
  readonly sequence: number;
  readonly last: boolean;
  readonly data: Uint8Array;
}
/** The receiver has stored chunks below `next`; `refused` ends the transfer. */
export interface SnapshotAck {
  readonly kind: 'snapshot-ack';
  readonly transfer: number;
  readonly next: number;
  readonly refused: boolean;
}

/** The sender is closing on purpose (pagehide, stop). */
export interface Goodbye {
  readonly kind: 'goodbye';
  readonly reason: 'stop' | 'pagehide' | 'leave' | 'removed';
}

/** A member tells a node whose cluster, epoch or membership does not fit, then closes the link. */
export interface Refusal {
  readonly kind: 'refusal';
  readonly reason: RefusalReason;
  /** For people: nothing is decided by it. */
  readonly message: string;
}
export type RefusalReason = 'other-node' | 'protocol' | 'other-cluster' | 'other-epoch' | 'removed' | 'not-a-member';

/** What a member shows of itself to whoever is linked to it, for a time: nothing is stored, nothing depends on it. */
export interface Shown {
  readonly kind: 'presence';
  /** It is to be forgotten after so long, unless it is said again, in ms; 1 to PRESENCE_TTL_MS_MAX. */
  readonly ttlMs: number;
  /** A value of the application's own, at most PRESENCE_BYTES_MAX; null for nothing any more. */
  readonly data: Uint8Array | null;
}

export type PeerMessage =
  | Hello
  | RaftEnvelope
  | Call
  | Reply
  | SnapshotOffer
  | SnapshotChunk
  | SnapshotAck
  | Goodbye
  | Refusal
  | Shown;
