import { describe, expect, it } from 'vitest';
import { unpack } from '../../../src/codec/pack.ts';
import { NO_BYTES } from '../../../src/core/types.ts';
import { STRIKES_MAX } from '../../../src/runtime/peers/peers.ts';
import { encodePeerMessage } from '../../../src/wire/codec.ts';
import { STRANGER_BYTES_MAX } from '../../../src/wire/limits.ts';
import { PROTOCOL_VERSION_MAX } from '../../../src/wire/peer-message.ts';
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

describe('the version of a link', () => {
  const told = (versionMax: number): { readonly goodbye: Uint8Array | undefined; readonly refusal: Uint8Array | undefined } => {
    const one = standaloneOf();
    one.peers.onLink('b', 'open');
    one.peers.onMessage('b', encodePeerMessage(helloFrom('b', { versionMax })));
    one.peers.goodbye('stop');
    const goodbye = one.sentBytes.at(-1);
    one.peers.onMessage('b', encodePeerMessage(helloFrom('b', { versionMax, clusterId: 'another' })));
    return { goodbye, refusal: one.sentBytes.at(-1) };
  };

  it('is the highest that both ends know', () => {
    const { goodbye, refusal } = told(PROTOCOL_VERSION_MAX + 7);
    expect(unpack(goodbye ?? NO_BYTES)).toEqual([7, 0]);
    expect(unpack(refusal ?? NO_BYTES)).toEqual([8, 2, expect.any(String)]);
  });

  it('is the first where the other knows no other, until its hello and on a new link', () => {
    const { goodbye, refusal } = told(1);
    expect(unpack(goodbye ?? NO_BYTES)).toEqual([7, 0, 0]);
    expect(unpack(refusal ?? NO_BYTES)).toEqual([8, 'cluster-mismatch', expect.any(String)]);
    const { peers, sentBytes } = standaloneOf();
    peers.onLink('b', 'open');
    peers.onMessage('b', encodePeerMessage(helloFrom('b')));
    peers.onLink('b', 'closed');
    peers.onLink('b', 'open');
    peers.goodbye('stop');
    expect(unpack(sentBytes.at(-1) ?? NO_BYTES)).toEqual([7, 0, 0]);
  });

  it('says what may be sent: who does not know a message is not sent it', () => {
    for (const versionMax of [1, 2]) {
      const { peers, sent } = standaloneOf();
      peers.onLink('b', 'open');
      peers.onMessage('b', encodePeerMessage(helloFrom('b', { versionMax })));
      const ends = { from: 'a', to: 'b', term: 1 };
      expect(peers.sendRaft({ type: 'timeout-now', ...ends })).toBe(true);
      expect(peers.sendRaft({ type: 'proxy-vote', ...ends, lastIndex: 1, lastTerm: 1, sealed: true })).toBe(versionMax >= 2);
      expect(sent.at(-1)).toMatchObject({ message: { type: versionMax >= 2 ? 'proxy-vote' : 'timeout-now' } });
    }
  });

  it('is none where they have none in common: the other is told so in the first', () => {
    const { peers, sentBytes } = standaloneOf();
    peers.onLink('b', 'open');
    peers.onMessage('b', encodePeerMessage(helloFrom('b', { versionMin: 8, versionMax: 9 })));
    expect(peers.get('b')?.fits).toBe(false);
    expect(unpack(sentBytes.at(-1) ?? NO_BYTES)).toEqual([8, 'protocol-mismatch', expect.any(String)]);
  });
});

it('a refusal means the error of its reason, whatever its text says', () => {
  const { peers, refusals } = standaloneOf();
  peers.onLink('b', 'open');
  peers.onMessage('b', encodePeerMessage({ kind: 'refusal', reason: 'removed', message: 'epoch-mismatch cluster-mismatch' }));
  expect(refusals.map(({ code }) => code)).toEqual(['removed']);
});
