import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEntries, encodeEntriesOnce } from '../../src/codec/entries.ts';
import { pack, unpack, unpackMessage } from '../../src/codec/pack.ts';
import { RaftError } from '../../src/core/errors.ts';
import { type AppendRequest, type Message, makeEntry } from '../../src/core/types.ts';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/codec.ts';
import { decodeHot } from '../../src/wire/hot.ts';
import { MESSAGE_ENTRIES_MAX } from '../../src/wire/limits.ts';
import { peerMessageFrom } from '../../src/wire/validate.ts';
import { raftMessage } from './arbitrary.ts';

const HOT: readonly string[] = ['append-request', 'append-response', 'heartbeat-request', 'heartbeat-response'];
const hotMessage = raftMessage.filter(({ type }) => HOT.includes(type));
const there = { self: 'receiver', peer: 'sender' };

/** From the sender to the receiver, over their link. */
function onLink(message: Message): { readonly message: Message; readonly bytes: Uint8Array } {
  const sent: Message = { ...message, from: 'sender', to: 'receiver' };
  return {
    message: sent,
    bytes: encodePeerMessage({ kind: 'raft', group: 0, message: sent }, { self: 'sender', peer: 'receiver' }),
  };
}

function outcomeOf(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error instanceof RaftError ? error.code : `not a RaftError: ${String(error)}`;
  }
}

describe('the messages written and read by hand', () => {
  it('are the MessagePack that msgpackr makes of the same parts', () => {
    fc.assert(
      fc.property(hotMessage, (message) => {
        const { bytes, message: sent } = onLink(message);
        const named = unpack(encodePeerMessage({ kind: 'raft', group: 0, message: sent })) as unknown[];
        expect([named[3], named[4]]).toEqual(['sender', 'receiver']);
        expect(unpack(bytes)).toEqual(named.with(3, 0).with(4, 0));
      }),
      { numRuns: 1_000 },
    );
  });

  it('are read by hand in the form they are written in, and as the general way reads them', () => {
    fc.assert(
      fc.property(hotMessage, (message) => {
        const { bytes, message: sent } = onLink(message);
        const envelope = { kind: 'raft', group: 0, message: sent };
        expect(decodeHot(bytes, 'sender', 'receiver')).toEqual(envelope);
        expect(peerMessageFrom(unpackMessage(bytes), there)).toEqual(envelope);
        expect(decodePeerMessage(pack(unpack(bytes)), there)).toEqual(envelope);
      }),
      { numRuns: 1_000 },
    );
  });

  it('are judged as the general way judges them, whatever has become of their bytes', () => {
    const damaged = fc
      .tuple(
        hotMessage,
        fc.array(fc.tuple(fc.nat({ max: 24 }), fc.nat({ max: 255 })), { maxLength: 3 }),
        fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -3, max: 3 }) }),
      )
      .map(([message, damage, longer]) => {
        const { bytes } = onLink(message);
        const copy = new Uint8Array(Math.max(0, bytes.length + longer));
        copy.set(bytes.subarray(0, copy.length));
        for (const [place, byte] of damage) if (place < copy.length) copy[place] = byte;
        return copy;
      });
    let whole = 0;
    fc.assert(
      fc.property(damaged, (bytes) => {
        const general = outcomeOf(() => peerMessageFrom(unpackMessage(bytes), there));
        if (typeof general === 'object') whole++;
        expect(outcomeOf(() => decodePeerMessage(bytes, there))).toEqual(general);
      }),
      { numRuns: 5_000 },
    );
    expect(whole).toBeGreaterThan(500);
  });

  it('stay as they were while others are written beside them', () => {
    fc.assert(
      fc.property(fc.array(hotMessage, { minLength: 2, maxLength: 40 }), (messages) => {
        const all = messages.map(onLink);
        for (const { bytes, message } of all)
          expect(decodePeerMessage(bytes, there)).toEqual({ kind: 'raft', group: 0, message });
      }),
      { numRuns: 100 },
    );
  });

  it('carry runs of any size, and share their bytes with the disk', () => {
    for (const size of [0, 1, 100, 250, 300, 20_000, 70_000, 200_000]) {
      const entries = [makeEntry(4, 1, 'normal', 5, new Uint8Array(size).fill(size), undefined)];
      const append: AppendRequest = {
        type: 'append-request',
        from: '',
        to: '',
        term: 1,
        prevIndex: 3,
        prevTerm: 1,
        commit: 2,
        entries,
      };
      const { bytes, message } = onLink(append);
      expect(decodePeerMessage(bytes, there)).toEqual({ kind: 'raft', group: 0, message });
      const run = encodeEntriesOnce(entries);
      expect(run.buffer).toBe(bytes.buffer);
      expect(run).toEqual(encodeEntries(entries));
      const again = onLink({ ...append, commit: 3 });
      expect(decodePeerMessage(again.bytes, there)).toEqual({ kind: 'raft', group: 0, message: again.message });
    }
  });

  it('are refused with more entries than allowed, before these are read', () => {
    const count = MESSAGE_ENTRIES_MAX + 1;
    const entries = Array.from({ length: count }, (_, i) => makeEntry(1 + i, 1, 'normal', 0, new Uint8Array(0), undefined));
    const { bytes } = onLink({
      type: 'append-request',
      from: '',
      to: '',
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      commit: 0,
      entries,
    });
    expect(outcomeOf(() => decodePeerMessage(bytes, there))).toBe('message-invalid');
  });
});
