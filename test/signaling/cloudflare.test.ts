/** The Worker as it is deployed, in Cloudflare's own runtime (miniflare), with real clients. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Miniflare } from 'miniflare';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { builtWorker, miniflareOf } from '../support/miniflare.ts';
import { Tab } from './tab.ts';

let script = '';
let folder = '';
let miniflare: Miniflare | undefined;
let url = '';
let tabs: Tab[] = [];
let room = '';
let count = 0;

beforeAll(async () => {
  script = await builtWorker('signaling/cloudflare/worker.ts');
  folder = mkdtempSync(join(tmpdir(), 'tabraft-cloudflare-'));
  await start();
});
afterAll(async () => {
  await miniflare?.dispose();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  room = `room-${count++}`;
});
afterEach(async () => {
  await Promise.all(tabs.map((tab) => tab.client.close()));
  tabs = [];
});

async function start(): Promise<void> {
  await miniflare?.dispose();
  miniflare = miniflareOf({
    script,
    folder,
    className: 'RoomObject',
    bindings: { STUN: 'stun:stun.example:3478', TURN: 'turn:turn.example', TURN_SECRET: 'secret' },
  });
  url = `${String(await miniflare.ready).replace(/^http/, 'ws')}signal?room=`;
}

function tab(nodeId: string): Promise<Tab> {
  const made = new Tab(`${url}${room}`);
  tabs.push(made);
  return made.enter(nodeId, { room });
}

test('members see each other come and go, signal, relay, and one of them founds', async () => {
  const a = await tab('a');
  await a.hears('grant');
  const b = await tab('b');
  await b.hears('peers a');
  await a.hears('peers b');
  a.client.signal('b', { offer: 1 });
  await b.hears('signal a {"offer":1}');
  a.client.founded('c1');
  await Promise.all([a.hears('cluster c1'), b.hears('cluster c1')]);
  expect(b.count('grant')).toBe(0);
  a.client.relay('b', new Uint8Array(16_000).fill(7));
  await b.hears('frame a 16000 7');
  expect(a.client.iceServers()).toMatchObject([
    { urls: ['stun:stun.example:3478'] },
    { urls: ['turn:turn.example'], username: /:a$/ },
  ]);
  const before = a.told.length;
  await b.client.close();
  await a.hears('peers ', before);
  a.client.relay('b', Uint8Array.of(1));
  await a.hears('lost b');
});

test('who relays more than the rate allows is slower for it, and loses nothing', async () => {
  const a = await tab('a');
  const b = await tab('b');
  await a.hears('peers b');
  const frames = Array.from({ length: 300 }, (_, i) => i % 250);
  for (const i of frames) a.client.relay('b', new Uint8Array(16_000).fill(i));
  a.client.relay('b', Uint8Array.of(1));
  await b.hears('frame a 1 1');
  expect(b.told.filter((one) => one.startsWith('frame a 16000'))).toEqual(frames.map((i) => `frame a 16000 ${i}`));
  expect(a.told.filter((one) => one.startsWith('lost'))).toEqual([]);
});

test('founding is granted once; whose connection breaks keeps its place', async () => {
  const racers = await Promise.all(['a', 'b', 'c', 'd'].map((id) => tab(id)));
  await Promise.all(racers.map((racer) => racer.hears(/^peers (?:\w,){2}\w$/)));
  const granted = racers.filter((racer) => racer.count('grant') > 0);
  expect(granted).toHaveLength(1);
  const [holder, other] = [granted[0], racers.find((racer) => !granted.includes(racer))];
  if (holder === undefined || other === undefined) throw new Error('nobody');
  const before = other.told.length;
  holder.cut();
  // It has its place again, and the grant with it.
  await holder.hears('grant', await holder.hears('connecting: signaling-unreachable'));
  holder.client.founded('c2');
  await other.hears('cluster c2', before);
  expect(other.told.slice(before)).toEqual(['cluster c2']);
});

test('an object that is evicted in the middle remembers the cluster, and who was there comes back', async () => {
  const a = await tab('a');
  await a.hears('grant');
  a.client.founded('c3');
  await a.hears('cluster c3');
  await a.client.close();
  await start();
  const late = await tab('late');
  await late.hears('cluster c3');
  expect(late.count('grant')).toBe(0);
});

test('what is no client is refused: no room, another room, no message, another page, no WebSocket', async () => {
  const closed = (to: string, ...said: (string | Uint8Array)[]): Promise<number> =>
    new Promise((resolve) => {
      const socket = new WebSocket(to, { origin: undefined });
      socket.on('open', () => {
        for (const one of said) socket.send(one);
      });
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
      socket.on('error', () => {});
      socket.on('close', (code) => resolve(code));
    });
  const hello = (name: string): string =>
    JSON.stringify({ type: 'hello', version: 1, room: name, nodeId: 'x', resume: null, clusterId: null, mayFound: true });
  expect(await closed(url)).toBe(400);
  expect(await closed(`${url}a%20b`)).toBe(400);
  expect(await closed(`${url}${room}`, hello('another'))).toBe(4400);
  expect(await closed(`${url}${room}`, 'nonsense')).toBe(4400);
  expect(await closed(`${url}${room}`, JSON.stringify({ type: 'signal', to: 'a', data: 1 }))).toBe(4400);
  expect(await closed(`${url}${room}`, hello(room), hello(room))).toBe(4400);
  expect(await closed(`${url}${room}`, hello(room), new Uint8Array(70_000))).toBe(4400);
  const http = url.replace(/^ws/, 'http');
  const status = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> =>
    (await (miniflare ?? failed()).dispatchFetch(path, { headers })).status;
  expect(await status(`${http}${room}`)).toBe(426);
  expect(await status(`${http}${room}`, { upgrade: 'websocket', origin: 'https://evil.example' })).toBe(403);
  expect(await status(http.replace('/signal?room=', '/healthz'))).toBe(200);
  expect(await status(http.replace('/signal?room=', '/other'))).toBe(404);
});

function failed(): never {
  throw new Error('miniflare does not run');
}
