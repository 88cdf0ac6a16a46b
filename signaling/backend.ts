/**
 * Where the rooms are: in this process, or in a store that several share. A host hands in what its connections say, and performs what
 * comes out of it, now or later.
 */

import { RaftError } from '../src/core/errors.ts';
import type { NodeId } from '../src/core/types.ts';
import type { ClientHello, ClientMessage } from '../src/signaling/protocol.ts';
import { type ConnectionId, type Effect, Rooms, type RoomsOptions } from '../src/signaling/rooms.ts';
import type { DiskWatch } from './disk.ts';
import type { RoomMemory } from './room-memory.ts';

/** What a backend needs of its host. */
export interface Host {
  /** @param from whose message caused the effects */
  perform(effects: readonly Effect[], from: ConnectionId | undefined): void;
  /** A relayed frame for a connection of this host, as it goes over the socket; false when it is lost. */
  deliver(connection: ConnectionId, frame: Uint8Array): boolean;
}

export type Route = { readonly from: NodeId; readonly connection: ConnectionId } | undefined;

export interface Backend {
  attach(host: Host): void;
  /** A name for a connection that no other has, in no process. */
  nextConnection(): ConnectionId;
  /** `mayGreet` is asked once, when it is known whether the room is a new one; false: it is refused, and the host has said so. */
  hello(connection: ConnectionId, message: ClientHello, mayGreet: (isNew: boolean) => boolean): void;
  message(connection: ConnectionId, message: ClientMessage): void;
  closed(connection: ConnectionId, broken: boolean): void;
  probed(connection: ConnectionId, alive: boolean): void;
  route(connection: ConnectionId, to: NodeId): Route;
  /** A frame for a connection of another process, at which `node` is; false when there are none. */
  forward(from: ConnectionId, to: ConnectionId, node: NodeId, frame: Uint8Array): boolean;
  /** Call about once a second. */
  tick(): void;
  counts(): { readonly rooms: number; readonly members: number; readonly clusters: number };
  /** Errors: storage. */
  forget(room: string): Promise<boolean>;
  /** What is wrong with what must be remembered; undefined: nothing. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

/** All rooms in this process, and a file beside it. */
export class LocalBackend implements Backend {
  readonly #rooms: Rooms;
  readonly #memory: RoomMemory | undefined;
  readonly #disk: DiskWatch | undefined;
  #host: Host | undefined;
  #nextId = 1;

  /** @param disk the one that the memory is on */
  constructor(options: RoomsOptions, memory: RoomMemory | undefined, disk?: DiskWatch) {
    this.#disk = disk;
    this.#rooms = new Rooms(memory === undefined ? options : { ...options, clusters: memory.clusters });
    this.#memory = memory;
  }

  attach(host: Host): void {
    this.#host = host;
  }

  nextConnection(): ConnectionId {
    return this.#nextId++;
  }

  hello(connection: ConnectionId, message: ClientHello, mayGreet: (isNew: boolean) => boolean): void {
    if (mayGreet(this.#rooms.isNew(message.room))) this.message(connection, message);
  }

  message(connection: ConnectionId, message: ClientMessage): void {
    this.#perform(this.#rooms.message(connection, message, performance.now()), connection);
  }

  closed(connection: ConnectionId, broken: boolean): void {
    this.#perform(this.#rooms.closed(connection, performance.now(), broken));
  }

  probed(connection: ConnectionId, alive: boolean): void {
    this.#perform(this.#rooms.probed(connection, alive, performance.now()));
  }

  route(connection: ConnectionId, to: NodeId): Route {
    return this.#rooms.route(connection, to);
  }

  forward(): boolean {
    return false;
  }

  tick(): void {
    void this.#disk?.look();
    this.#perform(this.#rooms.tick(performance.now()));
  }

  counts(): ReturnType<Rooms['counts']> {
    return this.#rooms.counts();
  }

  async forget(room: string): Promise<boolean> {
    if (this.#memory !== undefined && !(await this.#memory.forget(room)))
      throw new RaftError('storage', `It could not be written down that room ${room} is forgotten.`);
    return this.#rooms.forget(room);
  }

  trouble(): string | undefined {
    return this.#memory?.isFailing === true ? 'rooms cannot be remembered: the disk refuses' : this.#disk?.trouble;
  }

  async close(): Promise<void> {
    await this.#memory?.close();
  }

  #perform(effects: readonly Effect[], from?: ConnectionId): void {
    const outside = effects.filter((effect) => {
      if (effect.type === 'remember') this.#remember(effect.room, effect.clusterId);
      return effect.type !== 'remember';
    });
    this.#host?.perform(outside, from);
  }

  #remember(room: string, clusterId: string): void {
    const settle = (durable: boolean): void => this.#perform(this.#rooms.remembered(room, clusterId, durable, performance.now()));
    if (this.#memory === undefined) settle(true);
    else this.#memory.remember(room, clusterId).then(settle, () => settle(false));
  }
}
