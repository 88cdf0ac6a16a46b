/** Messages, both ways. */
import type { Message, SnapshotMeta } from '../../src/core/types.ts';
import { makeEntry } from '../../src/core/types.ts';
import type * as H from './harness.ts';
import { bytesOf, confIn, confOut, entryIn, entryOut, idOf, numberOf, textOf } from './texts.ts';

const BLANK = {
  term: 0,
  logTerm: 0,
  index: 0,
  commit: 0,
  vote: 0,
  reject: false,
  rejectHint: 0,
  entries: [],
  responses: [],
} as const;

export function snapshotOut(snapshot: SnapshotMeta): H.Snapshot {
  return { index: snapshot.index, term: snapshot.term, confState: confOut(snapshot.conf), text: textOf(snapshot.data) };
}

export function snapshotIn(snapshot: H.Snapshot): SnapshotMeta {
  return { index: snapshot.index, term: snapshot.term, conf: confIn(snapshot.confState), data: bytesOf(snapshot.text) };
}

/** A message as the harness prints it. It keeps ours, so that what is delivered is what was sent. */
export function messageOut(message: Message): H.Message {
  const from = numberOf(message.from);
  const base = { ...BLANK, from, to: numberOf(message.to), term: message.term, raw: message };
  switch (message.type) {
    case 'append-request': {
      const { prevIndex, prevTerm, commit, entries } = message;
      return { ...base, type: 'MsgApp', index: prevIndex, logTerm: prevTerm, commit, entries: entries.map(entryOut) };
    }
    case 'append-response': {
      const { index, reject, hintIndex, hintTerm } = message;
      return { ...base, type: 'MsgAppResp', index, reject, rejectHint: hintIndex, logTerm: hintTerm };
    }
    case 'heartbeat-request':
      return { ...base, type: 'MsgHeartbeat', commit: message.commit };
    case 'heartbeat-response':
      return { ...base, type: 'MsgHeartbeatResp' };
    case 'vote-request': {
      const type = message.pre ? 'MsgPreVote' : 'MsgVote';
      return { ...base, type, index: message.lastIndex, logTerm: message.lastTerm };
    }
    case 'vote-response':
      return { ...base, type: message.pre ? 'MsgPreVoteResp' : 'MsgVoteResp', reject: message.reject };
    case 'snapshot-request':
      return { ...base, type: 'MsgSnap', snapshot: snapshotOut(message.snapshot) };
    case 'transfer-request':
      return { ...base, type: 'MsgTransferLeader', from: numberOf(message.target) };
    case 'timeout-now':
      return { ...base, type: 'MsgTimeoutNow' };
    // Ours alone, and off here.
    case 'proxy-vote':
      return { ...base, type: 'ProxyVote' };
    case 'transfer-refused':
      return { ...base, type: 'TransferRefused' };
    case 'propose-request':
      return { ...base, type: 'MsgProp', entries: message.entries.map(entryOut) };
    case 'read-index-request':
      return { ...base, type: 'MsgReadIndex', entries: [contextOut(message.context)] };
    case 'read-index-response':
      return { ...base, type: 'MsgReadIndexResp', index: message.index, entries: [contextOut(message.context)] };
  }
}

/** The context of a read travels as the payload of an entry there. */
function contextOut(text: string): H.Entry {
  return { term: 0, index: 0, kind: 'normal', text, changes: [] };
}

/** undefined for what is no message of ours. */
export function messageIn(message: H.Message): Message | undefined {
  if (message.raw !== undefined) return message.raw as Message;
  const from = idOf(message.from as number);
  const base = { from, to: idOf(message.to as number), term: message.term };
  const { index, logTerm, commit, reject } = message;
  const context = message.entries[0]?.text ?? '';
  switch (message.type) {
    case 'MsgApp': {
      const entries = message.entries.map(entryIn);
      return { ...base, type: 'append-request', prevIndex: index, prevTerm: logTerm, commit, entries };
    }
    case 'MsgAppResp':
      return { ...base, type: 'append-response', index, reject, hintIndex: message.rejectHint, hintTerm: logTerm, commit: 0 };
    case 'MsgHeartbeat':
      return { ...base, type: 'heartbeat-request', commit, round: 0 };
    case 'MsgHeartbeatResp':
      return { ...base, type: 'heartbeat-response', round: 0 };
    case 'MsgVote':
    case 'MsgPreVote': {
      const pre = message.type === 'MsgPreVote';
      const log = { lastIndex: index, lastTerm: logTerm, commit: 0, commitTerm: 0 };
      return { ...base, ...log, type: 'vote-request', pre, transfer: false, priority: 0 };
    }
    case 'MsgVoteResp':
    case 'MsgPreVoteResp':
      return { ...base, type: 'vote-response', pre: message.type === 'MsgPreVoteResp', reject, commit: 0, commitTerm: 0 };
    case 'MsgSnap':
      return message.snapshot && { ...base, type: 'snapshot-request', snapshot: snapshotIn(message.snapshot) };
    case 'MsgTransferLeader':
      return { ...base, type: 'transfer-request', target: from };
    case 'MsgTimeoutNow':
      return { ...base, type: 'timeout-now' };
    case 'MsgProp': {
      const entries = message.entries.map((entry) => makeEntry(0, 0, 'normal', 0, bytesOf(entry.text), undefined));
      return { ...base, type: 'propose-request', entries };
    }
    case 'MsgReadIndex':
      return { ...base, type: 'read-index-request', context };
    case 'MsgReadIndexResp':
      return { ...base, type: 'read-index-response', context, index, reject: false };
    default:
      return undefined;
  }
}
