/**
 * `npm run bench:signaling`: joins per second and relayed bytes of the signaling server as it is built, one process, then two on one
 * Redis (where redis-server is installed). Clients are bare WebSockets in this process, each from an address of its own.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';

const root = fileURLToPath(new URL('../..', import.meta.url));
const binary = join(root, 'dist', 'signaling.js');

const JOINS = 2_000;
/** Joins under way at once. */
const AT_ONCE = 64;
const ROOM_MEMBERS = 8;
/** Within RELAY_RATE and its burst they may send some 62 MiB/s together: what is less than that is what a process cannot carry. */
const PAIRS = 48;
const RELAY_SECONDS = 5;
const FRAME_BYTES = 16 * 1024;
/** Frames of a pair that are not acknowledged yet: as many as a link keeps in flight. */
const IN_FLIGHT = 8;
const RUNS = 3;

let address = 0;
const nextAddress = () => `10.${(address >> 16) & 255}.${(address >> 8) & 255}.${address++ & 255}`;

async function serve(redis) {
  const child = spawn(process.execPath, [binary, '--port', '0'], {
    env: { ...process.env, TRUSTED_PROXIES: 'loopback', STUN: 'stun:stun.example:3478', ...(redis ? { REDIS: redis } : {}) },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /ws:\S+/.exec(line)?.[0];
    if (url) return { url, child };
  }
  throw new Error('The server did not start.');
}

/** Resolves with the socket when it is welcomed, and with how long that took: ms. */
function enter(url, room, nodeId, onFrame = () => {}) {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers: { 'x-forwarded-for': nextAddress() }, perMessageDeflate: false });
    const hello = { type: 'hello', version: 1, room, nodeId, resume: null, clusterId: null, mayFound: true };
    socket.on('open', () => socket.send(JSON.stringify(hello)));
    socket.on('error', reject);
    socket.on('message', (data, isBinary) => {
      if (isBinary) return onFrame(socket, data);
      const message = JSON.parse(data.toString());
      if (message.type === 'welcome') resolve({ socket, ms: performance.now() - started });
      else if (message.type === 'error') reject(new Error(message.message));
    });
  });
}

async function joins(urls, run) {
  const times = [];
  const sockets = [];
  let next = 0;
  const started = performance.now();
  const worker = async () => {
    for (let i = next++; i < JOINS; i = next++) {
      const room = `joins-${run}-${Math.floor(i / ROOM_MEMBERS)}`;
      const { socket, ms } = await enter(urls[i % urls.length], room, `n${i % ROOM_MEMBERS}`);
      times.push(ms);
      sockets.push(socket);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.terminate();
  times.sort((a, b) => a - b);
  return { perSecond: JOINS / seconds, p50: times[Math.floor(times.length / 2)], p99: times[Math.floor(times.length * 0.99)] };
}

function frameFor(nodeId, bytes) {
  const frame = Buffer.alloc(1 + nodeId.length + bytes);
  frame[0] = nodeId.length;
  frame.write(nodeId, 1, 'latin1');
  return frame;
}

/** Each pair sends full frames one way, a small one back for each, and no more than a link keeps in flight. */
async function relay(urls, run) {
  let bytes = 0;
  let lost = 0;
  const trips = [];
  const pairs = await Promise.all(
    Array.from({ length: PAIRS }, async (_, i) => {
      const room = `relay-${run}-${i}`;
      const sent = [];
      const full = frameFor('b', FRAME_BYTES);
      const small = frameFor('a', 1);
      const send = (socket) => {
        sent.push(performance.now());
        socket.send(full);
      };
      const a = await enter(urls[0], room, 'a', (socket) => {
        bytes += FRAME_BYTES;
        trips.push(performance.now() - sent.shift());
        send(socket);
      });
      const b = await enter(urls[urls.length - 1], room, 'b', (socket) => socket.send(small));
      a.socket.on('message', (data, isBinary) => {
        if (!isBinary && data.toString().includes('relay-lost')) lost++;
      });
      return { a: a.socket, b: b.socket, send };
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 500)); // both ends know each other at both processes
  const started = performance.now();
  for (const { a, send } of pairs) for (let i = 0; i < IN_FLIGHT; i++) send(a);
  await new Promise((resolve) => setTimeout(resolve, RELAY_SECONDS * 1000));
  const seconds = (performance.now() - started) / 1000;
  for (const { a, b } of pairs) for (const socket of [a, b]) socket.terminate();
  trips.sort((x, y) => x - y);
  return { mibPerSecond: bytes / seconds / 2 ** 20, p50: trips[Math.floor(trips.length / 2)], lost };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

async function withRedis(work) {
  if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status !== 0) {
    console.log('two on Redis: not measured, redis-server is not installed');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'tabraft-bench-redis-'));
  const port = await freePort();
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const child = spawn('redis-server', ['--port', String(port), '--dir', folder, '--save', '', ...durable], { stdio: 'ignore' });
  try {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await work(`redis://127.0.0.1:${port}`);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(name, redis, count) {
  for (let run = 0; run < RUNS; run++) {
    const servers = await Promise.all(Array.from({ length: count }, () => serve(redis)));
    const urls = servers.map(({ url }) => url);
    try {
      const j = await joins(urls, `${count}-${run}`);
      const r = await relay(urls, `${count}-${run}`);
      console.log(
        `${name}, run ${run + 1}: ${j.perSecond.toFixed(0)} joins/s (p50 ${j.p50.toFixed(1)} ms, p99 ${j.p99.toFixed(1)} ms); ` +
          `relay ${r.mibPerSecond.toFixed(1)} MiB/s (p50 of a full frame there and a small one back ${r.p50.toFixed(1)} ms, ${r.lost} lost)`,
      );
    } finally {
      for (const { child } of servers) child.kill('SIGKILL');
    }
  }
}

if (!existsSync(binary)) throw new Error('Build first: npm run build.');
console.log(
  `${JOINS} joins into rooms of ${ROOM_MEMBERS}, ${AT_ONCE} at once; ${PAIRS} pairs relay frames of ${FRAME_BYTES} bytes`,
);
console.log(`Node ${process.version}, ${cpus().length} cores, clients and servers on the same machine`);
await measure('one process', undefined, 1);
await withRedis((url) => measure('two on one Redis', url, 2));
