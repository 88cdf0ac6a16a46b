/** A client of a signaling server, and everything it was told, as text. */
import { WebSocket } from 'ws';
import type { RaftError } from '../../src/core/errors.ts';
import { SignalingClient } from '../../src/signaling/client.ts';
import type { RoomEntry } from '../../src/signaling/signaling.ts';

export class Tab {
  readonly told: string[] = [];
  readonly errors: RaftError[] = [];
  readonly client: SignalingClient;
  readonly #sockets: WebSocket[] = [];
  readonly #waiting = new Set<() => void>();

  /** @param urls where each connection goes, in turn; the last one for all that follow */
  constructor(...urls: readonly string[]) {
    let next = 0;
    const connect = (): WebSocket => {
      const socket = new WebSocket(urls[Math.min(next++, urls.length - 1)] ?? '');
      this.#sockets.push(socket);
      return socket;
    };
    this.client = new SignalingClient({ url: urls[0] ?? '', connect, random: () => 0 });
    this.client.listenToRelay({
      onFrame: (from, frame) => this.#note(`frame ${from} ${frame.length} ${frame[0] ?? ''}`),
      onLost: (peer) => this.#note(`lost ${peer}`),
      onRelay: (available) => this.#note(`relay ${available}`),
    });
  }

  async enter(nodeId: string, more: Partial<RoomEntry> = {}): Promise<this> {
    const entry: RoomEntry = { room: 'room', nodeId, clusterId: undefined, mayFound: true, ...more };
    await this.client.enter(entry, {
      onPeers: (peers) => this.#note(`peers ${[...peers].sort().join()}`),
      onSignal: (from, data) => this.#note(`signal ${from} ${JSON.stringify(data)}`),
      onGrant: () => this.#note('grant'),
      onCluster: (clusterId) => this.#note(`cluster ${clusterId}`),
      onState: (state, error) => {
        if (error !== undefined) this.errors.push(error);
        this.#note(error === undefined ? state : `${state}: ${error.code}`);
      },
    });
    return this;
  }

  /** Its connection breaks without a word. */
  cut(): void {
    this.#sockets.at(-1)?.terminate();
  }

  count(what: string): number {
    return this.told.filter((one) => one === what).length;
  }

  /** Waits until it has been told something, from a place on; the place after it. */
  async hears(what: string | RegExp, from = 0): Promise<number> {
    const find = (): number =>
      this.told.findIndex((one, i) => i >= from && (typeof what === 'string' ? one === what : what.test(one)));
    if (find() < 0) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`not told ${what}, but ${JSON.stringify(this.told)}`)), 20_000);
        const look = (): void => {
          if (find() < 0) return;
          clearTimeout(timer);
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
    return find() + 1;
  }

  #note(what: string): void {
    this.told.push(what);
    for (const look of [...this.#waiting]) look();
  }
}
