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
import { Rooms, type RoomsOptions } from '../src/signaling/rooms.ts';
import { Connections, type ConnectionsOptions } from './connections.ts';
import { CLOSE_TIMEOUT_MS, CONNECTIONS_MAX, HEADERS_TIMEOUT_MS, REQUEST_TIMEOUT_MS, TICK_MS } from './limits.ts';
import { Metrics } from './metrics.ts';
import { RoomMemory } from './room-memory.ts';

export interface SignalingOptions extends ConnectionsOptions, Omit<RoomsOptions, 'clusters'> {
  /** Where to remember which rooms have a cluster. Without it a restart forgets, and rooms whose members sleep can be founded twice. */
  readonly directory?: string | undefined;
  /**
   * Pages that may connect, as origins ('https://example.org'), or '*' for all. Default: pages of this very server, and
   * clients that send no Origin (they are no browsers).
   */
  readonly origins?: readonly string[] | '*' | undefined;
  /** The address that counts for limits. Default: the socket's; behind a proxy read its header. */
  readonly addressOf?: ((request: IncomingMessage) => string) | undefined;
  /** Hears of what an operator should know. Default: console.error. */
  readonly onProblem?: ((problem: unknown) => void) | undefined;
}

export interface SignalingServer {
  /** Lets a room be founded anew, until its old members come back and are refused. True when it was known. */
  forget(room: string): boolean;
  counts(): { readonly connections: number; readonly rooms: number; readonly members: number; readonly clusters: number };
  /** Closes all connections, asking them to come back, and gives the HTTP server's events back. */
  close(): Promise<void>;
}

/**
 * Serves signaling on an existing HTTP server, at SIGNALING_PATH, with GET /healthz and /metrics; all other requests go to the
 * listeners it has. Errors: corrupt or storage when the directory cannot be used.
 */
export async function attachSignaling(server: Server, options: SignalingOptions = {}): Promise<SignalingServer> {
  const onProblem = options.onProblem ?? ((problem: unknown) => console.error('signaling:', problem));
  const memory = options.directory === undefined ? undefined : await RoomMemory.open(options.directory, onProblem);
  const rooms = new Rooms({ ...given(options), ...(memory === undefined ? {} : { clusters: memory.clusters }) });
  const metrics = new Metrics();
  const connections = new Connections(rooms, metrics, (room, clusterId) => memory?.remember(room, clusterId), options);
  const counts = (): ReturnType<SignalingServer['counts']> => ({ connections: connections.size, ...rooms.counts() });

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => metrics.count('socket_errors'));
    if (pathOf(request) !== SIGNALING_PATH) {
      if (server.listenerCount('upgrade') === 1) refuse(socket, 404);
      return;
    }
    const address = options.addressOf?.(request) ?? request.socket.remoteAddress ?? '';
    const status = isOriginAllowed(request, options.origins) ? connections.refusal(address) : 403;
    if (status === undefined) connections.upgrade(request, socket, head, address);
    else {
      metrics.count('refused', String(status));
      refuse(socket, status);
    }
  };
  const others = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (answerOperator(request, response, () => metrics.text(counts()))) return;
    for (const other of others) other.call(server, request, response);
  };
  server.removeAllListeners('request').on('request', onRequest).on('upgrade', onUpgrade);
  const timer = setInterval(() => connections.tick(), TICK_MS);
  timer.unref();

  return {
    counts,
    forget: (room) => rooms.forget(room),
    close: async () => {
      clearInterval(timer);
      server.off('upgrade', onUpgrade).off('request', onRequest);
      for (const other of others) server.on('request', other);
      connections.closeAll();
      await memory?.close();
    },
  };
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
  const close = async (): Promise<void> => {
    await signaling.close();
    const cut = setTimeout(() => http.closeAllConnections(), CLOSE_TIMEOUT_MS);
    await new Promise<void>((resolve) => http.close(() => resolve()));
    clearTimeout(cut);
  };
  return { ...signaling, close, url: `ws://${host.includes(':') ? `[${host}]` : host}:${port}${SIGNALING_PATH}` };
}

/** Only what was given: an option that is undefined is one that was not. */
function given(options: SignalingOptions): RoomsOptions {
  const names = ['roomsMax', 'roomMembersMax', 'clustersRememberedMax', 'grantMs', 'iceServers'] as const;
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

function answerOperator(request: IncomingMessage, response: ServerResponse, metrics: () => string): boolean {
  const path = pathOf(request);
  if (request.method !== 'GET' || (path !== '/healthz' && path !== '/metrics')) return false;
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(path === '/healthz' ? 'ok\n' : metrics());
  return true;
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  socket.once('finish', () => socket.destroy());
}
