/** A transport with faults put in on purpose: what passes to a peer and from it can vanish, or come late. */
import type { NodeId, Transport } from '../../src/index.ts';
import { Rogue } from './rogue.ts';

type Handlers = Parameters<Transport['start']>[1];
type Lane = Parameters<Transport['send']>[2];

/** Messages that are held back at once; more vanish, as on a real link that is too slow. */
const HELD_MAX = 4_000;

interface Rule {
  cut: boolean;
  delayMs: number;
}

export class FaultyTransport {
  #inner: Transport;
  readonly #rules = new Map<NodeId, Rule>();
  /** For peers without a rule of their own. */
  #everybody: Rule = { cut: false, delayMs: 0 };
  #rogue: Rogue | undefined;
  #held = 0;
  /** When the last message held back is due, by peer and direction: later ones must not overtake it. */
  readonly #due = new Map<string, number>();

  private constructor(inner: Transport) {
    this.#inner = inner;
  }

  /** The faults and the transport that has them; it is what the node gets. */
  static around(inner: Transport): { readonly faults: FaultyTransport; readonly transport: Transport } {
    const faults = new FaultyTransport(inner);
    const transport: Transport = {
      kind: inner.kind,
      start: (self, handlers, discovery) => faults.#inner.start(self, faults.#hearing(handlers), discovery),
      send: (peer, bytes, lane) => faults.#send(peer, bytes, lane),
      prefer: (peers, others) => faults.#inner.prefer?.(peers, others),
      hurry: () => faults.#inner.hurry?.(),
      queuedBytes: (peer, lane) => faults.#inner.queuedBytes(peer, lane),
      links: () => faults.#inner.links(),
      security: (peer) => faults.#inner.security?.(peer),
      disconnect: (peer, reason) => faults.#inner.disconnect(peer, reason),
      stop: () => faults.#inner.stop(),
    };
    // The proof goes around each part of it, beneath the faults.
    if (inner.within !== undefined)
      transport.within = (wrap) => {
        faults.#inner = inner.within?.(wrap) ?? inner;
        return transport;
      };
    return { faults, transport };
  }

  /** From now on nothing passes between this tab and these; without a list, between it and anybody. */
  cut(peers?: readonly NodeId[]): void {
    if (peers === undefined) this.#everybody = { ...this.#everybody, cut: true };
    for (const peer of peers ?? []) this.#rules.set(peer, { ...this.#ruleOf(peer), cut: true });
  }

  delay(ms: number): void {
    this.#everybody = { ...this.#everybody, delayMs: ms };
    for (const rule of this.#rules.values()) rule.delayMs = ms;
  }

  /** Takes the cut of the links to these back. */
  mend(peers: readonly NodeId[]): void {
    const cut = peers.filter((peer) => this.#ruleOf(peer).cut);
    for (const peer of cut) this.#rules.set(peer, { ...this.#ruleOf(peer), cut: false });
    this.#dialAnew(cut);
  }

  /** From now on it hears nobody, and disturbs everybody; its links, though open, are of no use to itself. */
  disturb(): void {
    this.#rogue ??= new Rogue(() => this.#inner);
  }

  heal(): void {
    const links = this.#inner.links().map(({ peer }) => peer);
    const useless = this.#rogue === undefined ? links.filter((peer) => this.#ruleOf(peer).cut) : links;
    this.#rules.clear();
    this.#everybody = { cut: false, delayMs: 0 };
    this.#rogue?.stop();
    this.#rogue = undefined;
    this.#dialAnew(useless);
  }

  /** What was said on a link in the meantime, a greeting for one, is gone. */
  #dialAnew(peers: readonly NodeId[]): void {
    const open = new Set(this.#inner.links().flatMap(({ peer, state }) => (state === 'open' ? [peer] : [])));
    for (const peer of peers) if (open.has(peer)) this.#inner.disconnect(peer, 'healed');
  }

  /** Whom it is cut off from, of those it has a link with or was told to be. */
  get cuts(): readonly NodeId[] {
    const known = new Set([...this.#rules.keys(), ...this.#inner.links().map(({ peer }) => peer)]);
    return [...known].filter((peer) => this.#ruleOf(peer).cut);
  }

  /** In words; '' when there is none. */
  get words(): string {
    const { cut, delayMs } = this.#everybody;
    const some = [...this.#rules.values()].filter((rule) => rule.cut).length;
    const rogue = this.#rogue === undefined ? [] : ['a rogue'];
    const apart = cut ? ['cut off'] : some === 0 ? [] : [`cut off from ${some}`];
    return [...rogue, ...apart, ...(delayMs > 0 ? [`${delayMs} ms late`] : [])].join(', ');
  }

  #ruleOf(peer: NodeId): Rule {
    return this.#rules.get(peer) ?? this.#everybody;
  }

  #hearing(handlers: Handlers): Handlers {
    return {
      onMessage: (peer, bytes) => {
        if (this.#rogue === undefined) this.#pass(`from ${peer}`, peer, bytes, (late) => handlers.onMessage(peer, late));
      },
      onLink: (peer, state) => handlers.onLink(peer, state),
      onEnded: (peer) => handlers.onEnded?.(peer),
      onFault: (error) => handlers.onFault(error),
    };
  }

  #send(peer: NodeId, bytes: Uint8Array, lane: Lane): boolean {
    const { cut, delayMs } = this.#ruleOf(peer);
    this.#rogue?.overhear(bytes, lane);
    if (!cut && delayMs === 0 && !this.#due.has(`to ${peer}`)) return this.#inner.send(peer, bytes, lane);
    this.#pass(`to ${peer}`, peer, bytes, (late) => void this.#inner.send(peer, late, lane));
    return true;
  }

  /** Passes a message on: at once, late and in its order, or not at all. */
  #pass(way: string, peer: NodeId, bytes: Uint8Array, pass: (bytes: Uint8Array) => void): void {
    const { cut, delayMs } = this.#ruleOf(peer);
    if (cut) return;
    const now = performance.now();
    const due = Math.max(now + delayMs, this.#due.get(way) ?? 0);
    if (due <= now) return pass(bytes);
    if (this.#held >= HELD_MAX) return;
    this.#held += 1;
    this.#due.set(way, due);
    // Whoever sent it may use its buffer again.
    const kept = bytes.slice();
    setTimeout(() => {
      this.#held -= 1;
      if (this.#due.get(way) === due) this.#due.delete(way);
      if (!this.#ruleOf(peer).cut) pass(kept);
    }, due - now);
  }
}
