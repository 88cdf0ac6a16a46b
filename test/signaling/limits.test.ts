/** What a stranger may ask for: rates, addresses, half-open sockets, slow readers; and that others do not feel it. */
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { limitKey, Proxies } from '../../signaling/addresses.ts';
import { Bucket, Buckets } from '../../signaling/buckets.ts';
import { attachSignaling, createSignalingServer, type SignalingOptions, type StandaloneOptions } from '../../signaling/server.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe('a bucket', () => {
  it('gives a burst, then so much per second, and never saves up more than the burst', () => {
    const bucket = new Bucket({ burst: 3, perSecond: 2 }, 0);
    expect([1, 2, 3, 4].map(() => bucket.take(1, 0))).toEqual([true, true, true, false]);
    expect([bucket.take(1, 499), bucket.take(1, 500), bucket.take(1, 500)]).toEqual([false, true, false]);
    expect([1, 2, 3, 4].map(() => bucket.take(1, 1e9))).toEqual([true, true, true, false]);
  });

  it('does not give more when the clock goes back', () => {
    const bucket = new Bucket({ burst: 1, perSecond: 1 }, 1_000);
    expect([bucket.take(1, 1_000), bucket.take(1, 0), bucket.take(1, 500)]).toEqual([true, false, false]);
  });

  it('of a key that is used stays; the one least recently used is forgotten', () => {
    const buckets = new Buckets({ burst: 1, perSecond: 0 }, 2);
    expect([buckets.take('a', 1, 0), buckets.take('b', 1, 0), buckets.take('a', 1, 0)]).toEqual([true, true, false]);
    expect([buckets.take('c', 1, 0), buckets.take('a', 1, 0), buckets.take('b', 1, 0)]).toEqual([true, false, true]);
  });
});

describe('an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['', ''],
  ])('%s counts as %s', (address, key) => {
    expect(limitKey(address)).toBe(key);
  });

  const request = (remoteAddress: string, forwarded?: string): IncomingMessage =>
    ({
      socket: { remoteAddress },
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    }) as unknown as IncomingMessage;

  it('behind proxies is the last one that no trusted proxy has: what is before it may be invented', () => {
    const proxies = new Proxies(['10.0.0.0/8', 'loopback', '2001:db8::/32']);
    expect(proxies.addressOf(request('203.0.113.9', '1.1.1.1'))).toBe('203.0.113.9');
    expect(proxies.addressOf(request('10.1.2.3', '1.1.1.1, 198.51.100.7, 10.9.9.9'))).toBe('198.51.100.7');
    expect(proxies.addressOf(request('::ffff:127.0.0.1', '198.51.100.7:4711'))).toBe('198.51.100.7');
    expect(proxies.addressOf(request('2001:db8::5', '[2001:4860::1]:443'))).toBe('2001:4860::1');
    expect(proxies.addressOf(request('10.1.2.3', 'nonsense'))).toBe('10.1.2.3');
    expect(proxies.addressOf(request('10.1.2.3'))).toBe('10.1.2.3');
    expect(new Proxies([]).addressOf(request('127.0.0.1', '1.1.1.1'))).toBe('127.0.0.1');
  });

  it.each(['proxy.example', '10.0.0.0/33', '::1/129', '10.0.0.1/x', ''])('%j is no proxy', (one) => {
    expect(() => new Proxies([one])).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

async function serve(
  options: StandaloneOptions = {},
): Promise<{ readonly url: string; readonly port: number; readonly metrics: () => Promise<string> }> {
  const server = await createSignalingServer(options);
  cleanups.push(() => server.close());
  const port = Number(new URL(server.url).port);
  return { url: server.url, port, metrics: async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text() };
}

interface Raw {
  readonly socket: WebSocket;
  readonly heard: Record<string, unknown>[];
  readonly closed: Promise<number>;
  hears(matches: (message: Record<string, unknown>) => boolean): Promise<void>;
}

async function raw(url: string, headers: Record<string, string> = {}): Promise<Raw> {
  const socket = new WebSocket(url, { headers });
  cleanups.push(() => socket.terminate());
  const heard: Record<string, unknown>[] = [];
  socket.on('message', (data) => void heard.push(JSON.parse(String(data)) as Record<string, unknown>));
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  socket.on('error', () => undefined);
  await new Promise<void>((resolve, reject) =>
    socket
      .on('open', resolve)
      .on('unexpected-response', (_request, response) =>
        reject(new Error(`${response.statusCode} ${response.headers['retry-after']}`)),
      ),
  );
  const hears: Raw['hears'] = async (matches) => {
    while (!heard.some(matches)) {
      await Promise.race([new Promise((resolve) => socket.once('message', resolve)), closed]);
      if (socket.readyState === WebSocket.CLOSED) break;
    }
    if (!heard.some(matches)) throw new Error(`heard only ${JSON.stringify(heard).slice(0, 500)}`);
  };
  return { socket, heard, closed, hears };
}

function hello(nodeId: string, room = 'room'): string {
  return JSON.stringify({ type: 'hello', version: 1, room, nodeId, clusterId: null, mayFound: true });
}
const pong = (message: Record<string, unknown>): boolean => message['type'] === 'pong';

describe('one address', () => {
  it('opens so many connections a second, and is told when to come again', async () => {
    const { url } = await serve({ connectionRate: { burst: 2, perSecond: 0.001 } });
    for (let i = 0; i < 2; i++) (await raw(url)).socket.terminate();
    await expect(raw(url)).rejects.toThrow('429 5');
  });

  it('says hello so often, and makes so many rooms; others in rooms that exist are not hindered', async () => {
    const { url } = await serve({
      newRoomRate: { burst: 2, perSecond: 0.001 },
      helloRate: { burst: 4, perSecond: 0.001 },
    });
    const at = async (nodeId: string, room: string): Promise<string> => {
      const one = await raw(url);
      one.socket.send(hello(nodeId, room));
      await one.hears(({ type }) => type === 'welcome' || type === 'error');
      return String(one.heard[0]?.['code'] ?? one.heard[0]?.['type']);
    };
    expect([await at('a', 'r1'), await at('b', 'r2'), await at('c', 'r3')]).toEqual(['welcome', 'welcome', 'busy']);
    expect([await at('d', 'r1'), await at('e', 'r1')]).toEqual(['welcome', 'busy']);
  });

  it('is that of the visitor behind a trusted proxy, and its whole network under IPv6', async () => {
    const { url } = await serve({ trustedProxies: ['loopback'], connectionsPerAddressMax: 1 });
    await raw(url, { 'x-forwarded-for': '2001:db8::1' });
    await expect(raw(url, { 'x-forwarded-for': '2001:db8::2' })).rejects.toThrow('429');
    await raw(url, { 'x-forwarded-for': '2001:db8:0:1::1' });
    await raw(url, { 'x-forwarded-for': 'forged, 2001:db8:0:2::1' });
    await expect(raw(url, { 'x-forwarded-for': '1.2.3.4, 2001:db8:0:2::5' })).rejects.toThrow('429');
  });
});

describe('a sender', () => {
  it('may signal to one peer so often; what is more is dropped, and what it says to others is not', async () => {
    const { url, metrics } = await serve();
    const [a, b, c] = [await raw(url), await raw(url), await raw(url)];
    for (const [one, id] of [
      [a, 'a'],
      [b, 'b'],
      [c, 'c'],
    ] as const)
      one.socket.send(hello(id));
    await a.hears(({ nodeId }) => nodeId === 'c');
    for (let i = 0; i < 500; i++) a.socket.send(JSON.stringify({ type: 'signal', to: 'b', data: i }));
    a.socket.send(JSON.stringify({ type: 'signal', to: 'c', data: 'last' }));
    a.socket.send('{"type":"ping"}');
    await a.hears(pong);
    await c.hears(({ data }) => data === 'last');
    const signals = b.heard.filter(({ type }) => type === 'signal').length;
    expect(signals).toBeGreaterThanOrEqual(200);
    expect(signals).toBeLessThan(400);
    expect(await metrics()).toMatch(/dropped_total\{kind="pair-rate"\} \d+/);
  });

  it('pays for a reader who does not read: it is closed, the reader is not', async () => {
    const { url } = await serve();
    const [reader, sender] = [await raw(url), await raw(url)];
    reader.socket.send(hello('reader'));
    await reader.hears(({ type }) => type === 'welcome');
    reader.socket.pause();
    sender.socket.send(hello('sender'));
    await sender.hears(({ type }) => type === 'welcome');
    const data = 'x'.repeat(60_000);
    // Slowly enough for its own bytes per second not to matter: they are what the kernel takes, then what the server keeps.
    const flood = async (): Promise<void> => {
      for (let i = 0; sender.socket.readyState === WebSocket.OPEN && i < 4_000; i++) {
        sender.socket.send(JSON.stringify({ type: 'signal', to: 'reader', data }));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const [code] = await Promise.all([sender.closed, flood()]);
    expect(code).toBe(4429);
    reader.socket.resume();
    reader.socket.send('{"type":"ping"}');
    await reader.hears(pong);
    expect(reader.socket.readyState).toBe(WebSocket.OPEN);
  });
});

describe('half-open sockets', () => {
  async function attached(options: SignalingOptions): Promise<{ readonly port: number; readonly halfOpen: () => number }> {
    const http = createServer((_request, response) => void response.end('the site'));
    const signaling = await attachSignaling(http, options);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    cleanups.push(
      () => http.close(),
      () => http.closeAllConnections(),
      () => signaling.close(),
    );
    return { port: (http.address() as AddressInfo).port, halfOpen: () => signaling.counts().halfOpen };
  }

  function half(port: number, text: string): { readonly socket: Socket; readonly closed: Promise<unknown> } {
    const socket = connect(port, '127.0.0.1');
    cleanups.push(() => socket.destroy());
    socket.on('error', () => undefined).resume();
    if (text !== '') socket.write(text);
    return { socket, closed: new Promise((resolve) => socket.once('close', resolve)) };
  }

  it('end on any server, also when a first request was answered', async () => {
    const { port, halfOpen } = await attached({ headersTimeoutMs: 50 });
    const some = Array.from({ length: 50 }, () => half(port, 'GET /signal HTTP/1.1\r\nUpgrade: websoc'));
    const silent = half(port, '');
    const second = half(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /second HTTP/1.1\r\nHos');
    await Promise.all([...some, silent, second].map(({ closed }) => closed));
    expect(halfOpen()).toBe(0);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('the site');
  });

  it('count for their address, the oldest goes first, and an honest visitor gets in', async () => {
    const { port, halfOpen } = await attached({ headersTimeoutMs: 60_000, connectionsPerAddressMax: 20 });
    const first = half(port, 'GET / HT');
    const more = Array.from({ length: 40 }, () => half(port, 'GET / HT'));
    await first.closed;
    await Promise.all(more.slice(0, 10).map(({ closed }) => closed));
    const honest = await raw(`ws://127.0.0.1:${port}/signal`);
    honest.socket.send(hello('honest'));
    await honest.hears(({ type }) => type === 'grant');
    expect(halfOpen()).toBeLessThanOrEqual(20);
  });
});

describe('a live identity', () => {
  it('finding S3, is not taken by contending until a ping is out', async () => {
    const plenty = { burst: 1e9, perSecond: 1e9 };
    const { url } = await serve({ pingEveryMs: 1_500, probeMs: 1_000, connectionRate: plenty, helloRate: plenty });
    const live = await raw(url);
    live.socket.send(hello('n1'));
    await live.hears(({ type }) => type === 'grant');
    let refused = 0;
    const until = performance.now() + 6_000;
    while (performance.now() < until) {
      const thief = await raw(url);
      thief.socket.send(hello('n1'));
      await thief.hears(({ type }) => type === 'error' || type === 'welcome');
      expect(thief.heard[0]).toMatchObject({ code: 'identity-in-use' });
      refused++;
    }
    expect(refused).toBeGreaterThan(20);
    expect(live.socket.readyState).toBe(WebSocket.OPEN);
  });
});
