import { describe, expect, it } from 'vitest';
import { STRIKES_MAX } from '../../../src/runtime/peers/peers.ts';
import { encodePeerMessage } from '../../../src/wire/codec.ts';
import { STRANGER_BYTES_MAX } from '../../../src/wire/limits.ts';
import { helloFrom, standaloneOf } from './standalone.ts';

describe('what a peer may say before its hello is accepted', () => {
  const long = encodePeerMessage({ kind: 'reply', id: 1, error: null, body: new Uint8Array(STRANGER_BYTES_MAX) });

  it('has 64 KiB at most: what is longer is refused unread, and costs a strike', () => {
    const { peers, dropped } = standaloneOf();
    peers.onLink('b', 'open');
    for (let i = 0; i < STRIKES_MAX; i++) {
      expect(dropped).toEqual([]);
      peers.onMessage('b', long);
    }
    expect(dropped).toEqual(['b']);
  });

  it('and is heard at any length afterwards', () => {
    const { peers, dropped } = standaloneOf();
    peers.onLink('b', 'open');
    peers.onMessage('b', encodePeerMessage(helloFrom('b')));
    for (let i = 0; i < STRIKES_MAX; i++) peers.onMessage('b', long);
    expect(dropped).toEqual([]);
  });
});
