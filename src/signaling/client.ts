/**
 * The Signaling port over a WebSocket. Reconnects by itself with jittered backoff for as long as it is entered, after a refusal
 * too, only more slowly: whatever a server says is a hint to the node, and no reason for this client to give up. It comes back
 * under a resume token of its own, which nobody but the server sees. The mesh of links that is already formed needs none of this.
 */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import { Backoff } from './backoff.ts';
import { isPassing, toRaftError } from './errors.ts';
import { parseServerMessage } from './parse.ts';
import {
  CLOSE_CODES,
  type ClientMessage,
  parseRelayFrame,
  ROOM_KEY_PATTERN,
  relayFrame,
  type ServerMessage,
  SIGNALING_FRAME_BYTES_MAX,
  SIGNALING_PATH,
  SIGNALING_VERSION,
  TOKEN_PATTERN,
} from './protocol.ts';
import { RoomView } from './room-view.ts';
import type { FrameRelay, RelayListener, RoomEntry, Signaling, SignalingHandlers } from './signaling.ts';

/** How long a connection may take until the server's welcome: ms. Then the next try. */
const WELCOME_TIMEOUT_MS = 10_000;
/** How often a quiet connection is tried; without any word by the next time it counts as dead: ms. */
const PING_EVERY_MS = 20_000;
/** After a sleep a connection without any word for so long counts as dead: ms. */
const HURRIED_PING_MS = 3_000;
/** Bytes that may wait in the socket; beyond it signals and frames are refused. A link leaves far less in it, but there are many. */
const BUFFERED_BYTES_MAX: number = 8 * 1024 * 1024;
/** Invalid messages from a server after which it is left alone for a backoff. */
const INVALID_MESSAGES_MAX = 10;

/** The part of WebSocket that is used: the browser's, Node's (from 22 on) and that of `ws` fit. */
export interface WebSocketLike {
  readonly bufferedAmount: number;
  binaryType: string;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: never) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export interface SignalingClientOptions {
  /**
   * Where the server is: ws: or wss:, or http(s): of the same place; without a path SIGNALING_PATH. A server that has to know the room
   * before the first word (Cloudflare Workers) takes it from the address: `?room=` at its end is filled in.
   */
  readonly url: string | URL;
  /** Default: the environment's WebSocket. */
  readonly connect?: ((url: string) => WebSocketLike) | undefined;
  /** Numbers in [0, 1) for the jitter. */
  readonly random?: (() => number) | undefined;
}

/** Errors: invalid-argument for something that is no URL. */
export function signalingUrl(given: string | URL): string {
  let url: URL;
  try {
    url = new URL(given);
  } catch (cause) {
    throw new RaftError('invalid-argument', `${String(given)} is not the URL of a signaling server.`, { cause });
  }
  url.protocol = url.protocol.replace(/^http/, 'ws');
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new RaftError('invalid-argument', `A signaling server's URL starts with ws: or wss:, not ${url.protocol}`);
  }
  if (url.pathname === '/') url.pathname = SIGNALING_PATH;
  url.hash = '';
  return url.href;
}

function urlOf(given: string, room: string): string {
  const url = new URL(given);
  if (url.searchParams.has('room')) url.searchParams.set('room', room);
  return url.href;
}

interface Entered {
  readonly entry: RoomEntry;
  readonly view: RoomView;
  readonly resume: string;
}

/** One try: a socket and what is known about it. */
interface Connection {
  readonly socket: WebSocketLike;
  welcomed: boolean;
  /** The server relays frames. */
  relays: boolean;
  heard: boolean;
  invalidMessages: number;
  error: RaftError | undefined;
  retryAfterMs: number;
  /** Refused for a reason that seldom passes. */
  refused: boolean;
}

export class SignalingClient implements Signaling, FrameRelay {
  readonly #url: string;
  readonly #connectTo: (url: string) => WebSocketLike;
  readonly #backoff: Backoff;
  readonly #onOnline = (): void => this.#retryNow();
  #entered: Entered | undefined;
  #connection: Connection | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pausing = false;
  #relayListener: RelayListener | undefined;

  /** Errors: invalid-argument. */
  constructor(options: SignalingClientOptions) {
    this.#url = signalingUrl(options.url);
    this.#connectTo = options.connect ?? ((url) => new globalThis.WebSocket(url));
    this.#backoff = new Backoff(options.random ?? Math.random);
  }

  /**
   * STUN and TURN servers as the signaling server names them, as RTCIceServer; none before the first welcome. For the
   * transport: `iceServers: () => signaling.iceServers()`. Unchecked: the browser refuses what it does not understand.
   */
  iceServers(): readonly RTCIceServer[] {
    return (this.#entered?.view.iceServers ?? []) as readonly RTCIceServer[];
  }

  async enter(entry: RoomEntry, handlers: SignalingHandlers): Promise<void> {
    if (!ROOM_KEY_PATTERN.test(entry.room)) {
      throw new RaftError('room-invalid', 'A room has 1 to 64 letters, digits, dots, dashes or underscores.');
    }
    for (const token of [entry.nodeId, entry.clusterId]) {
      if (token !== undefined && !TOKEN_PATTERN.test(token)) throw new RaftError('invalid-argument', `${token} is not an id.`);
    }
    if (this.#entered !== undefined) throw new RaftError('invalid-argument', 'This client is in a room already.');
    const view = new RoomView(handlers, entry.clusterId, (message) => {
      if (this.#connection?.welcomed === true) this.#send(this.#connection, message);
    });
    this.#entered = { entry, view, resume: randomToken() };
    this.#backoff.reset();
    globalThis.addEventListener?.('online', this.#onOnline);
    this.#open();
  }

  signal(to: NodeId, data: unknown): boolean {
    const connection = this.#connection;
    if (connection?.welcomed !== true || connection.socket.bufferedAmount > BUFFERED_BYTES_MAX) return false;
    return this.#send(connection, { type: 'signal', to, data });
  }

  founded(clusterId: string): void {
    this.#entered?.view.founded(clusterId);
  }

  joined(clusterId: string): void {
    this.#entered?.view.joined(clusterId);
  }

  listenToRelay(listener: RelayListener): void {
    this.#relayListener = listener;
    if (this.#connection?.relays === true) listener.onRelay(true);
  }

  relay(to: NodeId, frame: Uint8Array): boolean {
    const connection = this.#connection;
    if (connection?.relays !== true || connection.socket.bufferedAmount > BUFFERED_BYTES_MAX) return false;
    try {
      connection.socket.send(relayFrame(to, frame));
      return true;
    } catch {
      return false; // it is closing: its close event tells the rest
    }
  }

  relayBufferedBytes(): number {
    return this.#connection?.socket.bufferedAmount ?? 0;
  }

  hurry(): void {
    this.#retryNow();
    const connection = this.#connection;
    if (connection?.welcomed !== true) return;
    connection.heard = false;
    this.#send(connection, { type: 'ping' });
    this.#after(HURRIED_PING_MS, () => {
      if (this.#connection !== connection) return;
      if (connection.heard) this.#pingLater(connection);
      else this.#giveUp(connection, 'The connection to the signaling server did not live through a sleep.');
    });
  }

  async close(): Promise<void> {
    this.#entered = undefined;
    clearTimeout(this.#timer);
    this.#pausing = false;
    globalThis.removeEventListener?.('online', this.#onOnline);
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) release(connection.socket);
  }

  /** The network is back: no pause is worth while. */
  #retryNow(): void {
    if (!this.#pausing) return;
    clearTimeout(this.#timer);
    this.#open();
  }

  #open(): void {
    const entered = this.#entered;
    this.#pausing = false;
    if (entered === undefined) return;
    entered.view.handlers.onState('connecting', undefined);
    if (this.#entered !== entered) return;
    let socket: WebSocketLike;
    try {
      socket = this.#connectTo(urlOf(this.#url, entered.entry.room));
    } catch (cause) {
      this.#retry(
        new RaftError('signaling-unreachable', 'No connection to the signaling server could be opened.', { cause }),
        false,
        0,
      );
      return;
    }
    const connection: Connection = {
      socket,
      welcomed: false,
      relays: false,
      heard: false,
      invalidMessages: 0,
      error: undefined,
      retryAfterMs: 0,
      refused: false,
    };
    this.#connection = connection;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#sayHello(connection, entered);
    socket.onmessage = (event: { readonly data?: unknown }) => this.#hear(connection, event.data);
    socket.onclose = (event: { readonly code?: unknown }) => this.#lost(connection, event.code);
    socket.onerror = () => undefined; // a close follows, which says as much
    this.#after(WELCOME_TIMEOUT_MS, () => this.#giveUp(connection, 'The signaling server does not answer.'));
  }

  #sayHello(connection: Connection, { entry, view, resume }: Entered): void {
    const { room, nodeId, mayFound } = entry;
    const clusterId = view.claim;
    this.#send(connection, { type: 'hello', version: SIGNALING_VERSION, room, nodeId, resume, clusterId, mayFound });
  }

  #hear(connection: Connection, data: unknown): void {
    const entered = this.#entered;
    if (this.#connection !== connection || entered === undefined) return;
    if (typeof data === 'object') return this.#hearFrame(connection, data);
    const message = typeof data === 'string' ? parseServerMessage(data) : undefined;
    if (message === undefined) {
      connection.invalidMessages++;
      if (connection.invalidMessages >= INVALID_MESSAGES_MAX) this.#giveUp(connection, 'The signaling server speaks nonsense.');
      return;
    }
    connection.heard = true;
    if (message.type === 'welcome') this.#welcome(connection, entered, message);
    else if (message.type === 'error') this.#hearError(connection, entered, message);
    else if (message.type === 'relay-lost') this.#relayListener?.onLost(message.nodeId);
    else if (connection.welcomed) entered.view.hear(message);
  }

  #hearFrame(connection: Connection, data: unknown): void {
    const relayed = data instanceof ArrayBuffer ? parseRelayFrame(new Uint8Array(data)) : undefined;
    if (relayed === undefined) connection.invalidMessages++;
    else {
      connection.heard = true;
      this.#relayListener?.onFrame(relayed.nodeId, relayed.frame);
    }
  }

  #welcome(connection: Connection, entered: Entered, message: Extract<ServerMessage, { type: 'welcome' }>): void {
    if (connection.welcomed) return;
    connection.welcomed = true;
    this.#backoff.reset();
    clearTimeout(this.#timer);
    this.#pingLater(connection);
    connection.relays = message.relay;
    entered.view.handlers.onState('open', undefined);
    if (this.#entered === entered) entered.view.hear(message);
    if (this.#connection === connection && connection.relays) this.#relayListener?.onRelay(true);
  }

  #hearError(connection: Connection, entered: Entered, message: Extract<ServerMessage, { type: 'error' }>): void {
    if (message.code === 'unknown-peer') return; // it left while we spoke; peer-leave says so
    if (message.code === 'cluster-mismatch') entered.view.foundingRefused();
    connection.error = toRaftError(message);
    connection.retryAfterMs = message.retryAfterMs ?? 0;
    connection.refused = !isPassing(message.code) && message.code !== 'message-invalid' && message.retryAfterMs === null;
  }

  #lost(connection: Connection, code: unknown): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    clearTimeout(this.#timer);
    if (connection.relays) this.#relayListener?.onRelay(false);
    if (code === CLOSE_CODES.replaced) {
      connection.error ??= new RaftError('identity-in-use', 'Another connection of this node took its place.');
      connection.refused = true;
    }
    const error = connection.error ?? new RaftError('signaling-unreachable', 'The connection to the signaling server was lost.');
    this.#retry(error, connection.refused, connection.retryAfterMs);
  }

  #giveUp(connection: Connection, why: string): void {
    if (this.#connection !== connection) return;
    connection.error ??= new RaftError('signaling-unreachable', why);
    release(connection.socket);
    this.#lost(connection, undefined);
  }

  /** Tells that there is no connection and why, and tries again after a while. */
  #retry(error: RaftError, refused: boolean, retryAfterMs: number): void {
    const entered = this.#entered;
    if (entered === undefined) return;
    this.#pausing = !refused && retryAfterMs === 0;
    this.#after(this.#backoff.pauseMs(performance.now(), refused, retryAfterMs), () => this.#open());
    entered.view.handlers.onState(refused ? 'closed' : 'connecting', error);
  }

  #pingLater(connection: Connection): void {
    connection.heard = false;
    this.#after(PING_EVERY_MS, () => {
      if (this.#connection !== connection) return;
      this.#send(connection, { type: 'ping' });
      this.#entered?.view.refreshIce(performance.now());
      this.#after(PING_EVERY_MS, () => {
        if (connection.heard) this.#pingLater(connection);
        else this.#giveUp(connection, 'The signaling server has fallen silent.');
      });
    });
  }

  #send(connection: Connection, message: ClientMessage): boolean {
    try {
      const text = JSON.stringify(message);
      if (text.length > SIGNALING_FRAME_BYTES_MAX) return false;
      connection.socket.send(text);
      return true;
    } catch {
      return false; // not serializable, or the socket is closing: its close event tells the rest
    }
  }

  #after(delayMs: number, run: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, delayMs);
  }
}

/** No more events from it, and a close: also while it is still connecting. */
function release(socket: WebSocketLike): void {
  socket.onopen = null;
  socket.onmessage = null;
  socket.onclose = null;
  socket.onerror = () => undefined;
  try {
    socket.close(1000);
  } catch {
    // It was never opened, or is closed.
  }
}

/** Not randomUUID, which exists only in secure contexts. */
function randomToken(): string {
  return [...globalThis.crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
