/**
 * Work that belongs to the leader: started when this node leads and has applied its own term's first entry,
 * told to end when it no longer leads, and never started again before it has ended.
 */
import { RaftError } from '../../core/errors.ts';
import type { Term } from '../../core/types.ts';
import { type Registration, registration } from '../api/registration.ts';
import type { NodeView } from '../api/view.ts';

export type LeaderTask = (lease: { readonly term: Term; readonly signal: AbortSignal }) => void | Promise<void>;

/** Tasks that wait for leadership or run under it; one more is refused with `busy`. */
export const LEADER_TASKS_MAX = 1_000;

interface Job {
  readonly run: LeaderTask;
  running: AbortController | undefined;
  term: Term;
  disposed: boolean;
}

export class LeaderWork {
  readonly #view: Pick<NodeView, 'leads' | 'term'>;
  readonly #reportError: (error: unknown) => void;
  readonly #jobs = new Set<Job>();
  #stopped = false;

  constructor(view: Pick<NodeView, 'leads' | 'term'>, reportError: (error: unknown) => void) {
    this.#view = view;
    this.#reportError = reportError;
  }

  /** Errors: busy. */
  add(run: LeaderTask, signal?: AbortSignal): Registration {
    if (this.#jobs.size >= LEADER_TASKS_MAX) throw new RaftError('busy', `There are ${LEADER_TASKS_MAX} tasks of the leader.`);
    const job: Job = { run, running: undefined, term: 0, disposed: false };
    this.#jobs.add(job);
    this.#followIn(job);
    return registration(() => {
      job.disposed = true;
      this.#jobs.delete(job);
      job.running?.abort();
    }, signal);
  }

  onAppliedTo(): void {
    this.follow();
  }

  /** Starts and ends tasks as leadership has come or gone. */
  follow(): void {
    for (const job of this.#jobs) this.#followIn(job);
  }

  stop(): void {
    this.#stopped = true;
    this.follow();
  }

  #leads(): boolean {
    return !this.#stopped && this.#view.leads;
  }

  #followIn(job: Job): void {
    const leads = this.#leads();
    if (job.running !== undefined) {
      if (!leads || job.term !== this.#view.term) job.running.abort();
      return;
    }
    if (leads && !job.disposed) void this.#start(job);
  }

  /** Never rejects: what the work throws is reported like a listener's error. */
  async #start(job: Job): Promise<void> {
    const controller = new AbortController();
    job.running = controller;
    job.term = this.#view.term;
    try {
      await job.run({ term: job.term, signal: controller.signal });
    } catch (error) {
      if (!controller.signal.aborted) this.#reportError(error);
    }
    // Work that returns early is done for this leadership; it is not started again before the next.
    if (!controller.signal.aborted) await aborted(controller.signal);
    job.running = undefined;
    if (!this.#stopped) this.#followIn(job);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
