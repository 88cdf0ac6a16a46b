/**
 * One room of the signaling server: who is in it, and who may found its cluster. Pure, and its state is plain data: inputs and
 * time go in, effects come out, and between two inputs the state can be written down and read again somewhere else. So one
 * process (rooms.ts), many processes over one store, and an object that sleeps between messages all run this same logic.
 *
 * Founding. A room whose cluster is not known grants its founding to exactly one member: the first that may found. The grant
 * ends when that member's word is durable, when it leaves, or when it takes longer than grantMs; then the next in line has it.
 * Only the word of the granted member is stored, and it is stored before anybody hears of it. What others claim is believed by
 * nobody; but while somebody is here who says it belongs to a cluster, a grant waits claimWaitMs, so that a server that
 * has lost its memory does not have a second cluster founded beside members that a newcomer could just as well ask.
 *
 * Identity. A connection that shows the resume token of a member takes that member's place, unseen by the others. A member
 * whose connection broke keeps its place for resumeMs. Everybody else who comes under the id of a member has to wait until
 * that member's connection has been found dead.
 */
import type { NodeId } from '../core/types.ts';
import {
  CLOSE_CODES,
  type ClientHello,
  type ClientMessage,
  type ServerMessage,
  SIGNALING_VERSION,
  type SignalingErrorCode,
} from './protocol.ts';

/** A host's name for a connection. */
export type ConnectionId = number | string;

export type Effect =
  | { readonly type: 'send'; readonly connection: ConnectionId; readonly message: ServerMessage }
  | { readonly type: 'close'; readonly connection: ConnectionId; readonly code: number; readonly reason: string }
  /** Find out whether this connection is alive, and call `probed`. */
  | { readonly type: 'probe'; readonly connection: ConnectionId }
  /** Store durably that the room has this cluster, then call `remembered`. */
  | { readonly type: 'remember'; readonly room: string; readonly clusterId: string };

export interface MemberRecord {
  readonly nodeId: NodeId;
  readonly resume: string | null;
  readonly mayFound: boolean;
  readonly enteredMs: number;
  /** The cluster it says it belongs to. */
  clusterId: string | null;
  /** null: it broke at `awayMs` and may come back with its resume token. */
  connection: ConnectionId | null;
  awayMs: number;
}
/** A hello that waits until it is known whether the connection `old` of its id is alive. */
interface ContenderRecord {
  readonly old: ConnectionId;
  readonly connection: ConnectionId;
  readonly hello: ClientHello;
}

export interface RoomState {
  readonly name: string;
  /** Durable, and known to all. */
  clusterId: string | null;
  /** Told by the granted member at `sinceMs` of the last try to store it; not durable yet. */
  founding: { readonly clusterId: string; readonly nodeId: NodeId; sinceMs: number } | null;
  grant: { readonly nodeId: NodeId; readonly sinceMs: number } | null;
  /** In the order of entry, which is the order of founding. */
  members: MemberRecord[];
  contenders: ContenderRecord[];
}

export interface RoomLimits {
  readonly roomMembersMax: number;
  readonly grantMs: number;
  readonly claimWaitMs: number;
  readonly resumeMs: number;
}

/** When to try again after `busy`, `room-full`, or an id that is being contended: ms. */
export const RETRY_AFTER_MS = 5_000;
/** A founding whose storing failed, or was not answered, is stored again after: ms. */
const REMEMBER_AGAIN_MS = 2_000;

const NO_ICE: { readonly iceServers: readonly unknown[]; readonly iceSeconds: null } = { iceServers: [], iceSeconds: null };

export function emptyRoom(name: string, clusterId: string | null): RoomState {
  return { name, clusterId, founding: null, grant: null, members: [], contenders: [] };
}

export class Room {
  readonly state: RoomState;
  readonly #limits: RoomLimits;
  #effects: Effect[] = [];

  constructor(state: RoomState, limits: RoomLimits) {
    this.state = state;
    this.#limits = limits;
  }

  /** Nothing is lost when it is forgotten, except the cluster. */
  get idle(): boolean {
    return this.state.members.length === 0 && this.state.contenders.length === 0 && this.state.founding === null;
  }

  /** Something will happen with time alone: `tick` is needed. */
  get waits(): boolean {
    const { founding, grant, members, clusterId } = this.state;
    if (founding !== null || grant !== null || members.some(({ connection }) => connection === null)) return true;
    // Whoever may found it waits for those who say that it has a cluster.
    return clusterId === null && members.some((member) => member.mayFound && member.clusterId === null);
  }

  /** Where a frame of this connection for a member goes, and whose it is. */
  route(connection: ConnectionId, to: NodeId): { readonly from: NodeId; readonly connection: ConnectionId } | undefined {
    const from = this.#at(connection)?.nodeId;
    const peer = this.state.members.find(({ nodeId }) => nodeId === to);
    if (from === undefined || peer === undefined || peer.connection === null || peer.nodeId === from) return undefined;
    return { from, connection: peer.connection };
  }

  /** It is a member's, or contends for a place. */
  has(connection: ConnectionId): boolean {
    return this.#at(connection) !== undefined || this.#isContending(connection);
  }

  /** Of a connection that is in this room, contends for a place in it, or says hello. */
  message(connection: ConnectionId, message: ClientMessage, nowMs: number): readonly Effect[] {
    const member = this.#at(connection);
    if (message.type === 'ping') this.#send(connection, { type: 'pong' });
    else if (message.type === 'hello') {
      if (member !== undefined || this.#isContending(connection))
        this.#refuse(connection, 'message-invalid', 'hello was said before');
      else this.#hello(connection, message, nowMs);
    } else if (member === undefined) this.#refuse(connection, 'message-invalid', 'say hello first');
    else if (message.type === 'signal') this.#signal(member, message.to, message.data);
    else if (message.type === 'ice') this.#send(connection, { type: 'ice', ...NO_ICE });
    else if (message.type === 'joined') this.#joined(member, message.clusterId, nowMs);
    else this.#founded(member, message.clusterId, nowMs);
    return this.#take();
  }

  /** The connection is gone, whoever closed it; `broken`: without a word, so that its client may come back. Idempotent. */
  closed(connection: ConnectionId, nowMs: number, broken = false): readonly Effect[] {
    this.state.contenders = this.state.contenders.filter((contender) => contender.connection !== connection);
    const member = this.#at(connection);
    if (member === undefined) return this.#take();
    const isContended = this.state.contenders.some(({ old }) => old === connection);
    if (broken && member.resume !== null && !isContended && this.#limits.resumeMs > 0) {
      member.connection = null;
      member.awayMs = nowMs;
    } else this.#leave(member, nowMs);
    return this.#take();
  }

  /** The answer to a probe. */
  probed(connection: ConnectionId, alive: boolean, nowMs: number): readonly Effect[] {
    const contender = this.state.contenders.find(({ old }) => old === connection);
    const member = this.#at(connection);
    if (contender === undefined || member === undefined) return [];
    if (alive) {
      this.state.contenders = this.state.contenders.filter((one) => one !== contender);
      this.#refuse(contender.connection, 'identity-in-use', `${member.nodeId} is in this room from another place, and alive`);
    } else {
      this.#close(connection, CLOSE_CODES.timeout, 'no answer');
      this.#leave(member, nowMs);
    }
    return this.#take();
  }

  /** What came of a `remember`: now it is durable, or it is not. */
  remembered(clusterId: string, durable: boolean, nowMs: number): readonly Effect[] {
    const { founding } = this.state;
    if (founding?.clusterId !== clusterId) return [];
    if (durable) this.#clusterKnown(clusterId);
    else founding.sinceMs = nowMs;
    return this.#take();
  }

  /** Another process says that the room has this cluster, durably: whatever was under way here is over. */
  learn(clusterId: string): readonly Effect[] {
    if (this.state.clusterId !== clusterId) this.#clusterKnown(clusterId);
    return this.#take();
  }

  /** Call about once a second. */
  tick(nowMs: number): readonly Effect[] {
    const { founding, grant } = this.state;
    const { resumeMs, grantMs } = this.#limits;
    if (founding !== null && nowMs - founding.sinceMs >= REMEMBER_AGAIN_MS) {
      founding.sinceMs = nowMs;
      this.#effects.push({ type: 'remember', room: this.state.name, clusterId: founding.clusterId });
    }
    for (const member of [...this.state.members]) {
      if (member.connection === null && nowMs - member.awayMs >= resumeMs) this.#leave(member, nowMs);
    }
    const holder = this.state.members.find(({ nodeId }) => nodeId === grant?.nodeId);
    if (grant !== null && holder !== undefined && founding === null && nowMs - grant.sinceMs >= grantMs) {
      if (holder.connection !== null)
        this.#refuse(holder.connection, 'busy', 'took too long to found the cluster', RETRY_AFTER_MS);
      this.#leave(holder, nowMs);
    }
    this.#grantNext(nowMs);
    return this.#take();
  }

  #hello(connection: ConnectionId, hello: ClientHello, nowMs: number): void {
    const same = this.state.members.find(({ nodeId }) => nodeId === hello.nodeId);
    if (same === undefined && this.state.members.length >= this.#limits.roomMembersMax) {
      this.#refuse(connection, 'room-full', `a room has at most ${this.#limits.roomMembersMax} members`, RETRY_AFTER_MS);
    } else if (same === undefined) this.#enter(connection, hello, nowMs);
    else if (same.resume !== null && same.resume === hello.resume) this.#replace(same, connection, hello);
    else if (same.connection === null) {
      // Its connection is gone already: after a reload this is the same node under a new token.
      this.#leave(same, nowMs);
      this.#enter(connection, hello, nowMs);
    } else this.#contend(same, same.connection, connection, hello);
  }

  #enter(connection: ConnectionId, hello: ClientHello, nowMs: number): void {
    const { nodeId, resume, mayFound, clusterId } = hello;
    this.#broadcast({ type: 'peer-join', nodeId });
    this.state.members.push({ nodeId, resume, mayFound, clusterId, connection, enteredMs: nowMs, awayMs: 0 });
    this.#welcome(connection, nodeId);
    this.#grantNext(nowMs);
  }

  /** The same client on a new connection: the old one is a leftover. */
  #replace(member: MemberRecord, connection: ConnectionId, hello: ClientHello): void {
    const old = member.connection;
    member.connection = connection;
    member.clusterId = hello.clusterId;
    if (old !== null) {
      this.state.contenders = this.state.contenders.map((one) => (one.old === old ? { ...one, old: connection } : one));
      this.#close(old, CLOSE_CODES.replaced, 'replaced');
    }
    this.#welcome(connection, member.nodeId);
    if (this.state.grant?.nodeId === member.nodeId) this.#send(connection, { type: 'grant' });
    // Who contended with the old connection has its answer: the member is alive.
    for (const { connection: rival } of this.state.contenders.filter((one) => one.old === connection)) {
      this.#refuse(rival, 'identity-in-use', `${member.nodeId} is in this room from another place, and alive`);
    }
    this.state.contenders = this.state.contenders.filter((one) => one.old !== connection);
  }

  /** Another client under an id that is here: after a reload the old one is dead, after copying a profile it is not. */
  #contend(member: MemberRecord, old: ConnectionId, connection: ConnectionId, hello: ClientHello): void {
    if (this.state.contenders.some((one) => one.old === old)) {
      this.#refuse(connection, 'identity-in-use', `${member.nodeId} enters this room from another place`, RETRY_AFTER_MS);
      return;
    }
    this.state.contenders.push({ old, connection, hello });
    this.#effects.push({ type: 'probe', connection: old });
  }

  #leave(member: MemberRecord, nowMs: number): void {
    const { state } = this;
    state.members = state.members.filter((one) => one !== member);
    this.#broadcast({ type: 'peer-leave', nodeId: member.nodeId });
    if (state.grant?.nodeId === member.nodeId && state.founding === null) state.grant = null;
    const contender = state.contenders.find(({ old }) => old === member.connection);
    state.contenders = state.contenders.filter((one) => one !== contender);
    this.#grantNext(nowMs);
    if (contender !== undefined) this.#hello(contender.connection, contender.hello, nowMs);
  }

  #signal(member: MemberRecord, to: NodeId, data: unknown): void {
    const peer = this.state.members.find(({ nodeId }) => nodeId === to);
    if (peer !== undefined && peer !== member && peer.connection !== null)
      this.#send(peer.connection, { type: 'signal', from: member.nodeId, data });
    else if (member.connection !== null)
      this.#send(member.connection, { type: 'error', code: 'unknown-peer', message: `${to} is not here`, retryAfterMs: null });
  }

  #founded(member: MemberRecord, clusterId: string, nowMs: number): void {
    const { state } = this;
    if (state.clusterId === clusterId || state.founding?.clusterId === clusterId) return;
    if (state.clusterId === null && state.founding === null && state.grant?.nodeId === member.nodeId) {
      member.clusterId = clusterId;
      state.founding = { clusterId, nodeId: member.nodeId, sinceMs: nowMs };
      this.#effects.push({ type: 'remember', room: state.name, clusterId });
    } else if (member.connection !== null)
      this.#refuse(member.connection, 'cluster-mismatch', 'this room was not yours to found');
  }

  /** It belongs to a cluster now, by way of the others: it needs no grant any more. */
  #joined(member: MemberRecord, clusterId: string, nowMs: number): void {
    member.clusterId = clusterId;
    if (this.state.grant?.nodeId !== member.nodeId || this.state.founding !== null) return;
    this.state.grant = null;
    this.#grantNext(nowMs);
  }

  /** Told to all, the founder too: its word is durable. */
  #clusterKnown(clusterId: string): void {
    this.state.clusterId = clusterId;
    this.state.founding = null;
    this.state.grant = null;
    this.#broadcast({ type: 'cluster', clusterId });
  }

  #grantNext(nowMs: number): void {
    const { state } = this;
    if (state.grant !== null || state.founding !== null || state.clusterId !== null) return;
    const isClaimed = state.members.some(({ clusterId }) => clusterId !== null);
    const next = state.members.find(
      ({ mayFound, clusterId, connection, enteredMs }) =>
        mayFound && clusterId === null && connection !== null && (!isClaimed || nowMs - enteredMs >= this.#limits.claimWaitMs),
    );
    if (next === undefined || next.connection === null) return;
    state.grant = { nodeId: next.nodeId, sinceMs: nowMs };
    this.#send(next.connection, { type: 'grant' });
  }

  /** ICE servers and the relay are the host's affair: it fills them in. */
  #welcome(connection: ConnectionId, nodeId: NodeId): void {
    const peers = this.state.members.map((member) => member.nodeId).filter((id) => id !== nodeId);
    const { clusterId } = this.state;
    this.#send(connection, { type: 'welcome', version: SIGNALING_VERSION, peers, clusterId, ...NO_ICE, relay: false });
  }

  #at(connection: ConnectionId): MemberRecord | undefined {
    return this.state.members.find((member) => member.connection === connection);
  }

  #isContending(connection: ConnectionId): boolean {
    return this.state.contenders.some((contender) => contender.connection === connection);
  }

  #broadcast(message: ServerMessage): void {
    for (const { connection } of this.state.members) if (connection !== null) this.#send(connection, message);
  }

  #send(connection: ConnectionId, message: ServerMessage): void {
    this.#effects.push({ type: 'send', connection, message });
  }

  #refuse(connection: ConnectionId, code: SignalingErrorCode, message: string, retryAfterMs: number | null = null): void {
    this.#send(connection, { type: 'error', code, message, retryAfterMs });
    this.#close(connection, CLOSE_CODES.refused, code);
  }

  #close(connection: ConnectionId, code: number, reason: string): void {
    this.#effects.push({ type: 'close', connection, code, reason });
  }

  #take(): readonly Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
