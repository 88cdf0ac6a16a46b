/** The admin server of a process: on loopback, JSON in and out. The verbs of `npx tabraft` ask it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RaftError } from '../../core/errors.ts';
import { answerError, answerJson, answerText, bodyOf, isFromThisMachine } from './http.ts';
import { METRICS_TYPE, metricsText } from './metrics.ts';
import { actionFor } from './room-actions.ts';
import type { RunningRoom } from './rooms.ts';

const HOST = '127.0.0.1';
/** From a connection to the end of its request: ms. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Connections at once; further ones are cut. */
const CONNECTIONS_MAX = 64;

export interface AdminSources {
  readonly rooms: readonly RunningRoom[];
  readonly version: string;
  /** The process is ending. */
  isDraining(): boolean;
  /** What is wrong with the disk, looked at anew. */
  diskTrouble(): Promise<string | undefined>;
}

export interface AdminServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Errors: invalid-argument when the port cannot be had. */
export async function startAdmin(port: number, sources: AdminSources): Promise<AdminServer> {
  const server = createServer((request, response) => void handle(request, response, sources));
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, port);
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, HOST, resolve));
  } catch (cause) {
    const text = `The admin server cannot listen on port ${port} of ${HOST}: name another with --admin, or "off".`;
    throw new RaftError('invalid-argument', text, { cause });
  }
}

async function handle(request: IncomingMessage, response: ServerResponse, sources: AdminSources): Promise<void> {
  response.on('error', () => {}); // whoever asked has gone
  try {
    if (!isFromThisMachine(request))
      return answerJson(response, 403, { message: 'Only this machine may ask, and no page in a browser.' });
    const [, first = '', room, ...rest] = new URL(request.url ?? '/', 'http://admin').pathname.split('/').map(decodeURIComponent);
    const path = [request.method, first].join(' ');
    if (path === 'GET healthz') return await answerHealth(response, sources);
    if (path === 'GET metrics') return answerText(response, 200, METRICS_TYPE, metricsText(sources.rooms));
    if (path === 'GET status') return answerJson(response, 200, overview(sources));
    const running = first === 'rooms' ? sources.rooms.find(({ settings }) => settings.room === room) : undefined;
    const action = actionFor(`${request.method} ${rest[0] ?? ''}`, rest[1]);
    if (first === 'rooms' && running === undefined)
      throw new RaftError('room-invalid', `This process is in no room named ${room}.`);
    if (running === undefined || action === undefined)
      return answerJson(response, 404, { message: `There is no ${request.method} ${request.url}.` });
    await action(running, request.method === 'POST' ? await bodyOf(request) : {}, response);
  } catch (error) {
    answerError(response, error);
  }
}

async function answerHealth(response: ServerResponse, sources: AdminSources): Promise<void> {
  const disk = await sources.diskTrouble();
  const troubles = sources.rooms.flatMap((room) => {
    const error = room.trouble();
    return error === undefined ? [] : [`room ${room.settings.room}: ${error.code}: ${error.message}`];
  });
  const lines = [...(sources.isDraining() ? ['draining'] : []), ...(disk === undefined ? [] : [disk]), ...troubles];
  answerText(
    response,
    lines.length === 0 ? 200 : 503,
    'text/plain; charset=utf-8',
    `${lines.length === 0 ? 'ok' : lines.join('\n')}\n`,
  );
}

function overview({ rooms, version, isDraining }: AdminSources): unknown {
  return {
    version,
    draining: isDraining(),
    rooms: rooms.map((room) => {
      const { peers, ...status } = room.node.status;
      return { ...status, keeper: room.keeps, trouble: room.trouble()?.message, peers };
    }),
  };
}
