/** Before anything of a message is built: its kind, its length, how many values it holds. */
import { Packr } from 'msgpackr/pack';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { type ConfState, NO_BYTES } from '../../src/core/types.ts';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/codec.ts';
import { CONFIGURATION_BYTES_MAX, MESSAGE_BYTES_MAX, SHORT_BYTES_MAX, STRANGER_BYTES_MAX } from '../../src/wire/limits.ts';
import type { PeerMessage } from '../../src/wire/peer-message.ts';
import { bytesMaxOf } from '../../src/wire/sizes.ts';
import { SAMPLES } from './samples.ts';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof RaftError ? error.code : `not a RaftError: ${String(error)}`;
  }
  return 'no error';
}
const link = { self: 'node-b', peer: 'node-a' };
const built = vi.spyOn(Packr.prototype, 'unpack');
afterEach(() => built.mockClear());

/** These first bytes, then empty maps up to `length`. */
function flood(length: number, ...first: number[]): Uint8Array {
  const bytes = new Uint8Array(length).fill(0x80);
  bytes.set(first);
  return bytes;
}
const size32 = (size: number): number[] => [24, 16, 8, 0].map((shift) => (size >>> shift) & 0xff);
/** An array that says it holds all the rest of a message of `length` bytes, after `first`. */
const filling = (length: number, ...first: number[]): Uint8Array =>
  flood(length, ...first, 0xdd, ...size32(length - first.length - 5));

describe('nothing is built', () => {
  it.each<readonly [string, Uint8Array]>([
    ['sixteen MiB of empty maps', filling(MESSAGE_BYTES_MAX)],
    ['the same in place of a kind', filling(MESSAGE_BYTES_MAX, 0x91)],
    ['the same in place of the entries of an append', filling(MESSAGE_BYTES_MAX, 0x9a, 1, 0, 0, 0, 0, 7, 9, 6, 9)],
    ['eight MiB in place of the body of a call', filling(8 * 1024 * 1024, 0x94, 2, 5, 0)],
    ['eight MiB in place of the error of a reply', filling(8 * 1024 * 1024, 0x94, 3, 5)],
    ['a hello that is longer than any', filling(SHORT_BYTES_MAX + 1, 0x99, 0)],
    ['a call of a method that there is not', filling(STRANGER_BYTES_MAX, 0x94, 2, 5, 99)],
    ['a Raft message of a type that there is not', filling(STRANGER_BYTES_MAX, 0x94, 1, 0, 99)],
    ['a call whose number is none', filling(STRANGER_BYTES_MAX, 0x94, 2, 0xc0, 0)],
    ['a map for a message', flood(100, 0x8f)],
    ['nothing at all', NO_BYTES],
    ['a kind and no more', Uint8Array.of(0x92, 1)],
  ])('of %s', (_what, bytes) => {
    expect(codeOf(() => decodePeerMessage(bytes, link))).toBe('message-invalid');
    expect(codeOf(() => decodePeerMessage(bytes))).toBe('message-invalid');
    expect(built).not.toHaveBeenCalled();
  });

  it('of a message that is longer than a stranger may say, whatever its kind', () => {
    const call: PeerMessage = { kind: 'call', id: 1, method: 'propose', body: new Uint8Array(STRANGER_BYTES_MAX) };
    const encoded = encodePeerMessage(call);
    expect(codeOf(() => decodePeerMessage(encoded, link, STRANGER_BYTES_MAX))).toBe('message-invalid');
    expect(built).not.toHaveBeenCalled();
    expect(decodePeerMessage(encoded, link)).toEqual(call);
  });
});

describe('every kind', () => {
  it.each(SAMPLES)('%s is read at any length up to its own, and refused one byte above', (_name, message) => {
    const encoded = encodePeerMessage(message);
    const bytesMax = bytesMaxOf(message);
    const longer = new Uint8Array(bytesMax + 1);
    longer.set(encoded);
    expect(codeOf(() => decodePeerMessage(encoded))).toBe('no error');
    expect(codeOf(() => decodePeerMessage(longer.subarray(0, bytesMax)))).toBe('message-invalid');
    expect(built.mock.calls.length > 0).toBe(true);
    built.mockClear();
    // What follows the message would be refused as well, but later: the guard would have gone through it.
    expect(() => decodePeerMessage(longer)).toThrow(
      bytesMax === MESSAGE_BYTES_MAX ? 'longer than allowed' : 'longer than its kind',
    );
  });

  it('leaves in no length in which it would be refused', () => {
    const context = 'x'.repeat(SHORT_BYTES_MAX);
    const message: PeerMessage = {
      kind: 'raft',
      group: 0,
      message: { type: 'read-index-request', from: 'a', to: 'b', term: 1, context },
    };
    expect(codeOf(() => encodePeerMessage(message))).toBe('too-large');
    const body = new Uint8Array(CONFIGURATION_BYTES_MAX);
    expect(codeOf(() => encodePeerMessage({ kind: 'call', id: 1, method: 'membership', body }))).toBe('too-large');
  });

  it('a thousand members in every part of a configuration fit into a snapshot’s offer', () => {
    const ids = Array.from({ length: 1_024 }, (_, i) => `member-${i}`);
    const conf: ConfState = {
      voters: ids,
      votersOutgoing: ids,
      learners: ids,
      learnersNext: ids,
      witnesses: ids,
      autoLeave: false,
      members: ids.map((id) => ({ id, context: new Uint8Array(64) })),
      context: NO_BYTES,
    };
    const snapshot = { index: 5, term: 2, conf, data: undefined };
    const request = { type: 'snapshot-request' as const, from: 'a', to: 'b', term: 2, snapshot };
    const offer: PeerMessage = { kind: 'snapshot-offer', transfer: 1, request, bytes: 1, digest: '' };
    expect(decodePeerMessage(encodePeerMessage(offer))).toEqual(offer);
  });
});
