/**
 * Work that belongs to the leader: started when this node leads and has applied its own term's first entry,
 * told to end when it no longer leads, and never started again before it has ended.
 */
import type { Term } from '../../core/types.ts';
import type { Engine } from '../node/runtime.ts';
import { leaderReady } from '../standing/freshness.ts';

export type LeaderWork = (lease: { readonly term: Term; readonly signal: AbortSignal }) => void | Promise<void>;

interface Job {
  readonly run: LeaderWork;
  running: AbortController | undefined;
  term: Term;
  disposed: boolean;
}

export class LeaderWatch {
  private readonly engine: Engine;
  private readonly jobs = new Set<Job>();
  private stopped = false;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  add(run: LeaderWork): Disposable {
    const job: Job = { run, running: undefined, term: 0, disposed: false };
    this.jobs.add(job);
    this.lookAt(job);
    return {
      [Symbol.dispose]: () => {
        job.disposed = true;
        this.jobs.delete(job);
        job.running?.abort();
      },
    };
  }

  look(): void {
    for (const job of this.jobs) this.lookAt(job);
  }

  stop(): void {
    this.stopped = true;
    this.look();
  }

  private leads(): boolean {
    return !this.stopped && this.engine.member?.isLeader === true && leaderReady(this.engine);
  }

  private lookAt(job: Job): void {
    const leads = this.leads();
    if (job.running !== undefined) {
      if (!leads || job.term !== this.engine.term) job.running.abort();
      return;
    }
    if (leads && !job.disposed) void this.start(job);
  }

  /** Never rejects: what the work throws is reported like a listener's error. */
  private async start(job: Job): Promise<void> {
    const controller = new AbortController();
    job.running = controller;
    job.term = this.engine.term;
    try {
      await job.run({ term: job.term, signal: controller.signal });
    } catch (error) {
      if (!controller.signal.aborted) this.engine.reportListenerError(error);
    }
    // Work that returns early is done for this leadership; it is not started again before the next.
    if (!controller.signal.aborted) await aborted(controller.signal);
    job.running = undefined;
    if (!this.stopped) this.lookAt(job);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
