/**
 * The signaling server for Node: introduces the nodes of a room to each other and decides who founds its cluster. It sees
 * room names, node ids and WebRTC offers, never log data, and is no part of consensus: the mesh lives on without it.
 *
 *     const server = createServer(site);
 *     const signaling = await attachSignaling(server, { directory: './state' });
 *     server.listen(8080);
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { RaftError } from '../src/core/errors.ts';
import { SIGNALING_PATH } from '../src/signaling/protocol.ts';
import { CLUSTERS_REMEMBERED_MAX, type RoomsOptions } from '../src/signaling/rooms.ts';
import { Proxies } from './addresses.ts';
import { type Backend, LocalBackend } from './backend.ts';
import { Connections, type ConnectionsOptions } from './connections.ts';
import { DiskWatch } from './disk.ts';
import { HalfOpenSockets } from './half-open.ts';
import {
  CLOSE_TIMEOUT_MS,
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  HALF_OPEN_MAX,
  HEADERS_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  RETRY_AFTER_SECONDS,
  TICK_MS,
} from './limits.ts';
import { Metrics } from './metrics.ts';
import type { RedisOptions } from './redis/backend.ts';
import { RoomMemory } from './room-memory.ts';
import { TURN_SECONDS, type TurnOptions, turnServer } from './turn.ts';

export interface SignalingOptions extends ConnectionsOptions, Omit<RoomsOptions, 'clusters'> {
  /** Where to remember which rooms have a cluster. Without it a restart forgets, and rooms whose members sleep can be founded twice. */
  readonly directory?: string | undefined;
  /** Where several processes share their rooms; the package `redis` must be installed. Default: this process has its own. */
  readonly redis?: RedisOptions | undefined;
  /** STUN and TURN servers that every node is told of on entry, as RTCIceServer. Default none. */
  readonly iceServers?: readonly unknown[] | undefined;
  /** TURN servers with credentials of their own for each node, which last for a while. Default none. */
  readonly turn?: TurnOptions | undefined;
  /**
   * Pages that may connect, as origins ('https://example.org'), or '*' for all. Default: pages of this very server, and
   * clients that send no Origin (they are no browsers).
   */
  readonly origins?: readonly string[] | '*' | undefined;
  /**
   * Proxies in front of this server: addresses, networks ('10.0.0.0/8'), or 'loopback'. What they say in X-Forwarded-For is believed,
   * so that limits count by the visitor's address and not by the proxy's. Default none.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /** The address that counts for limits, where trustedProxies does not do. */
  readonly addressOf?: ((request: IncomingMessage) => string) | undefined;
  /** From a connection to the last header line of its request: ms. Default 5000. */
  readonly headersTimeoutMs?: number | undefined;
  /** Hears of what an operator should know. Default: console.error. */
  readonly onProblem?: ((problem: unknown) => void) | undefined;
}

export interface SignalingServer {
  /**
   * Lets a room be founded anew; when its old members come back they find the new cluster there. True when it was known. Durable when
   * it resolves. Errors: storage.
   */
  forget(room: string): Promise<boolean>;
  counts(): {
    readonly connections: number;
    readonly halfOpen: number;
    readonly rooms: number;
    readonly members: number;
    readonly clusters: number;
  };
  /**
   * Takes no more connections and answers /healthz with 503, closes those that are open, asking them to come back within
   * `retryAfterMs` (default: at once), and gives the HTTP server's events back.
   */
  close(options?: { readonly retryAfterMs?: number }): Promise<void>;
}

/**
 * Serves signaling on an existing HTTP server, at SIGNALING_PATH, with GET /healthz and /metrics; all other requests go to the
 * listeners it has. Errors: storage when the directory cannot be used, invalid-argument for a proxy that is no address.
 */
export async function attachSignaling(server: Server, options: SignalingOptions = {}): Promise<SignalingServer> {
  const proxies = new Proxies(options.trustedProxies ?? []);
  const onProblem = options.onProblem ?? ((problem: unknown) => console.error('signaling:', problem));
  const backend = await backendFor(options, onProblem);
  const metrics = new Metrics();
  const hooks = {
    iceServers: (nodeId: string) => {
      const { turn, iceServers = [] } = options;
      if (turn === undefined) return { iceServers, iceSeconds: null };
      return { iceServers: [...iceServers, turnServer(turn, nodeId, Date.now())], iceSeconds: turn.seconds ?? TURN_SECONDS };
    },
  };
  const connections = new Connections(backend, metrics, hooks, options);
  const halfOpen = halfOpenOf(server, options, proxies, metrics);
  const counts = (): ReturnType<SignalingServer['counts']> => ({
    connections: connections.size,
    halfOpen: halfOpen.size,
    ...backend.counts(),
  });
  let draining = false;

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => metrics.count('socket_errors'));
    if (pathOf(request) !== SIGNALING_PATH) {
      if (server.listenerCount('upgrade') <= 2) refuse(socket, 404); // ours, and that of half-open.ts
      return;
    }
    const address = options.addressOf?.(request) ?? proxies.addressOf(request);
    const status = isOriginAllowed(request, options.origins) ? (draining ? 503 : connections.refusal(address)) : 403;
    if (status === undefined) connections.upgrade(request, socket, head, address);
    else {
      metrics.count('refused', String(status));
      refuse(socket, status);
    }
  };
  const health = (): string | undefined => {
    if (draining) return 'draining';
    return backend.trouble();
  };
  const others = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    halfOpen.told(request, response);
    if (answerOperator(request, response, health, () => metrics.text({ ...counts(), draining: Number(draining) }))) return;
    for (const other of others) other.call(server, request, response);
  };
  server.removeAllListeners('request').on('request', onRequest).on('upgrade', onUpgrade);
  const timer = setInterval(() => connections.tick(), TICK_MS);
  timer.unref();

  return {
    counts,
    forget: (room) => backend.forget(room),
    close: async ({ retryAfterMs = 0 } = {}) => {
      draining = true;
      clearInterval(timer);
      connections.closeAll(retryAfterMs);
      await backend.close();
      halfOpen.close();
      server.off('upgrade', onUpgrade).off('request', onRequest);
      for (const other of others) server.on('request', other);
    },
  };
}

/** Errors: storage, invalid-argument. */
async function backendFor(options: SignalingOptions, onProblem: (problem: unknown) => void): Promise<Backend> {
  const { redis, directory } = options;
  if (redis === undefined) {
    const roomsMax = options.clustersRememberedMax ?? CLUSTERS_REMEMBERED_MAX;
    const memory = directory === undefined ? undefined : await RoomMemory.open(directory, roomsMax, onProblem);
    return new LocalBackend(given(options), memory, directory === undefined ? undefined : new DiskWatch(directory));
  }
  if (directory !== undefined)
    throw new RaftError('invalid-argument', 'Rooms are remembered in a directory or in Redis, not in both.');
  const { RedisBackend } = await import('./redis/backend.ts').catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RaftError('invalid-argument', `The package redis cannot be loaded; npm install redis puts it there (${why}).`, {
      cause,
    });
  });
  return RedisBackend.open(redis, given(options), onProblem);
}

/** A proxy's sockets are as many as it likes: it has limits of its own, and one address for all its visitors. */
function halfOpenOf(server: Server, options: SignalingOptions, proxies: Proxies, metrics: Metrics): HalfOpenSockets {
  const most = options.connectionsPerAddressMax ?? CONNECTIONS_PER_ADDRESS_MAX;
  const timeoutMs = options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS;
  const mostOf = (address: string): number => (proxies.has(address) ? Number.POSITIVE_INFINITY : most);
  return new HalfOpenSockets(server, { timeoutMs, most: HALF_OPEN_MAX, mostOf }, metrics);
}

export interface StandaloneOptions extends SignalingOptions {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
}

/** A signaling server of its own, with short timeouts for half-open requests. Errors: as attachSignaling, and those of listen. */
export async function createSignalingServer(
  options: StandaloneOptions = {},
): Promise<SignalingServer & { readonly url: string }> {
  const http = createServer({ connectionsCheckingInterval: TICK_MS }, (_request, response) => {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('This is a signaling server; connect a WebSocket.\n');
  });
  http.headersTimeout = HEADERS_TIMEOUT_MS;
  http.requestTimeout = REQUEST_TIMEOUT_MS;
  http.maxConnections = 2 * (options.connectionsMax ?? CONNECTIONS_MAX);
  const signaling = await attachSignaling(http, options);
  const host = options.host ?? '127.0.0.1';
  try {
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject).listen(options.port ?? 0, host, resolve);
    });
  } catch (cause) {
    await signaling.close();
    throw new RaftError('invalid-argument', `The server cannot listen on port ${options.port ?? 0} of ${host}.`, { cause });
  }
  const { port } = http.address() as AddressInfo;
  const close: SignalingServer['close'] = async (how) => {
    await signaling.close(how);
    const cut = setTimeout(() => http.closeAllConnections(), CLOSE_TIMEOUT_MS);
    await new Promise<void>((resolve) => http.close(() => resolve()));
    clearTimeout(cut);
  };
  return { ...signaling, close, url: `ws://${host.includes(':') ? `[${host}]` : host}:${port}${SIGNALING_PATH}` };
}

/** Only what was given: an option that is undefined is one that was not. */
function given(options: SignalingOptions): RoomsOptions {
  const names = ['roomsMax', 'roomMembersMax', 'clustersRememberedMax', 'grantMs', 'claimWaitMs', 'resumeMs'] as const;
  return Object.fromEntries(names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

/** Browsers always say where a page is from; what says nothing is no browser, and its user's own doing. */
function isOriginAllowed(request: IncomingMessage, origins: SignalingOptions['origins']): boolean {
  const { origin, host } = request.headers;
  if (origins === '*' || origin === undefined) return true;
  if (origins !== undefined) return origins.includes(origin);
  return origin === `http://${host}` || origin === `https://${host}`;
}

function answerOperator(
  request: IncomingMessage,
  response: ServerResponse,
  health: () => string | undefined,
  metrics: () => string,
): boolean {
  const path = pathOf(request);
  if (request.method !== 'GET' || (path !== '/healthz' && path !== '/metrics')) return false;
  const trouble = path === '/healthz' ? health() : undefined;
  const status = trouble === undefined ? 200 : 503;
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(path === '/healthz' ? `${trouble ?? 'ok'}\n` : metrics());
  return true;
}

function refuse(socket: Duplex, status: number): void {
  const retry = status === 429 || status === 503 ? `Retry-After: ${RETRY_AFTER_SECONDS}\r\n` : '';
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${retry}Content-Length: 0\r\n\r\n`);
  socket.once('finish', () => socket.destroy());
}
