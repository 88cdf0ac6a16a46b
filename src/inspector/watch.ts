/** What the inspector listens to, and for how long: nothing while nobody can see it. */
import type { Inspected } from './inspected.ts';
import { MessageSampler } from './messages.ts';
import { Metrics } from './metrics.ts';

/** How often what is shown is brought up to date, in ms: an arc that moves so often looks alive. */
const REFRESH_MS = 100;

export interface Watched {
  readonly sampler: MessageSampler;
  readonly metrics: Metrics;
}

/** Listens to one node until `stop`; `show` is called while `isSeen`. */
export class Watch implements Watched {
  readonly sampler: MessageSampler = new MessageSampler();
  readonly metrics: Metrics;
  readonly #node: Inspected;
  readonly #show: () => void;
  readonly #end: AbortController = new AbortController();
  #seen: AbortController | undefined;

  constructor(node: Inspected, show: () => void, now: () => number = () => performance.now()) {
    this.metrics = new Metrics(now);
    this.#node = node;
    this.#show = show;
    const { signal } = this.#end;
    // Cheap enough to go on while it is out of sight: a chart with a hole would tell of a stop that was none.
    node.on('write', (event) => this.metrics.onWrite(event), { signal });
    node.on('leader', ({ leaderId }) => leaderId !== undefined && this.metrics.onElection(), { signal });
  }

  /** Whether anybody can see it: messages are followed and things drawn only then. */
  set isSeen(seen: boolean) {
    if (this.#end.signal.aborted || seen === (this.#seen !== undefined)) return;
    this.#seen?.abort();
    this.#seen = undefined;
    if (!seen) return;
    const watching = new AbortController();
    this.#seen = watching;
    this.#node.trace((event) => this.sampler.note(event), { signal: watching.signal });
    const timer = setInterval(() => this.#tick(), REFRESH_MS);
    watching.signal.addEventListener('abort', () => clearInterval(timer));
    this.#tick();
  }

  stop(): void {
    this.isSeen = false;
    this.#end.abort();
  }

  #tick(): void {
    const bytes = this.#node.status.peers.reduce((sum, { sentBytes, receivedBytes }) => sum + sentBytes + receivedBytes, 0);
    this.metrics.onCounts(this.sampler.count, bytes);
    this.#show();
  }
}
