import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { attachSignaling, createSignalingServer, type StandaloneOptions } from '../../signaling/server.ts';
import type { RaftError } from '../../src/core/errors.ts';
import { SignalingClient, signalingUrl } from '../../src/signaling/client.ts';
import { SIGNALING_FRAME_BYTES_MAX } from '../../src/signaling/protocol.ts';
import type { RoomEntry } from '../../src/signaling/signaling.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(
  options: StandaloneOptions = {},
): Promise<{ readonly url: string; readonly close: () => Promise<void>; readonly port: number }> {
  const server = await createSignalingServer(options);
  cleanups.push(() => server.close());
  return { ...server, port: Number(new URL(server.url).port) };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tabraft-signaling-'));
  cleanups.push(() => rmSync(path, { recursive: true }));
  return path;
}

/** A client, and everything it was told, as text. */
class Tab {
  readonly told: string[] = [];
  readonly errors: RaftError[] = [];
  readonly client: SignalingClient;
  readonly #waiting = new Set<() => void>();

  constructor(url: string, connect: (to: string) => WebSocket = (to) => new WebSocket(to)) {
    this.client = new SignalingClient({ url, connect, random: () => 0 });
    cleanups.push(() => this.client.close());
  }

  async enter(nodeId: string, more: Partial<RoomEntry> = {}): Promise<void> {
    const entry: RoomEntry = { room: 'room', nodeId, clusterId: undefined, mayFound: true, ...more };
    await this.client.enter(entry, {
      onPeers: (peers) => this.#note(`peers ${[...peers].sort().join()}`),
      onSignal: (from, data) => this.#note(`signal ${from} ${JSON.stringify(data)}`),
      onGrant: () => this.#note('grant'),
      onCluster: (clusterId) => this.#note(`cluster ${clusterId}`),
      onState: (state, error) => {
        if (error !== undefined) this.errors.push(error);
        this.#note(error === undefined ? state : `${state}: ${error.code}`);
      },
    });
  }

  #note(what: string): void {
    this.told.push(what);
    for (const look of [...this.#waiting]) look();
  }

  /** Waits until it has been told something, from a place on; the place after it. */
  async hears(what: string | RegExp, from = 0): Promise<number> {
    const find = (): number =>
      this.told.findIndex((one, i) => i >= from && (typeof what === 'string' ? one === what : what.test(one)));
    if (find() < 0) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`not told ${what}, but ${JSON.stringify(this.told)}`)), 10_000);
        const look = (): void => {
          if (find() < 0) return;
          clearTimeout(timer);
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
    return find() + 1;
  }
}

async function entered(url: string, nodeId: string, more: Partial<RoomEntry> = {}): Promise<Tab> {
  const tab = new Tab(url);
  await tab.enter(nodeId, more);
  await tab.hears('open');
  return tab;
}

/** A bare socket to the server, and how it ended. */
async function bare(
  url: string,
  options: { readonly autoPong?: boolean; readonly origin?: string } = {},
): Promise<{ readonly socket: WebSocket; readonly closed: Promise<number> }> {
  const socket = new WebSocket(url, options);
  cleanups.push(() => socket.terminate());
  const closed = new Promise<number>((resolve) => {
    socket.on('close', resolve);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve, reject) =>
    socket.on('open', resolve).on('unexpected-response', (_request, response) => reject(new Error(String(response.statusCode)))),
  );
  return { socket, closed };
}

function hello(nodeId: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    type: 'hello',
    version: 1,
    room: 'room',
    nodeId,
    resume: null,
    clusterId: null,
    mayFound: true,
    ...more,
  });
}

describe('the server', () => {
  it('grants one of five that come at once, and tells the cluster to the others', async () => {
    const { url } = await serve();
    const tabs = await Promise.all(Array.from({ length: 5 }, (_, i) => entered(url, `n${i}`)));
    for (const tab of tabs) await tab.hears(/^peers (n\d,){3}n\d$/);
    const founders = tabs.filter((tab) => tab.told.includes('grant'));
    expect(founders.length).toBe(1);
    founders[0]?.client.founded('c1');
    for (const tab of tabs) await tab.hears('cluster c1');
  });

  it('passes the grant on when its holder is gone', async () => {
    const { url } = await serve();
    const first = await entered(url, 'n1');
    const second = await entered(url, 'n2');
    await first.hears('grant');
    await first.client.close();
    await second.hears('grant');
  });

  it('remembers over a restart that a room has a cluster', async () => {
    const directory = folder();
    const before = await serve({ directory });
    const founder = await entered(before.url, 'n1');
    await founder.hears('grant');
    founder.client.founded('c1');
    await founder.hears('cluster c1');
    await founder.client.close();
    await before.close();
    const after = await serve({ directory });
    const stranger = await entered(after.url, 'stranger');
    await stranger.hears('cluster c1');
    expect(stranger.told).not.toContain('grant');
  });

  it('lets a reload take over at once, and a second living one not at all', async () => {
    const { url } = await serve({ probeMs: 500 });
    const old = await entered(url, 'n1');
    const copy = new Tab(url);
    await copy.enter('n1');
    await copy.hears('closed: identity-in-use');
    await old.client.close();
    const reloaded = await entered(url, 'n1');
    expect(reloaded.told).toContain('open');
  });

  it('lets a newcomer take the place of a connection that no longer answers', async () => {
    const { url } = await serve({ probeMs: 100 });
    const { socket, closed } = await bare(url, { autoPong: false });
    socket.send(hello('n1'));
    await new Promise((resolve) => socket.once('message', resolve));
    const next = await entered(url, 'n1');
    await next.hears('grant');
    expect(await closed).toBe(4408);
  });

  it('refuses pages from elsewhere, unless they are allowed', async () => {
    const { url, port } = await serve();
    await expect(bare(url, { origin: 'https://evil.example' })).rejects.toThrow('403');
    await bare(url, { origin: `http://127.0.0.1:${port}` });
    const listed = await serve({ origins: ['https://good.example'] });
    await bare(listed.url, { origin: 'https://good.example' });
    await expect(bare(listed.url, { origin: `http://127.0.0.1:${listed.port}` })).rejects.toThrow('403');
  });

  it('closes who floods, who says nothing, and who no longer answers pings', async () => {
    const { url } = await serve({ messagesBurstMax: 20, helloTimeoutMs: 50, pingEveryMs: 50 });
    const flood = await bare(url);
    for (let i = 0; i < 100; i++) flood.socket.send('{"type":"ping"}');
    const silent = await bare(url);
    const deaf = await bare(url, { autoPong: false });
    deaf.socket.send(hello('n1'));
    expect(await Promise.all([flood.closed, silent.closed, deaf.closed])).toEqual([4429, 4408, 1006]);
  });

  it('names its ICE servers to those who enter', async () => {
    const iceServers = [{ urls: 'turn:turn.example', username: 'u', credential: 'c' }];
    const { url } = await serve({ iceServers });
    const tab = new Tab(url);
    expect(tab.client.iceServers()).toEqual([]);
    await tab.enter('n1');
    await tab.hears('open');
    await tab.hears('grant');
    expect(tab.client.iceServers()).toEqual(iceServers);
  });

  it('limits connections per address', async () => {
    const { url } = await serve({ connectionsPerAddressMax: 2 });
    await bare(url);
    await bare(url);
    await expect(bare(url)).rejects.toThrow('429');
  });

  it('shares a port: other requests and upgrades are answered as before, and operators are', async () => {
    const http = createServer((_request, response) => void response.end('the site'));
    const signaling = await attachSignaling(http);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    cleanups.push(
      () => http.close(),
      () => http.closeAllConnections(),
    );
    const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const get = async (path: string): Promise<string> => (await fetch(base + path)).text();
    const tab = await entered(base, 'n1');
    expect(await get('/anything')).toBe('the site');
    expect(await get('/healthz')).toBe('ok\n');
    expect(await get('/metrics')).toContain('tabraft_signaling_members 1\n');
    await expect(bare(`${base}/elsewhere`)).rejects.toThrow('404');
    await tab.client.close();
    await signaling.close();
    expect(await get('/healthz')).toBe('the site');
  });

  it('survives anything that arrives: random text, binary, JSON of every shape, frames too large', async () => {
    const { url, port } = await serve({ connectionsPerAddressMax: 10_000 });
    const bystander = await entered(url, 'bystander');
    const field = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.constant([]),
      fc.constantFrom('room', 'n1', 'bystander', '__proto__'),
    );
    const nearly = fc.record(
      {
        type: fc.constantFrom('hello', 'signal', 'founded', 'ping', 'toString'),
        version: field,
        room: field,
        nodeId: field,
        resume: field,
        clusterId: field,
        mayFound: fc.boolean(),
        to: field,
        data: fc.anything({ maxDepth: 3 }),
      },
      { requiredKeys: ['type'] },
    );
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      nearly.map((value) => JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? String(v) : v))),
    );
    const frames = fc.sample(fc.array(fc.oneof(text, fc.uint8Array()), { maxLength: 8 }), 150);
    const deep = '['.repeat(30_000) + ']'.repeat(30_000);
    const directed = [[`{"type":"signal","to":"bystander","data":${deep}}`], ['x'.repeat(SIGNALING_FRAME_BYTES_MAX + 1)], [deep]];
    for (const some of [...frames, ...directed]) {
      const { socket, closed } = await bare(url);
      for (const frame of some) socket.send(frame);
      socket.close();
      await closed;
    }
    expect(await (await fetch(`http://127.0.0.1:${port}/healthz`)).text()).toBe('ok\n');
    const honest = await entered(url, 'honest');
    expect(honest.client.signal('bystander', { hello: 1 })).toBe(true);
    await bystander.hears('signal honest {"hello":1}');
    expect(bystander.errors).toEqual([]);
  });

  it('lets an honest node in beside hundreds of half-open requests', async () => {
    const { url, port } = await serve();
    const halves: Socket[] = [];
    cleanups.push(() => halves.forEach((half) => void half.destroy()));
    for (let i = 0; i < 300; i++) {
      const half = connect(port, '127.0.0.1');
      half.on('error', () => undefined);
      half.write('GET /signal HTTP/1.1\r\nUpgrade: websoc');
      halves.push(half);
    }
    const honest = await entered(url, 'honest');
    await honest.hears('grant');
    await Promise.all(halves.map((half) => new Promise((resolve) => half.once('close', resolve).resume())));
  });
});

describe('the client', () => {
  it('comes back by itself when the server does, and a newcomer can ask it before it founds anything', async () => {
    const first = await serve();
    const tab = await entered(first.url, 'n1');
    await tab.hears('grant');
    tab.client.founded('c1');
    await tab.hears('cluster c1');
    await first.close();
    const lost = await tab.hears('connecting: signaling-unreachable');
    await serve({ port: first.port, claimWaitMs: 600_000 });
    await tab.hears('open', lost);
    const other = await entered(first.url, 'n2');
    await other.hears('peers n1');
    expect([...tab.told, ...other.told].filter((one) => one === 'grant')).toEqual(['grant']);
  });

  it('takes its place again when only its connection broke: the others notice nothing', async () => {
    const { url } = await serve();
    const sockets: WebSocket[] = [];
    const tab = new Tab(url, (to) => {
      const socket = new WebSocket(to);
      sockets.push(socket);
      return socket;
    });
    await tab.enter('n1');
    const granted = await tab.hears('grant');
    const other = await entered(url, 'n2');
    await other.hears('peers n1');
    sockets[0]?.terminate();
    await tab.hears('grant', granted);
    tab.client.founded('c1');
    await other.hears('cluster c1');
    expect(other.told).toEqual(['connecting', 'open', 'peers n1', 'cluster c1']);
  });

  it('says that there is no server, with a code, and keeps trying', async () => {
    const gone = await serve();
    await gone.close();
    const tab = new Tab(gone.url);
    await tab.enter('n1');
    const first = await tab.hears('connecting: signaling-unreachable');
    await tab.hears('connecting: signaling-unreachable', first);
    expect(tab.client.signal('n2', {})).toBe(false);
  });

  it('lets its node judge what the server has for the room, and stays in it', async () => {
    const { url } = await serve();
    const founder = await entered(url, 'n1');
    await founder.hears('grant');
    founder.client.founded('c1');
    await founder.hears('cluster c1');
    const other = await entered(url, 'n2', { clusterId: 'c2' });
    await other.hears('open: cluster-mismatch');
    expect(other.errors.map(({ code, retryable }) => [code, retryable])).toEqual([['cluster-mismatch', false]]);
    expect(other.client.signal('n1', 'still here')).toBe(true);
    await founder.hears('signal n2 "still here"');
  });

  it('hands signals over, and says so when it cannot', async () => {
    const { url } = await serve();
    const a = await entered(url, 'a');
    const b = await entered(url, 'b');
    expect(a.client.signal('b', { candidate: 'x' })).toBe(true);
    await b.hears('signal a {"candidate":"x"}');
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    expect(a.client.signal('b', cyclic)).toBe(false);
    expect(a.client.signal('b', 'x'.repeat(SIGNALING_FRAME_BYTES_MAX))).toBe(false);
    await a.client.close();
    expect(a.client.signal('b', {})).toBe(false);
  });

  it('refuses what cannot work before it tries', async () => {
    expect(() => new SignalingClient({ url: 'not a url' })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(() => signalingUrl('ftp://x')).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(signalingUrl('https://x.example')).toBe('wss://x.example/signal');
    expect(signalingUrl('http://x.example/own?a=1#f')).toBe('ws://x.example/own?a=1');
    const tab = new Tab('ws://127.0.0.1:9');
    await expect(tab.enter('n1', { room: 'no/slash' })).rejects.toMatchObject({ code: 'room-invalid' });
    await expect(tab.enter('not an id')).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});
