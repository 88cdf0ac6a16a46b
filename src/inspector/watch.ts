/** What the inspector listens to, and for how long: nothing while nobody can see it. */
import type { Inspected } from './inspected.ts';
import { MessageSampler } from './messages.ts';
import { Metrics } from './metrics.ts';

/** How often what is shown is brought up to date, in ms: an arc that moves so often looks alive. */
const REFRESH_MS = 100;
/** While the node is busy, in ms: whoever looks can read no faster, and the thread is wanted for the node's own work. */
const BUSY_REFRESH_MS = 1_000;
/** Entries committed in a second from which on a node is busy: what passes then is a blur anyway. */
const BUSY_PER_SECOND = 500;
/** Over so long the rate is taken, in ms. */
const RATE_MS = 500;

export interface Watched {
  /** Too much passes to be drawn one by one. */
  readonly isBusy: boolean;
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
  readonly #now: () => number;
  #seen: AbortController | undefined;
  #rated: { readonly at: number; readonly commit: number } | undefined;
  #perSecond = 0;

  constructor(node: Inspected, show: () => void, now: () => number = () => performance.now()) {
    this.metrics = new Metrics(now);
    this.#now = now;
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
    let timer: ReturnType<typeof setTimeout> | undefined;
    watching.signal.addEventListener('abort', () => clearTimeout(timer));
    const next = (): void => {
      this.#tick();
      // Whoever is shown may have put the inspector away.
      if (!watching.signal.aborted) timer = setTimeout(next, this.isBusy ? BUSY_REFRESH_MS : REFRESH_MS);
    };
    next();
  }

  get isBusy(): boolean {
    return this.#perSecond > BUSY_PER_SECOND;
  }

  stop(): void {
    this.isSeen = false;
    this.#end.abort();
  }

  #tick(): void {
    const { peers, commitIndex } = this.#node.status;
    this.#rate(commitIndex);
    const bytes = peers.reduce((sum, { sentBytes, receivedBytes }) => sum + sentBytes + receivedBytes, 0);
    this.metrics.onCounts(this.sampler.count, bytes);
    this.#show();
  }

  #rate(commit: number): void {
    const at = this.#now();
    const before = this.#rated;
    if (before !== undefined && at - before.at < RATE_MS) return;
    if (before !== undefined) this.#perSecond = ((commit - before.commit) * 1_000) / (at - before.at);
    this.#rated = { at, commit };
  }
}
