/**
 * Room on the disks. Each node looks at its own and says in its reports when it is short; a leader refuses new
 * writes with `quota` while a majority of voters is short, before anybody's disk is full in the middle of one.
 */
import { RaftError } from '../../core/errors.ts';
import type { StorageEstimate } from '../../storage/storage.ts';
import type { Emitter } from '../api/emitter.ts';
import type { Reports } from '../standing/reports.ts';
import type { Standing } from '../standing/standing.ts';

/** How often storage is asked how much room there is, in ms. */
const LOOK_EVERY_MS = 10_000;
/** Room below which a node is short, in bytes: enough to store what is in flight and one snapshot's beginning. */
export const SPACE_RESERVE_BYTES: number = 8 * 1024 * 1024;

export class FreeSpace {
  readonly #standing: Standing;
  readonly #reports: Reports;
  readonly #estimate: () => Promise<StorageEstimate | undefined>;
  readonly #emitter: Emitter;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(standing: Standing, reports: Reports, estimate: () => Promise<StorageEstimate | undefined>, emitter: Emitter) {
    this.#standing = standing;
    this.#reports = reports;
    this.#estimate = estimate;
    this.#emitter = emitter;
  }

  tick(): void {
    if (this.#standing.clock.monotonicMs() - this.#askedMs >= LOOK_EVERY_MS) this.askStorage();
  }

  askStorage(): void {
    this.#askedMs = this.#standing.clock.monotonicMs();
    this.#estimate().then(
      (estimate) => {
        const short = estimate !== undefined && estimate.quotaBytes - estimate.usageBytes < SPACE_RESERVE_BYTES;
        if (short && !this.#reports.own.shortOfSpace) {
          this.#emitter.emit('fault', {
            error: new RaftError('quota', 'This device has almost no room left for this site.'),
          });
        }
        this.#reports.own.shortOfSpace = short;
      },
      // A browser that does not say how much room there is is not short of it.
      () => {
        this.#reports.own.shortOfSpace = false;
      },
    );
  }

  /** Why the leader takes no writes now, if it takes none. */
  refusal(): RaftError | undefined {
    const { member, id } = this.#standing;
    if (member === undefined) return undefined;
    const { voters } = member.conf;
    const short = voters.filter((voter) =>
      voter === id ? this.#reports.own.shortOfSpace : this.#reports.of(voter)?.report.shortOfSpace === true,
    );
    if (short.length * 2 <= voters.length) return undefined;
    return new RaftError(
      'quota',
      `${short.length} of ${voters.length} voters are short of space: no more writes until there is room.`,
      { retryAfterMs: LOOK_EVERY_MS },
    );
  }
}
