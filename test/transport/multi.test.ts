/** Several transports as one: the suite, the order over a change of links, the fallback, kinds that cannot run. */
import { afterEach, describe, expect, it, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createSignalingServer } from '../../signaling/server.ts';
import { SignalingClient } from '../../src/signaling/client.ts';
import { transportSuite } from '../../src/testing/transport-suite.ts';
import { broadcastTransport } from '../../src/transport/broadcast.ts';
import { MemoryHub } from '../../src/transport/memory.ts';
import { type MultiOptions, multiTransport } from '../../src/transport/multi/transport.ts';
import { relayTransport } from '../../src/transport/relay.ts';
import type { Discovery, Transport, TransportHandlers } from '../../src/transport/transport.ts';
import { webrtcTransport } from '../../src/transport/webrtc/transport.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
let rooms = 0;

describe('the transport suite over two networks as one', () => {
  const [first, second] = [new MemoryHub(), new MemoryHub()];
  const create = (): Transport => multiTransport({ transports: [first.transport(), second.transport()] });
  for (const { name, run } of transportSuite({ create })) test(name, run);
});

describe('the transport suite over a BroadcastChannel, where there is no WebRTC', () => {
  const room = `multi-suite-${rooms++}`;
  const create = (): Transport => multiTransport({ transports: [broadcastTransport({ room, locks: null }), webrtcTransport()] });
  for (const { name, run } of transportSuite({ create })) test(name, run);
});

class Node {
  readonly told: string[] = [];
  readonly transport: Transport;
  listener: Parameters<Discovery['listen']>[0] | undefined;
  readonly #id: string;
  readonly #waiting = new Set<() => void>();

  constructor(id: string, options: MultiOptions) {
    this.#id = id;
    this.transport = multiTransport(options);
    cleanups.push(() => this.transport.stop());
  }

  async start(): Promise<void> {
    await this.transport.start(
      this.#id,
      {
        onMessage: (peer, bytes) => this.#note(`${peer}: ${new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)}`),
        onLink: (peer, state) => this.#note(`${peer} ${state}`),
        onFault: (error) => this.#note(error.code),
      },
      {
        listen: (listener) => {
          this.listener = listener;
        },
        signal: () => false,
      },
    );
  }

  say(to: string, number: number, lane: 'urgent' | 'bulk' = 'urgent', size = 4): boolean {
    const bytes = new Uint8Array(size);
    new DataView(bytes.buffer).setUint32(0, number);
    return this.transport.send(to, bytes, lane);
  }

  kind(peer: string): string | undefined {
    return this.transport.links().find((link) => link.peer === peer)?.kind;
  }

  #note(what: string): void {
    this.told.push(what);
    for (const look of this.#waiting) look();
  }

  async hears(what: string, times = 1): Promise<void> {
    while (this.told.filter((one) => one === what).length < times)
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }
}

const named = (transport: Transport, kind: string): Transport =>
  new Proxy(transport, {
    get: (target, property) => {
      if (property === 'kind') return kind;
      if (property === 'links') return () => target.links().map((link) => ({ ...link, kind }));
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

describe('a better link', () => {
  async function pair(): Promise<{ readonly a: Node; readonly b: Node; readonly good: MemoryHub; readonly poor: MemoryHub }> {
    const [good, poor] = [new MemoryHub({ delivery: 'manual' }), new MemoryHub({ delivery: 'manual' })];
    good.cut('a', 'b', { refuse: true });
    const [a, b] = ['a', 'b'].map(
      (id) => new Node(id, { transports: [named(good.transport(), 'good'), named(poor.transport(), 'poor')] }),
    ) as [Node, Node];
    await Promise.all([a.start(), b.start()]);
    a.listener?.onPeers(['b']);
    b.listener?.onPeers(['a']);
    expect([a.kind('b'), b.kind('a')]).toEqual(['poor', 'poor']);
    return { a, b, good, poor };
  }

  it('takes over when all that was sent has arrived, and not before: the order holds, and nobody is told of it', async () => {
    const { a, b, good, poor } = await pair();
    for (let i = 0; i < 5; i++) a.say('b', i);
    good.heal();
    for (let i = 5; i < 10; i++) a.say('b', i);
    expect([good.pending().length, poor.pending().length]).toEqual([0, 10]);
    poor.deliver(9);
    a.say('b', 10);
    expect(good.pending().length).toBe(0);
    poor.deliver();
    expect(a.say('b', 11)).toBe(true);
    expect([good.pending().length, a.kind('b')]).toEqual([1, 'good']);
    good.deliver();
    expect(b.told).toEqual(['a open', ...Array.from({ length: 12 }, (_, i) => `a: ${i}`)]);
    expect(a.told).toEqual(['b open']);
  });

  it('that closes while in use is told, since what was on its way is lost; the other one is taken at once', async () => {
    const { a, b, good } = await pair();
    good.heal();
    a.say('b', 1);
    expect(a.kind('b')).toBe('good');
    good.cut('a', 'b', { refuse: true });
    expect(a.told).toEqual(['b open', 'b closed', 'b open']);
    expect(a.kind('b')).toBe('poor');
    expect(b.told.at(-1)).toBe('a open');
  });

  it('that closes while nobody uses it is not told', async () => {
    const { a, poor, good } = await pair();
    good.heal();
    a.say('b', 1);
    poor.cut('a', 'b', { refuse: true });
    expect([a.told, a.kind('b')]).toEqual([['b open'], 'good']);
  });
});

describe('the fallback', () => {
  it('is taken when nothing better comes about, left when something does, and taken again', async () => {
    const server = await createSignalingServer();
    cleanups.push(() => server.close());
    const hub = new MemoryHub();
    hub.cut('a', 'b', { refuse: true });
    const nodes = await Promise.all(
      ['a', 'b'].map(async (id) => {
        const client = new SignalingClient({ url: server.url, connect: (to) => new WebSocket(to) });
        cleanups.push(() => client.close());
        const options = { transports: [hub.transport()], fallbackAfterMs: 50, settledMs: 300 };
        const node = new Node(id, { ...options, fallback: relayTransport({ relay: client }) });
        await node.start();
        const quiet = (): void => undefined;
        await client.enter(
          { room: 'room', nodeId: id, clusterId: undefined, mayFound: false },
          {
            onPeers: (peers) => node.listener?.onPeers(peers),
            onSignal: quiet,
            onGrant: quiet,
            onCluster: quiet,
            onState: quiet,
          },
        );
        return node;
      }),
    );
    const [a, b] = nodes as [Node, Node];
    await Promise.all([a.hears('b open'), b.hears('a open')]);
    expect(a.kind('b')).toBe('relay');
    expect(a.transport.security?.('b')?.protection).toBe('none');
    a.say('b', 1);
    b.say('a', 2);
    await Promise.all([b.hears('a: 1'), a.hears('b: 2')]);
    hub.heal();
    while (a.kind('b') !== 'memory' || b.kind('a') !== 'memory') await new Promise((resolve) => setTimeout(resolve, 20));
    a.say('b', 3);
    b.say('a', 4);
    await Promise.all([b.hears('a: 3'), a.hears('b: 4')]);
    const relayed = async (): Promise<number> => {
      const text = await (await fetch(server.url.replace('ws:', 'http:').replace('/signal', '/metrics'))).text();
      return Number(/relayed_frames_total (\d+)/.exec(text)?.[1]);
    };
    // Left: for a while nothing more is relayed.
    for (let before = -1; before !== (await relayed()); ) {
      before = await relayed();
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
    expect([a.told, b.told].flat().filter((one) => one.endsWith('closed'))).toEqual([]);
    hub.cut('a', 'b', { refuse: true });
    await Promise.all([a.hears('b open', 2), b.hears('a open', 2)]);
    expect(a.kind('b')).toBe('relay');
  });
});

describe('a kind that cannot run here', () => {
  const broken = (): Transport => webrtcTransport(); // no WebRTC in Node
  it('is told as a fault when another can, and is the error when none can', async () => {
    const a = new Node('a', { transports: [broken(), new MemoryHub().transport()] });
    await a.start();
    expect(a.told).toEqual(['webrtc-unavailable']);
    await expect(new Node('b', { transports: [broken()] }).start()).rejects.toMatchObject({ code: 'webrtc-unavailable' });
  });
});

describe('whom to dial', () => {
  it('leaves out those whom something better reaches, and follows what was asked for', async () => {
    const hub = new MemoryHub();
    const asked: string[] = [];
    const worse = named(new MemoryHub().transport(), 'worse');
    const watched = new Proxy(worse, {
      get: (target, property) => {
        if (property !== 'prefer') return Reflect.get(target, property, target);
        return (peers: readonly string[], others: string) => void asked.push(`${peers.join()} ${others}`);
      },
    });
    const a = new Node('a', { transports: [hub.transport(), watched] });
    const b = new Node('b', { transports: [hub.transport()] });
    await Promise.all([a.start(), b.start()]);
    b.listener?.onPeers(['a']);
    a.listener?.onPeers(['b', 'c', 'd']);
    expect(asked.at(-1)).toBe('c,d never');
    a.transport.prefer?.(['d', 'b'], 'later');
    expect(asked.at(-1)).toBe('d,c never');
    a.transport.prefer?.(['d'], 'never');
    expect(asked.at(-1)).toBe('d never');
  });

  it('waits with a worse link while a better one is being made, and not for ever', async () => {
    vi.useFakeTimers();
    cleanups.push(() => vi.useRealTimers());
    let better: TransportHandlers | undefined;
    const bare = new MemoryHub().transport();
    const slow: Transport = Object.assign(Object.create(bare) as Transport, {
      start: async (_self: string, handlers: TransportHandlers) => {
        better = handlers;
      },
      links: () => [],
      stop: async () => undefined,
    });
    let asked: readonly string[] = [];
    const worse = Object.assign(Object.create(bare) as Transport, {
      start: async () => undefined,
      prefer: (peers: readonly string[]) => {
        asked = peers;
      },
      stop: async () => undefined,
    });
    const a = new Node('a', { transports: [slow, worse] });
    await a.start();
    better?.onLink('b', 'connecting');
    a.listener?.onPeers(['b', 'c']);
    expect(asked).toEqual(['c']);
    await vi.advanceTimersByTimeAsync(4_500);
    expect(asked).toEqual(['c']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toEqual(['b', 'c']);
    better?.onLink('b', 'open');
    expect(asked).toEqual(['c']);
    better?.onLink('b', 'closed');
    expect(asked).toEqual(['b', 'c']);
  });
});

test('whoever asks for all links asks each kind once, however many peers there are', async () => {
  const [first, second] = [new MemoryHub(), new MemoryHub()];
  let asked = 0;
  const counted = (inner: Transport): Transport =>
    new Proxy(inner, {
      get: (target, property) => {
        if (property === 'links') asked++;
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  const a = new Node('a', { transports: [counted(first.transport()), counted(second.transport())] });
  const others = ['b', 'c', 'd', 'e'].map((id) => new Node(id, { transports: [first.transport(), second.transport()] }));
  await Promise.all([a, ...others].map((node) => node.start()));
  a.listener?.onPeers(['b', 'c', 'd', 'e']);
  for (const other of others) other.listener?.onPeers(['a']);
  await Promise.all(['b', 'c', 'd', 'e'].map((id) => a.hears(`${id} open`)));
  asked = 0;
  expect(a.transport.links().map(({ peer, state }) => `${peer} ${state}`)).toEqual(['b open', 'c open', 'd open', 'e open']);
  expect(asked).toBe(2);
});
