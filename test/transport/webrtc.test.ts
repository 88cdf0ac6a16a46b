import { describe, expect, it } from 'vitest';
import { parsePeerSignal } from '../../src/transport/webrtc/signal.ts';
import { webrtcTransport } from '../../src/transport/webrtc/transport.ts';

const handlers = { onMessage: () => undefined, onLink: () => undefined, onFault: () => undefined };
const discovery = { listen: () => undefined, signal: () => true };

describe('where there is no WebRTC', () => {
  it('start says so with a code, and everything else stays calm', async () => {
    const transport = webrtcTransport();
    await expect(transport.start('a', handlers, discovery)).rejects.toMatchObject({
      code: 'webrtc-unavailable',
      retryable: false,
    });
    expect(transport.send('b', new Uint8Array(1), 'urgent')).toBe(false);
    expect(transport.links()).toEqual([]);
    await transport.stop();
  });
});

describe('a signal from a peer', () => {
  const offer = { instance: 'i1', session: 's1', description: { type: 'offer', sdp: 'v=0' } };
  const candidate = { instance: 'i1', session: 's1', candidate: { candidate: 'c', sdpMid: '0', sdpMLineIndex: 0 } };
  it('is taken when it is exactly one', () => {
    expect(parsePeerSignal(offer)).toEqual(offer);
    expect(parsePeerSignal(candidate)).toEqual(candidate);
    expect(parsePeerSignal({ instance: 'i1', dial: true })).toEqual({ instance: 'i1', dial: true });
    expect(parsePeerSignal({ ...offer, more: 1, description: { ...offer.description, more: 1 } })).toEqual(offer);
  });

  it.each<readonly [string, unknown]>([
    ['nothing', null],
    ['text', 'offer'],
    ['no instance', { ...offer, instance: undefined }],
    ['a session that is no token', { ...offer, session: 'a b' }],
    ['a rollback', { ...offer, description: { type: 'rollback', sdp: '' } }],
    ['a description too long', { ...offer, description: { type: 'offer', sdp: 'x'.repeat(40_000) } }],
    ['a candidate without a place', { ...candidate, candidate: { candidate: 'c', sdpMid: null, sdpMLineIndex: null } }],
    ['a candidate too long', { ...candidate, candidate: { candidate: 'x'.repeat(2_000), sdpMid: '0', sdpMLineIndex: 0 } }],
    ['what simple-peer would obey', { instance: 'i1', session: 's1', renegotiate: true, transceiverRequest: { kind: 'video' } }],
    ['a prototype', Object.create({ instance: 'i1', dial: 1 })],
  ])('is ignored when it is %s', (_what, data) => {
    expect(parsePeerSignal(data)).toBeUndefined();
  });
});
