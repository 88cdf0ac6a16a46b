/** Signaling inside one process, for tests and examples: the server's own rooms, without sockets. */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import { toRaftError } from './errors.ts';
import { type ClientMessage, ROOM_KEY_PATTERN, type ServerMessage, SIGNALING_VERSION } from './protocol.ts';
import { RoomView } from './room-view.ts';
import { type ConnectionId, type Effect, Rooms, type RoomsOptions } from './rooms.ts';
import type { RoomEntry, Signaling, SignalingHandlers } from './signaling.ts';

/** How often the hub looks at grants while there is anything to wait for: ms. */
const TICK_MS = 250;

export class MemorySignalingHub {
  #rooms: Rooms;
  readonly #options: RoomsOptions;
  readonly #clients = new Map<ConnectionId, MemorySignaling>();
  readonly #remembered = new Map<string, string>();
  readonly #entered = new Set<MemorySignaling>();
  readonly #nowMs: () => number;
  #nextConnection = 1;
  #nextToken = 1;
  #up = true;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param nowMs the server's clock: for the time a grant lasts and waits. */
  constructor(options: RoomsOptions = {}, nowMs: () => number = () => performance.now()) {
    this.#options = options;
    this.#nowMs = nowMs;
    this.#rooms = new Rooms(options);
  }

  /** A new client of this server. */
  signaling(): Signaling {
    return new MemorySignaling(this, `memory-client-${String(this.#nextToken++).padStart(10, '0')}`);
  }

  /** The server dies: every client sees it. With `forget` it also loses what it remembers of rooms. */
  down(options: { readonly forget?: boolean } = {}): void {
    this.#up = false;
    if (options.forget === true) this.#remembered.clear();
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    this.#rooms = new Rooms({ ...this.#options, clusters: this.#remembered });
    const error = new RaftError('signaling-unreachable', 'the signaling server is down');
    for (const client of clients) client.lost(error);
  }

  /** The server is back, and its clients connect again. */
  restore(): void {
    this.#up = true;
    for (const client of this.#entered) if (!client.isConnected()) this.connect(client);
  }

  /** Ends grants that took too long, and gives those that have waited. By itself it does so every TICK_MS while there are any. */
  tick(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#perform(this.#rooms.tick(this.#nowMs()));
  }

  // For the clients.

  connect(client: MemorySignaling): void {
    this.#entered.add(client);
    const hello = client.hello();
    if (!this.#up || hello === undefined) {
      client.lost(new RaftError('signaling-unreachable', 'the signaling server is down'));
      return;
    }
    const connection = this.#nextConnection++;
    this.#clients.set(connection, client);
    client.connection = connection;
    this.receive(connection, hello);
  }

  receive(connection: ConnectionId, message: ClientMessage): void {
    if (this.#clients.has(connection)) this.#perform(this.#rooms.message(connection, message, this.#nowMs()));
  }

  disconnect(client: MemorySignaling): void {
    this.#entered.delete(client);
    const { connection } = client;
    if (connection !== undefined && this.#clients.delete(connection))
      this.#perform(this.#rooms.closed(connection, this.#nowMs()));
  }

  /** In the order of the effects, and never while the caller is still at work. */
  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'remember') {
        this.#remembered.set(effect.room, effect.clusterId);
        queueMicrotask(() => this.#perform(this.#rooms.remembered(effect.room, effect.clusterId, true, this.#nowMs())));
      } else queueMicrotask(() => this.#performLater(effect));
    }
    if (this.#timer !== undefined || !this.#rooms.waits) return;
    this.#timer = setTimeout(() => this.tick(), TICK_MS);
    (this.#timer as { unref?(): void }).unref?.();
  }

  #performLater(effect: Exclude<Effect, { type: 'remember' }>): void {
    const client = this.#clients.get(effect.connection);
    if (effect.type === 'probe') this.#perform(this.#rooms.probed(effect.connection, client !== undefined, this.#nowMs()));
    else if (effect.type === 'send') client?.receive(effect.message);
    else if (client !== undefined) {
      this.#clients.delete(effect.connection);
      client.closedByServer();
      this.#perform(this.#rooms.closed(effect.connection, this.#nowMs()));
    }
  }
}

class MemorySignaling implements Signaling {
  connection: ConnectionId | undefined;
  readonly #hub: MemorySignalingHub;
  readonly #resume: string;
  #entry: RoomEntry | undefined;
  #view: RoomView | undefined;
  #refusal: RaftError | undefined;

  constructor(hub: MemorySignalingHub, resume: string) {
    this.#hub = hub;
    this.#resume = resume;
  }

  async enter(entry: RoomEntry, handlers: SignalingHandlers): Promise<void> {
    if (!ROOM_KEY_PATTERN.test(entry.room)) throw new RaftError('room-invalid', `${entry.room} is not the name of a room`);
    this.#entry = entry;
    this.#view = new RoomView(handlers, entry.clusterId, (message) => {
      if (this.connection !== undefined) this.#hub.receive(this.connection, message);
    });
    handlers.onState('connecting', undefined);
    queueMicrotask(() => this.#hub.connect(this));
  }

  signal(to: NodeId, data: unknown): boolean {
    if (this.connection === undefined) return false;
    this.#hub.receive(this.connection, { type: 'signal', to, data: JSON.parse(JSON.stringify(data)) as unknown });
    return true;
  }

  founded(clusterId: string): void {
    this.#view?.founded(clusterId);
  }

  joined(clusterId: string): void {
    this.#view?.joined(clusterId);
  }

  async close(): Promise<void> {
    this.#view = undefined;
    this.#hub.disconnect(this);
    this.connection = undefined;
  }

  // For the hub.

  hello(): ClientMessage | undefined {
    if (this.#entry === undefined || this.#view === undefined) return undefined;
    const { room, nodeId, mayFound } = this.#entry;
    const clusterId = this.#view.claim;
    return { type: 'hello', version: SIGNALING_VERSION, room, nodeId, resume: this.#resume, clusterId, mayFound };
  }

  isConnected(): boolean {
    return this.connection !== undefined;
  }

  lost(error: RaftError): void {
    this.connection = undefined;
    this.#view?.handlers.onState('connecting', error);
  }

  closedByServer(): void {
    this.connection = undefined;
    this.#view?.handlers.onState('closed', this.#refusal);
  }

  receive(message: ServerMessage): void {
    if (message.type === 'error') {
      this.#refusal = toRaftError(message);
      if (message.code === 'cluster-mismatch') this.#view?.foundingRefused();
    } else {
      if (message.type === 'welcome') this.#view?.handlers.onState('open', undefined);
      this.#view?.hear(message);
    }
  }
}
