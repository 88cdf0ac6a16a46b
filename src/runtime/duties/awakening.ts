/**
 * After a sleep: everybody is asked at once how they stand, a server and peers that wait to be dialled again are, and a link that
 * did not live through it (nothing tells that of a link for half a minute) is dropped, so that it is dialled anew.
 */
import type { NodeId } from '../../core/types.ts';
import type { Reports } from '../standing/reports.ts';
import type { Standing } from '../standing/standing.ts';

interface Acts {
  /** Tries again now what waits to be tried again. */
  readonly hurry: () => void;
  readonly disconnect: (peer: NodeId) => void;
}

export class Awakening {
  readonly #standing: Standing;
  readonly #reports: Reports;
  readonly #act: Acts;
  /** When it woke, in monotonic ms, until the links have been looked at. */
  #wokeMs: number | undefined;

  constructor(standing: Standing, reports: Reports, act: Acts) {
    this.#standing = standing;
    this.#reports = reports;
    this.#act = act;
  }

  /** So long ago the last tick was, in ms. A short pause breaks no link. */
  onGap(gapMs: number): void {
    const { clock, tuning } = this.#standing;
    if (gapMs <= tuning.electionTimeoutMs[1]) return;
    this.#wokeMs = clock.monotonicMs();
    this.#reports.tellNow();
    this.#act.hurry();
  }

  tick(): void {
    const { clock, tuning, peers } = this.#standing;
    const wokeMs = this.#wokeMs;
    if (wokeMs === undefined || clock.monotonicMs() - wokeMs <= 2 * tuning.electionTimeoutMs[1]) return;
    this.#wokeMs = undefined;
    for (const { id, link, confirmedMs } of peers.all()) if (link === 'open' && confirmedMs < wokeMs) this.#act.disconnect(id);
  }
}
