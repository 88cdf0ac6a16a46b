/**
 * The virtual network: links between processes that deliver in order per lane or die with what was on its way,
 * as data channels do; on top of that what no channel should do (drop, duplicate, reorder) where a run asks for it.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Discovery, Lane, LinkState, LinkStatus, Transport, TransportHandlers } from '../../transport/transport.ts';
import { KINDS } from '../../wire/tables.ts';
import type { Prng } from '../prng.ts';
import type { VirtualProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';

export interface NetworkFaults {
  readonly delayMs: readonly [min: number, max: number];
  /** Chance of a message to be late by up to `spikeMs`. */
  readonly spike: number;
  readonly spikeMs: number;
  /** Chance of a message of the algorithm, or of a call, to be lost, sent twice, or overtaken: more than a channel may do. */
  readonly drop: number;
  readonly duplicate: number;
  readonly reorder: number;
  /** Chance of a message to arrive cut short. (Bits do not flip on an authenticated channel.) */
  readonly corrupt: number;
  /** Bytes that may wait in one lane of a link. */
  readonly queueBytesMax: number;
}

export const CALM_NETWORK: NetworkFaults = {
  delayMs: [1, 8],
  spike: 0,
  spikeMs: 0,
  drop: 0,
  duplicate: 0,
  reorder: 0,
  corrupt: 0,
  queueBytesMax: 4 * 1024 * 1024,
};

/** How long a lost link takes to come back, in ms. */
const REDIAL_MS: readonly [number, number] = [20, 200];

interface Direction {
  readonly queued: Record<Lane, number>;
  /** When the last message of a lane arrives: nothing of the lane arrives before it. */
  readonly lastArrivalMs: Record<Lane, number>;
}

interface Link {
  readonly ends: readonly [VirtualTransport, VirtualTransport];
  readonly directions: readonly [Direction, Direction];
  open: boolean;
}

export interface NetworkCounts {
  /** Messages of the algorithm. */
  raft: number;
  sent: number;
  delivered: number;
  dropped: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
  blocked: number;
  linksLost: number;
}

const newDirection = (): Direction => ({ queued: { urgent: 0, bulk: 0 }, lastArrivalMs: { urgent: 0, bulk: 0 } });

export class VirtualNetwork {
  faults: NetworkFaults = CALM_NETWORK;
  readonly counts: NetworkCounts = {
    raft: 0,
    sent: 0,
    delivered: 0,
    dropped: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    blocked: 0,
    linksLost: 0,
  };
  /** Sees every message that really arrives. */
  onDeliver: ((from: NodeId, to: NodeId, bytes: Uint8Array, raft: boolean) => void) | undefined = undefined;
  readonly scheduler: Scheduler;
  readonly #random: Prng;
  readonly #transports = new Map<NodeId, VirtualTransport>();
  readonly #links = new Map<string, Link>();
  readonly #blocked = new Set<string>();
  readonly #clogged = new Map<string, number>();
  readonly #openedMs = new Map<NodeId, number>();

  constructor(scheduler: Scheduler, random: Prng) {
    this.scheduler = scheduler;
    this.#random = random;
  }

  /** `enters`: at once, or, as where links are made through the room, when that has let it in. */
  transport(process: VirtualProcess, enters: 'at once' | 'when let in' = 'at once'): VirtualTransport {
    return new VirtualTransport(this, process, enters === 'when let in');
  }

  /** From now on everything from one to the other vanishes, though the link stays open. */
  block(from: NodeId, to: NodeId): void {
    this.#blocked.add(`${from}>${to}`);
  }

  /** Ends a block; a link over which something vanished dies, as a channel's retransmission would notice. */
  unblock(from: NodeId, to: NodeId): void {
    if (!this.#blocked.delete(`${from}>${to}`)) return;
    this.#openedMs.set(from, this.scheduler.nowMs);
    this.#openedMs.set(to, this.scheduler.nowMs);
    this.cut(from, to);
  }

  /** When something that was blocked at a node was let through again last. */
  openedMs(id: NodeId): number {
    return this.#openedMs.get(id) ?? 0;
  }

  /** Everything from one to the other waits until a time, then arrives. */
  clog(from: NodeId, to: NodeId, untilMs: number): void {
    this.#clogged.set(`${from}>${to}`, untilMs);
  }

  /** Blocks everything between two groups, both ways. */
  partition(left: readonly NodeId[], right: readonly NodeId[]): void {
    for (const a of left) {
      for (const b of right) {
        this.block(a, b);
        this.block(b, a);
      }
    }
  }

  heal(): void {
    for (const arrow of [...this.#blocked]) {
      const [from = '', to = ''] = arrow.split('>');
      this.unblock(from, to);
    }
    this.#clogged.clear();
    for (const id of this.#transports.keys()) this.dialAll(id);
  }

  isBlocked(from: NodeId, to: NodeId): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(`${from}>${to}`);
  }

  /** A link dies with everything on its way; it is dialled again. */
  cut(a: NodeId, b: NodeId): void {
    const link = this.#links.get(pairOf(a, b));
    if (link !== undefined) this.lose(link);
  }

  linked(): readonly (readonly [NodeId, NodeId])[] {
    return [...this.#links.values()].filter((link) => link.open).map((link) => [link.ends[0].self, link.ends[1].self] as const);
  }

  // ---- for the transports

  enter(transport: VirtualTransport): void {
    const { self } = transport;
    for (const link of [...this.#links.values()]) if (link.ends.some((end) => end.self === self)) this.lose(link);
    this.#transports.set(self, transport);
  }

  /** The process is gone: the others notice after a while. */
  leave(transport: VirtualTransport): void {
    if (this.#transports.get(transport.self) !== transport) return;
    this.#transports.delete(transport.self);
    for (const link of [...this.#links.values()]) {
      if (link.ends.includes(transport)) this.scheduler.after(this.#random.span(1, 400), '', () => this.lose(link));
    }
  }

  dialAll(id: NodeId): void {
    for (const other of this.#transports.keys()) if (other !== id) this.#dial(id, other);
  }

  #dial(a: NodeId, b: NodeId): void {
    const one = this.#transports.get(a);
    const two = this.#transports.get(b);
    const key = pairOf(a, b);
    if (one?.wants(b) !== true || two?.wants(a) !== true || this.#links.has(key)) return;
    const link: Link = { ends: [one, two], directions: [newDirection(), newDirection()], open: false };
    this.#links.set(key, link);
    this.scheduler.after(this.#random.span(...this.faults.delayMs) * 3, '', () => {
      if (this.#links.get(key) !== link) return;
      if (this.isBlocked(a, b) || this.isBlocked(b, a)) return this.lose(link);
      link.open = true;
      for (const end of link.ends) this.scheduler.at(0, end.process.name, () => end.process.enter(() => end.linkOpened(link)));
    });
  }

  lose(link: Link): void {
    const [one, two] = link.ends;
    const key = pairOf(one.self, two.self);
    if (this.#links.get(key) !== link) return;
    this.#links.delete(key);
    if (link.open) this.counts.linksLost += 1;
    link.open = false;
    for (const end of link.ends) this.scheduler.at(0, end.process.name, () => end.process.enter(() => end.linkClosed(link)));
    this.scheduler.after(this.#random.span(...REDIAL_MS), '', () => this.#dial(one.self, two.self));
  }

  send(link: Link, from: VirtualTransport, bytes: Uint8Array, lane: Lane): boolean {
    const side = link.ends[0] === from ? 0 : 1;
    const to = link.ends[1 - side] as VirtualTransport;
    const direction = link.directions[side] as Direction;
    if (!link.open || direction.queued[lane] + bytes.length > this.faults.queueBytesMax) return false;
    this.counts.sent += 1;
    if (bytes[1] === RAFT) this.counts.raft += 1;
    if (this.isBlocked(from.self, to.self)) {
      this.counts.blocked += 1;
      return true;
    }
    const { faults } = this;
    if (!isRepeatable(bytes)) {
      this.#post(link, side, bytes.slice(), lane, false);
      return true;
    }
    if (faults.drop > 0 && bytes[1] === RAFT && this.#random.chance(faults.drop)) {
      this.counts.dropped += 1;
      return true;
    }
    if (faults.corrupt > 0 && bytes[1] === RAFT && this.#random.chance(faults.corrupt)) {
      this.counts.corrupted += 1;
      this.#post(link, side, bytes.slice(0, this.#random.below(bytes.length)), lane, true);
      return true;
    }
    this.#post(link, side, bytes.slice(), lane, true);
    if (faults.duplicate > 0 && bytes[1] !== CALL && this.#random.chance(faults.duplicate)) {
      this.counts.duplicated += 1;
      this.#post(link, side, bytes.slice(), lane, true);
    }
    return true;
  }

  #post(link: Link, side: 0 | 1, bytes: Uint8Array, lane: Lane, mayOvertake: boolean): void {
    const { faults } = this;
    const from = link.ends[side] as VirtualTransport;
    const to = link.ends[1 - side] as VirtualTransport;
    const direction = link.directions[side] as Direction;
    let arrivalMs = this.scheduler.nowMs + this.#random.span(...faults.delayMs);
    if (faults.spike > 0 && this.#random.chance(faults.spike)) arrivalMs += this.#random.span(0, faults.spikeMs);
    if (this.#clogged.size > 0) arrivalMs = Math.max(arrivalMs, this.#clogged.get(`${from.self}>${to.self}`) ?? 0);
    if (mayOvertake && faults.reorder > 0 && this.#random.chance(faults.reorder)) this.counts.reordered += 1;
    else {
      arrivalMs = Math.max(arrivalMs, direction.lastArrivalMs[lane]);
      direction.lastArrivalMs[lane] = arrivalMs;
    }
    direction.queued[lane] += bytes.length;
    this.scheduler.at(arrivalMs, to.process.name, () => {
      direction.queued[lane] -= bytes.length;
      if (!link.open || !to.process.alive) return;
      if (this.isBlocked(from.self, to.self)) {
        this.counts.blocked += 1;
        return;
      }
      this.counts.delivered += 1;
      this.onDeliver?.(from.self, to.self, bytes, bytes[1] === RAFT);
      to.process.enter(() => to.receive(link, from.self, bytes));
    });
  }
}

/** What the algorithm itself must bear to lose, to see twice and out of order; a hello or a snapshot's chunk may rely on its channel. */
const REPEATABLE: ReadonlySet<number> = new Set((['raft', 'call', 'reply'] as const).map((kind) => KINDS.indexOf(kind)));

/** Only these are sent again when they are lost without a word. */
const RAFT: number = KINDS.indexOf('raft');

/** Not sent twice: the copies could be answered differently, and an answer says whether a write may have been taken. */
const CALL: number = KINDS.indexOf('call');

/** A message is one MessagePack array, and its kind comes first. */
function isRepeatable(bytes: Uint8Array): boolean {
  return REPEATABLE.has(bytes[1] ?? -1);
}

function pairOf(a: NodeId, b: NodeId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

export class VirtualTransport implements Transport {
  readonly kind: string = 'virtual';
  readonly process: VirtualProcess;
  self: NodeId = '';
  readonly #network: VirtualNetwork;
  readonly #wanted = new Set<NodeId>();
  readonly #links = new Map<NodeId, Link>();
  readonly #errors = new Map<NodeId, RaftError>();
  #handlers: TransportHandlers | undefined;
  /** The network does not know of it until the room does. */
  #waits: boolean;

  constructor(network: VirtualNetwork, process: VirtualProcess, waits: boolean) {
    this.#network = network;
    this.process = process;
    this.#waits = waits;
  }

  async start(self: NodeId, handlers: TransportHandlers, discovery: Discovery): Promise<void> {
    this.self = self;
    this.#handlers = handlers;
    if (!this.#waits) this.#network.enter(this);
    discovery.listen({
      onPeers: (peers) => {
        if (this.#waits) this.#network.enter(this);
        this.#waits = false;
        for (const peer of peers) this.#wanted.add(peer);
        if (this.#handlers !== undefined) this.#network.dialAll(self);
      },
      onSignal: () => undefined,
    });
  }

  send(peer: NodeId, bytes: Uint8Array, lane: Lane): boolean {
    const link = this.#links.get(peer);
    return link !== undefined && this.#network.send(link, this, bytes, lane);
  }

  queuedBytes(peer: NodeId, lane: Lane): number {
    const link = this.#links.get(peer);
    return link?.directions[link.ends[0] === this ? 0 : 1]?.queued[lane] ?? 0;
  }

  links(): readonly LinkStatus[] {
    return [...this.#wanted].map((peer) => ({
      peer,
      state: this.#links.get(peer)?.open === true ? 'open' : ('closed' as LinkState),
      kind: this.kind,
      queuedBytes: this.queuedBytes(peer, 'urgent') + this.queuedBytes(peer, 'bulk'),
      sentBytes: 0,
      receivedBytes: 0,
      error: this.#errors.get(peer),
    }));
  }

  disconnect(peer: NodeId, _reason: string): void {
    const link = this.#links.get(peer);
    if (link !== undefined) this.#network.lose(link);
  }

  async stop(): Promise<void> {
    this.vanish();
  }

  /** The process dies: nothing more is heard of it. */
  vanish(): void {
    this.#handlers = undefined;
    this.#network.leave(this);
  }

  // ---- for the network

  wants(peer: NodeId): boolean {
    return this.#handlers !== undefined && this.#wanted.has(peer);
  }

  receive(link: Link, from: NodeId, bytes: Uint8Array): void {
    if (this.#links.get(from) === link) this.#handlers?.onMessage(from, bytes);
  }

  linkOpened(link: Link): void {
    const peer = this.#other(link);
    if (!link.open) return;
    this.#links.set(peer, link);
    this.#errors.delete(peer);
    this.#handlers?.onLink(peer, 'open');
  }

  linkClosed(link: Link): void {
    const peer = this.#other(link);
    if (this.#links.get(peer) !== link) return;
    this.#links.delete(peer);
    this.#errors.set(peer, new RaftError('link-failed', `The link to ${peer} was lost.`));
    this.#handlers?.onLink(peer, 'closed');
  }

  #other(link: Link): NodeId {
    return (link.ends[0] === this ? link.ends[1] : link.ends[0]).self;
  }
}
