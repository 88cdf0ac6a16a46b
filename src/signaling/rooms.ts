/**
 * The signaling server without sockets: who is in which room, who may found its cluster. Pure: connections and time come in,
 * effects go out. The Node server (signaling/), the in-process one (memory.ts) and others are thin hosts around it.
 *
 * Founding. A room whose cluster is not known grants its founding to exactly one member: the first that may found. The grant ends when
 * that member says `founded`, leaves, or takes longer than GRANT_MS; then the next in line has it. The cluster of a room
 * is remembered after everybody has left, so that a stranger does not found a second one while its members sleep.
 */
import type { NodeId } from '../core/types.ts';
import {
  CLOSE_CODES,
  type ClientHello,
  type ClientMessage,
  ROOM_NAME_PATTERN,
  type ServerMessage,
  SIGNALING_VERSION,
  type SignalingErrorCode,
} from './protocol.ts';

/** Rooms with somebody in them. A further one is refused with `busy`. */
export const ROOMS_MAX = 10_000;
/** Members of one room. A further one is refused with `room-full`. */
export const ROOM_MEMBERS_MAX = 64;
/** Rooms whose cluster is remembered; the one least recently entered is forgotten first. */
export const CLUSTERS_REMEMBERED_MAX = 100_000;
/** How long a member may take to found the cluster before the next in line is granted it: ms. Storage may be slow. */
export const GRANT_MS = 30_000;
/** When to try again after `busy` or `room-full`: ms. */
const RETRY_AFTER_MS = 5_000;

/** A host's name for a connection. */
export type ConnectionId = number;

export type Effect =
  | { readonly type: 'send'; readonly connection: ConnectionId; readonly message: ServerMessage }
  | { readonly type: 'close'; readonly connection: ConnectionId; readonly code: number; readonly reason: string }
  /** Find out whether this connection is alive, and call `probed`. */
  | { readonly type: 'probe'; readonly connection: ConnectionId }
  /** Store durably that the room has this cluster. */
  | { readonly type: 'remember'; readonly room: string; readonly clusterId: string };

interface Member {
  readonly nodeId: NodeId;
  readonly bootNonce: string;
  readonly mayFound: boolean;
  readonly room: Room;
  connection: ConnectionId;
}
interface Refusal {
  readonly code: SignalingErrorCode;
  readonly message: string;
  readonly retryAfterMs: number | null;
}
interface Room {
  readonly name: string;
  /** In the order of entry, which is the order of founding. */
  readonly members: Map<NodeId, Member>;
  grant: { readonly member: Member; readonly sinceMs: number } | undefined;
}

export interface RoomsOptions {
  readonly roomsMax?: number;
  readonly roomMembersMax?: number;
  readonly clustersRememberedMax?: number;
  readonly grantMs?: number;
  /** Told to every member on entry: STUN and TURN servers. */
  readonly iceServers?: readonly unknown[];
  /** Clusters known from before, the least recently entered first. */
  readonly clusters?: Iterable<readonly [room: string, clusterId: string]>;
}

export class Rooms {
  private readonly options: Required<Omit<RoomsOptions, 'clusters'>>;
  private readonly clusters: Map<string, string>;
  private readonly rooms = new Map<string, Room>();
  private readonly members = new Map<ConnectionId, Member>();
  /** A hello that waits until it is known whether the old connection of its id is alive, by the old connection. */
  private readonly contenders = new Map<ConnectionId, { readonly connection: ConnectionId; readonly hello: ClientHello }>();
  private effects: Effect[] = [];

  constructor(options: RoomsOptions = {}) {
    const { clusters, ...limits } = options;
    this.clusters = new Map(clusters);
    this.options = {
      roomsMax: ROOMS_MAX,
      roomMembersMax: ROOM_MEMBERS_MAX,
      clustersRememberedMax: CLUSTERS_REMEMBERED_MAX,
      grantMs: GRANT_MS,
      iceServers: [],
      ...limits,
    };
  }

  message(connection: ConnectionId, message: ClientMessage, nowMs: number): readonly Effect[] {
    const member = this.members.get(connection);
    if (message.type === 'ping') this.send(connection, { type: 'pong' });
    else if (message.type === 'hello') {
      if (member !== undefined || this.isContending(connection))
        this.refuse(connection, 'message-invalid', 'hello was said before');
      else this.hello(connection, message, nowMs);
    } else if (member === undefined) this.refuse(connection, 'message-invalid', 'say hello first');
    else if (message.type === 'signal') this.signal(member, message.to, message.data);
    else this.founded(member, message.clusterId);
    return this.take();
  }

  /** The connection is gone, whoever closed it. Idempotent. */
  closed(connection: ConnectionId, nowMs: number): readonly Effect[] {
    for (const [old, contender] of this.contenders) if (contender.connection === connection) this.contenders.delete(old);
    const member = this.members.get(connection);
    if (member !== undefined) this.leave(member, nowMs);
    return this.take();
  }

  /** The answer to a probe. */
  probed(connection: ConnectionId, alive: boolean, nowMs: number): readonly Effect[] {
    const contender = this.contenders.get(connection);
    const member = this.members.get(connection);
    if (contender === undefined || member === undefined) return [];
    if (alive) {
      this.contenders.delete(connection);
      this.refuse(contender.connection, 'identity-in-use', `${member.nodeId} is in this room from another place, and alive`);
    } else {
      this.close(connection, CLOSE_CODES.timeout, 'no answer');
      this.leave(member, nowMs);
    }
    return this.take();
  }

  /** Call about once a second. */
  tick(nowMs: number): readonly Effect[] {
    for (const { grant } of this.rooms.values()) {
      if (grant === undefined || nowMs - grant.sinceMs < this.options.grantMs) continue;
      this.refuse(grant.member.connection, 'busy', 'took too long to found the cluster', RETRY_AFTER_MS);
      this.leave(grant.member, nowMs);
    }
    return this.take();
  }

  /** The room may be founded anew. For operators: its members, if there still are any, will be refused. */
  forget(room: string): boolean {
    return this.clusters.delete(room);
  }

  knownClusters(): Iterable<readonly [room: string, clusterId: string]> {
    return this.clusters;
  }

  counts(): { readonly rooms: number; readonly members: number; readonly clusters: number } {
    return { rooms: this.rooms.size, members: this.members.size, clusters: this.clusters.size };
  }

  private hello(connection: ConnectionId, hello: ClientHello, nowMs: number): void {
    const refusal = this.refusalOf(hello);
    const same = this.rooms.get(hello.room)?.members.get(hello.nodeId);
    if (refusal !== undefined) this.refuse(connection, refusal.code, refusal.message, refusal.retryAfterMs);
    else if (same === undefined) this.enter(connection, hello, nowMs);
    else if (same.bootNonce === hello.bootNonce) this.replace(same, connection, hello);
    else this.contend(same, connection, hello);
  }

  private refusalOf(hello: ClientHello): Refusal | undefined {
    const known = this.clusters.get(hello.room);
    const room = this.rooms.get(hello.room);
    const { roomsMax, roomMembersMax } = this.options;
    if (hello.version !== SIGNALING_VERSION) {
      return { code: 'protocol-mismatch', message: `this server speaks version ${SIGNALING_VERSION}`, retryAfterMs: null };
    }
    if (!ROOM_NAME_PATTERN.test(hello.room)) {
      const message = 'a room has 1 to 64 letters, digits, dots, dashes or underscores';
      return { code: 'room-invalid', message, retryAfterMs: null };
    }
    if (known !== undefined && hello.clusterId !== null && hello.clusterId !== known) {
      return { code: 'cluster-mismatch', message: `the room belongs to cluster ${known}`, retryAfterMs: null };
    }
    if (room === undefined && this.rooms.size >= roomsMax) {
      return { code: 'busy', message: 'this server has no room left', retryAfterMs: RETRY_AFTER_MS };
    }
    if (room !== undefined && room.members.size >= roomMembersMax && !room.members.has(hello.nodeId)) {
      return { code: 'room-full', message: `a room has at most ${roomMembersMax} members`, retryAfterMs: RETRY_AFTER_MS };
    }
    return undefined;
  }

  private enter(connection: ConnectionId, hello: ClientHello, nowMs: number): void {
    const room: Room = this.rooms.get(hello.room) ?? { name: hello.room, members: new Map(), grant: undefined };
    this.rooms.set(hello.room, room);
    const { nodeId, bootNonce, mayFound } = hello;
    const member: Member = { nodeId, bootNonce, mayFound, room, connection };
    this.broadcast(room, { type: 'peer-join', nodeId: member.nodeId });
    room.members.set(member.nodeId, member);
    this.members.set(connection, member);
    this.welcome(member);
    const clusterId = hello.clusterId ?? this.clusters.get(room.name);
    if (clusterId !== undefined) this.clusterKnown(room, clusterId);
    this.grantNext(room, nowMs);
  }

  /** The same boot on a new connection: the old one is a leftover. */
  private replace(member: Member, connection: ConnectionId, hello: ClientHello): void {
    this.members.delete(member.connection);
    this.close(member.connection, CLOSE_CODES.replaced, 'replaced');
    member.connection = connection;
    this.members.set(connection, member);
    this.welcome(member);
    if (hello.clusterId !== null) this.clusterKnown(member.room, hello.clusterId);
    if (member.room.grant?.member === member) this.send(connection, { type: 'grant' });
  }

  /** Another boot of an id that is here: after a reload the old one is dead, after copying a profile it is not. */
  private contend(old: Member, connection: ConnectionId, hello: ClientHello): void {
    if (this.contenders.has(old.connection)) {
      this.refuse(connection, 'identity-in-use', `${old.nodeId} enters this room from another place`, RETRY_AFTER_MS);
    } else {
      this.contenders.set(old.connection, { connection, hello });
      this.effects.push({ type: 'probe', connection: old.connection });
    }
  }

  private isContending(connection: ConnectionId): boolean {
    for (const contender of this.contenders.values()) if (contender.connection === connection) return true;
    return false;
  }

  private leave(member: Member, nowMs: number): void {
    const { room, connection } = member;
    this.members.delete(connection);
    room.members.delete(member.nodeId);
    this.broadcast(room, { type: 'peer-leave', nodeId: member.nodeId });
    if (room.grant?.member === member) room.grant = undefined;
    if (room.members.size === 0) this.rooms.delete(room.name);
    else this.grantNext(room, nowMs);
    const contender = this.contenders.get(connection);
    if (contender === undefined) return;
    this.contenders.delete(connection);
    this.hello(contender.connection, contender.hello, nowMs);
  }

  private signal(member: Member, to: NodeId, data: unknown): void {
    const peer = member.room.members.get(to);
    if (peer !== undefined && peer !== member) this.send(peer.connection, { type: 'signal', from: member.nodeId, data });
    else this.send(member.connection, { type: 'error', code: 'unknown-peer', message: `${to} is not here`, retryAfterMs: null });
  }

  private founded(member: Member, clusterId: string): void {
    const { room } = member;
    const known = this.clusters.get(room.name);
    if (known === clusterId) return;
    if (known === undefined && room.grant?.member === member) this.clusterKnown(room, clusterId);
    else this.refuse(member.connection, 'cluster-mismatch', 'this room was not yours to found');
  }

  /** Told to all, the founder too: its word has arrived. */
  private clusterKnown(room: Room, clusterId: string): void {
    const known = this.clusters.get(room.name);
    this.clusters.delete(room.name);
    this.clusters.set(room.name, clusterId);
    if (known === clusterId) return;
    const eldest = this.clusters.keys().next();
    if (this.clusters.size > this.options.clustersRememberedMax && eldest.done !== true) this.clusters.delete(eldest.value);
    room.grant = undefined;
    this.effects.push({ type: 'remember', room: room.name, clusterId });
    this.broadcast(room, { type: 'cluster', clusterId });
  }

  private grantNext(room: Room, nowMs: number): void {
    if (room.grant !== undefined || this.clusters.has(room.name)) return;
    const next = [...room.members.values()].find((member) => member.mayFound);
    if (next === undefined) return;
    room.grant = { member: next, sinceMs: nowMs };
    this.send(next.connection, { type: 'grant' });
  }

  private welcome(member: Member): void {
    const { room, connection } = member;
    this.send(connection, {
      type: 'welcome',
      version: SIGNALING_VERSION,
      peers: [...room.members.keys()].filter((id) => id !== member.nodeId),
      clusterId: this.clusters.get(room.name) ?? null,
      iceServers: this.options.iceServers,
    });
  }

  private broadcast(room: Room, message: ServerMessage): void {
    for (const member of room.members.values()) this.send(member.connection, message);
  }

  private send(connection: ConnectionId, message: ServerMessage): void {
    this.effects.push({ type: 'send', connection, message });
  }

  private refuse(connection: ConnectionId, code: SignalingErrorCode, message: string, retryAfterMs: number | null = null): void {
    this.send(connection, { type: 'error', code, message, retryAfterMs });
    this.close(connection, CLOSE_CODES.refused, code);
  }

  private close(connection: ConnectionId, code: number, reason: string): void {
    this.effects.push({ type: 'close', connection, code, reason });
  }

  private take(): readonly Effect[] {
    const effects = this.effects;
    this.effects = [];
    return effects;
  }
}
