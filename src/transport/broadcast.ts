/**
 * Links between the tabs of one origin on one device: a BroadcastChannel for who is there, and one for each pair. No server, no ICE,
 * up within milliseconds. That a tab is gone is told by its Web Lock, which the browser frees in the same moment, however it
 * died; where there are no locks (insecure pages), the caller's own heartbeats have to tell.
 */
import type { NodeId } from '../core/types.ts';
import type { Medium, MediumEvents } from './link/medium.ts';
import { MediumTransport } from './link/medium-transport.ts';
import { randomToken } from './link/token.ts';
import type { Transport } from './transport.ts';

export interface BroadcastOptions {
  /** Tabs with the same room find each other. */
  readonly room: string;
  /** Default: the environment's. */
  readonly BroadcastChannel?: typeof globalThis.BroadcastChannel | undefined;
  /** Default: navigator.locks; null: none. */
  readonly locks?: Pick<LockManager, 'request'> | null | undefined;
}

/** Tabs of one origin in one room. More are left alone. */
const TABS_MAX = 64;
/** What a tab said last, its goodbye, takes another way than its lock, and may come behind it by so much: ms. */
const LAST_WORDS_MS = 50;
const PREFIX = 'tabraft/link/';
const ID: RegExp = /^[\w-]{1,64}$/;

/** Where there is no BroadcastChannel it links nobody. */
export function broadcastTransport(options: BroadcastOptions): Transport {
  return new MediumTransport(new BroadcastMedium(options), true);
}

interface Tab {
  readonly instance: string;
  readonly channel: BroadcastChannel;
  readonly watch: AbortController;
}

class BroadcastMedium implements Medium {
  readonly kind: string = 'broadcast';
  readonly protection = 'local' as const;
  readonly #options: BroadcastOptions;
  readonly #instance: string = randomToken();
  readonly #tabs = new Map<NodeId, Tab>();
  #self: NodeId = '';
  #lobby: BroadcastChannel | undefined;
  #events: MediumEvents | undefined;
  #release: (() => void) | undefined;

  constructor(options: BroadcastOptions) {
    this.#options = options;
  }

  async open(self: NodeId, events: MediumEvents): Promise<void> {
    if (this.#channelClass === undefined) return;
    this.#self = self;
    this.#events = events;
    await this.#holdLock();
    this.#lobby = new this.#channelClass(`${PREFIX}${this.#options.room}`);
    this.#lobby.onmessage = ({ data }) => this.#hearLobby(data);
    this.#announce(true);
  }

  send(to: NodeId, frame: Uint8Array): boolean {
    const tab = this.#tabs.get(to);
    if (tab === undefined) return false;
    // The whole buffer behind a view would be cloned: only what is sent.
    tab.channel.postMessage({ to: tab.instance, frame: frame.slice() });
    return true;
  }

  bufferedBytes(): number {
    return 0; // it does not tell; what is in flight is bounded by acknowledgement
  }

  /** A tab that was asleep may have missed who came, and others that it is there. */
  lookAgain(): void {
    this.#announce(true);
  }

  async close(): Promise<void> {
    this.#lobby?.postMessage({ bye: this.#self, instance: this.#instance });
    this.#events = undefined;
    this.#lobby?.close();
    this.#lobby = undefined;
    for (const { channel, watch } of this.#tabs.values()) {
      channel.close();
      watch.abort();
    }
    this.#tabs.clear();
    this.#release?.();
  }

  get #channelClass(): typeof BroadcastChannel | undefined {
    return this.#options.BroadcastChannel ?? globalThis.BroadcastChannel;
  }

  get #locks(): Pick<LockManager, 'request'> | undefined {
    if (this.#options.locks === null) return undefined;
    return this.#options.locks ?? globalThis.navigator?.locks;
  }

  /** Held until this tab ends, one way or the other. Resolves when it is. */
  #holdLock(): Promise<void> {
    const locks = this.#locks;
    if (locks === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const held = (): Promise<void> => {
        resolve();
        return new Promise((release) => {
          this.#release = release;
        });
      };
      // Refused where storage is blocked: then there is none.
      locks.request(lockName(this.#instance), held).catch(() => resolve());
    });
  }

  #announce(asks: boolean): void {
    this.#lobby?.postMessage({ here: this.#self, instance: this.#instance, asks, locked: this.#release !== undefined });
  }

  /** Any script of this origin can write here: what is no announcement is ignored. */
  #hearLobby(data: unknown): void {
    const { here, bye, instance, asks, locked } = Object(data) as Readonly<Record<string, unknown>>;
    if (typeof instance !== 'string' || !/^\w{8,64}$/.test(instance) || instance === this.#instance) return;
    if (typeof bye === 'string') {
      if (this.#tabs.get(bye)?.instance === instance) this.#left(bye, 'the tab has left');
      return;
    }
    if (typeof here !== 'string' || !ID.test(here) || here === this.#self) return;
    this.#met(here, instance, locked === true);
    if (asks === true) this.#announce(false);
  }

  #met(id: NodeId, instance: string, locked: boolean): void {
    const channelClass = this.#channelClass;
    const known = this.#tabs.get(id);
    if (known?.instance === instance || channelClass === undefined) return;
    if (known === undefined && this.#tabs.size >= TABS_MAX) return;
    if (known !== undefined) this.#left(id, 'the tab started anew');
    const pair = [this.#self, id].sort().join('/');
    const channel = new channelClass(`${PREFIX}${this.#options.room}/${pair}`);
    const watch = new AbortController();
    channel.onmessage = ({ data }) => this.#hearFrame(id, instance, data);
    this.#tabs.set(id, { instance, channel, watch });
    if (locked) this.#watchLock(id, instance, watch.signal);
    this.#tellPeers();
  }

  #hearFrame(from: NodeId, instance: string, data: unknown): void {
    const { to, frame } = Object(data) as Readonly<Record<string, unknown>>;
    if (to !== this.#instance || !(frame instanceof Uint8Array) || this.#tabs.get(from)?.instance !== instance) return;
    this.#events?.onFrame(from, frame);
  }

  /** Granted when its holder is gone: to all who watch it at once, as one of them may be frozen and would keep it from those behind. */
  #watchLock(id: NodeId, instance: string, signal: AbortSignal): void {
    this.#locks
      ?.request(lockName(instance), { mode: 'shared', signal }, () => {
        setTimeout(() => this.#ended(id, instance), LAST_WORDS_MS);
      })
      .catch(() => undefined); // aborted: it is watched no more
  }

  #ended(id: NodeId, instance: string): void {
    if (this.#tabs.get(id)?.instance !== instance) return;
    this.#events?.onEnded(id);
    this.#left(id, 'the tab is gone');
  }

  #left(id: NodeId, why: string): void {
    const tab = this.#tabs.get(id);
    if (tab === undefined) return;
    this.#tabs.delete(id);
    tab.watch.abort();
    tab.channel.close();
    this.#events?.onGone(id, why);
    this.#tellPeers();
  }

  #tellPeers(): void {
    this.#events?.onPeers([...this.#tabs.keys()]);
  }
}

function lockName(instance: string): string {
  return `${PREFIX}${instance}`;
}
