/**
 * One peer that several transports can reach: which of its links is in use, and when another takes over. The better link takes over
 * when all that was sent over the old one has arrived, so that the order holds; what closes while it is in use is told as the close
 * of the link, because what was on its way is lost.
 */
import type { NodeId } from '../../core/types.ts';
import type { LinkState, LinkStatus, Transport } from '../transport.ts';

/** A better link waits so long for a moment in which nothing is on its way; then nothing is taken until there is one: ms. */
const PATIENCE_MS = 2_000;

export interface RouteContext {
  /** The best first. */
  readonly transports: readonly Transport[];
  onLink(peer: NodeId, state: LinkState): void;
}

export class Route {
  readonly id: NodeId;
  readonly #context: RouteContext;
  readonly #states: LinkState[];
  /** When each state began. */
  readonly #sinceMs: number[];
  /** The link in use, by its place. */
  #active: number | undefined;
  /** The link that the peer used last. */
  #heardOn: number | undefined;
  #heardMs = 0;
  #told: LinkState = 'closed';
  #betterSinceMs: number | undefined;
  /** Since when no link is open. */
  lostMs: number;

  constructor(id: NodeId, context: RouteContext, nowMs: number) {
    this.id = id;
    this.#context = context;
    this.#states = context.transports.map(() => 'closed');
    this.#sinceMs = this.#states.map(() => nowMs);
    this.lostMs = nowMs;
  }

  get inUse(): number | undefined {
    return this.#active;
  }

  /** The best link that is open. */
  get best(): number | undefined {
    const place = this.#states.indexOf('open');
    return place < 0 ? undefined : place;
  }

  /** A better link than that of `place` is open, or has been in the making for less than `patienceMs`. */
  isServedBefore(place: number, nowMs: number, patienceMs: number): boolean {
    const { best } = this;
    if (best !== undefined && best < place) return true;
    return this.#states.some((state, i) => i < place && state === 'connecting' && nowMs - (this.#sinceMs[i] ?? 0) < patienceMs);
  }

  isOpen(place: number): boolean {
    return this.#states[place] === 'open';
  }

  /** Neither end has used it for so long: it can be left. */
  isUnused(place: number, nowMs: number, forMs: number): boolean {
    return this.#active !== place && (this.#heardOn !== place || nowMs - this.#heardMs >= forMs);
  }

  changed(place: number, state: LinkState, nowMs: number): void {
    const wasOpen = this.#states[place] === 'open';
    if (this.#states[place] !== state) this.#sinceMs[place] = nowMs;
    this.#states[place] = state;
    if (wasOpen && state !== 'open' && (place === this.#active || place === this.#heardOn)) {
      // Something on it may be lost, in one direction or the other.
      this.#active = undefined;
      this.#heardOn = undefined;
      this.#tell('closed');
      this.lostMs = nowMs;
    }
    if (this.#active === undefined) this.#active = this.best;
    this.#betterSinceMs = this.#active === this.best ? undefined : (this.#betterSinceMs ?? nowMs);
    this.takeOver();
    if (this.#active !== undefined) this.#tell('open');
    else if (state === 'connecting') this.#tell('connecting');
    else if (!this.#states.includes('connecting')) this.#tell('closed');
  }

  heard(place: number, nowMs: number): void {
    this.#heardOn = place;
    this.#heardMs = nowMs;
  }

  /** The transport to send over now; undefined: none, or a better link is about to take over. */
  sender(nowMs: number): Transport | undefined {
    this.takeOver();
    const isWaited = this.#betterSinceMs !== undefined && nowMs - this.#betterSinceMs > PATIENCE_MS;
    return this.#active === undefined || isWaited ? undefined : this.#context.transports[this.#active];
  }

  /** The better link, when everything sent over the one in use has arrived. */
  takeOver(): void {
    const { best } = this;
    const active = this.#active;
    if (active === undefined || best === undefined || active === best) return;
    const status = this.#statusOn(active);
    if (status !== undefined && (status.unacknowledgedBytes ?? status.queuedBytes) > 0) return;
    this.#active = best;
    this.#betterSinceMs = undefined;
  }

  /** As it was told. */
  get state(): LinkState {
    return this.#told;
  }

  /** Of the link in use, or of the one nearest to it. `on` looks up what the transport of a place says of this peer. */
  status(on: (place: number) => LinkStatus | undefined): LinkStatus {
    const place = Math.max(this.#active ?? this.#states.indexOf('connecting'), 0);
    const known = on(place) ?? this.#states.map((_, any) => on(any)).find((status) => status !== undefined);
    const none = { kind: 'none', queuedBytes: 0, sentBytes: 0, receivedBytes: 0, error: undefined };
    return { ...none, ...known, peer: this.id, state: this.#told };
  }

  #statusOn(place: number): LinkStatus | undefined {
    return this.#context.transports[place]?.links().find(({ peer }) => peer === this.id);
  }

  #tell(state: LinkState): void {
    if (this.#told === state) return;
    this.#told = state;
    this.#context.onLink(this.id, state);
  }
}
