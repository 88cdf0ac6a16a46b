/**
 * Who may say what. Every decoded message passes this one table before anything acts on it: the rank its sender must have in the
 * configuration that this node knows, its size, how far it may reach ahead, and what it costs to say it unasked. A kind without a
 * row does not compile.
 */
import type { Index, Message, MessageType, NodeId, Term } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import { TERM_REACH_MAX } from '../../wire/limits.ts';
import type { CallMethod, PeerMessage } from '../../wire/peer-message.ts';
import { bytesMaxOf } from '../../wire/sizes.ts';
import { TERMLESS } from '../../wire/tables.ts';

/**
 * What a peer is to this node, in rising order: a stranger has said no hello that fits; a newcomer's hello fits, but it is in no
 * configuration that this node knows; a member is, and a voter votes in it.
 */
export const SPEAKERS = ['stranger', 'newcomer', 'member', 'voter'] as const;
export type Speaker = (typeof SPEAKERS)[number];

/** What the inbox must know of this node. */
export interface InboxView {
  speaker(peer: NodeId): Speaker;
  /** Of this node; 0 outside a cluster. */
  readonly term: Term;
  /** The greatest term that this node has reached or was told of by a voter: how far ahead another may be is counted from it. */
  readonly knownTerm: Term;
  readonly lastIndex: Index;
  /** NO_NODE when none is known. */
  readonly leaderId: NodeId;
}

export type InboxKind = Exclude<PeerMessage['kind'], 'raft' | 'call'> | `raft ${MessageType}` | `call ${CallMethod}`;

interface Row {
  /** The least its sender must be. `nobody`: this node has no use for it, whoever says it. */
  readonly who: Speaker | 'nobody';
  /** Of a message of this node's term, only the leader of that term is heard. */
  readonly leaderOnly?: true;
  /** What it costs to say it without being allowed to: an honest node may lag behind and not know; nobody honest says the others. */
  readonly strikes: 0 | 1;
}

export const INBOX: { readonly [K in InboxKind]: Row } = {
  hello: { who: 'stranger', strikes: 1 },
  // Answers count only where this node has asked.
  reply: { who: 'stranger', strikes: 0 },
  // An epoch that is over ends a node: only who it knows as a member can say so, once its hello has said the same.
  refusal: { who: 'stranger', strikes: 0 },
  goodbye: { who: 'stranger', strikes: 0 },
  presence: { who: 'member', strikes: 0 },
  'snapshot-offer': { who: 'voter', leaderOnly: true, strikes: 0 },
  'snapshot-chunk': { who: 'voter', strikes: 0 },
  'snapshot-ack': { who: 'member', strikes: 0 },
  'raft append-request': { who: 'voter', leaderOnly: true, strikes: 0 },
  'raft append-response': { who: 'member', strikes: 0 },
  'raft heartbeat-request': { who: 'voter', leaderOnly: true, strikes: 0 },
  'raft heartbeat-response': { who: 'member', strikes: 0 },
  'raft vote-request': { who: 'member', strikes: 0 },
  'raft vote-response': { who: 'member', strikes: 0 },
  'raft timeout-now': { who: 'voter', leaderOnly: true, strikes: 0 },
  'raft proxy-vote': { who: 'voter', leaderOnly: true, strikes: 0 },
  'raft transfer-refused': { who: 'member', strikes: 0 },
  'raft read-index-request': { who: 'member', strikes: 0 },
  'raft read-index-response': { who: 'voter', strikes: 0 },
  // The runtime offers snapshots, forwards proposals and asks for transfers in its own words.
  'raft snapshot-request': { who: 'nobody', strikes: 1 },
  'raft propose-request': { who: 'nobody', strikes: 1 },
  'raft transfer-request': { who: 'nobody', strikes: 1 },
  'call join': { who: 'newcomer', strikes: 0 },
  'call propose': { who: 'member', strikes: 0 },
  'call membership': { who: 'member', strikes: 0 },
  'call status': { who: 'member', strikes: 0 },
  'call transfer': { who: 'member', strikes: 0 },
  'call digest': { who: 'member', strikes: 0 },
  'call secret': { who: 'member', strikes: 0 },
  // By what it was let in is looked at where it is answered.
  'call client': { who: 'newcomer', strikes: 0 },
  'call relay': { who: 'member', strikes: 0 },
};

/** Indexes that a message may be ahead of this node's log: more entries than any log will hold, fewer than there are numbers. */
export const INDEX_REACH_MAX: Index = 2 ** 40;

export type Verdict =
  | { readonly kind: 'taken' }
  /** It is dropped, and counts so many strikes. `notMember`: a member would have been heard. */
  | { readonly kind: 'refused'; readonly strikes: number; readonly notMember: boolean };

const TAKEN: Verdict = { kind: 'taken' };
const NOT_A_MEMBER: Verdict = { kind: 'refused', strikes: 0, notMember: true };
const IGNORED: Verdict = { kind: 'refused', strikes: 0, notMember: false };
const FORGED: Verdict = { kind: 'refused', strikes: 1, notMember: false };

const RAFT_ROWS = Object.fromEntries(
  Object.entries(INBOX).flatMap(([kind, row]) => (kind.startsWith('raft ') ? [[kind.slice('raft '.length), row]] : [])),
) as { readonly [T in MessageType]: Row };

/** Whether a message that came from `peer` over its link, in so many bytes, is to be acted upon. */
export function examine(
  message: PeerMessage,
  bytes: number,
  link: { readonly self: NodeId; readonly peer: NodeId },
  view: InboxView,
): Verdict {
  // The most frequent kind is looked up without making its name.
  const row = message.kind === 'raft' ? RAFT_ROWS[message.message.type] : INBOX[kindOf(message)];
  if (row.who === 'nobody' || bytes > bytesMaxOf(message)) return FORGED;
  if (rankOf(view.speaker(link.peer)) < rankOf(row.who)) {
    if (row.strikes > 0) return FORGED;
    return rankOf(row.who) >= rankOf('member') ? NOT_A_MEMBER : IGNORED;
  }
  const raft = raftIn(message);
  return raft === undefined ? TAKEN : examineRaft(raft, row, link, view);
}

function examineRaft(
  message: Message,
  row: Row,
  link: { readonly self: NodeId; readonly peer: NodeId },
  view: InboxView,
): Verdict {
  // The link is one pair of nodes: nobody speaks for somebody else.
  if (message.from !== link.peer || message.to !== link.self) return FORGED;
  if (message.term === 0 && !TERMLESS.has(message.type)) return FORGED;
  // A term that no honest cluster reached would, once stepped, leave no terms to elect in.
  if (message.term > view.knownTerm + TERM_REACH_MAX || reachOf(message) > view.lastIndex + INDEX_REACH_MAX) return FORGED;
  const rival = row.leaderOnly === true && message.term === view.term && view.leaderId !== NO_NODE && view.leaderId !== link.peer;
  return rival ? IGNORED : TAKEN;
}

export function kindOf(message: PeerMessage): InboxKind {
  if (message.kind === 'raft') return `raft ${message.message.type}`;
  return message.kind === 'call' ? `call ${message.method}` : message.kind;
}

/** The Raft message that a peer message carries, if it does. */
function raftIn(message: PeerMessage): Message | undefined {
  if (message.kind === 'raft') return message.message;
  return message.kind === 'snapshot-offer' ? message.request : undefined;
}

function rankOf(speaker: Speaker): number {
  return SPEAKERS.indexOf(speaker);
}

/** The greatest index that a message names. */
function reachOf(message: Message): Index {
  switch (message.type) {
    case 'append-request':
      return Math.max(message.prevIndex, message.commit);
    case 'append-response':
      return Math.max(message.index, message.hintIndex, message.commit);
    case 'heartbeat-request':
      return message.commit;
    case 'vote-request':
      return Math.max(message.lastIndex, message.commit);
    case 'vote-response':
      return message.commit;
    case 'snapshot-request':
      return message.snapshot.index;
    case 'read-index-response':
      return message.index;
    default:
      return 0;
  }
}
