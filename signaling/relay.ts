/**
 * Frames carried between members of a room for links where nothing else works. The server sees who talks to whom and how much, and
 * nothing else: frames are opaque to it. Each sender has so many bytes per second; who sends more is read more slowly, so that
 * nothing of it is lost. What a receiver does not read is dropped, and its sender told, whose link then begins anew.
 */
import type { NodeId } from '../src/core/types.ts';
import { parseRelayFrame, relayFrame } from '../src/signaling/protocol.ts';
import type { ConnectionId } from '../src/signaling/rooms.ts';
import type { Backend } from './backend.ts';
import { Bucket, type BucketSize, Buckets } from './buckets.ts';
import {
  ADDRESSES_MAX,
  RELAY_ADDRESS_RATE,
  RELAY_PAUSE_MS_MAX,
  RELAY_RATE,
  UNREAD_RELAY_BYTES_MAX,
  UNREAD_RELAY_TOTAL_MAX,
} from './limits.ts';
import type { Metrics } from './metrics.ts';

export interface RelayOptions {
  /** Bytes of one connection. Default RELAY_RATE. */
  readonly rate?: BucketSize | undefined;
  /** Bytes of all connections of one address. Default RELAY_ADDRESS_RATE. */
  readonly addressRate?: BucketSize | undefined;
}

/** The part of a WebSocket of `ws` that is used. */
export interface RelaySocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  pause(): void;
  resume(): void;
  send(data: string | Uint8Array, done?: () => void): void;
}
const OPEN = 1;

interface Sender {
  readonly id: ConnectionId;
  readonly socket: RelaySocket;
  readonly key: string;
}

export class Relay {
  readonly #backend: Pick<Backend, 'route' | 'forward'>;
  readonly #metrics: Metrics;
  readonly #rate: BucketSize;
  readonly #addresses: Buckets;
  readonly #senders = new WeakMap<RelaySocket, Bucket>();
  /** Bytes that wait for readers, as of the last look at each. */
  #unreadBytes = 0;

  constructor(backend: Pick<Backend, 'route' | 'forward'>, metrics: Metrics, options: RelayOptions) {
    this.#backend = backend;
    this.#metrics = metrics;
    this.#rate = options.rate ?? RELAY_RATE;
    this.#addresses = new Buckets(options.addressRate ?? RELAY_ADDRESS_RATE, ADDRESSES_MAX);
  }

  /** False for what is no frame to anybody. */
  hear(sender: Sender, bytes: Uint8Array, socketOf: (id: ConnectionId) => RelaySocket | undefined): boolean {
    const parsed = parseRelayFrame(bytes);
    if (parsed === undefined) return false;
    this.#charge(sender, bytes.length);
    if (this.#pass(sender, parsed.nodeId, parsed.frame, socketOf)) return true;
    this.#metrics.count('dropped', 'relay');
    sender.socket.send(JSON.stringify({ type: 'relay-lost', nodeId: parsed.nodeId }));
    return true;
  }

  #pass({ id }: Sender, to: NodeId, inner: Uint8Array, socketOf: (id: ConnectionId) => RelaySocket | undefined): boolean {
    const route = this.#backend.route(id, to);
    if (route === undefined) return false;
    const frame = relayFrame(route.from, inner);
    const socket = socketOf(route.connection);
    return socket === undefined ? this.#backend.forward(id, route.connection, to, frame) : this.deliver(socket, frame);
  }

  /** False when it is lost: nobody is there, or nobody reads. */
  deliver(socket: RelaySocket | undefined, frame: Uint8Array): boolean {
    if (socket === undefined || !this.#hasRoom(socket)) return false;
    this.#metrics.count('relayed_frames');
    this.#metrics.count('relayed_bytes', '', frame.length);
    this.#unreadBytes += frame.length;
    socket.send(frame, () => {
      this.#unreadBytes -= frame.length;
    });
    return true;
  }

  /** What it has too much of it waits for: it is not read meanwhile, which its own link notices as a slow channel. */
  #charge(sender: Sender, bytes: number): void {
    const nowMs = performance.now();
    let bucket = this.#senders.get(sender.socket);
    if (bucket === undefined) {
      bucket = new Bucket(this.#rate, nowMs);
      this.#senders.set(sender.socket, bucket);
    }
    const address = this.#addresses.of(sender.key, nowMs);
    bucket.charge(bytes);
    address.charge(bytes);
    const debtMs = Math.max(bucket.debtMs(nowMs), address.debtMs(nowMs));
    if (debtMs === 0 || sender.socket.isPaused) return;
    this.#metrics.count('slowed');
    sender.socket.pause();
    setTimeout(() => sender.socket.resume(), Math.min(RELAY_PAUSE_MS_MAX, debtMs)).unref();
  }

  #hasRoom(socket: RelaySocket): boolean {
    if (socket.readyState !== OPEN || this.#unreadBytes > UNREAD_RELAY_TOTAL_MAX) return false;
    return socket.bufferedAmount <= UNREAD_RELAY_BYTES_MAX;
  }
}
