/**
 * The front desk: the term gate (§3.3), then who answers what in which role. Every cell of the table is filled; one left
 * out does not compile.
 */
import type { Progress } from './progress/progress.ts';
import { onAppendRequest, onAppendResponse, tellTerm } from './protocol/append-entries.ts';
import { hearsLeader, onOldRefusal, onVoteRequest, onVoteResponse, refuseOldPreVote } from './protocol/election.ts';
import { onHeartbeatRequest, onHeartbeatResponse } from './protocol/heartbeat.ts';
import { onSnapshotRequest } from './protocol/install-snapshot.ts';
import { onProposeRequest } from './protocol/propose.ts';
import { onProxyVote } from './protocol/proxy-vote.ts';
import { onReadIndexRequest, onReadIndexResponse } from './protocol/read-index.ts';
import { becomeFollower } from './protocol/roles.ts';
import { onTimeoutNow, onTransferRefused, onTransferRequest } from './protocol/transfer.ts';
import type { Leader, Raft } from './state.ts';
import { type Message, type MessageType, NO_NODE, type Role } from './types.ts';

type Of<T extends MessageType> = Extract<Message, { readonly type: T }>;
/** `member`: the sender, where this node leads and it has been looked up already. */
type Handler<M> = (raft: Raft, message: M, member: Progress | undefined) => void;
type Row = { readonly [T in MessageType]: Handler<Of<T>> };

export function step(raft: Raft, message: Message, member: Progress | undefined): void {
  if (raft.trace !== undefined) raft.trace({ kind: 'received', message });
  if (message.term === 0) {
    if (!mayBeOfNoTerm(message)) return drop(raft, message, 'of no term');
  } else {
    if (message.term !== raft.term && !passesTermGate(raft, message)) return;
    if (message.term === raft.contradictedTerm && speaksAsLeader(message)) {
      return drop(raft, message, 'its leader contradicted what is committed');
    }
  }
  const { role } = raft;
  // The two of every command go past the table: engines look up a name that varies slower than they compare it.
  if (message.type === 'append-request' && role.name === 'follower') {
    onAppendRequest(raft, message);
  } else if (message.type === 'append-response' && role.name === 'leader' && member !== undefined) {
    onAppendResponse(raft, role, member, message);
  } else {
    (rowOf(role.name)[message.type] as Handler<Message>)(raft, message, member);
  }
}

/**
 * Term 0 comes before any election: nobody leads in it, asks for votes or gives them. What is no claim of a term may be
 * said in it: a question that is passed on whatever the terms, and the refusal of a PreVote by who is in it.
 */
function mayBeOfNoTerm(message: Message): boolean {
  const { type } = message;
  if (type === 'propose-request' || type === 'read-index-request') return true;
  return type === 'vote-response' && message.pre && message.reject;
}

function drop(raft: Raft, message: Message, why: string): void {
  if (raft.trace !== undefined) raft.trace({ kind: 'dropped', message, why });
}

/** The row of a role. Said with comparisons, which engines do faster than the lookup of a name. */
function rowOf(role: Role): Row {
  if (role === 'follower') return TABLE.follower;
  return role === 'leader' ? TABLE.leader : TABLE[role];
}

/** "Current terms are exchanged whenever servers communicate" (§3.3). False: the message is done with. */
function passesTermGate(raft: Raft, message: Message): boolean {
  if (message.term < raft.term) {
    answerOldTerm(raft, message);
    return false;
  }
  if (message.type === 'vote-request' && !message.transfer && hearsLeader(raft)) {
    // "If a server receives a RequestVote request within the minimum election timeout of hearing from a current leader,
    // it does not update its term or grant its vote" (§4.2.3).
    if (raft.trace !== undefined) raft.trace({ kind: 'vote-ignored', candidate: message.from, term: message.term });
    return false;
  }
  // A PreVote and its grant speak of a term that nobody is in yet.
  if (message.type === 'vote-request' && message.pre) return true;
  if (message.type === 'vote-response' && message.pre && !message.reject) return true;
  becomeFollower(raft, message.term, speaksAsLeader(message) ? message.from : NO_NODE, 'higher term');
  return true;
}

function speaksAsLeader({ type }: Message): boolean {
  return type === 'append-request' || type === 'heartbeat-request' || type === 'snapshot-request';
}

/**
 * "If a server receives a request with a stale term number, it rejects the request." With PreVote or check-quorum nobody
 * raises terms by asking, so a node stranded at a higher term has to tell the leader itself.
 */
function answerOldTerm(raft: Raft, message: Message): void {
  const { type } = message;
  if (type === 'append-request' || type === 'heartbeat-request') {
    if (raft.checkQuorum || raft.config.preVote) tellTerm(raft, message.from);
  } else if (type === 'vote-request' && message.pre) {
    refuseOldPreVote(raft, message);
  } else if (type === 'vote-response' && message.reject) {
    onOldRefusal(raft, message);
  } else {
    drop(raft, message, 'of an earlier term');
  }
}

/** A cell with nothing to do, and why. */
function nothing(why: string): Handler<Message> {
  return (raft, message) => drop(raft, message, why);
}

/** "If AppendEntries RPC received from new leader: convert to follower" (§3.4). */
function asFollower<M extends Message>(handler: Handler<M>): Handler<M> {
  return (raft, message, member) => {
    becomeFollower(raft, message.term, message.from, 'a leader was elected');
    handler(raft, message, member);
  };
}

/** An answer to this leader from one of its members. */
function fromMember<M extends Message>(
  handler: (raft: Raft, leader: Leader, progress: Progress, message: M) => void,
): Handler<M> {
  return (raft, message, member) => {
    const { role } = raft;
    if (role.name !== 'leader') return;
    const progress = member ?? role.members.get(message.from);
    if (progress !== undefined) handler(raft, role, progress, message);
    else drop(raft, message, 'not a member');
  };
}

const toVote: Handler<Of<'vote-response'>> = (raft, message) => {
  const { role } = raft;
  if (role.name === 'candidate' || role.name === 'pre-candidate') onVoteResponse(raft, role, message);
};

const notLeading: Handler<Message> = nothing('not the leader');
const ownTerm: Handler<Message> = nothing('one leader per term, and it is this one');
const campaigning: Handler<Message> = nothing('campaigning already');
const notAsked: Handler<Message> = nothing('not asked for');

const CANDIDATE: Row = {
  'append-request': asFollower(onAppendRequest),
  'append-response': notLeading,
  'heartbeat-request': asFollower(onHeartbeatRequest),
  'heartbeat-response': notLeading,
  'vote-request': onVoteRequest,
  'vote-response': toVote,
  'snapshot-request': asFollower(onSnapshotRequest),
  'transfer-request': notLeading,
  'timeout-now': campaigning,
  'proxy-vote': campaigning,
  'transfer-refused': notLeading,
  'propose-request': onProposeRequest,
  'read-index-request': onReadIndexRequest,
  'read-index-response': notAsked,
};

const TABLE: Readonly<Record<Role, Row>> = {
  follower: {
    'append-request': onAppendRequest,
    'append-response': notLeading,
    'heartbeat-request': onHeartbeatRequest,
    'heartbeat-response': notLeading,
    'vote-request': onVoteRequest,
    'vote-response': notAsked,
    'snapshot-request': onSnapshotRequest,
    'transfer-request': onTransferRequest,
    'timeout-now': onTimeoutNow,
    'proxy-vote': onProxyVote,
    'transfer-refused': notLeading,
    'propose-request': onProposeRequest,
    'read-index-request': onReadIndexRequest,
    'read-index-response': onReadIndexResponse,
  },
  'pre-candidate': CANDIDATE,
  candidate: CANDIDATE,
  leader: {
    'append-request': ownTerm,
    'append-response': fromMember(onAppendResponse),
    'heartbeat-request': ownTerm,
    'heartbeat-response': fromMember(onHeartbeatResponse),
    'vote-request': onVoteRequest,
    'vote-response': nothing('elected already'),
    'snapshot-request': ownTerm,
    'transfer-request': onTransferRequest,
    'timeout-now': nothing('leading already'),
    'proxy-vote': nothing('leading already'),
    'transfer-refused': fromMember((raft, leader, _progress, message) => onTransferRefused(raft, leader, message)),
    'propose-request': onProposeRequest,
    'read-index-request': onReadIndexRequest,
    'read-index-response': notAsked,
  },
};
