import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack, unpack } from '../../src/codec/pack.ts';
import { RaftError } from '../../src/core/errors.ts';
import { type AppendRequest, type Entry, type Message, makeEntry, NO_BYTES } from '../../src/core/types.ts';
import { decodePeerMessage, decodeRecordedMessage, encodePeerMessage, encodeRecordedMessage } from '../../src/wire/codec.ts';
import { MESSAGE_BYTES_MAX } from '../../src/wire/limits.ts';
import type { PeerMessage } from '../../src/wire/peer-message.ts';
import { peerMessage, raftMessage, unusedMessage } from './arbitrary.ts';
import { RAFT_SAMPLES } from './samples.ts';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof RaftError ? error.code : `not a RaftError: ${String(error)}`;
  }
  return 'no error';
}

const append: AppendRequest = {
  type: 'append-request',
  from: 'a',
  to: 'b',
  term: 5,
  prevIndex: 9,
  prevTerm: 4,
  commit: 8,
  entries: [makeEntry(10, 4, 'normal', 1, Uint8Array.of(1, 2), undefined), makeEntry(11, 5, 'normal', 2, NO_BYTES, undefined)],
};
const raft = (message: AppendRequest): PeerMessage => ({ kind: 'raft', group: 0, message });

/** A valid message's parts with one of them replaced. */
function forged(message: PeerMessage, part: number, value: unknown): Uint8Array {
  const parts = unpack(encodePeerMessage(message)) as unknown[];
  parts[part] = value;
  return pack(parts);
}

describe('peer messages', () => {
  it('come back as they were sent, every kind and type', () => {
    fc.assert(
      fc.property(peerMessage, (message) => {
        expect(decodePeerMessage(encodePeerMessage(message))).toEqual(message);
      }),
      { numRuns: 1_000 },
    );
  });

  it('of a later version may say more in their hello, and only there', () => {
    const hello: PeerMessage = {
      kind: 'hello',
      versionMin: 1,
      versionMax: 2,
      nodeId: 'a',
      bootNonce: 'n',
      clusterId: '',
      epoch: 0,
      machineVersion: 1,
      name: '',
    };
    expect(decodePeerMessage(pack([...(unpack(encodePeerMessage(hello)) as unknown[]), 'more', { than: 1 }]))).toEqual(hello);
    expect(codeOf(() => decodePeerMessage(pack([...(unpack(encodePeerMessage(raft(append))) as unknown[]), 1])))).toBe(
      'message-invalid',
    );
  });

  it('encode the entries of an append once for all who get the same run', () => {
    let reads = 0;
    const entry: Entry = {
      ...makeEntry(10, 4, 'normal', 1, NO_BYTES, undefined),
      get data() {
        reads++;
        return Uint8Array.of(1, 2, 3);
      },
    };
    const first = { ...append, entries: [entry] };
    const other = { ...append, to: 'c', entries: [entry] };
    expect(decodePeerMessage(encodePeerMessage(raft(first)))).toEqual(raft(first));
    reads = 0;
    const encoded = encodePeerMessage(raft(other));
    expect(reads).toBe(0);
    expect(decodePeerMessage(encoded)).toEqual(raft(other));
  });

  it('name neither end of their link when it is known, and only then', () => {
    fc.assert(
      fc.property(raftMessage, fc.boolean(), fc.boolean(), (message, own, theirs) => {
        const link = { self: own ? message.from : 'x', peer: theirs ? message.to : 'y' };
        const envelope: PeerMessage = { kind: 'raft', group: 0, message };
        const encoded = encodePeerMessage(envelope, link);
        expect(decodePeerMessage(encoded, { self: link.peer, peer: link.self })).toEqual(envelope);
        if (own || theirs) expect(codeOf(() => decodePeerMessage(encoded))).toBe('message-invalid');
      }),
      { numRuns: 300 },
    );
  });

  it('share one encoding of an append among the followers that get the same, and only among them', () => {
    const toB = encodePeerMessage(raft(append), { self: 'a', peer: 'b' });
    const same = { ...append, to: 'c', entries: [...append.entries] };
    expect(encodePeerMessage(raft(same), { self: 'a', peer: 'c' })).toBe(toB);
    const first = append.entries[0] ?? makeEntry(10, 4, 'normal', 1, NO_BYTES, undefined);
    const others: AppendRequest[] = [
      { ...append, commit: 9 },
      { ...append, term: 6 },
      { ...append, prevTerm: 3 },
      { ...append, entries: [first] },
      { ...append, entries: [first, makeEntry(11, 5, 'normal', 2, Uint8Array.of(1), undefined)] },
      { ...append, prevIndex: 5, entries: [] },
      { ...append, prevIndex: 6, entries: [] },
    ];
    for (const other of others) {
      const encoded = encodePeerMessage(raft(other), { self: 'a', peer: 'b' });
      expect(decodePeerMessage(encoded, { self: 'b', peer: 'a' })).toEqual(raft(other));
    }
    const group1: PeerMessage = { kind: 'raft', group: 1, message: append };
    expect(decodePeerMessage(encodePeerMessage(group1, { self: 'a', peer: 'b' }), { self: 'b', peer: 'a' })).toEqual(group1);
  });

  it('of types that the runtime never sends are refused, and can be recorded like all others', () => {
    fc.assert(
      fc.property(unusedMessage, (message) => {
        const encoded = encodeRecordedMessage(message);
        expect(codeOf(() => decodePeerMessage(encoded))).toBe('message-invalid');
        expect(decodeRecordedMessage(encoded)).toEqual(message);
      }),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(raftMessage, (message) => {
        expect(decodeRecordedMessage(encodeRecordedMessage(message))).toEqual(message);
      }),
      { numRuns: 200 },
    );
  });

  it('come from a term, all but those that ask and are answered without one', () => {
    const link = { self: 'node-b', peer: 'node-a' };
    const back = { self: link.peer, peer: link.self };
    const termless = ['vote-request', 'vote-response', 'read-index-request', 'read-index-response'];
    for (const sample of RAFT_SAMPLES) {
      const message = ofNoTerm(sample);
      for (const ends of [undefined, link]) {
        const encoded = encodePeerMessage({ kind: 'raft', group: 0, message }, ends && back);
        const expected = termless.includes(sample.type) ? 'no error' : 'message-invalid';
        expect([sample.type, codeOf(() => decodePeerMessage(encoded, ends))]).toEqual([sample.type, expected]);
      }
    }
  });

  it('are refused with too-large before they leave', () => {
    const body = new Uint8Array(MESSAGE_BYTES_MAX);
    expect(codeOf(() => encodePeerMessage({ kind: 'call', id: 1, method: 'propose', body }))).toBe('too-large');
    const entries = [makeEntry(10, 4, 'normal', 1, body, undefined)];
    expect(codeOf(() => encodePeerMessage(raft({ ...append, entries })))).toBe('too-large');
    expect(codeOf(() => decodePeerMessage(new Uint8Array(MESSAGE_BYTES_MAX + 1)))).toBe('message-invalid');
  });

  it('cut the text of an error instead of failing on it', () => {
    const refusal: PeerMessage = { kind: 'refusal', reason: 'removed', message: 'x'.repeat(10_000) };
    expect(decodePeerMessage(encodePeerMessage(refusal))).toEqual({ ...refusal, message: 'x'.repeat(1_000) });
  });
});

/** Nothing but the term of the message itself shall be wrong. */
function ofNoTerm(message: Message): Message {
  if (message.type === 'append-request') return { ...message, term: 0, prevTerm: 0, entries: [] };
  return message.type === 'vote-request' ? { ...message, term: 0, lastTerm: 0, commitTerm: 0 } : { ...message, term: 0 };
}

describe('what is refused', () => {
  const group = 1;
  const [type, from, term, prevIndex, prevTerm, commit, entries] = [2, 3, 5, 6, 7, 8, 9];
  it.each<readonly [string, number, unknown]>([
    ['an unknown kind', 0, 99],
    ['a kind that names a method of the list', 0, 'map'],
    ['a group that is not a number', group, '0'],
    ['an unknown type', type, 13],
    ['an empty sender', from, ''],
    ['a sender that is a number', from, 7],
    ['a sender of a thousand characters', from, 'x'.repeat(1_000)],
    ['a negative term', term, -1],
    ['a fractional term', term, 1.5],
    ['a term that is not exact', term, 2 ** 53],
    ['a term that is not a number', term, Number.NaN],
    ['a previous term after the term', prevTerm, 6],
    ['entries that do not follow the previous index', prevIndex, 8],
    ['entries of an earlier term than the previous one', prevTerm, 5],
    ['entries of a later term than the leader', term, 4],
    ['a commit index below zero', commit, -1],
    ['entries that are no bytes', entries, []],
    ['entries that are garbage', entries, Uint8Array.of(1, 2, 3)],
  ])('%s', (_what, part, value) => {
    expect(codeOf(() => decodePeerMessage(forged(raft(append), part, value)))).toBe('message-invalid');
  });

  it.each<readonly [string, PeerMessage, number, unknown]>([
    ['a snapshot larger than any', offer(), 3, 2 ** 40],
    ['a snapshot offer that carries another message', offer(), 2, unpack(encodePeerMessage(raft(append)))],
    ['a configuration with an id twice', offer(), 2, snapshotParts(['a', 'a'])],
    ['a configuration without voters', offer(), 2, snapshotParts([])],
    ['an unknown reason', { kind: 'refusal', reason: 'removed', message: '' }, 1, 'toString'],
    ['a reason past the last', { kind: 'refusal', reason: 'removed', message: '' }, 1, 6],
    ['the method that never was', { kind: 'call', id: 1, method: 'join', body: NO_BYTES }, 2, 3],
    ['a call without number', { kind: 'call', id: 1, method: 'join', body: NO_BYTES }, 1, 0],
    ['an unknown method', { kind: 'call', id: 1, method: 'join', body: NO_BYTES }, 2, 'length'],
    [
      'a version range upside down',
      {
        kind: 'hello',
        versionMin: 1,
        versionMax: 1,
        nodeId: 'a',
        bootNonce: '',
        clusterId: '',
        epoch: 0,
        machineVersion: 0,
        name: '',
      },
      1,
      2,
    ],
  ])('%s', (_what, message, part, value) => {
    expect(codeOf(() => decodePeerMessage(encodePeerMessage(message)))).toBe('no error');
    expect(codeOf(() => decodePeerMessage(forged(message, part, value)))).toBe('message-invalid');
  });

  function offer(): PeerMessage {
    const conf = {
      voters: ['a'],
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      witnesses: [],
      autoLeave: false,
      members: [],
      context: NO_BYTES,
    };
    const snapshot = { index: 5, term: 2, conf, data: undefined };
    return {
      kind: 'snapshot-offer',
      transfer: 1,
      request: { type: 'snapshot-request', from: 'a', to: 'b', term: 2, snapshot },
      bytes: 10,
      digest: '',
    };
  }
  function snapshotParts(voters: readonly string[]): unknown {
    const parts = (unpack(encodePeerMessage(offer())) as unknown[])[2] as unknown[];
    const conf = (parts[6] as unknown[])[2] as unknown[];
    conf[0] = voters;
    return parts;
  }

  it('nothing but message-invalid comes out of random and damaged bytes, and a message only when it is whole', () => {
    const damaged = fc
      .tuple(peerMessage, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }))
      .map(([message, damage]) => {
        const encoded = encodePeerMessage(message).slice();
        for (const [place, byte] of damage) encoded[place % encoded.length] = byte;
        return encoded;
      });
    fc.assert(
      fc.property(
        fc.oneof({ weight: 4, arbitrary: damaged }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) }),
        (input) => {
          let message: PeerMessage | undefined;
          const code = codeOf(() => {
            message = decodePeerMessage(input);
          });
          expect(['no error', 'message-invalid']).toContain(code);
          if (message !== undefined) expect(decodePeerMessage(encodePeerMessage(message))).toEqual(message);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('every truncation', () => {
    const encoded = encodePeerMessage(raft(append));
    for (let length = 0; length < encoded.length; length++) {
      expect(codeOf(() => decodePeerMessage(encoded.subarray(0, length)))).toBe('message-invalid');
    }
  });
});
