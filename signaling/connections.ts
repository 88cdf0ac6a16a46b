/** The host around the rooms: one WebSocket per connection, with limits. Nothing that arrives on one can end the process. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { parseClientMessage } from '../src/signaling/parse.ts';
import { CLOSE_CODES, type ServerMessage, SIGNALING_FRAME_BYTES_MAX } from '../src/signaling/protocol.ts';
import type { ConnectionId, Effect, Rooms } from '../src/signaling/rooms.ts';
import {
  CLOSE_TIMEOUT_MS,
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  HELLO_TIMEOUT_MS,
  MESSAGES_BURST_MAX,
  MESSAGES_PER_SECOND,
  PING_EVERY_MS,
  PROBE_MS,
  UNREAD_BYTES_MAX,
} from './limits.ts';
import type { Metrics } from './metrics.ts';

interface Connection {
  readonly id: ConnectionId;
  readonly socket: WebSocket;
  readonly address: string;
  readonly openedMs: number;
  greeted: boolean;
  closing: boolean;
  /** A ping is out since then; 0: none. */
  pingedMs: number;
  nextPingMs: number;
  probe: (() => void) | undefined;
  allowance: number;
  allowanceMs: number;
}

export interface ConnectionsOptions {
  readonly connectionsMax?: number | undefined;
  readonly connectionsPerAddressMax?: number | undefined;
  readonly helloTimeoutMs?: number | undefined;
  readonly pingEveryMs?: number | undefined;
  readonly probeMs?: number | undefined;
  readonly messagesBurstMax?: number | undefined;
}

export class Connections {
  private readonly rooms: Rooms;
  private readonly metrics: Metrics;
  private readonly options: ConnectionsOptions;
  private readonly remember: (room: string, clusterId: string) => void;
  private readonly open = new Map<ConnectionId, Connection>();
  private readonly perAddress = new Map<string, number>();
  /** Compression off: it costs memory per connection, and frames are small. */
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: SIGNALING_FRAME_BYTES_MAX,
    perMessageDeflate: false,
  });
  private nextId = 1;

  constructor(rooms: Rooms, metrics: Metrics, remember: (room: string, clusterId: string) => void, options: ConnectionsOptions) {
    this.rooms = rooms;
    this.metrics = metrics;
    this.remember = remember;
    this.options = options;
  }

  get size(): number {
    return this.open.size;
  }

  /** Why no further connection is taken from an address: an HTTP status, or undefined. */
  refusal(address: string): 429 | 503 | undefined {
    if (this.open.size >= (this.options.connectionsMax ?? CONNECTIONS_MAX)) return 503;
    const here = this.perAddress.get(address) ?? 0;
    return here >= (this.options.connectionsPerAddressMax ?? CONNECTIONS_PER_ADDRESS_MAX) ? 429 : undefined;
  }

  /** Makes a WebSocket of an upgrade request. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, address: string): void {
    this.sockets.handleUpgrade(request, socket, head, (one) => this.add(one, address));
  }

  private add(socket: WebSocket, address: string): void {
    const nowMs = performance.now();
    const connection: Connection = {
      id: this.nextId++,
      socket,
      address,
      openedMs: nowMs,
      greeted: false,
      closing: false,
      pingedMs: 0,
      nextPingMs: nowMs + (this.options.pingEveryMs ?? PING_EVERY_MS),
      probe: undefined,
      allowance: this.options.messagesBurstMax ?? MESSAGES_BURST_MAX,
      allowanceMs: nowMs,
    };
    this.open.set(connection.id, connection);
    this.perAddress.set(address, (this.perAddress.get(address) ?? 0) + 1);
    this.metrics.count('connections');
    socket.on('message', (data, isBinary) => this.hear(connection, data, isBinary));
    socket.on('pong', () => {
      connection.pingedMs = 0;
      connection.probe?.();
    });
    socket.on('error', () => this.metrics.count('socket_errors')); // too large a frame, a reset …: a close follows
    socket.on('close', () => this.gone(connection));
  }

  /** Timeouts and pings. Call about once a second. */
  tick(): void {
    const nowMs = performance.now();
    for (const connection of this.open.values()) {
      if (!connection.greeted && nowMs - connection.openedMs > (this.options.helloTimeoutMs ?? HELLO_TIMEOUT_MS)) {
        this.close(connection, CLOSE_CODES.timeout, 'no hello');
      } else if (nowMs >= connection.nextPingMs) this.pingOrCut(connection, nowMs);
    }
    this.perform(this.rooms.tick(nowMs));
  }

  closeAll(): void {
    for (const connection of this.open.values()) this.close(connection, CLOSE_CODES.restart, 'restart');
  }

  private pingOrCut(connection: Connection, nowMs: number): void {
    if (connection.pingedMs > 0) {
      this.metrics.count('cut', 'silent');
      connection.socket.terminate();
      return;
    }
    connection.nextPingMs = nowMs + (this.options.pingEveryMs ?? PING_EVERY_MS);
    this.ping(connection);
  }

  private ping(connection: Connection): void {
    if (connection.socket.readyState !== WebSocket.OPEN) return;
    connection.pingedMs = performance.now();
    connection.socket.ping();
  }

  private hear(connection: Connection, data: RawData, isBinary: boolean): void {
    if (connection.closing) return;
    if (!this.isAllowed(connection)) {
      this.close(connection, CLOSE_CODES.overload, 'too many messages');
      return;
    }
    const message = isBinary ? undefined : parseClientMessage(String(data));
    if (message === undefined) {
      this.metrics.count('messages', 'invalid');
      this.send(connection, {
        type: 'error',
        code: 'message-invalid',
        message: 'not a message of this protocol',
        retryAfterMs: null,
      });
      this.close(connection, CLOSE_CODES.refused, 'message-invalid');
      return;
    }
    this.metrics.count('messages', message.type);
    connection.greeted ||= message.type === 'hello';
    this.perform(this.rooms.message(connection.id, message, performance.now()));
  }

  /** A token bucket. */
  private isAllowed(connection: Connection): boolean {
    const nowMs = performance.now();
    const refill = ((nowMs - connection.allowanceMs) * MESSAGES_PER_SECOND) / 1000;
    connection.allowance = Math.min(this.options.messagesBurstMax ?? MESSAGES_BURST_MAX, connection.allowance + refill);
    connection.allowanceMs = nowMs;
    connection.allowance -= 1;
    return connection.allowance >= 0;
  }

  private perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'remember') {
        this.remember(effect.room, effect.clusterId);
        continue;
      }
      const connection = this.open.get(effect.connection);
      if (effect.type === 'probe') this.probe(effect.connection, connection);
      else if (connection === undefined) continue;
      else if (effect.type === 'send') this.send(connection, effect.message);
      else this.close(connection, effect.code, effect.reason);
    }
  }

  private send(connection: Connection, message: ServerMessage): void {
    const { socket } = connection;
    if (connection.closing || socket.readyState !== WebSocket.OPEN) return;
    if (message.type === 'error') this.metrics.count('errors', message.code);
    if (socket.bufferedAmount > UNREAD_BYTES_MAX) {
      this.metrics.count('cut', 'unread');
      socket.terminate();
      return;
    }
    socket.send(JSON.stringify(message));
  }

  private close(connection: Connection, code: number, reason: string): void {
    if (connection.closing) return;
    connection.closing = true;
    this.metrics.count('closed', String(code));
    connection.socket.close(code, reason);
    setTimeout(() => connection.socket.terminate(), CLOSE_TIMEOUT_MS).unref();
    this.perform(this.rooms.closed(connection.id, performance.now()));
  }

  private probe(id: ConnectionId, connection: Connection | undefined): void {
    if (connection === undefined || connection.closing || connection.socket.readyState !== WebSocket.OPEN) {
      this.perform(this.rooms.probed(id, false, performance.now()));
      return;
    }
    const finish = (alive: boolean): void => {
      clearTimeout(timer);
      connection.probe = undefined;
      this.perform(this.rooms.probed(id, alive, performance.now()));
    };
    const timer = setTimeout(() => finish(false), this.options.probeMs ?? PROBE_MS);
    connection.probe = () => finish(true);
    this.ping(connection);
  }

  private gone(connection: Connection): void {
    if (!this.open.delete(connection.id)) return;
    const left = (this.perAddress.get(connection.address) ?? 1) - 1;
    if (left > 0) this.perAddress.set(connection.address, left);
    else this.perAddress.delete(connection.address);
    this.perform(this.rooms.closed(connection.id, performance.now()));
  }
}
