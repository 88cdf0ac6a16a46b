/**
 * Sockets that have not yet said what they want: a connection without a whole request. They count against their address, they end
 * after HEADERS_TIMEOUT_MS, and when there are too many the oldest goes first, so that an honest one gets in.
 * Node's own header timeout does as much only on servers made with a short checking interval; this works on any.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { limitKey } from './addresses.ts';
import type { Metrics } from './metrics.ts';

interface HalfOpen {
  readonly socket: Socket;
  readonly key: string;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly onClose: () => void;
}

export interface HalfOpenOptions {
  readonly timeoutMs: number;
  readonly most: number;
  /** How many one address may have; a proxy may have any number, it has limits of its own. */
  mostOf(address: string): number;
}

export class HalfOpenSockets {
  readonly #server: Server;
  readonly #options: HalfOpenOptions;
  readonly #metrics: Metrics;
  /** By the other end's address and port: under TLS a request's socket is another object than the connection's. The oldest first. */
  readonly #waiting = new Map<string, HalfOpen>();
  readonly #perKey = new Map<string, number>();
  readonly #onConnection = (socket: Socket): void => this.#arm(socket, this.#options.timeoutMs);
  readonly #onTold = (request: IncomingMessage): void => this.#disarm(endpoint(request.socket));

  constructor(server: Server, options: HalfOpenOptions, metrics: Metrics) {
    this.#server = server;
    this.#options = options;
    this.#metrics = metrics;
    server.on('connection', this.#onConnection).on('upgrade', this.#onTold);
    // Listening to these would change what Node does by itself; where the site listens, so can we.
    for (const event of ['checkContinue', 'connect']) if (server.listenerCount(event) > 0) server.on(event, this.#onTold);
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** A whole request is here. When it has been answered, the next one has to come in time as well. */
  told(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    this.#disarm(endpoint(socket));
    response.once('close', () => {
      if (!socket.destroyed) this.#arm(socket, this.#server.keepAliveTimeout + this.#options.timeoutMs);
    });
  }

  close(): void {
    this.#server.off('connection', this.#onConnection);
    for (const event of ['upgrade', 'checkContinue', 'connect']) this.#server.off(event, this.#onTold);
    for (const end of [...this.#waiting.keys()]) this.#disarm(end);
  }

  #arm(socket: Socket, timeoutMs: number): void {
    const end = endpoint(socket);
    const key = limitKey(socket.remoteAddress ?? '');
    this.#disarm(end);
    const timer = setTimeout(() => this.#cut(end), timeoutMs);
    timer.unref();
    const onClose = (): void => {
      if (this.#waiting.get(end)?.socket === socket) this.#disarm(end);
    };
    this.#waiting.set(end, { socket, key, timer, onClose });
    this.#perKey.set(key, (this.#perKey.get(key) ?? 0) + 1);
    socket.once('close', onClose);
    if ((this.#perKey.get(key) ?? 0) > this.#options.mostOf(socket.remoteAddress ?? ''))
      this.#cutOldest((one) => one.key === key);
    if (this.#waiting.size > this.#options.most) this.#cutOldest(() => true);
  }

  #cutOldest(matches: (one: HalfOpen) => boolean): void {
    for (const [end, one] of this.#waiting) if (matches(one)) return this.#cut(end);
  }

  #cut(end: string): void {
    const one = this.#waiting.get(end);
    this.#disarm(end);
    this.#metrics.count('cut', 'half-open');
    one?.socket.destroy();
  }

  #disarm(end: string): void {
    const one = this.#waiting.get(end);
    if (one === undefined) return;
    clearTimeout(one.timer);
    one.socket.off('close', one.onClose);
    this.#waiting.delete(end);
    const left = (this.#perKey.get(one.key) ?? 1) - 1;
    if (left > 0) this.#perKey.set(one.key, left);
    else this.#perKey.delete(one.key);
  }
}

function endpoint(socket: Socket): string {
  return `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;
}
