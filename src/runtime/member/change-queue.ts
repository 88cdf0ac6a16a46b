/**
 * Membership changes on the leader, one at a time and in order: a change that comes while another is under
 * way waits its turn, and every one is told how it ended (ch. 4).
 */
import { RaftError } from '../../core/errors.ts';
import type { ConfChange, ConfState, Index } from '../../core/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { CoreNode } from '../ports/core-node.ts';

/** Changes waiting on one leader; more are refused with `busy`. */
export const CHANGES_WAITING_MAX = 256;

export interface QueuedChange {
  /** Makes the change from the configuration in force: undefined when there is nothing (left) to do. Throws a coded error. */
  readonly plan: (conf: ConfState) => ConfChange | undefined;
  readonly deadlineMs: number;
  readonly done: (index: Index, error: RaftError | undefined) => void;
}

interface Underway {
  readonly change: QueuedChange;
  readonly index: Index;
}

export class MembershipQueue {
  readonly #clock: Clock;
  #waiting: QueuedChange[] = [];
  #underway: Underway | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  submit(change: QueuedChange): void {
    if (this.#waiting.length >= CHANGES_WAITING_MAX) {
      return change.done(
        0,
        new RaftError('busy', `${CHANGES_WAITING_MAX} membership changes are waiting.`, { retryAfterMs: 1_000 }),
      );
    }
    this.#waiting.push(change);
  }

  /** Proposes the next change if none is under way. Call after inputs, on the leader, when its own term has committed. */
  flush(core: CoreNode, conf: ConfState, version: Index): void {
    while (this.#underway === undefined && this.#waiting.length > 0 && conf.votersOutgoing.length === 0) {
      const change = this.#waiting[0];
      if (change === undefined) return;
      const outcome = this.#proposeOne(core, conf, version, change);
      if (outcome === 'later') return;
      this.#waiting.shift();
    }
  }

  #proposeOne(core: CoreNode, conf: ConfState, version: Index, change: QueuedChange): 'later' | 'taken' {
    let planned: ConfChange | undefined;
    try {
      planned = change.plan(conf);
    } catch (error) {
      change.done(0, RaftError.is(error) ? error : new RaftError('config-invalid', String(error)));
      return 'taken';
    }
    if (planned === undefined) {
      change.done(version, undefined);
      return 'taken';
    }
    const outcome = core.proposeConfChange(planned);
    if (!outcome.ok) {
      if (outcome.reason === 'config-change-in-progress' || outcome.reason === 'transfer-in-progress') return 'later';
      change.done(0, new RaftError(outcome.reason, 'The membership change was refused.'));
      return 'taken';
    }
    if (outcome.forwarded) return 'later';
    this.#underway = { change, index: outcome.lastIndex };
    return 'taken';
  }

  /** A change took effect, or could not. */
  onConfig(conf: ConfState, index: Index, error: RaftError | undefined): void {
    const underway = this.#underway;
    if (underway === undefined || index < underway.index) return;
    if (error !== undefined && index === underway.index) return this.#finish(0, error);
    // A joint configuration is only half of the change: it is done when the old half is left.
    if (conf.votersOutgoing.length === 0) this.#finish(index, undefined);
  }

  tick(): void {
    const now = this.#clock.monotonicMs();
    const late = this.#waiting.filter((change) => change.deadlineMs <= now);
    if (late.length > 0) this.#waiting = this.#waiting.filter((change) => change.deadlineMs > now);
    for (const change of late)
      change.done(0, new RaftError('timeout', 'The membership change waited too long.', { mayHaveApplied: false }));
    if (this.#underway !== undefined && this.#underway.change.deadlineMs <= now) {
      this.#finish(0, new RaftError('timeout', 'The membership change was not committed in time; it may still be.'));
    }
  }

  /** Leadership is over: what waits was never proposed, what is under way may yet commit. */
  clear(error: RaftError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (this.#underway !== undefined)
      this.#finish(
        0,
        new RaftError('leadership-lost', 'Leadership was lost; the membership change may still commit.', {
          mayHaveApplied: true,
        }),
      );
    for (const change of waiting) change.done(0, error);
  }

  #finish(index: Index, error: RaftError | undefined): void {
    const underway = this.#underway;
    this.#underway = undefined;
    underway?.change.done(index, error);
  }
}
