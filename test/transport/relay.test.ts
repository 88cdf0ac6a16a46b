/** Links through a real signaling server: the transport suite, quotas, a server that goes away, readers who do not read. */
import { afterEach, describe, expect, it, test } from 'vitest';
import { WebSocket } from 'ws';
import { createSignalingServer, type SignalingServer, type StandaloneOptions } from '../../signaling/server.ts';
import { SignalingClient } from '../../src/signaling/client.ts';
import { parseRelayFrame, relayFrame } from '../../src/signaling/protocol.ts';
import type { FrameRelay, RelayListener } from '../../src/signaling/signaling.ts';
import { transportSuite } from '../../src/testing/transport-suite.ts';
import { relayTransport } from '../../src/transport/relay.ts';
import type { Discovery, Transport } from '../../src/transport/transport.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(
  options: StandaloneOptions = {},
): Promise<SignalingServer & { readonly url: string; readonly port: number }> {
  const server = await createSignalingServer(options);
  cleanups.push(() => server.close());
  return { ...server, port: Number(new URL(server.url).port) };
}

/** A relay whose client enters the room when the transport starts: the suite knows nothing of rooms. */
function create(url: string): Transport {
  const client = new SignalingClient({ url, connect: (to) => new WebSocket(to) });
  const inner = relayTransport({ relay: client, dials: true });
  return {
    kind: inner.kind,
    send: (...args) => inner.send(...args),
    queuedBytes: (...args) => inner.queuedBytes(...args),
    links: () => inner.links(),
    disconnect: (...args) => inner.disconnect(...args),
    start: async (self, handlers, discovery) => {
      await inner.start(self, handlers, discovery);
      const quiet = (): void => undefined;
      await client.enter(
        { room: 'room', nodeId: self, clusterId: undefined, mayFound: false },
        { onPeers: quiet, onSignal: quiet, onGrant: quiet, onCluster: quiet, onState: quiet },
      );
    },
    stop: async () => {
      await inner.stop();
      await client.close();
    },
  };
}

describe('the transport suite over the relay', () => {
  for (const [i, { name }] of transportSuite({ create: () => create('ws://unused') }).entries()) {
    test(name, async () => {
      const { url } = await serve({
        relay: { rate: { burst: 1e9, perSecond: 1e9 }, addressRate: { burst: 1e9, perSecond: 1e9 } },
      });
      await transportSuite({ create: () => create(url), timeoutMs: 20_000 })[i]?.run();
    });
  }
});

interface Node {
  readonly client: SignalingClient;
  readonly transport: Transport;
  readonly told: string[];
  hears(what: string, times?: number): Promise<void>;
}

async function join(url: string, id: string, room = 'room'): Promise<Node> {
  const client = new SignalingClient({ url, connect: (to) => new WebSocket(to), random: () => 0 });
  const transport = relayTransport({ relay: client, dials: true });
  cleanups.push(
    () => client.close(),
    () => transport.stop(),
  );
  const told: string[] = [];
  const waiting = new Set<() => void>();
  const note = (what: string): void => {
    told.push(what);
    for (const look of waiting) look();
  };
  let listener: Parameters<Discovery['listen']>[0] | undefined;
  await transport.start(
    id,
    {
      onMessage: (peer, bytes) => note(`${peer}: ${bytes.length}`),
      onLink: (peer, state) => note(`${peer} ${state}`),
      onFault: (error) => note(error.code),
    },
    {
      listen: (one) => {
        listener = one;
      },
      signal: () => false,
    },
  );
  await client.enter(
    { room, nodeId: id, clusterId: undefined, mayFound: false },
    {
      onPeers: (peers) => listener?.onPeers(peers),
      onSignal: () => undefined,
      onGrant: () => undefined,
      onCluster: () => undefined,
      onState: (state) => note(state),
    },
  );
  const hears = async (what: string, times = 1): Promise<void> => {
    while (told.filter((one) => one === what).length < times) await new Promise<void>((resolve) => waiting.add(resolve));
  };
  return { client, transport, told, hears };
}

describe('the relay', () => {
  it('says that others can read along, and does not reach other rooms', async () => {
    const { url } = await serve();
    const [a, b, other] = [await join(url, 'a'), await join(url, 'b'), await join(url, 'other', 'elsewhere')];
    await Promise.all([a.hears('b open'), b.hears('a open'), other.hears('open')]);
    expect(a.transport.security?.('b')).toEqual({ protection: 'none', initiator: true, binding: undefined });
    expect(b.transport.security?.('a')?.initiator).toBe(false);
    expect(other.client.relay('a', new Uint8Array(5))).toBe(true); // it leaves; nobody gets it
    a.transport.send('b', new Uint8Array(100), 'urgent');
    await b.hears('a: 100');
    expect([...a.told, ...b.told].some((one) => one.startsWith('other'))).toBe(false);
  });

  it('is not there where the server does not offer it', async () => {
    const { url } = await serve({ relay: false });
    const [a, b] = [await join(url, 'a'), await join(url, 'b')];
    await Promise.all([a.hears('open'), b.hears('open')]);
    expect(a.client.relay('b', new Uint8Array(5))).toBe(false);
    expect(a.transport.links().filter(({ state }) => state === 'open')).toEqual([]);
  });

  it('ends its links when the server goes, and has them again when it is back', async () => {
    const first = await serve();
    const [a, b] = [await join(first.url, 'a'), await join(first.url, 'b')];
    await Promise.all([a.hears('b open'), b.hears('a open')]);
    await first.close();
    await Promise.all([a.hears('b closed'), b.hears('a closed')]);
    await serve({ port: first.port });
    await Promise.all([a.hears('b open', 2), b.hears('a open', 2)]);
    b.transport.send('a', new Uint8Array(7), 'bulk');
    await a.hears('b: 7');
  });

  it('begins a link anew when frames were lost, so that no message is missing inside one', async () => {
    const { url } = await serve();
    const [a, b] = [await join(url, 'a'), await join(url, 'b')];
    await Promise.all([a.hears('b open'), b.hears('a open')]);
    await b.client.close();
    a.transport.send('b', new Uint8Array(1), 'urgent');
    await a.hears('b closed');
    const again = await join(url, 'b');
    await Promise.all([a.hears('b open', 2), again.hears('a open')]);
  });

  it('reads a sender over its quota more slowly: all arrives, and others are not slowed', async () => {
    const { url, port } = await serve({ relay: { rate: { burst: 200_000, perSecond: 400_000 } } });
    const [a, b, c] = [await join(url, 'a'), await join(url, 'b'), await join(url, 'c')];
    await Promise.all([a.hears('b open'), a.hears('c open'), c.hears('b open')]);
    for (let i = 0; i < 8; i++) expect(a.transport.send('b', new Uint8Array(100_000), 'bulk')).toBe(true);
    c.transport.send('b', new Uint8Array(50), 'urgent');
    await b.hears('c: 50');
    expect(b.told.filter((one) => one === 'a: 100000').length).toBeLessThan(8);
    await b.hears('a: 100000', 8);
    expect([...a.told, ...b.told].filter((one) => one.endsWith('closed'))).toEqual([]);
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toMatch(/tabraft_signaling_slowed_total \d+/);
  });
});

describe('a relayed frame', () => {
  it('is read as it was written, and nothing else is one', () => {
    for (const length of [0, 1, 16_384]) {
      const frame = new Uint8Array(length).fill(7);
      const parsed = parseRelayFrame(relayFrame('node-1', frame));
      expect(parsed?.nodeId).toBe('node-1');
      expect([...(parsed?.frame ?? [])]).toEqual([...frame]);
    }
    for (const bytes of [[], [0], [5, 65], [1, 47], [1, 32, 1], [200, ...Array.from({ length: 200 }, () => 65)]])
      expect(parseRelayFrame(Uint8Array.from(bytes))).toBeUndefined();
    expect(parseRelayFrame(relayFrame('a', new Uint8Array(20_000)))).toBeUndefined();
  });
});

test('what the relay loses of somebody who is here is told with a code, once for many; of somebody who has left it is not', async () => {
  let hear: RelayListener | undefined;
  const relay: FrameRelay = {
    listenToRelay: (listener) => {
      hear = listener;
    },
    relay: () => true,
    relayBufferedBytes: () => 0,
  };
  const told: string[] = [];
  let peers: ((here: readonly string[]) => void) | undefined;
  const transport = relayTransport({ relay });
  cleanups.push(() => transport.stop());
  const quiet = (): void => undefined;
  await transport.start(
    'a',
    { onMessage: quiet, onLink: quiet, onFault: ({ code, message }) => told.push(`${code} ${message}`) },
    {
      listen: ({ onPeers }) => {
        peers = onPeers;
      },
      signal: () => false,
    },
  );
  hear?.onRelay(true);
  peers?.(['b']);
  hear?.onLost('c');
  expect(told).toEqual([]);
  hear?.onLost('b');
  hear?.onLost('b');
  expect(told).toEqual([expect.stringMatching(/^link-failed The relay lost frames for b: /)]);
});
