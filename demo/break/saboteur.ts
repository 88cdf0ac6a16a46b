/**
 * Breaks tabs of this browser on purpose: this one itself, others by a channel that only pages of this origin in this browser can
 * hear. No word of it goes over the network: who is in the room from elsewhere can break nobody.
 */
import type { NodeId } from '../../src/index.ts';
import type { Knife } from '../../src/inspector/index.ts';
import type { DemoNode } from '../open.ts';
import { clockAheadMs, setClockAhead } from './clock.ts';
import type { FaultyTransport } from './faulty-transport.ts';
import { AHEAD_MS, AWAY_MS, type ChannelMessage, DISK_MS, type Fault, FREEZE_MS, LATE_MS, readMessage } from './orders.ts';
import type { SlowDisk } from './slow-disk.ts';

/** A tab that does not say so again is not here any more: ms. */
const HERE_MS = 1_000;
const GONE_MS = 6_000;
/** A fault that nobody ends, because its maker never came back, ends by itself: ms. */
const FAULT_MS = 60_000;

export interface Reach {
  /** Faults of it in words; undefined for a member that cannot be asked: it is in another browser. */
  readonly faults: string | undefined;
}

interface SaboteurOptions {
  readonly node: DemoNode;
  readonly faults: FaultyTransport;
  readonly disk: SlowDisk;
  /** Something has changed that the page shows. */
  readonly onChange: () => void;
  /** Why something that was asked for cannot be done, in a sentence. */
  readonly onRefused: (text: string) => void;
  /** Asked to write for so long, by another tab or by this one. */
  readonly onLoad: (ms: number) => void;
  /** This tab is about to be away, for this reason. */
  readonly onAway: (reason: string) => void;
}

export class Saboteur {
  readonly #options: SaboteurOptions;
  readonly #channel: BroadcastChannel;
  readonly #others = new Map<NodeId, { faults: string; cuts: readonly NodeId[]; heardMs: number }>();
  readonly #timer: ReturnType<typeof setInterval>;
  #ends: ReturnType<typeof setTimeout> | undefined;
  #isAway = false;

  constructor(options: SaboteurOptions) {
    this.#options = options;
    this.#channel = new BroadcastChannel(`tabraft-demo/${options.node.room}`);
    this.#channel.onmessage = ({ data }) => this.#onMessage(readMessage(data));
    this.#timer = setInterval(() => this.#tick(), HERE_MS);
    this.#say({ type: 'who', from: options.node.id });
    this.#tellOfSelf();
    addEventListener('pagehide', () => this.#say({ type: 'gone', from: options.node.id }), { once: true });
  }

  reach(id: NodeId): Reach {
    if (id === this.#options.node.id) return { faults: this.#words };
    return { faults: this.#others.get(id)?.faults };
  }

  /** Members of this browser, this tab among them. */
  get here(): readonly NodeId[] {
    return [this.#options.node.id, ...this.#others.keys()];
  }

  /** Does it to a member; false for one that is in another browser, unless it is its link to this tab. */
  order(to: NodeId, fault: Fault): boolean {
    const { id } = this.#options.node;
    if (to === id) {
      this.#suffer(fault);
      return true;
    }
    if (!this.#others.has(to)) {
      if (fault.kind !== 'cut') return false;
      this.#suffer({ kind: 'cut', peers: [to] });
      return true;
    }
    this.#say({ type: 'order', from: id, to, fault });
    return true;
  }

  isCut(a: NodeId, b: NodeId): boolean {
    return this.#cutsOf(a).includes(b) || this.#cutsOf(b).includes(a);
  }

  /** Cuts the link between two, or mends it; false when neither can be asked, or a link that another browser cut is to be mended. */
  toggleLink(a: NodeId, b: NodeId): boolean {
    const ends: readonly (readonly [NodeId, NodeId])[] = [
      [a, b],
      [b, a],
    ];
    const asked = ends.filter(([end]) => this.here.includes(end));
    if (!this.isCut(a, b)) {
      // One end is enough: nothing passes it in either direction.
      const [end] = asked;
      return end !== undefined && this.order(end[0], { kind: 'cut', peers: [end[1]] });
    }
    for (const [end, peer] of asked) this.order(end, { kind: 'mend', peers: [peer] });
    return asked.length > 0;
  }

  #cutsOf(id: NodeId): readonly NodeId[] {
    return id === this.#options.node.id ? this.#options.faults.cuts : (this.#others.get(id)?.cuts ?? []);
  }

  /** For the inspector's picture. */
  readonly knife: Knife = {
    isCut: (a, b) => this.isCut(a, b),
    use: (a, b) => {
      if (!this.toggleLink(a, b))
        this.#options.onRefused('Neither end of that link is in this browser: it can only be cut there.');
      this.#options.onChange();
    },
  };

  healAll(): void {
    for (const id of this.here) this.order(id, { kind: 'heal' });
  }

  load(ms: number): void {
    this.#say({ type: 'load', from: this.#options.node.id, ms });
    this.#options.onLoad(ms);
  }

  #onMessage(message: ChannelMessage | undefined): void {
    const { id } = this.#options.node;
    if (message === undefined || message.from === id || this.#isAway) return;
    if (message.type === 'order') {
      if (message.to === id) this.#suffer(message.fault);
      return;
    }
    if (message.type === 'load') return this.#options.onLoad(message.ms);
    if (message.type === 'gone') this.#others.delete(message.from);
    else {
      const { faults, cuts } = message.type === 'here' ? message : (this.#others.get(message.from) ?? { faults: '', cuts: [] });
      this.#others.set(message.from, { faults, cuts, heardMs: performance.now() });
      if (message.type === 'who') this.#tellOfSelf();
    }
    this.#options.onChange();
  }

  #suffer(fault: Fault): void {
    if (fault.kind === 'close') return void this.#close();
    if (fault.kind === 'crash' || fault.kind === 'wipe') return void this.#die(fault.kind);
    if (fault.kind === 'freeze') return this.#freeze();
    this.#change(fault);
    clearTimeout(this.#ends);
    if (this.#words !== '') this.#ends = setTimeout(() => this.#suffer({ kind: 'heal' }), FAULT_MS);
    this.#tellOfSelf();
    this.#options.onChange();
  }

  /** What can be taken back. */
  #change(fault: Fault): void {
    const { faults, disk } = this.#options;
    if (fault.kind === 'cut') faults.cut(fault.peers);
    else if (fault.kind === 'mend') faults.mend(fault.peers);
    else if (fault.kind === 'delay') faults.delay(LATE_MS);
    else if (fault.kind === 'rogue') faults.disturb();
    else if (fault.kind === 'disk') disk.delayMs = DISK_MS;
    else if (fault.kind === 'clock') setClockAhead(AHEAD_MS);
    else {
      faults.heal();
      disk.delayMs = 0;
      setClockAhead(0);
    }
  }

  get #words(): string {
    const { faults, disk } = this.#options;
    const slow = disk.delayMs > 0 ? [`slow to write, by ${disk.delayMs} ms`] : [];
    const wrong = clockAheadMs() > 0 ? [`${clockAheadMs() / 1_000} seconds ahead of time`] : [];
    return [faults.words, ...slow, ...wrong].filter((words) => words !== '').join(', ');
  }

  /** As the visitor does it: with a goodbye. A tab that no script opened cannot be closed by one; its node has stopped all the same. */
  async #close(): Promise<void> {
    this.#away('closed');
    await this.#options.node.stop();
    close();
  }

  /** As a crash is for the others: from one moment to the next nothing is heard of it, and nothing more is written. */
  async #die(kind: 'crash' | 'wipe'): Promise<void> {
    const { node, faults } = this.#options;
    this.#away(
      kind === 'crash' ? `crashed; it comes back in ${AWAY_MS / 1_000} seconds` : 'wiped; it comes back as a new member',
    );
    faults.cut();
    const back = new Promise((resolve) => setTimeout(resolve, AWAY_MS));
    await node.stop({ transfer: false }).catch(() => undefined);
    if (kind === 'wipe') await forget(node);
    else await back;
    location.reload();
  }

  /** The page's own thread stands still: its links stay open, and nobody answers on them. */
  #freeze(): void {
    const until = performance.now() + FREEZE_MS;
    while (performance.now() < until) {
      // Nothing else happens in this tab: that is the point.
    }
  }

  #away(reason: string): void {
    this.#isAway = true;
    clearInterval(this.#timer);
    clearTimeout(this.#ends);
    this.#say({ type: 'gone', from: this.#options.node.id });
    this.#options.onAway(reason);
  }

  #tick(): void {
    this.#tellOfSelf();
    const now = performance.now();
    for (const [id, { heardMs }] of this.#others) if (now - heardMs > GONE_MS) this.#others.delete(id);
  }

  #tellOfSelf(): void {
    const { node, faults } = this.#options;
    this.#say({ type: 'here', from: node.id, faults: this.#words, cuts: faults.cuts });
  }

  #say(message: ChannelMessage): void {
    this.#channel.postMessage(message);
  }
}

/** Deletes what this browser stores of the node, as "clear site data" would; what is locked elsewhere stays. */
async function forget({ room, id }: DemoNode): Promise<void> {
  const databases = await indexedDB.databases();
  const own = databases.flatMap(({ name }) => (name?.includes(encodeURIComponent(room)) && name.includes(id) ? [name] : []));
  await Promise.all(
    own.map(
      (name) =>
        new Promise<void>((resolve) => {
          const request = indexedDB.deleteDatabase(name);
          request.onsuccess = request.onerror = request.onblocked = () => resolve();
        }),
    ),
  );
}
