/**
 * All rooms of one signaling process, without sockets: which connection is in which room, how many there may be, and which
 * cluster each room has, also those with nobody in them. What happens inside a room is in room.ts. Pure as that: the Node server
 * (signaling/) and the in-process one (memory.ts) are thin hosts around it.
 */
import type { NodeId } from '../core/types.ts';
import { CLOSE_CODES, type ClientMessage, ROOM_KEY_PATTERN, SIGNALING_VERSION, type SignalingErrorCode } from './protocol.ts';
import { type ConnectionId, type Effect, emptyRoom, RETRY_AFTER_MS, Room, type RoomLimits, type RoomState } from './room.ts';

export type { ConnectionId, Effect };

/** Rooms with somebody in them. A further one is refused with `busy`. */
export const ROOMS_MAX = 10_000;
/** Members of one room. A further one is refused with `room-full`. */
export const ROOM_MEMBERS_MAX = 64;
/**
 * Rooms whose cluster is remembered. When there are so many, nobody is let into a room that is not among them: `busy`. None is
 * ever forgotten to make room, or strangers could have a second cluster founded in any room by founding many others.
 */
export const CLUSTERS_REMEMBERED_MAX = 100_000;
/** How long a member may take to found the cluster before the next in line is granted it: ms. Storage may be slow. */
export const GRANT_MS = 30_000;
/** How long a grant waits while somebody says that the room has a cluster: ms. A join through a living member takes less. */
export const CLAIM_WAIT_MS = 3_000;
/** How long a member whose connection broke keeps its place for its resume token: ms. A client tries again every second. */
export const RESUME_MS = 3_000;

export interface RoomsOptions extends Partial<RoomLimits> {
  readonly roomsMax?: number;
  readonly clustersRememberedMax?: number;
  /** Clusters known from before. */
  readonly clusters?: Iterable<readonly [room: string, clusterId: string]>;
}

export type RoomsLimits = Required<Omit<RoomsOptions, 'clusters'>>;

export function withDefaults({ clusters: _known, ...limits }: RoomsOptions): RoomsLimits {
  return {
    roomsMax: ROOMS_MAX,
    roomMembersMax: ROOM_MEMBERS_MAX,
    clustersRememberedMax: CLUSTERS_REMEMBERED_MAX,
    grantMs: GRANT_MS,
    claimWaitMs: CLAIM_WAIT_MS,
    resumeMs: RESUME_MS,
    ...limits,
  };
}

export class Rooms {
  readonly #options: RoomsLimits;
  readonly #clusters: Map<string, string>;
  readonly #rooms = new Map<string, Room>();
  /** Of members and of contenders. */
  readonly #roomOf = new Map<ConnectionId, Room>();

  constructor(options: RoomsOptions = {}) {
    this.#clusters = new Map(options.clusters);
    this.#options = withDefaults(options);
  }

  message(connection: ConnectionId, message: ClientMessage, nowMs: number): readonly Effect[] {
    const room = this.#roomOf.get(connection);
    if (room !== undefined) return this.#settle(room, room.message(connection, message, nowMs));
    const answer = answerOutside(connection, message);
    if (answer !== undefined || message.type !== 'hello') return answer ?? [];
    const entered = this.#roomNamed(message.room);
    if (entered === undefined) return noRoomLeft(connection);
    this.#roomOf.set(connection, entered);
    return this.#settle(entered, entered.message(connection, message, nowMs));
  }

  /** Where a frame of this connection for a member of its room goes, and whose it is. */
  route(connection: ConnectionId, to: NodeId): ReturnType<Room['route']> {
    return this.#roomOf.get(connection)?.route(connection, to);
  }

  /** The connection is gone, whoever closed it; `broken`: without a word, so that its client may come back. Idempotent. */
  closed(connection: ConnectionId, nowMs: number, broken = false): readonly Effect[] {
    const room = this.#roomOf.get(connection);
    this.#roomOf.delete(connection);
    return room === undefined ? [] : this.#settle(room, room.closed(connection, nowMs, broken));
  }

  /** The answer to a probe. */
  probed(connection: ConnectionId, alive: boolean, nowMs: number): readonly Effect[] {
    const room = this.#roomOf.get(connection);
    return room === undefined ? [] : this.#settle(room, room.probed(connection, alive, nowMs));
  }

  /** The answer to a `remember`. */
  remembered(name: string, clusterId: string, durable: boolean, nowMs: number): readonly Effect[] {
    const room = this.#rooms.get(name);
    if (durable && room?.state.founding?.clusterId === clusterId) this.#clusters.set(name, clusterId);
    return room === undefined ? [] : this.#settle(room, room.remembered(clusterId, durable, nowMs));
  }

  /** Call about once a second. */
  tick(nowMs: number): readonly Effect[] {
    return [...this.#rooms.values()].flatMap((room) => (room.waits ? this.#settle(room, room.tick(nowMs)) : []));
  }

  /** Something will happen with time alone. */
  get waits(): boolean {
    return [...this.#rooms.values()].some((room) => room.waits);
  }

  /** Of every room with somebody in it: plain data, which a host may write down and read again between two steps. */
  *states(): Iterable<RoomState> {
    for (const { state } of this.#rooms.values()) yield state;
  }

  /** Nobody is in this room, and it has no cluster. */
  isNew(name: string): boolean {
    return !this.#rooms.has(name) && !this.#clusters.has(name);
  }

  /** The room may be founded anew. For operators: its members, if there still are any, find another cluster in it. */
  forget(name: string): boolean {
    const room = this.#rooms.get(name);
    if (room !== undefined) room.state.clusterId = null;
    return this.#clusters.delete(name);
  }

  knownClusters(): Iterable<readonly [room: string, clusterId: string]> {
    return this.#clusters;
  }

  counts(): { readonly rooms: number; readonly members: number; readonly clusters: number } {
    let members = 0;
    for (const { state } of this.#rooms.values()) members += state.members.length;
    return { rooms: this.#rooms.size, members, clusters: this.#clusters.size };
  }

  /** undefined when there are too many. */
  #roomNamed(name: string): Room | undefined {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    const { roomsMax, clustersRememberedMax } = this.#options;
    const isFull = this.#clusters.size >= clustersRememberedMax && !this.#clusters.has(name);
    if (isFull || this.#rooms.size >= roomsMax) return undefined;
    const room = new Room(emptyRoom(name, this.#clusters.get(name) ?? null), this.#options);
    this.#rooms.set(name, room);
    return room;
  }

  /** After every step: a room that is idle takes up no place. */
  #settle(room: Room, effects: readonly Effect[]): readonly Effect[] {
    if (room.idle && this.#rooms.get(room.state.name) === room) this.#rooms.delete(room.state.name);
    return effects;
  }
}

function refusal(
  connection: ConnectionId,
  code: SignalingErrorCode,
  message: string,
  retryAfterMs: number | null = null,
): readonly Effect[] {
  return [
    { type: 'send', connection, message: { type: 'error', code, message, retryAfterMs } },
    { type: 'close', connection, code: CLOSE_CODES.refused, reason: code },
  ];
}

/** What somebody is answered who is in no room; undefined for a hello that may enter one. */
export function answerOutside(connection: ConnectionId, message: ClientMessage): readonly Effect[] | undefined {
  if (message.type === 'ping') return [{ type: 'send', connection, message: { type: 'pong' } }];
  if (message.type !== 'hello') return refusal(connection, 'message-invalid', 'say hello first');
  if (message.version !== SIGNALING_VERSION)
    return refusal(connection, 'protocol-mismatch', `this server speaks version ${SIGNALING_VERSION}`);
  if (ROOM_KEY_PATTERN.test(message.room)) return undefined;
  return refusal(connection, 'room-invalid', 'a room has 1 to 64 letters, digits, dots, dashes or underscores');
}

export function noRoomLeft(connection: ConnectionId): readonly Effect[] {
  return refusal(connection, 'busy', 'this server has no room left', RETRY_AFTER_MS);
}
