/** The host around the rooms: one WebSocket per connection, with limits. Nothing that arrives on one can end the process. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import type { NodeId } from '../src/core/types.ts';
import { parseClientMessage } from '../src/signaling/parse.ts';
import { CLOSE_CODES, type ClientHello, type ServerMessage, SIGNALING_FRAME_BYTES_MAX } from '../src/signaling/protocol.ts';
import type { ConnectionId, Effect } from '../src/signaling/rooms.ts';
import { limitKey } from './addresses.ts';
import type { Backend } from './backend.ts';
import {
  CLOSE_TIMEOUT_MS,
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  HELLO_TIMEOUT_MS,
  PING_EVERY_MS,
  PROBE_MS,
  RETRY_AFTER_SECONDS,
  UNREAD_BYTES_MAX,
  UNREAD_SIGNAL_BYTES_MAX,
} from './limits.ts';
import type { Metrics } from './metrics.ts';
import { AddressQuotas, type QuotaOptions, SenderQuota } from './quotas.ts';
import { Relay, type RelayOptions } from './relay.ts';
import { type RawData, WebSocket, WebSocketServer } from './sockets.ts';

interface Connection {
  readonly id: ConnectionId;
  readonly socket: WebSocket;
  /** Of its address, for limits. */
  readonly key: string;
  readonly openedMs: number;
  readonly quota: SenderQuota;
  nodeId: NodeId;
  greeted: boolean;
  closing: boolean;
  /** The oldest ping that is unanswered is out since then; 0: none. */
  pingedMs: number;
  nextPingMs: number;
  probe: (() => void) | undefined;
}

export interface ConnectionsOptions extends QuotaOptions {
  readonly connectionsMax?: number | undefined;
  readonly connectionsPerAddressMax?: number | undefined;
  readonly helloTimeoutMs?: number | undefined;
  readonly pingEveryMs?: number | undefined;
  readonly probeMs?: number | undefined;
  /** Whether frames are relayed between members, and how many bytes. Default: they are, within RELAY_RATE and RELAY_ADDRESS_RATE. */
  readonly relay?: false | RelayOptions | undefined;
}

export interface ConnectionsHooks {
  /** STUN and TURN servers for one node. */
  iceServers(nodeId: NodeId): { readonly iceServers: readonly unknown[]; readonly iceSeconds: number | null };
}

export class Connections {
  readonly #backend: Backend;
  readonly #metrics: Metrics;
  readonly #options: ConnectionsOptions;
  readonly #hooks: ConnectionsHooks;
  readonly #open = new Map<ConnectionId, Connection>();
  readonly #perAddress = new Map<string, number>();
  readonly #quotas: AddressQuotas;
  readonly #relay: Relay | undefined;
  /** Compression off: it costs memory per connection, and frames are small. */
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: SIGNALING_FRAME_BYTES_MAX,
    perMessageDeflate: false,
  });

  constructor(backend: Backend, metrics: Metrics, hooks: ConnectionsHooks, options: ConnectionsOptions) {
    this.#backend = backend;
    this.#metrics = metrics;
    this.#hooks = hooks;
    this.#options = options;
    this.#quotas = new AddressQuotas(options);
    this.#relay = options.relay === false ? undefined : new Relay(backend, metrics, options.relay ?? {});
    backend.attach({
      perform: (effects, from) => this.#perform(effects, from === undefined ? undefined : this.#open.get(from)),
      deliver: (id, frame) => this.#relay?.deliver(this.#open.get(id)?.socket, frame) ?? false,
    });
  }

  get size(): number {
    return this.#open.size;
  }

  /** Why no further connection is taken from an address: an HTTP status, or undefined. */
  refusal(address: string): 429 | 503 | undefined {
    const key = limitKey(address);
    if (this.#open.size >= (this.#options.connectionsMax ?? CONNECTIONS_MAX)) return 503;
    const here = this.#perAddress.get(key) ?? 0;
    if (here >= (this.#options.connectionsPerAddressMax ?? CONNECTIONS_PER_ADDRESS_MAX)) return 429;
    return this.#quotas.mayConnect(key, performance.now()) ? undefined : 429;
  }

  /** Makes a WebSocket of an upgrade request. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, address: string): void {
    this.#sockets.handleUpgrade(request, socket, head, (one) => this.#add(one, limitKey(address)));
  }

  #add(socket: WebSocket, key: string): void {
    const nowMs = performance.now();
    const connection: Connection = {
      id: this.#backend.nextConnection(),
      socket,
      key,
      openedMs: nowMs,
      quota: new SenderQuota(this.#options, nowMs),
      nodeId: '',
      greeted: false,
      closing: false,
      pingedMs: 0,
      nextPingMs: nowMs + (this.#options.pingEveryMs ?? PING_EVERY_MS),
      probe: undefined,
    };
    this.#open.set(connection.id, connection);
    this.#perAddress.set(key, (this.#perAddress.get(key) ?? 0) + 1);
    this.#metrics.count('connections');
    socket.on('message', (data, isBinary) => this.#hear(connection, data, isBinary));
    socket.on('pong', () => {
      connection.pingedMs = 0;
      connection.probe?.();
    });
    socket.on('error', () => this.#metrics.count('socket_errors')); // too large a frame, a reset …: a close follows
    // 1006: it ended without a word. A page that goes away, or a client that leaves, says so.
    socket.on('close', (code) => this.#gone(connection, code === 1006));
  }

  /** Timeouts and pings. Call about once a second. */
  tick(): void {
    const nowMs = performance.now();
    for (const connection of this.#open.values()) {
      if (!connection.greeted && nowMs - connection.openedMs > (this.#options.helloTimeoutMs ?? HELLO_TIMEOUT_MS)) {
        this.#close(connection, CLOSE_CODES.timeout, 'no hello');
      } else if (nowMs >= connection.nextPingMs) this.#pingOrCut(connection, nowMs);
    }
    this.#backend.tick();
  }

  /** @param retryAfterMs clients are asked to wait up to so long before they come back: each is told a time of its own. */
  closeAll(retryAfterMs: number): void {
    for (const connection of this.#open.values()) {
      if (retryAfterMs > 0) {
        const pauseMs = Math.ceil(Math.random() * retryAfterMs);
        this.#send(connection, { type: 'error', code: 'busy', message: 'the server restarts', retryAfterMs: pauseMs });
      }
      this.#close(connection, CLOSE_CODES.restart, 'restart');
    }
  }

  /** Only a ping's age counts: one that a probe has just sent is no reason to cut. */
  #pingOrCut(connection: Connection, nowMs: number): void {
    const everyMs = this.#options.pingEveryMs ?? PING_EVERY_MS;
    if (connection.pingedMs > 0 && nowMs - connection.pingedMs >= everyMs) {
      this.#metrics.count('cut', 'silent');
      connection.socket.terminate();
      return;
    }
    connection.nextPingMs = (connection.pingedMs > 0 ? connection.pingedMs : nowMs) + everyMs;
    this.#ping(connection);
  }

  #ping(connection: Connection): void {
    if (connection.socket.readyState !== WebSocket.OPEN) return;
    if (connection.pingedMs === 0) connection.pingedMs = performance.now();
    connection.socket.ping();
  }

  #hear(connection: Connection, data: RawData, isBinary: boolean): void {
    if (connection.closing) return;
    const nowMs = performance.now();
    if (isBinary && this.#relay !== undefined && connection.greeted) {
      const socketOf = (id: ConnectionId): WebSocket | undefined => this.#open.get(id)?.socket;
      if (this.#relay.hear(connection, data as Buffer, socketOf)) return;
    }
    const text = isBinary ? undefined : String(data);
    const bytes = text?.length ?? 0;
    if (!connection.quota.maySend(bytes, nowMs) || !this.#quotas.maySend(connection.key, bytes, nowMs)) {
      this.#close(connection, CLOSE_CODES.overload, 'too many messages');
      return;
    }
    const message = text === undefined ? undefined : parseClientMessage(text);
    if (message === undefined) {
      this.#metrics.count('messages', 'invalid');
      this.#refuse(connection, 'message-invalid', 'not a message of this protocol', null);
      return;
    }
    this.#metrics.count('messages', message.type);
    if (message.type === 'hello' && !connection.greeted) this.#greet(connection, message, nowMs);
    else if (message.type !== 'signal' || this.#maySignal(connection, message.to, nowMs))
      this.#backend.message(connection.id, message);
  }

  #maySignal(connection: Connection, to: NodeId, nowMs: number): boolean {
    const may = connection.quota.maySignal(to, nowMs);
    if (!may) this.#metrics.count('dropped', 'pair-rate');
    return may;
  }

  #greet(connection: Connection, message: ClientHello, nowMs: number): void {
    connection.greeted = true;
    connection.nodeId = message.nodeId;
    this.#backend.hello(connection.id, message, (isNew) => {
      if (this.#quotas.mayGreet(connection.key, isNew, nowMs)) return true;
      this.#refuse(connection, 'busy', 'too many have come from this address', RETRY_AFTER_SECONDS * 1000);
      return false;
    });
  }

  /** @param from whose message caused the effects */
  #perform(effects: readonly Effect[], from: Connection | undefined): void {
    for (const effect of effects) {
      if (effect.type === 'remember') continue; // the backend's own
      const connection = this.#open.get(effect.connection);
      if (effect.type === 'probe') this.#probe(effect.connection, connection);
      else if (connection === undefined) continue;
      else if (effect.type === 'close') this.#close(connection, effect.code, effect.reason);
      else if (effect.message.type !== 'signal') this.#send(connection, effect.message);
      else if (connection.socket.bufferedAmount <= UNREAD_SIGNAL_BYTES_MAX) this.#send(connection, effect.message);
      else {
        this.#metrics.count('dropped', 'slow-reader');
        from?.quota.paysForSlowReader();
      }
    }
  }

  #send(connection: Connection, message: ServerMessage): void {
    const { socket } = connection;
    if (connection.closing || socket.readyState !== WebSocket.OPEN) return;
    if (message.type === 'error') this.#metrics.count('errors', message.code);
    if (socket.bufferedAmount > UNREAD_SIGNAL_BYTES_MAX + UNREAD_BYTES_MAX) {
      this.#metrics.count('cut', 'unread');
      socket.terminate();
      return;
    }
    socket.send(JSON.stringify(this.#complete(connection, message)));
  }

  /** The rooms know nothing of ICE servers and relays. */
  #complete(connection: Connection, message: ServerMessage): ServerMessage {
    if (message.type === 'welcome')
      return { ...message, ...this.#hooks.iceServers(connection.nodeId), relay: this.#relay !== undefined };
    return message.type === 'ice' ? { ...message, ...this.#hooks.iceServers(connection.nodeId) } : message;
  }

  #refuse(connection: Connection, code: 'message-invalid' | 'busy', message: string, retryAfterMs: number | null): void {
    this.#send(connection, { type: 'error', code, message, retryAfterMs });
    this.#close(connection, CLOSE_CODES.refused, code);
  }

  #close(connection: Connection, code: number, reason: string): void {
    if (connection.closing) return;
    connection.closing = true;
    this.#metrics.count('closed', String(code));
    connection.socket.close(code, reason);
    setTimeout(() => connection.socket.terminate(), CLOSE_TIMEOUT_MS).unref();
    this.#backend.closed(connection.id, false);
  }

  #probe(id: ConnectionId, connection: Connection | undefined): void {
    if (connection === undefined || connection.closing || connection.socket.readyState !== WebSocket.OPEN) {
      this.#backend.probed(id, false);
      return;
    }
    const finish = (alive: boolean): void => {
      clearTimeout(timer);
      if (connection.probe === undefined) return;
      connection.probe = undefined;
      this.#backend.probed(id, alive);
    };
    // What has arrived while this process was busy is read before the timer's word counts.
    const timer = setTimeout(() => setImmediate(() => finish(false)), this.#options.probeMs ?? PROBE_MS);
    connection.probe = () => finish(true);
    this.#ping(connection);
  }

  #gone(connection: Connection, broken: boolean): void {
    if (!this.#open.delete(connection.id)) return;
    const left = (this.#perAddress.get(connection.key) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(connection.key, left);
    else this.#perAddress.delete(connection.key);
    this.#backend.closed(connection.id, broken);
  }
}
