/**
 * Room on the disks. Each node looks at its own and says in its reports when it is short; a leader refuses new
 * writes with `quota` while a majority of voters is short, before anybody's disk is full in the middle of one.
 */
import { RaftError } from '../../core/errors.ts';
import type { Engine } from '../node/runtime.ts';

/** How often storage is asked how much room there is, in ms. */
const LOOK_EVERY_MS = 10_000;
/** Room below which a node is short, in bytes: enough to store what is in flight and one snapshot's beginning. */
export const SPACE_RESERVE_BYTES: number = 8 * 1024 * 1024;

export class SpaceWatch {
  /** This node's storage has less than the reserve left. */
  isShort = false;
  private readonly engine: Engine;
  private lookedMs = Number.NEGATIVE_INFINITY;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  tick(): void {
    const now = this.engine.options.clock.monotonicMs();
    if (now - this.lookedMs < LOOK_EVERY_MS) return;
    this.lookNow();
  }

  lookNow(): void {
    this.lookedMs = this.engine.options.clock.monotonicMs();
    this.engine.store.estimate().then(
      (estimate) => {
        const short = estimate !== undefined && estimate.quotaBytes - estimate.usageBytes < SPACE_RESERVE_BYTES;
        if (short && !this.isShort) {
          this.engine.emitter.emit('fault', {
            error: new RaftError('quota', 'This device has almost no room left for this site.'),
          });
        }
        this.isShort = short;
      },
      // A browser that does not say how much room there is is not short of it.
      () => {
        this.isShort = false;
      },
    );
  }

  /** Why the leader takes no writes now, if it takes none. */
  refusal(): RaftError | undefined {
    const { member, id, desk } = this.engine;
    if (member === undefined) return undefined;
    const { voters } = member.conf;
    const short = voters.filter((voter) => (voter === id ? this.isShort : desk.reports.get(voter)?.report.shortOfSpace === true));
    if (short.length * 2 <= voters.length) return undefined;
    return new RaftError(
      'quota',
      `${short.length} of ${voters.length} voters are short of space: no more writes until there is room.`,
      { retryAfterMs: LOOK_EVERY_MS },
    );
  }
}
