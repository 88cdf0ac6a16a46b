/**
 * Several transports as one: each peer is reached over the best that works, in the order they are given. A fallback is taken only for
 * peers that nothing better has reached for a while, and left when something better works; where one of them cannot run at all (no
 * WebRTC here), the others do.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Discovery, Lane, LinkSecurity, LinkStatus, Transport, TransportHandlers } from '../transport.ts';
import { Route, type RouteContext } from './route.ts';

export interface MultiOptions {
  /** The best first: BroadcastChannel, then WebRTC. */
  readonly transports: readonly Transport[];
  /** Taken for a peer when none of the others has reached it for `fallbackAfterMs`: the relay. It should not dial by itself. */
  readonly fallback?: Transport | undefined;
  /** Default 4000. */
  readonly fallbackAfterMs?: number | undefined;
  /** A fallback that neither end has used for so long is left. Default 5000. */
  readonly settledMs?: number | undefined;
}

/** A fallback that neither end has used for so long is left: ms. */
const SETTLED_MS = 5_000;
/** How often fallbacks and links that wait to take over are looked at: ms. */
const LOOK_EVERY_MS = 250;
/** So long a worse link is not tried while a better one is being made: ms. Between tabs of one browser that takes a hundredth of it, unless many load at once. */
const BETTER_WAITS_MS = 5_000;
/** How long a peer that nothing reaches goes without the fallback: ms. */
const FALLBACK_AFTER_MS = 4_000;

export function multiTransport(options: MultiOptions): Transport {
  return new MultiTransport(options);
}

type Listener = Parameters<Discovery['listen']>[0];

class MultiTransport implements Transport {
  readonly kind: string = 'multi';
  readonly #options: MultiOptions;
  readonly #all: readonly Transport[];
  readonly #fallback: number | undefined;
  readonly #fallbackAfterMs: number;
  readonly #settledMs: number;
  readonly #routes = new Map<NodeId, Route>();
  readonly #listeners: Listener[] = [];
  readonly #fallbackWanted = new Set<NodeId>();
  #context: RouteContext | undefined;
  #present: readonly NodeId[] = [];
  #preferred: readonly NodeId[] | undefined;
  #dialsOthers = true;
  #timer: ReturnType<typeof setInterval> | undefined;
  #stopped = false;
  /** Places of those that could not start. */
  readonly #dead = new Set<number>();
  /** What each has been told of whom to dial. */
  readonly #told = new Map<number, string>();

  constructor(options: MultiOptions) {
    const { transports, fallback, fallbackAfterMs = FALLBACK_AFTER_MS, settledMs = SETTLED_MS } = options;
    this.#options = options;
    this.#all = fallback === undefined ? transports : [...transports, fallback];
    this.#fallback = fallback === undefined ? undefined : transports.length;
    this.#fallbackAfterMs = fallbackAfterMs;
    this.#settledMs = settledMs;
  }

  /** Errors: that of the best when none can start. */
  async start(self: NodeId, handlers: TransportHandlers, discovery: Discovery): Promise<void> {
    const context: RouteContext = {
      transports: this.#all,
      onLink: (peer, state) => {
        if (!this.#stopped) handlers.onLink(peer, state);
      },
    };
    this.#context = context;
    discovery.listen({ onPeers: (peers) => this.#onPeers(peers), onSignal: (from, data) => this.#onSignal(from, data) });
    const started = await Promise.allSettled(
      this.#all.map((transport, place) => {
        const own: TransportHandlers = {
          onMessage: (peer, bytes) => {
            this.#route(peer)?.heard(place, performance.now());
            if (!this.#stopped) handlers.onMessage(peer, bytes);
          },
          onLink: (peer, state) => {
            this.#route(peer)?.changed(place, state, performance.now());
            this.#spread();
          },
          onEnded: (peer) => {
            if (!this.#stopped) handlers.onEnded?.(peer);
          },
          onFault: (error) => {
            if (!this.#stopped) handlers.onFault(error);
          },
        };
        return transport.start(self, own, {
          listen: (listener) => void this.#listeners.push(listener),
          signal: (to, data) => discovery.signal(to, data),
        });
      }),
    );
    this.#judge(started, handlers);
    this.#spread();
    for (const listener of this.#listeners) listener.onPeers(this.#present);
    this.#timer = setInterval(() => this.#look(performance.now()), LOOK_EVERY_MS);
  }

  send(peer: NodeId, bytes: Uint8Array, lane: Lane): boolean {
    return !this.#stopped && this.#routes.get(peer)?.sender(performance.now())?.send(peer, bytes, lane) === true;
  }

  prefer(peers: readonly NodeId[], others: 'later' | 'never'): void {
    this.#preferred = peers;
    this.#dialsOthers = others === 'later';
    this.#spread();
  }

  hurry(): void {
    for (const transport of this.#all) transport.hurry?.();
  }

  queuedBytes(peer: NodeId, lane: Lane): number {
    const place = this.#routes.get(peer)?.inUse;
    return place === undefined ? 0 : (this.#all[place]?.queuedBytes(peer, lane) ?? 0);
  }

  links(): readonly LinkStatus[] {
    const known = this.#all.map((transport) => new Map(transport.links().map((link) => [link.peer, link])));
    return [...this.#routes.values()].map((route) => route.status((place) => known[place]?.get(route.id)));
  }

  security(peer: NodeId): LinkSecurity | undefined {
    const place = this.#routes.get(peer)?.inUse;
    return place === undefined ? undefined : this.#all[place]?.security?.(peer);
  }

  /** Each kind of link has its own proof: what it is bound to differs. */
  within(wrap: (part: Transport) => Transport): Transport {
    const { transports, fallback } = this.#options;
    const wrapped = { transports: transports.map(wrap), fallback: fallback === undefined ? undefined : wrap(fallback) };
    return new MultiTransport({ ...this.#options, ...wrapped });
  }

  disconnect(peer: NodeId, reason: string): void {
    // The one in use last: no other takes its place in between.
    const { inUse } = this.#routes.get(peer) ?? {};
    for (const [place, transport] of this.#all.entries()) if (place !== inUse) transport.disconnect(peer, reason);
    if (inUse !== undefined) this.#all[inUse]?.disconnect(peer, reason);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await Promise.all(this.#all.map((transport) => transport.stop()));
  }

  #judge(started: readonly PromiseSettledResult<void>[], handlers: TransportHandlers): void {
    const failures = started.flatMap((one, place) =>
      one.status === 'rejected' ? [{ place, reason: one.reason as unknown }] : [],
    );
    for (const { place } of failures) this.#dead.add(place);
    const first = failures[0];
    if (first === undefined) return;
    if (failures.length === started.length) throw first.reason;
    for (const { reason } of failures) {
      handlers.onFault(
        RaftError.is(reason) ? reason : new RaftError('link-failed', 'One kind of link cannot be had here.', { cause: reason }),
      );
    }
  }

  #onPeers(peers: readonly NodeId[]): void {
    if (this.#stopped) return;
    const now = new Set(peers);
    const known = new Set(this.#present);
    this.#present = [...now];
    for (const id of now) {
      const route = this.#route(id);
      // Its time without a link begins when it comes, not when it was last seen.
      if (!known.has(id) && route !== undefined && route.inUse === undefined) route.lostMs = performance.now();
    }
    this.#spread();
    for (const listener of this.#listeners) listener.onPeers(this.#present);
    for (const route of this.#routes.values()) {
      if (!now.has(route.id) && route.state === 'closed') this.#routes.delete(route.id);
    }
  }

  #onSignal(from: NodeId, data: unknown): void {
    if (!this.#stopped) for (const listener of this.#listeners) listener.onSignal(from, data);
  }

  #route(id: NodeId): Route | undefined {
    const known = this.#routes.get(id);
    if (known !== undefined || this.#context === undefined) return known;
    const route = new Route(id, this.#context, performance.now());
    this.#routes.set(id, route);
    return route;
  }

  #isWanted(id: NodeId): boolean {
    return this.#preferred === undefined || this.#dialsOthers || this.#preferred.includes(id);
  }

  /** Tells each transport whom to dial: those that nothing better reaches already, or is about to. */
  #spread(): void {
    if (this.#stopped) return;
    const preferred = this.#preferred ?? [];
    const order = [...new Set([...preferred, ...this.#present])].filter((id) => this.#isWanted(id));
    for (const place of this.#all.keys()) {
      if (place === this.#fallback) this.#tellWhom(place, [...this.#fallbackWanted], 'never');
      else if (place > 0)
        this.#tellWhom(
          place,
          order.filter((id) => !this.#isReachedBefore(id, place)),
          'never',
        );
      else this.#tellWhom(place, order, this.#dialsOthers || this.#preferred === undefined ? 'later' : 'never');
    }
  }

  /** Only what is new: it is asked at every change of any link. */
  #tellWhom(place: number, peers: readonly NodeId[], others: 'later' | 'never'): void {
    const text = `${others} ${peers.join(' ')}`;
    if (this.#told.get(place) === text || this.#dead.has(place)) return;
    this.#told.set(place, text);
    this.#all[place]?.prefer?.(peers, others);
  }

  #isReachedBefore(id: NodeId, place: number): boolean {
    return this.#routes.get(id)?.isServedBefore(place, performance.now(), BETTER_WAITS_MS) === true;
  }

  #look(nowMs: number): void {
    for (const route of this.#routes.values()) {
      route.takeOver();
      if (this.#fallback !== undefined) this.#lookAtFallback(route, this.#fallback, nowMs);
    }
    this.#spread(); // what was waited for may be overdue
  }

  #lookAtFallback(route: Route, fallback: number, nowMs: number): void {
    const { id, best } = route;
    const isTaken = this.#fallbackWanted.has(id);
    const isNeeded = best === undefined || best === fallback;
    if (isNeeded && !isTaken) {
      const isLostLong = nowMs - route.lostMs >= this.#fallbackAfterMs;
      if (!isLostLong || !this.#present.includes(id) || !this.#isWanted(id)) return;
      this.#fallbackWanted.add(id);
      this.#spread();
    } else if (!isNeeded && route.isUnused(fallback, nowMs, this.#settledMs)) {
      if (this.#fallbackWanted.delete(id)) this.#spread();
      if (route.isOpen(fallback)) this.#all[fallback]?.disconnect(id, 'a better link is up');
    }
  }
}
