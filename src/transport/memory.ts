/**
 * A network inside one process, for tests and examples: messages wait in the hub and are delivered at once (in a
 * microtask) or by hand; they can be dropped, blocked one way, or lost with their link. Nothing in it is random.
 */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import { MemoryLink } from './memory-link.ts';
import type { Discovery, Lane, LinkSecurity, LinkStatus, Transport, TransportHandlers } from './transport.ts';

/** Bytes that one side of a link may have in flight per lane before `send` returns false. */
export const MEMORY_QUEUE_BYTES_MAX: number = 16 * 1024 * 1024;
/** How long after a link was lost it is dialled again: ms. */
const REDIAL_MS = 10;

export interface MemoryHubOptions {
  /** `immediate`: delivered in the next microtask. `manual`: when `deliver` is called. Default immediate. */
  readonly delivery?: 'immediate' | 'manual';
  /** Whether each message is copied, as a real network would. Default true. */
  readonly copies?: boolean;
  readonly queueBytesMax?: number;
  /** Runs something later: for redialling. Default a timer. */
  readonly after?: (delayMs: number, run: () => void) => void;
}

export interface MessageInFlight {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly lane: Lane;
  readonly bytes: Uint8Array;
}
interface Parcel extends MessageInFlight {
  readonly link: MemoryLink;
  /** Not a message: the sender's last word, after which the link closes. */
  readonly farewell: boolean;
}

export class MemoryHub {
  readonly #manual: boolean;
  readonly #copies: boolean;
  readonly queueBytesMax: number;
  readonly #after: (delayMs: number, run: () => void) => void;
  readonly #nodes = new Map<NodeId, MemoryTransport>();
  readonly #links = new Map<string, MemoryLink>();
  readonly #blocked = new Set<string>();
  readonly #refused = new Set<string>();
  #inFlight: Parcel[] = [];
  #scheduled = false;

  constructor(options: MemoryHubOptions = {}) {
    this.#manual = options.delivery === 'manual';
    this.#copies = options.copies ?? true;
    this.queueBytesMax = options.queueBytesMax ?? MEMORY_QUEUE_BYTES_MAX;
    this.#after = options.after ?? ((delayMs, run) => void setTimeout(run, delayMs));
  }

  /** A new adapter on this network. */
  transport(): Transport {
    return new MemoryTransport(this);
  }

  /** Messages on their way, in the order in which they will be delivered. */
  pending(): readonly MessageInFlight[] {
    return this.#inFlight.filter((parcel) => !parcel.farewell);
  }

  /** Delivers up to `most` messages, what is urgent first; how many it was. What they cause to be sent waits its turn. */
  deliver(most: number = Number.MAX_SAFE_INTEGER): number {
    let delivered = 0;
    while (delivered < most) {
      const parcel = this.#next();
      if (parcel === undefined) break;
      if (this.#arrive(parcel)) delivered++;
    }
    return delivered;
  }

  /** Loses the messages on their way that match; how many it was. */
  drop(matches: (message: MessageInFlight) => boolean): number {
    const before = this.#inFlight.length;
    this.#inFlight = this.#inFlight.filter((parcel) => {
      const lost = !parcel.farewell && matches(parcel);
      if (lost) parcel.link.took(parcel.from, parcel.lane, parcel.bytes.length);
      return !lost;
    });
    return before - this.#inFlight.length;
  }

  /** From now on everything from one to the other vanishes; the link stays open, as in a real partition. */
  block(from: NodeId, to: NodeId): void {
    this.#blocked.add(arrow(from, to));
  }

  /** Blocks everything between nodes of different groups. Nodes in no group are left alone. */
  partition(...groups: ReadonlyArray<readonly NodeId[]>): void {
    groups.forEach((group, i) => {
      for (const other of groups.slice(i + 1)) {
        for (const a of group) {
          for (const b of other) {
            this.block(a, b);
            this.block(b, a);
          }
        }
      }
    });
  }

  /** Ends all blocks and refusals, and dials what is missing. */
  heal(): void {
    this.#blocked.clear();
    this.#refused.clear();
    for (const id of this.#nodes.keys()) this.dialAll(id);
  }

  /** Closes a link with what is in flight on it. It is dialled again unless `refuse`. */
  cut(a: NodeId, b: NodeId, options: { readonly refuse?: boolean } = {}): void {
    if (options.refuse === true) this.#refused.add(pair(a, b));
    this.lose(a, b, new RaftError('link-failed', `the link between ${a} and ${b} was cut`));
  }

  /** A node vanishes without a word: its links stay open at the others until they are cut. */
  crash(id: NodeId): void {
    this.#nodes.get(id)?.vanish();
    this.#nodes.delete(id);
  }

  // For the adapters.

  enter(id: NodeId, transport: MemoryTransport): void {
    this.#nodes.delete(id);
    for (const key of [...this.#links.keys()]) {
      const link = this.#links.get(key);
      if (link?.joins(id)) this.lose(link.a, link.b, new RaftError('link-failed', `${id} started anew`));
    }
    this.#nodes.set(id, transport);
  }

  leave(id: NodeId): void {
    for (const link of this.#links.values()) {
      if (!link.joins(id)) continue;
      this.#post({ from: id, to: link.other(id), lane: 'bulk', bytes: FAREWELL, link, farewell: true });
    }
    this.#nodes.delete(id);
  }

  /** Links a node with all peers that both of them want. */
  dialAll(id: NodeId): void {
    for (const [other, transport] of this.#nodes) {
      const key = pair(id, other);
      const wanted = other !== id && transport.wants(id) && this.#nodes.get(id)?.wants(other) === true;
      if (!wanted || this.#links.has(key) || this.#refused.has(key)) continue;
      this.#links.set(key, new MemoryLink(id, other));
      for (const one of [id, other]) this.#nodes.get(one)?.linkOpened(one === id ? other : id);
    }
  }

  send(from: NodeId, to: NodeId, bytes: Uint8Array, lane: Lane): boolean {
    const link = this.#links.get(pair(from, to));
    if (link === undefined || link.queued(from, lane) + bytes.length > this.queueBytesMax) return false;
    link.gave(from, lane, bytes.length);
    this.#post({ from, to, lane, bytes: this.#copies ? bytes.slice() : bytes, link, farewell: false });
    return true;
  }

  linkOf(a: NodeId, b: NodeId): MemoryLink | undefined {
    return this.#links.get(pair(a, b));
  }

  lose(a: NodeId, b: NodeId, error: RaftError): void {
    const key = pair(a, b);
    const link = this.#links.get(key);
    if (link === undefined) return;
    this.#links.delete(key);
    this.#inFlight = this.#inFlight.filter((parcel) => parcel.link !== link);
    this.#nodes.get(a)?.linkClosed(b, error);
    this.#nodes.get(b)?.linkClosed(a, error);
    this.#after(REDIAL_MS, () => this.dialAll(a));
  }

  #post(parcel: Parcel): void {
    this.#inFlight.push(parcel);
    if (!this.#manual) this.#scheduleDelivery();
  }

  /** One delivery at a time: what it causes is delivered in the microtask after. */
  #scheduleDelivery(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    void RESOLVED.then(() => {
      this.#scheduled = false;
      this.deliver(this.#inFlight.length);
      if (this.#inFlight.length > 0) this.#scheduleDelivery();
    });
  }

  #next(): Parcel | undefined {
    const urgent = this.#inFlight.findIndex((parcel) => parcel.lane === 'urgent');
    return urgent > 0 ? this.#inFlight.splice(urgent, 1)[0] : this.#inFlight.shift();
  }

  /** True when it was a message that reached somebody. */
  #arrive(parcel: Parcel): boolean {
    const { from, to, lane, bytes, link } = parcel;
    if (parcel.farewell) {
      this.lose(link.a, link.b, new RaftError('link-failed', `${from} has stopped`));
      return false;
    }
    link.took(from, lane, bytes.length);
    const receiver = this.#nodes.get(to);
    if (receiver === undefined || (this.#blocked.size > 0 && this.#blocked.has(arrow(from, to)))) return false;
    link.arrived(from, bytes.length);
    receiver.receive(from, bytes);
    return true;
  }
}

/** A microtask by way of a promise: in Node `queueMicrotask` makes an async resource for each. */
const RESOLVED: Promise<void> = Promise.resolve();
const FAREWELL: Uint8Array = new Uint8Array(0);

function arrow(from: NodeId, to: NodeId): string {
  // No id holds a blank: they are checked at every door.
  return `${from} ${to}`;
}

function pair(a: NodeId, b: NodeId): string {
  return a < b ? arrow(a, b) : arrow(b, a);
}

class MemoryTransport implements Transport {
  readonly kind: string = 'memory';
  readonly #hub: MemoryHub;
  #self: NodeId = '';
  #handlers: TransportHandlers | undefined;
  readonly #wanted = new Set<NodeId>();
  readonly #errors = new Map<NodeId, RaftError>();

  constructor(hub: MemoryHub) {
    this.#hub = hub;
  }

  async start(self: NodeId, handlers: TransportHandlers, discovery: Discovery): Promise<void> {
    this.#self = self;
    this.#handlers = handlers;
    this.#hub.enter(self, this);
    discovery.listen({
      onPeers: (peers) => {
        for (const peer of peers) this.#wanted.add(peer);
        if (this.#handlers !== undefined) this.#hub.dialAll(self);
      },
      onSignal: () => undefined,
    });
  }

  send(peer: NodeId, bytes: Uint8Array, lane: Lane): boolean {
    return this.#handlers !== undefined && this.#hub.send(this.#self, peer, bytes, lane);
  }

  queuedBytes(peer: NodeId, lane: Lane): number {
    return this.#hub.linkOf(this.#self, peer)?.queued(this.#self, lane) ?? 0;
  }

  links(): readonly LinkStatus[] {
    return [...this.#wanted].map((peer) => {
      const link = this.#handlers === undefined ? undefined : this.#hub.linkOf(this.#self, peer);
      return {
        peer,
        state: link === undefined ? 'closed' : 'open',
        kind: this.kind,
        queuedBytes: (link?.queued(this.#self, 'urgent') ?? 0) + (link?.queued(this.#self, 'bulk') ?? 0),
        sentBytes: link?.delivered(this.#self) ?? 0,
        receivedBytes: link?.delivered(peer) ?? 0,
        error: this.#errors.get(peer),
      };
    });
  }

  security(peer: NodeId): LinkSecurity | undefined {
    if (this.#handlers === undefined || this.#hub.linkOf(this.#self, peer) === undefined) return undefined;
    return { protection: 'local', initiator: this.#self < peer, binding: undefined };
  }

  disconnect(peer: NodeId, reason: string): void {
    this.#hub.lose(this.#self, peer, new RaftError('link-failed', `disconnected: ${reason}`));
  }

  async stop(): Promise<void> {
    if (this.#handlers === undefined) return;
    this.vanish();
    this.#hub.leave(this.#self);
  }

  // For the hub.

  wants(peer: NodeId): boolean {
    return this.#wanted.has(peer);
  }

  vanish(): void {
    this.#handlers = undefined;
  }

  receive(from: NodeId, bytes: Uint8Array): void {
    this.#handlers?.onMessage(from, bytes);
  }

  linkOpened(peer: NodeId): void {
    this.#errors.delete(peer);
    this.#handlers?.onLink(peer, 'open');
  }

  linkClosed(peer: NodeId, error: RaftError): void {
    this.#errors.set(peer, error);
    this.#handlers?.onLink(peer, 'closed');
  }
}
