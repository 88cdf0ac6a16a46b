/** What a page, or a Node process, has of cut links: which tabs it cannot reach, and the classes that obey. */
import { CutLink } from './cut-link.ts';

/** Where a page keeps it. */
export const CUTS_KEY = 'tabraftCuts';

/** Runs inside the page, from its own source text, with CutLink handed in: it uses nothing else of this module. */
export class PageCuts {
  readonly name: string;
  readonly #Link: typeof CutLink;
  readonly #links = new Set<CutLink>();
  /**
   * What tabs said over BroadcastChannels that are cut off from this one, and what this one said while it was cut off from all, until
   * they are not; the oldest is lost when it is too much.
   */
  #waiting: { readonly from: string; readonly go: () => void }[] = [];
  #cut: ReadonlySet<string> | 'all' = new Set();

  constructor(name: string, Link: typeof CutLink) {
    this.name = name;
    this.#Link = Link;
  }

  /** From now on: no link to the tabs named, whatever kind it is; or to nobody. The others are healed. */
  cut(names: readonly string[] | 'all'): void {
    this.#cut = names === 'all' ? 'all' : new Set(names);
    for (const link of this.#links) {
      if (link.over) this.#links.delete(link);
      else link.look();
    }
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ from }) => this.isCut(from));
    for (const { from, go } of waiting) if (!this.isCut(from)) go();
  }

  isCut(remote: string): boolean {
    return this.#cut === 'all' || this.#cut.has(remote);
  }

  /** An RTCPeerConnection whose links can be cut. */
  connections(Native: typeof RTCPeerConnection): typeof RTCPeerConnection {
    const watch = (connection: RTCPeerConnection): void => {
      for (const link of this.#links) if (link.over) this.#links.delete(link);
      this.#links.add(new this.#Link(connection, this.name, (remote) => this.isCut(remote)));
    };
    return class extends Native {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        watch(this);
      }
    };
  }

  /** A BroadcastChannel that says which tab speaks, where tabraft uses it. */
  channels(Native: typeof BroadcastChannel): typeof BroadcastChannel {
    const own = this.name;
    const pass = (from: string, go: () => void): void => {
      if (!this.isCut(from)) return go();
      if (this.#waiting.push({ from, go }) > 10_000) this.#waiting.shift();
    };
    return class extends Native {
      #closed = false;

      constructor(name: string) {
        super(name);
        if (!name.startsWith('tabraft')) return;
        const opened = new WeakSet<Event>();
        this.addEventListener('message', (event) => {
          const { tabraftFrom, data } = (event.data ?? {}) as { readonly tabraftFrom?: unknown; readonly data?: unknown };
          if (opened.has(event) || typeof tabraftFrom !== 'string') return;
          event.stopImmediatePropagation();
          pass(tabraftFrom, () => {
            const inner = new MessageEvent('message', { data });
            opened.add(inner);
            this.dispatchEvent(inner);
          });
        });
      }

      override postMessage(data: unknown): void {
        if (!this.name.startsWith('tabraft')) return super.postMessage(data);
        const message = { tabraftFrom: own, data: structuredClone(data) };
        // Of two that are cut off from each other the other end waits; who has no network at all says nothing.
        pass(own, () => {
          if (!this.#closed) super.postMessage(message);
        });
      }

      override close(): void {
        this.#closed = true;
        super.close();
      }
    };
  }

  install(scope: typeof globalThis): void {
    if (scope.RTCPeerConnection !== undefined) scope.RTCPeerConnection = this.connections(scope.RTCPeerConnection);
    if (scope.BroadcastChannel !== undefined) scope.BroadcastChannel = this.channels(scope.BroadcastChannel);
  }
}

/** For a Node process: `cuts.connections(RTCPeerConnection)` is what the edge node is given. */
export function nodeCuts(name: string): PageCuts {
  return new PageCuts(name, CutLink);
}

/** The script that a page runs before its own: it can be cut off from then on, and is, from whom it is cut off already. */
export function cutsScript(name: string, cutOff: readonly string[] | 'all'): string {
  const make = `new (${PageCuts})(${JSON.stringify(name)}, ${CutLink})`;
  return `(() => { const cuts = ${make}; cuts.install(globalThis); cuts.cut(${JSON.stringify(cutOff)}); globalThis.${CUTS_KEY} = cuts; })()`;
}
