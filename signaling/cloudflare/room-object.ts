/**
 * One room of the signaling server as a Durable Object. It sleeps between messages while its sockets stay open: everything that has to
 * outlive that is in its SQLite, or on the sockets. What wakes it is a hello, a signal, a relayed frame, a connection's end, and an
 * alarm while something waits for time alone; pings are answered without it. Where the deployment keeps the room, its keeper lives
 * here too, and the object is awake while the keeper is.
 */
import { parseClientMessage } from '../../src/signaling/parse.ts';
import {
  CLOSE_CODES,
  parseRelayFrame,
  ROOM_KEY_PATTERN,
  relayFrame,
  type ServerMessage,
  SIGNALING_FRAME_BYTES_MAX,
} from '../../src/signaling/protocol.ts';
import { type ConnectionId, type Effect, emptyRoom, Room } from '../../src/signaling/room.ts';
import { answerOutside, withDefaults } from '../../src/signaling/rooms.ts';
import { Bucket } from '../buckets.ts';
import { HELLO_TIMEOUT_MS, RELAY_RATE } from '../limits.ts';
import { SenderQuota } from '../quotas.ts';
import { HeldFrames } from './held-frames.ts';
import { iceServersOf } from './ice-servers.ts';
import { KeeperRoom } from './keeper-room.ts';
import { LocalSocket } from './local-socket.ts';
import { type Environment, type ObjectContext, platform, type ServerSocket, upgraded } from './platform.ts';
import { RoomStore } from './room-store.ts';

/** Clients say something every 20 s, so whoever was silent for longer than two of that is dead: ms. */
const SILENT_MS = 45_000;
/** Between two looks at what waits for time alone: ms. */
const TICK_MS = 1_000;
/** Sockets of one room, those before their hello included. Beyond it HTTP 503. */
const SOCKETS_MAX = 256;
/** A room's members fit into one row, and into what one object can send to. */
const LIMITS: ReturnType<typeof withDefaults> = withDefaults({});

/** On a socket, over a sleep. */
interface Attachment {
  readonly id: ConnectionId;
  readonly room: string;
  readonly nodeId: string;
  readonly heardMs: number;
}

/** Lost over a sleep: whoever sleeps has not been flooded. */
interface Quotas {
  readonly sender: Pick<SenderQuota, 'maySend' | 'maySignal'>;
  readonly relay: Pick<Bucket, 'charge' | 'debtMs'>;
}

const UNLIMITED: Quotas = {
  sender: { maySend: () => true, maySignal: () => true },
  relay: { charge: () => {}, debtMs: () => 0 },
};

export class RoomObject {
  readonly #context: ObjectContext;
  readonly #environment: Environment;
  readonly #store: RoomStore;
  readonly #quotas = new WeakMap<ServerSocket, Quotas>();
  #room: Room | undefined;
  readonly #keeper: KeeperRoom;
  readonly #held = new HeldFrames((socket, frame) => this.#deliver(socket, frame));
  #isAwake = false;
  /** When it is woken next, as far as is known; setting an alarm costs as much as writing a row. */
  #alarmMs = 0;

  constructor(context: ObjectContext, environment: Environment) {
    this.#context = context;
    this.#environment = environment;
    this.#store = new RoomStore(context);
    context.setWebSocketAutoResponse(new platform.WebSocketRequestResponsePair('{"type":"ping"}', '{"type":"pong"}'));
    this.#keeper = new KeeperRoom(context, environment, this.#store, {
      wakeIn: (delayMs) => this.#wakeIn(delayMs),
      opened: (socket, id, room) => socket.serializeAttachment(attachmentIn(room, id)),
      said: (socket, data) => this.webSocketMessage(socket, data),
      ended: (socket, code) => this.webSocketClose(socket, code),
    });
    const state = this.#store.state();
    if (state !== undefined) this.#room = new Room(state, LIMITS);
  }

  async fetch(request: Request): Promise<Response> {
    this.#wake();
    const room = new URL(request.url).searchParams.get('room') ?? '';
    if (this.#context.getWebSockets().length >= SOCKETS_MAX)
      return new Response(null, { status: 503, headers: { 'retry-after': '5' } });
    const pair = new platform.WebSocketPair();
    this.#context.acceptWebSocket(pair[1]);
    pair[1].serializeAttachment(attachmentIn(room));
    if (this.#alarmMs < Date.now()) this.#wakeIn(HELLO_TIMEOUT_MS);
    return upgraded(pair[0]);
  }

  webSocketMessage(socket: ServerSocket, data: string | ArrayBuffer): void {
    this.#wake(socket);
    const from = attachmentOf(socket);
    if (from === undefined) return;
    const nowMs = Date.now();
    if (!(socket instanceof LocalSocket)) this.#keeper.count();
    const { sender, relay } = this.#quotasOf(socket, nowMs);
    if (typeof data !== 'string' && from.nodeId !== '') return this.#pass(socket, from, new Uint8Array(data), relay);
    const bytes = typeof data === 'string' ? data.length : data.byteLength;
    if (bytes > SIGNALING_FRAME_BYTES_MAX) return this.#end(socket, 1009, 'too large');
    if (!sender.maySend(bytes, nowMs)) return this.#end(socket, CLOSE_CODES.overload, 'too many messages');
    const message = typeof data === 'string' ? parseClientMessage(data) : undefined;
    if (message === undefined) return this.#refuse(socket, 'not a message of this protocol');
    if (message.type === 'signal' && !sender.maySignal(message.to, nowMs)) return;
    // Once in a while is enough to know that it lives.
    if (nowMs - from.heardMs > SILENT_MS / 4) socket.serializeAttachment({ ...from, heardMs: nowMs });
    const room = this.#room;
    const isKnown = room?.has(from.id) === true;
    const outside = isKnown ? undefined : answerOutside(from.id, message);
    if (outside !== undefined) return this.#perform(outside);
    if (message.type === 'hello' && message.room !== from.room)
      return this.#refuse(socket, 'the hello names another room than the address');
    if (message.type === 'hello') socket.serializeAttachment({ ...from, nodeId: message.nodeId, heardMs: nowMs });
    this.#step((one) => one.message(from.id, message, nowMs), from.room);
  }

  webSocketClose(socket: ServerSocket, code: number): void {
    this.#wake(socket);
    this.#held.forget(socket);
    const from = attachmentOf(socket);
    // 1006: it ended without a word. A page that goes away, or a client that leaves, says so.
    if (from !== undefined) this.#step((room) => room.closed(from.id, Date.now(), code === 1006), from.room);
    // The other end has said that it goes: this one does too.
    if (code !== 1006) closeSocket(socket, code === 1005 ? 1000 : code, '');
  }

  webSocketError(socket: ServerSocket): void {
    this.#wake(socket);
    this.#held.forget(socket);
    const from = attachmentOf(socket);
    if (from !== undefined) this.#step((room) => room.closed(from.id, Date.now(), true), from.room);
  }

  alarm(): void {
    this.#wake();
    this.#alarmMs = 0;
    for (const socket of this.#context.getWebSockets()) {
      const from = attachmentOf(socket);
      if (from?.nodeId === '' && Date.now() - from.heardMs >= HELLO_TIMEOUT_MS)
        this.#end(socket, CLOSE_CODES.timeout, 'no hello');
    }
    if (this.#room !== undefined) this.#step((room) => room.tick(Date.now()), this.#room.state.name);
    this.#keeper.onAlarm();
  }

  #wakeIn(delayMs: number): void {
    const nowMs = Date.now();
    if (this.#alarmMs > nowMs && this.#alarmMs <= nowMs + delayMs) return;
    this.#alarmMs = nowMs + delayMs;
    void this.#context.storage.setAlarm(this.#alarmMs);
  }

  /**
   * First of all, out of its sleep or after its end in the middle: of the latter the sockets are gone, and their members may come back.
   * @param speaks the one that woke it, which the platform counts no more when it is at its end
   */
  #wake(speaks?: ServerSocket): void {
    const room = this.#room;
    const first = !this.#isAwake;
    this.#isAwake = true;
    if (!first || room === undefined) return;
    const sockets = speaks === undefined ? this.#sockets() : [...this.#sockets(), speaks];
    const alive = new Set(sockets.map((socket) => attachmentOf(socket)?.id));
    const { members, contenders } = room.state;
    const all = [...members, ...contenders].flatMap(({ connection }) => (connection === null ? [] : [connection]));
    const gone = all.filter((connection) => !alive.has(connection));
    if (gone.length === 0) return;
    // Its own keeper is gone for good, and comes as a new one.
    this.#step(
      (one) => gone.flatMap((connection) => one.closed(connection, Date.now(), !this.#keeper.isOwn(connection))),
      room.state.name,
    );
  }

  /** Everything that changes the room goes through here: done, written down, told. */
  #step(act: (room: Room) => readonly Effect[], name: string): void {
    this.#room ??= new Room(emptyRoom(name, this.#store.clusterId()), LIMITS);
    const room = this.#room;
    const effects = act(room);
    this.#store.save(room.idle ? undefined : room.state);
    if (room.idle) this.#room = undefined;
    this.#perform(effects);
    if (room.waits && !room.idle) this.#wakeIn(TICK_MS);
    this.#keeper.look(name, room.state.members);
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'remember') {
        this.#store.remember(effect.clusterId);
        this.#step((room) => room.remembered(effect.clusterId, true, Date.now()), effect.room);
        continue;
      }
      const socket = this.#socketOf(effect.connection);
      if (effect.type === 'probe') this.#probe(effect.connection, socket);
      else if (socket === undefined) continue;
      else if (effect.type === 'close') this.#end(socket, effect.code, effect.reason);
      else this.#send(socket, effect.message);
    }
  }

  /** By when it was last heard: a sleeping object can ask nobody. */
  #probe(connection: ConnectionId, socket: ServerSocket | undefined): void {
    const heardMs = socket === undefined ? 0 : (attachmentOf(socket)?.heardMs ?? 0);
    const pingedMs =
      socket === undefined || socket instanceof LocalSocket
        ? 0
        : (this.#context.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0);
    const isAlive = socket instanceof LocalSocket || Date.now() - Math.max(heardMs, pingedMs) < SILENT_MS;
    const name = this.#room?.state.name;
    if (name !== undefined) this.#step((room) => room.probed(connection, isAlive, Date.now()), name);
  }

  /** What is over its rate waits; what is far over it is lost, and its sender told. */
  #pass(socket: ServerSocket, { id }: Attachment, bytes: Uint8Array, rate: Quotas['relay']): void {
    const parsed = parseRelayFrame(bytes);
    if (parsed === undefined) return this.#refuse(socket, 'not a frame for a member');
    const { nodeId } = parsed;
    const isThere = this.#environment.RELAY !== 'off' && this.#room?.route(id, nodeId) !== undefined;
    if (!isThere || !this.#held.take(socket, bytes, rate)) this.#send(socket, { type: 'relay-lost', nodeId });
  }

  /** To whoever has the member's place by now. */
  #deliver(socket: ServerSocket, bytes: Uint8Array): void {
    const from = attachmentOf(socket);
    const parsed = parseRelayFrame(bytes);
    if (from === undefined || parsed === undefined) return;
    const route = this.#room?.route(from.id, parsed.nodeId);
    const to = route === undefined ? undefined : this.#socketOf(route.connection);
    if (route === undefined || to === undefined) return this.#send(socket, { type: 'relay-lost', nodeId: parsed.nodeId });
    sendOver(to, relayFrame(route.from, parsed.frame));
  }

  #send(socket: ServerSocket, message: ServerMessage): void {
    sendOver(socket, JSON.stringify(this.#complete(socket, message)));
  }

  #complete(socket: ServerSocket, message: ServerMessage): ServerMessage {
    if (message.type !== 'welcome' && message.type !== 'ice') return message;
    const ice = iceServersOf(this.#environment, attachmentOf(socket)?.nodeId ?? '');
    if (message.type === 'ice') return { ...message, ...ice };
    return { ...message, ...ice, relay: this.#environment.RELAY !== 'off' };
  }

  #refuse(socket: ServerSocket, message: string): void {
    this.#send(socket, { type: 'error', code: 'message-invalid', message, retryAfterMs: null });
    this.#end(socket, CLOSE_CODES.refused, 'message-invalid');
  }

  #end(socket: ServerSocket, code: number, reason: string): void {
    const from = attachmentOf(socket);
    this.#held.forget(socket);
    closeSocket(socket, code, reason);
    if (from !== undefined && this.#room?.has(from.id) === true)
      this.#step((room) => room.closed(from.id, Date.now()), from.room);
  }

  #socketOf(connection: ConnectionId): ServerSocket | undefined {
    return this.#sockets().find((socket) => attachmentOf(socket)?.id === connection);
  }

  #sockets(): readonly ServerSocket[] {
    const { socket } = this.#keeper;
    return socket === undefined ? this.#context.getWebSockets() : [...this.#context.getWebSockets(), socket];
  }

  #quotasOf(socket: ServerSocket, nowMs: number): Quotas {
    const known = this.#quotas.get(socket);
    if (known !== undefined) return known;
    // What runs here is the deployment's own, and has nobody to be held back for.
    const made =
      socket instanceof LocalSocket ? UNLIMITED : { sender: new SenderQuota({}, nowMs), relay: new Bucket(RELAY_RATE, nowMs) };
    this.#quotas.set(socket, made);
    return made;
  }
}

/** Whether a room may have this key. */
export const isRoomKey = (key: string): boolean => ROOM_KEY_PATTERN.test(key);

const attachmentIn = (room: string, id: ConnectionId = crypto.randomUUID()): Attachment => ({
  id,
  room,
  nodeId: '',
  heardMs: Date.now(),
});

function attachmentOf(socket: ServerSocket): Attachment | undefined {
  return (socket.deserializeAttachment() ?? undefined) as Attachment | undefined;
}

/** A socket that ends meanwhile: its close event tells the rest. */
function sendOver(socket: ServerSocket, data: string | Uint8Array): void {
  try {
    socket.send(data);
  } catch {
    // As above.
  }
}

function closeSocket(socket: ServerSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // It is closed already.
  }
}
