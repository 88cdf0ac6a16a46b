/** Who may say what, written out by hand, against the table (findings A1, A8 to A10, D2, D3). */
import { describe, expect, test } from 'vitest';
import { EMPTY_CONF } from '../../../src/core/conf/conf-change.ts';
import type { Message, SnapshotRequest } from '../../../src/core/types.ts';
import {
  examine,
  INBOX,
  INDEX_REACH_MAX,
  type InboxKind,
  type InboxView,
  kindOf,
  type Speaker,
} from '../../../src/runtime/peers/inbox.ts';
import { TERM_REACH_MAX } from '../../../src/wire/limits.ts';
import type { CallMethod, PeerMessage } from '../../../src/wire/peer-message.ts';
import { bytesMaxOf } from '../../../src/wire/sizes.ts';

const link = { self: 'me', peer: 'p' };
const ends = { from: 'p', to: 'me' };
const body = new Uint8Array(0);

function view(speaker: Speaker, given: Partial<InboxView> = {}): InboxView {
  return { speaker: () => speaker, term: 5, knownTerm: 5, lastIndex: 100, leaderId: '', ...given };
}

const snapshot: SnapshotRequest = {
  ...ends,
  type: 'snapshot-request',
  term: 5,
  snapshot: { index: 9, term: 4, conf: { ...EMPTY_CONF, voters: ['p'] }, data: undefined },
};
const RAFT: readonly Message[] = [
  { ...ends, type: 'append-request', term: 5, prevIndex: 1, prevTerm: 1, commit: 1, entries: [] },
  { ...ends, type: 'append-response', term: 5, index: 1, reject: false, hintIndex: 0, hintTerm: 0, commit: 1 },
  { ...ends, type: 'heartbeat-request', term: 5, commit: 1, round: 1 },
  { ...ends, type: 'heartbeat-response', term: 5, round: 1 },
  {
    ...ends,
    type: 'vote-request',
    term: 6,
    pre: true,
    lastIndex: 1,
    lastTerm: 1,
    transfer: false,
    priority: 0,
    commit: 1,
    commitTerm: 1,
  },
  { ...ends, type: 'vote-response', term: 6, pre: true, reject: false, commit: 1, commitTerm: 1 },
  snapshot,
  { ...ends, type: 'transfer-request', term: 5, target: 'p' },
  { ...ends, type: 'timeout-now', term: 5 },
  { ...ends, type: 'proxy-vote', term: 5, lastIndex: 1, lastTerm: 1, sealed: true },
  { ...ends, type: 'transfer-refused', term: 5 },
  { ...ends, type: 'propose-request', term: 5, entries: [] },
  { ...ends, type: 'read-index-request', term: 5, context: 'c' },
  { ...ends, type: 'read-index-response', term: 5, context: 'c', index: 1, reject: false },
];
const METHODS: readonly CallMethod[] = [
  'propose',
  'membership',
  'join',
  'status',
  'transfer',
  'digest',
  'secret',
  'client',
  'relay',
];
const MESSAGES: readonly PeerMessage[] = [
  {
    kind: 'hello',
    versionMin: 1,
    versionMax: 1,
    nodeId: 'p',
    bootNonce: 'b',
    clusterId: '',
    epoch: 0,
    machineVersion: 1,
    name: '',
  },
  { kind: 'refusal', reason: 'removed', message: '' },
  { kind: 'goodbye', reason: 'stop' },
  { kind: 'reply', id: 1, error: null, body },
  { kind: 'snapshot-offer', transfer: 1, request: snapshot, bytes: 1, digest: 'd' },
  { kind: 'snapshot-chunk', transfer: 1, sequence: 0, last: true, data: body },
  { kind: 'snapshot-ack', transfer: 1, next: 0, refused: false },
  { kind: 'presence', ttlMs: 1, data: null },
  ...METHODS.map((method): PeerMessage => ({ kind: 'call', id: 1, method, body })),
  ...RAFT.map((message): PeerMessage => ({ kind: 'raft', group: 0, message })),
];

const ANYBODY: readonly InboxKind[] = ['hello', 'refusal', 'goodbye', 'reply'];
const NEWCOMER: readonly InboxKind[] = ['call join', 'call client'];
const MEMBER: readonly InboxKind[] = [
  'presence',
  'snapshot-ack',
  'call propose',
  'call membership',
  'call status',
  'call transfer',
  'call digest',
  'call secret',
  'call relay',
  'raft append-response',
  'raft heartbeat-response',
  'raft vote-request',
  'raft vote-response',
  'raft transfer-refused',
  'raft read-index-request',
];
const VOTER: readonly InboxKind[] = [
  'snapshot-offer',
  'snapshot-chunk',
  'raft append-request',
  'raft heartbeat-request',
  'raft timeout-now',
  'raft proxy-vote',
  'raft read-index-response',
];

function mayBeSaidBy(speaker: Speaker): readonly InboxKind[] {
  const ranks: readonly (readonly InboxKind[])[] = [ANYBODY, NEWCOMER, MEMBER, VOTER];
  return ranks.slice(0, ['stranger', 'newcomer', 'member', 'voter'].indexOf(speaker) + 1).flat();
}

const raft = (message: Message): PeerMessage => ({ kind: 'raft', group: 0, message });
const verdict = (message: PeerMessage, given: Partial<InboxView> = {}, bytes = 10) =>
  examine(message, bytes, link, view('voter', given));

describe('the inbox', () => {
  test('the messages of this test are all the kinds there are', () => {
    expect(MESSAGES.map(kindOf).sort()).toEqual(Object.keys(INBOX).sort());
  });

  for (const speaker of ['stranger', 'newcomer', 'member', 'voter'] as const) {
    test(`a ${speaker} is heard in what it may say, and in nothing else`, () => {
      const heard = MESSAGES.filter((message) => examine(message, 10, link, view(speaker)).kind === 'taken').map(kindOf);
      expect(heard.sort()).toEqual([...mayBeSaidBy(speaker)].sort());
    });
  }

  test('nobody speaks for somebody else: from and to are the ends of the link, in an offered snapshot too', () => {
    for (const message of RAFT) {
      expect(verdict(raft({ ...message, from: 'x' } as Message)).kind).toBe('refused');
      expect(verdict(raft({ ...message, to: 'x' } as Message)).kind).toBe('refused');
    }
    const offer = (request: SnapshotRequest): PeerMessage => ({
      kind: 'snapshot-offer',
      transfer: 1,
      request,
      bytes: 1,
      digest: 'd',
    });
    expect(verdict(offer(snapshot)).kind).toBe('taken');
    expect(verdict(offer({ ...snapshot, from: 'x' })).kind).toBe('refused');
  });

  test('term 0 is of no term: only a question or its answer may carry it', () => {
    const termless = RAFT.filter((message) => verdict(raft({ ...message, term: 0 } as Message)).kind === 'taken').map(
      ({ type }) => type,
    );
    expect(termless.sort()).toEqual(['read-index-request', 'read-index-response', 'vote-request', 'vote-response']);
  });

  test('terms and indexes that no honest cluster has reached are forged', () => {
    const heartbeat = (term: number, commit = 1): PeerMessage =>
      raft({ ...ends, type: 'heartbeat-request', term, commit, round: 1 });
    expect(verdict(heartbeat(5 + TERM_REACH_MAX)).kind).toBe('taken');
    expect(verdict(heartbeat(6 + TERM_REACH_MAX))).toEqual({ kind: 'refused', strikes: 1, notMember: false });
    expect(verdict(heartbeat(5, 100 + INDEX_REACH_MAX)).kind).toBe('taken');
    expect(verdict(heartbeat(5, 101 + INDEX_REACH_MAX)).kind).toBe('refused');
  });

  test('of this term only its leader is heard; of a later one whoever leads that', () => {
    const append = (term: number): PeerMessage =>
      raft({ ...ends, type: 'append-request', term, prevIndex: 1, prevTerm: 1, commit: 1, entries: [] });
    expect(verdict(append(5), { leaderId: 'other' }).kind).toBe('refused');
    expect(verdict(append(5), { leaderId: 'p' }).kind).toBe('taken');
    expect(verdict(append(6), { leaderId: 'other' }).kind).toBe('taken');
    // Told of a later term, it still follows the leader of its own.
    expect(verdict(append(6), { leaderId: 'other', knownTerm: 6 }).kind).toBe('taken');
  });

  test('no kind is longer than its limit', () => {
    for (const message of MESSAGES) {
      const bytesMax = bytesMaxOf(message);
      if (INBOX[kindOf(message)].who === 'nobody') continue;
      expect(verdict(message, {}, bytesMax).kind).toBe('taken');
      expect(verdict(message, {}, bytesMax + 1)).toMatchObject({ kind: 'refused', strikes: 1 });
    }
  });
});
