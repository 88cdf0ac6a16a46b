/** Frames of earlier protocol versions: read as they were meant, and written so for who knows no later one. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/codec.ts';
import type { PeerMessage } from '../../src/wire/peer-message.ts';
import { SAMPLES } from './samples.ts';

const fixture = JSON.parse(readFileSync(new URL('./fixtures/protocol-1.json', import.meta.url), 'utf8')) as {
  readonly messages: Readonly<Record<string, string>>;
};
const sender = { self: 'node-a', peer: 'node-b' };
const receiver = { self: 'node-b', peer: 'node-a' };
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const goodbye = (reason: 'stop' | 'pagehide' | 'leave' | 'removed'): PeerMessage => ({ kind: 'goodbye', reason });
/** Kinds that have another form since. */
const CHANGED: readonly (readonly [string, PeerMessage])[] = [
  ['goodbye stop', goodbye('stop')],
  ['goodbye pagehide', goodbye('pagehide')],
  ['goodbye leave', goodbye('leave')],
  ['goodbye removed', goodbye('removed')],
  ['refusal cluster-mismatch', { kind: 'refusal', reason: 'other-cluster', message: 'Why.' }],
  ['refusal epoch-mismatch', { kind: 'refusal', reason: 'other-epoch', message: 'Why.' }],
  ['refusal removed', { kind: 'refusal', reason: 'removed', message: 'Why.' }],
  ['refusal protocol-mismatch', { kind: 'refusal', reason: 'protocol', message: 'Why.' }],
  ['refusal node-mismatch', { kind: 'refusal', reason: 'other-node', message: 'Why.' }],
];

describe('protocol 1', () => {
  it.each([...SAMPLES, ...CHANGED])('%s is read', (name, message) => {
    const bytes = Uint8Array.from(Buffer.from(fixture.messages[name] ?? '', 'hex'));
    expect(decodePeerMessage(bytes, receiver)).toEqual(message);
  });

  it.each(SAMPLES)('%s is still written as it was', (name, message) => {
    expect(hexOf(encodePeerMessage(message, sender))).toBe(fixture.messages[name]);
  });

  it.each(CHANGED)('%s is written in its old form for who knows no other', (name, message) => {
    const hex = hexOf(encodePeerMessage(message, sender, 1));
    // A goodbye carried an index, which nobody used.
    const old = fixture.messages[name] ?? '';
    expect(hex).toBe(message.kind === 'goodbye' ? old.replace(/cd10e1$/, '00') : old);
    expect(hexOf(encodePeerMessage(message, sender))).not.toBe(hex);
    expect(decodePeerMessage(encodePeerMessage(message, sender), receiver)).toEqual(message);
  });

  it('has a fixture for each message', () => {
    expect(Object.keys(fixture.messages).sort()).toEqual([...SAMPLES, ...CHANGED].map(([name]) => name).sort());
  });
});
