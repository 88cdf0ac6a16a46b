/**
 * What a leader knows of one follower's log, and how it sends to it (§3.5, §10.2.1):
 *
 *   probe      its log is not known to connect: one append at a time, at most one per heartbeat
 *   replicate  it does: appends follow each other without waiting, within the inflight limits
 *   snapshot   it lacks what this log no longer holds: nothing is sent until it has the snapshot
 *
 * The only code that moves these fields; the rest reads them.
 */
import { assert } from '../assert.ts';
import type { ProgressStateName } from '../status.ts';
import type { Index, NodeId } from '../types.ts';
import type { Writable } from '../writable.ts';
import { Inflights } from './inflights.ts';

export interface InflightLimits {
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
}

/** What is to be sent with the next Ready; the greater includes the lesser. */
export const WANTED = {
  nothing: 0,
  /** Entries, if there are any. */
  entries: 1,
  /** A new commit index, with entries if there are any. */
  commit: 2,
  /** An append in any case. */
  append: 3,
} as const;
export type Wanted = (typeof WANTED)[keyof typeof WANTED];

type Own = Writable<
  Progress,
  | 'state'
  | 'match'
  | 'next'
  | 'pendingSnapshot'
  | 'sentCommit'
  | 'commit'
  | 'recentActive'
  | 'flowPaused'
  | 'learner'
  | 'witness'
  | 'snapshotTicks'
  | 'fetching'
  | 'wanted'
  | 'leaseTick'
>;

export class Progress {
  /** The only way that its fields are written. */
  readonly #own: Own = this;
  readonly id: NodeId;
  readonly inflights: Inflights;
  readonly state: ProgressStateName = 'probe';
  /** The highest index known to be durable there. Never falls within a leadership. */
  readonly match: Index = 0;
  /** The next index to send. match < next. */
  readonly next: Index;
  /** In `snapshot`: the snapshot's index. */
  readonly pendingSnapshot: Index = 0;
  /** The highest commit index sent, as far as the follower can have taken it over. */
  readonly sentCommit: Index = 0;
  /** What the follower said it has committed. */
  readonly commit: Index = 0;
  /** Heard since the last check-quorum. */
  readonly recentActive: boolean = false;
  /** A probe is out, or the window is full: wait for an answer, or for a heartbeat's. */
  readonly flowPaused: boolean = false;
  readonly learner: boolean = false;
  readonly witness: boolean = false;
  /** Ticks since the snapshot left. */
  readonly snapshotTicks: number = 0;
  /** Entries to be sent are being fetched by the environment. */
  readonly fetching: boolean = false;
  /** Asked for since the last Ready. */
  readonly wanted: Wanted = WANTED.nothing;
  /** Tick of this leadership at which the latest heartbeat it answered had left; -1 for none, or void. */
  readonly leaseTick: number = -1;

  constructor(id: NodeId, next: Index, limits: InflightLimits) {
    this.id = id;
    this.next = next;
    this.inflights = new Inflights(limits.maxInflightMessages, limits.maxInflightBytes);
  }

  get paused(): boolean {
    return this.state === 'snapshot' || this.flowPaused;
  }

  /** What the configuration in force says it is. */
  setKind(learner: boolean, witness: boolean): void {
    this.#own.learner = learner;
    this.#own.witness = witness;
  }

  becomeProbe(): void {
    // After a snapshot that has arrived the log is probed where the snapshot ends.
    const from = this.state === 'snapshot' ? Math.max(this.match, this.pendingSnapshot) : this.match;
    this.#enter('probe');
    this.#own.next = from + 1;
    this.#own.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.#enter('replicate');
    this.#own.next = this.match + 1;
  }

  becomeSnapshot(index: Index): void {
    this.#enter('snapshot');
    this.#own.pendingSnapshot = index;
    this.#own.next = index + 1;
    this.#own.sentCommit = index;
  }

  sentCommitTo(commit: Index): void {
    this.#own.sentCommit = commit;
  }

  heardCommit(commit: Index): void {
    if (commit > this.commit) this.#own.commit = commit;
  }

  /** It answered something: it is there, and what was lost on the way may be sent again. */
  heard(): void {
    this.#own.recentActive = true;
  }

  resume(): void {
    this.#own.flowPaused = false;
  }

  /** Nothing more until an answer comes, or a heartbeat's. */
  pause(): void {
    this.#own.flowPaused = true;
  }

  want(what: Wanted): void {
    if (what > this.wanted) this.#own.wanted = what;
  }

  takeWanted(): Wanted {
    const { wanted } = this;
    this.#own.wanted = WANTED.nothing;
    return wanted;
  }

  waitForEntries(): void {
    this.#own.fetching = true;
  }

  entriesFetched(): boolean {
    const fetching = this.fetching;
    this.#own.fetching = false;
    return fetching;
  }

  /** Some more of the snapshot has arrived there: it is not lost. */
  snapshotMoved(): void {
    this.#own.snapshotTicks = 0;
  }

  /** One more tick without the snapshot's arrival; true when that is too many. */
  snapshotOverdue(limitTicks: number): boolean {
    if (this.state !== 'snapshot') return false;
    this.#own.snapshotTicks++;
    return this.snapshotTicks >= limitTicks;
  }

  leasedAt(tick: number): void {
    if (tick > this.leaseTick) this.#own.leaseTick = tick;
  }

  voidLease(): void {
    this.#own.leaseTick = -1;
  }

  forgetActivity(): void {
    this.#own.recentActive = false;
  }

  /** The snapshot did not arrive: probe from what is known, not from where it would have ended. */
  forgetSnapshot(): void {
    this.#own.pendingSnapshot = 0;
  }

  /** An append with so many entries has left. */
  sentEntries(count: number, bytes: number): void {
    if (this.state === 'replicate') {
      if (count > 0) {
        this.#own.next += count;
        this.inflights.add(this.next - 1, bytes);
      }
      // With a full window this append serves as a probe: the flow stops until something is heard.
      this.#own.flowPaused = this.inflights.full;
      return;
    }
    assert(this.state === 'probe', 'an append left while a snapshot is pending');
    if (count > 0) this.#own.flowPaused = true;
  }

  /** True when telling it `commit` may move its commit index further than what was sent before. */
  canBumpCommit(commit: Index): boolean {
    return commit > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** It holds everything up to `index`, durably. False when that is not news. */
  update(index: Index): boolean {
    if (index <= this.match) return false;
    this.#own.match = index;
    if (this.next <= index) this.#own.next = index + 1;
    this.#own.flowPaused = false;
    return true;
  }

  /** It refused an append after `rejected`, and may agree at `hint`. False when that is stale. */
  decrease(rejected: Index, hint: Index): boolean {
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false;
      this.#own.next = this.match + 1;
      this.#own.sentCommit = Math.min(this.sentCommit, this.next - 1);
      return true;
    }
    // Probes go one at a time: an answer to any other one is old.
    if (this.next - 1 !== rejected) return false;
    // It refuses what it once held: it has lost its log. Asking again at once would go on for ever.
    if (rejected > 0 && rejected <= this.match) return false;
    this.#own.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
    this.#own.sentCommit = Math.min(this.sentCommit, this.next - 1);
    this.#own.flowPaused = false;
    return true;
  }

  #enter(state: ProgressStateName): void {
    this.#own.state = state;
    this.#own.flowPaused = false;
    this.#own.pendingSnapshot = 0;
    this.#own.snapshotTicks = 0;
    this.inflights.reset();
  }
}
