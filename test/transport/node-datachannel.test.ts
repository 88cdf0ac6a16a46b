/** Native links in Node, over the package node-datachannel: the suite, what a proof can be bound to, the round trip. */
import nodeDataChannel from 'node-datachannel';
import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { afterAll, describe, expect, it, test } from 'vitest';
import { transportSuite } from '../../src/testing/transport-suite.ts';
import type { Discovery, Transport } from '../../src/transport/transport.ts';
import { webrtcTransport } from '../../src/transport/webrtc/transport.ts';

// Its threads keep the process alive otherwise.
afterAll(() => nodeDataChannel.cleanup());

const create = (): Transport =>
  webrtcTransport({ link: 'native', RTCPeerConnection: RTCPeerConnection as unknown as typeof globalThis.RTCPeerConnection });

describe('the transport suite over node-datachannel', () => {
  for (const { name, run } of transportSuite({ create, timeoutMs: 20_000 })) test(name, run);
});

describe('a link in Node', () => {
  it('has the same two fingerprints at both ends, and a round trip', async () => {
    const listeners = new Map<string, Parameters<Discovery['listen']>[0]>();
    const transports = new Map<string, Transport>();
    let got = (): void => undefined;
    let open = 0;
    for (const id of ['a', 'b']) {
      const transport = create();
      transports.set(id, transport);
      await transport.start(
        id,
        {
          onMessage: () => got(),
          onLink: (_peer, state) => {
            if (state === 'open' && ++open === 2) got();
          },
          onFault: () => undefined,
        },
        {
          listen: (listener) => void listeners.set(id, listener),
          signal: (to, data) => {
            setTimeout(() => listeners.get(to)?.onSignal(id, structuredClone(data)), 0);
            return true;
          },
        },
      );
    }
    await new Promise<void>((resolve) => {
      got = resolve;
      listeners.get('a')?.onPeers(['b']);
      listeners.get('b')?.onPeers(['a']);
    });
    const [a, b] = [transports.get('a'), transports.get('b')];
    const [one, other] = [a?.security?.('b'), b?.security?.('a')];
    expect(new TextDecoder().decode(one?.binding)).toMatch(/^sha-256 [0-9A-F:]{95}\|sha-256 [0-9A-F:]{95}$/);
    expect(one?.binding).toEqual(other?.binding);
    expect([one?.initiator, other?.initiator]).toEqual([true, false]);
    await new Promise<void>((resolve) => {
      got = resolve;
      a?.send('b', new Uint8Array(10), 'urgent');
    });
    while (a?.links()[0]?.rttMs === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(a.links()[0]?.rttMs).toBeGreaterThan(0);
    await Promise.all([a.stop(), b?.stop()]);
  });
});
