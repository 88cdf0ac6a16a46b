/**
 * Rooms that several signaling processes share over Redis. Every process takes part in every room that one of its connections is in;
 * nobody owns a room, so that nothing has to be handed over when a process dies. What one of them has to say to a connection of
 * another goes over a channel; relayed frames go over one of their own.
 */
import { randomBytes } from 'node:crypto';
import { RaftError } from '../../src/core/errors.ts';
import type { NodeId } from '../../src/core/types.ts';
import { CLOSE_CODES, type ClientHello, type ClientMessage } from '../../src/signaling/protocol.ts';
import { type ConnectionId, type Effect, Room } from '../../src/signaling/room.ts';
import { answerOutside, noRoomLeft, type RoomsOptions, withDefaults } from '../../src/signaling/rooms.ts';
import type { Backend, Host, Route } from '../backend.ts';
import { decodeFrame, encodeFrame } from './frames.ts';
import { Lane, processOf } from './lane.ts';
import { RedisStore } from './store.ts';

/** How often a process says that it lives, and after how long without a word it is dead: ms. */
const BEAT_EVERY_MS = 2_000;
const DEAD_AFTER_MS = 6_000;
/** How long one process has to clear up after a dead one before another tries: ms. */
const CLEARING_MS = 10_000;

export interface RedisOptions {
  /** redis:// or rediss://. */
  readonly url: string;
  /** What all keys begin with. Default `tabraft`. */
  readonly prefix?: string | undefined;
}

/** What one process sends another. */
interface BusMessage {
  readonly room: string;
  readonly changed: boolean;
  readonly effects: readonly Effect[];
}

export class RedisBackend implements Backend {
  readonly #limits: ReturnType<typeof withDefaults>;
  readonly #store: RedisStore;
  readonly #lanes = new Map<string, Lane>();
  readonly #laneOf = new Map<ConnectionId, Lane>();
  readonly #process: string;
  readonly #beating: ReturnType<typeof setInterval>;
  #host: Host | undefined;
  #next = 1;
  #clusters = 0;
  #closed = false;

  private constructor(options: RedisOptions, rooms: RoomsOptions, onProblem: (problem: unknown) => void) {
    this.#process = randomBytes(12).toString('hex');
    this.#limits = withDefaults(rooms);
    this.#store = new RedisStore(options.url, options.prefix ?? 'tabraft', this.#process, {
      onMessage: (text) => this.#onMessage(JSON.parse(text) as BusMessage),
      onFrame: (frame) => this.#onFrame(frame),
      onReady: () => this.#resync(),
      onTrouble: onProblem,
    });
    this.#beating = setInterval(() => void this.#beat().catch(() => {}), BEAT_EVERY_MS);
    this.#beating.unref();
  }

  /** Errors: storage when Redis cannot be reached. */
  static async open(options: RedisOptions, rooms: RoomsOptions, onProblem: (problem: unknown) => void): Promise<RedisBackend> {
    const backend = new RedisBackend(options, rooms, onProblem);
    try {
      await backend.#store.open();
      await backend.#beat();
      return backend;
    } catch (error) {
      await backend.close();
      throw error;
    }
  }

  attach(host: Host): void {
    this.#host = host;
  }

  nextConnection(): ConnectionId {
    return `${this.#process}:${this.#next++}`;
  }

  hello(connection: ConnectionId, message: ClientHello, mayGreet: (isNew: boolean) => boolean): void {
    const refusal = this.#laneOf.has(connection) ? undefined : answerOutside(connection, message);
    if (refusal !== undefined) return this.#perform(refusal, connection);
    let isWelcome: boolean | undefined;
    const lane = this.#enter(connection, message);
    lane.do({
      from: connection,
      wanted: () => lane.here.has(connection),
      act: (room, loaded) => {
        this.#clusters = loaded.clusters;
        const isNew = loaded.state === '' && loaded.clusterId === null;
        isWelcome ??= mayGreet(isNew);
        if (!isWelcome) return [];
        const isFull = loaded.clusterId === null && loaded.clusters >= this.#limits.clustersRememberedMax;
        if (loaded.state === '' && (isFull || loaded.rooms >= this.#limits.roomsMax)) return noRoomLeft(connection);
        return room.message(connection, message, loaded.nowMs);
      },
    });
  }

  message(connection: ConnectionId, message: ClientMessage): void {
    const lane = this.#laneOf.get(connection);
    if (lane === undefined) {
      this.#perform(answerOutside(connection, message) ?? [], connection);
    } else if (message.type === 'ping') {
      this.#perform([{ type: 'send', connection, message: { type: 'pong' } }], connection);
    } else {
      const wanted = (): boolean => lane.here.has(connection);
      lane.do({ from: connection, wanted, act: (room, { nowMs }) => room.message(connection, message, nowMs) });
    }
  }

  closed(connection: ConnectionId, broken: boolean): void {
    const lane = this.#laneOf.get(connection);
    this.#laneOf.delete(connection);
    if (lane === undefined) return;
    lane.here.delete(connection);
    lane.do({ act: (room, { nowMs }) => room.closed(connection, nowMs, broken) });
  }

  probed(connection: ConnectionId, alive: boolean): void {
    this.#laneOf.get(connection)?.do({ act: (room, { nowMs }) => room.probed(connection, alive, nowMs) });
  }

  /** By what this process last saw: a frame to somebody who has just gone is lost either way. */
  route(connection: ConnectionId, to: NodeId): Route {
    const seen = this.#laneOf.get(connection)?.seen;
    return seen === undefined ? undefined : new Room(seen, this.#limits).route(connection, to);
  }

  forward(from: ConnectionId, to: ConnectionId, node: NodeId, frame: Uint8Array): boolean {
    const other = processOf(to);
    return other !== this.#process && this.#store.sendFrame(other, encodeFrame({ from, to, node, frame }));
  }

  tick(): void {
    for (const lane of this.#lanes.values()) lane.tick();
  }

  counts(): { readonly rooms: number; readonly members: number; readonly clusters: number } {
    return { rooms: this.#lanes.size, members: this.#laneOf.size, clusters: this.#clusters };
  }

  async forget(room: string): Promise<boolean> {
    try {
      const known = await this.#store.forget(room);
      this.#lane(room).do({
        act: ({ state }) => {
          state.clusterId = null;
          return [];
        },
      });
      return known;
    } catch (cause) {
      throw new RaftError('storage', `It could not be written down that room ${room} is forgotten.`, { cause });
    }
  }

  trouble(): string | undefined {
    return this.#store.trouble;
  }

  /** What its connections left is done first, when Redis is there. */
  async close(): Promise<void> {
    clearInterval(this.#beating);
    const deadlineMs = performance.now() + CLEARING_MS / 10;
    const isBusy = (): boolean => [...this.#lanes.values()].some((lane) => lane.isWorking);
    while (isBusy() && this.#store.trouble === undefined && performance.now() < deadlineMs)
      await new Promise((resolve) => setTimeout(resolve, 10));
    this.#closed = true;
    this.#store.close();
  }

  #lane(name: string): Lane {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new Lane({
        name,
        store: this.#store,
        limits: this.#limits,
        perform: (effects, from) => this.#perform(effects, from),
        isClosed: () => this.#closed,
        onIdle: (one) => this.#letGo(one),
        nextCommit: () => `${this.#process}:${this.#next++}`,
      });
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #enter(connection: ConnectionId, hello: ClientHello): Lane {
    const lane = this.#laneOf.get(connection) ?? this.#lane(hello.room);
    if (!this.#laneOf.has(connection)) lane.here.set(connection, hello);
    this.#laneOf.set(connection, lane);
    return lane;
  }

  /** Nobody of this process is there, and nobody waits for anything that others do not see to. */
  #letGo(lane: Lane): void {
    if (lane.isWorking || lane.here.size > 0 || (lane.seen !== undefined && lane.isOurs)) return;
    if (this.#lanes.get(lane.name) === lane) this.#lanes.delete(lane.name);
    if (!this.#closed) void this.#store.noLongerServes(lane.name).catch(() => {});
  }

  #perform(effects: readonly Effect[], from: ConnectionId | undefined): void {
    if (effects.length > 0 && !this.#closed) this.#host?.perform(effects, from);
  }

  #onMessage({ room, changed, effects }: BusMessage): void {
    const lane = this.#lanes.get(room);
    if (changed) lane?.look();
    const isHere = (effect: Effect): boolean => effect.type !== 'remember' && this.#laneOf.has(effect.connection);
    for (const effect of effects) {
      // Somebody asks whether a connection lives that is not here any more.
      if (effect.type !== 'probe' || isHere(effect)) continue;
      this.#lane(room).do({ act: (one, { nowMs }) => one.probed(effect.connection, false, nowMs) });
    }
    this.#perform(effects.filter(isHere), undefined);
  }

  #onFrame(bytes: Uint8Array): void {
    const { from, to, frame, node } = decodeFrame(bytes);
    if (this.#host?.deliver(to, frame) === true) return;
    const lost: Effect = { type: 'send', connection: from, message: { type: 'relay-lost', nodeId: node } };
    const message: BusMessage = { room: '', changed: false, effects: [lost] };
    this.#store.send([[processOf(from), JSON.stringify(message)]]).catch(() => {});
  }

  async #beat(): Promise<void> {
    const { known, dead } = await this.#store.beat(DEAD_AFTER_MS);
    // It was taken for dead, or Redis has lost its memory.
    if (!known) this.#resync();
    for (const one of dead) if (one !== this.#process && (await this.#store.claim(one, CLEARING_MS))) await this.#clear(one);
  }

  /** The connections of a dead process are broken: their clients may come back. */
  async #clear(dead: string): Promise<void> {
    for (const name of await this.#store.servedBy(dead)) {
      await new Promise<void>((resolve) => {
        this.#lane(name).do({
          act: (room, { nowMs }) => {
            resolve();
            const { members, contenders } = room.state;
            const all = [...members, ...contenders].map(({ connection }) => connection);
            return all.flatMap((one) => (one !== null && processOf(one) === dead ? room.closed(one, nowMs, true) : []));
          },
        });
      });
    }
    await this.#store.cleared(dead);
  }

  /** Those who are here and not in the room as it is stored say hello again; all hear what they have missed. */
  #resync(): void {
    for (const lane of this.#lanes.values()) {
      lane.do({
        catchesUp: true,
        act: (room, { nowMs }) => [...lane.here].flatMap(([connection, hello]) => again(room, connection, hello, nowMs)),
      });
    }
  }
}

function again(room: Room, connection: ConnectionId, hello: ClientHello, nowMs: number): readonly Effect[] {
  const { members, contenders } = room.state;
  if ([...members, ...contenders].some((one) => one.connection === connection)) return [];
  // It came back at another process meanwhile: this connection is the leftover.
  if (members.some(({ nodeId, connection: other }) => nodeId === hello.nodeId && other !== null))
    return [{ type: 'close', connection, code: CLOSE_CODES.restart, reason: 'restart' }];
  return room.message(connection, hello, nowMs);
}
