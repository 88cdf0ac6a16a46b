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

export class Progress {
  readonly id: NodeId;
  readonly inflights: Inflights;
  state: ProgressStateName = 'probe';
  /** The highest index known to be durable there. Never falls within a leadership. */
  match: Index = 0;
  /** The next index to send. match < next. */
  next: Index;
  /** In `snapshot`: the snapshot's index. */
  pendingSnapshot: Index = 0;
  /** The highest commit index sent, as far as the follower can have taken it over. */
  sentCommit: Index = 0;
  /** What the follower said it has committed. */
  commit: Index = 0;
  /** Heard since the last check-quorum. */
  recentActive = false;
  /** A probe is out, or the window is full: wait for an answer, or for a heartbeat's. */
  flowPaused = false;
  learner = false;
  witness = false;
  /** Ticks since the snapshot left. */
  snapshotTicks = 0;
  /** Entries to be sent are being fetched by the environment. */
  fetching = false;
  /** Asked for since the last Ready. */
  wanted: Wanted = WANTED.nothing;
  /** Tick of this leadership at which the latest heartbeat it answered had left; -1 for none, or void. */
  leaseTick = -1;

  constructor(id: NodeId, next: Index, limits: InflightLimits) {
    this.id = id;
    this.next = next;
    this.inflights = new Inflights(limits.maxInflightMessages, limits.maxInflightBytes);
  }

  get paused(): boolean {
    return this.state === 'snapshot' || this.flowPaused;
  }

  becomeProbe(): void {
    // After a snapshot that has arrived the log is probed where the snapshot ends.
    const from = this.state === 'snapshot' ? Math.max(this.match, this.pendingSnapshot) : this.match;
    this.#enter('probe');
    this.next = from + 1;
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.#enter('replicate');
    this.next = this.match + 1;
  }

  becomeSnapshot(index: Index): void {
    this.#enter('snapshot');
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.sentCommit = index;
  }

  sentCommitTo(commit: Index): void {
    this.sentCommit = commit;
  }

  heardCommit(commit: Index): void {
    if (commit > this.commit) this.commit = commit;
  }

  /** It answered something: it is there, and what was lost on the way may be sent again. */
  heard(): void {
    this.recentActive = true;
  }

  resume(): void {
    this.flowPaused = false;
  }

  /** Nothing more until an answer comes, or a heartbeat's. */
  pause(): void {
    this.flowPaused = true;
  }

  want(what: Wanted): void {
    if (what > this.wanted) this.wanted = what;
  }

  takeWanted(): Wanted {
    const { wanted } = this;
    this.wanted = WANTED.nothing;
    return wanted;
  }

  waitForEntries(): void {
    this.fetching = true;
  }

  entriesFetched(): boolean {
    const fetching = this.fetching;
    this.fetching = false;
    return fetching;
  }

  /** One more tick without the snapshot's arrival; true when that is too many. */
  snapshotOverdue(limitTicks: number): boolean {
    if (this.state !== 'snapshot') return false;
    this.snapshotTicks++;
    return this.snapshotTicks >= limitTicks;
  }

  leasedAt(tick: number): void {
    if (tick > this.leaseTick) this.leaseTick = tick;
  }

  voidLease(): void {
    this.leaseTick = -1;
  }

  forgetActivity(): void {
    this.recentActive = false;
  }

  /** The snapshot did not arrive: probe from what is known, not from where it would have ended. */
  forgetSnapshot(): void {
    this.pendingSnapshot = 0;
  }

  /** An append with so many entries has left. */
  sentEntries(count: number, bytes: number): void {
    if (this.state === 'replicate') {
      if (count > 0) {
        this.next += count;
        this.inflights.add(this.next - 1, bytes);
      }
      // With a full window this append serves as a probe: the flow stops until something is heard.
      this.flowPaused = this.inflights.full;
      return;
    }
    assert(this.state === 'probe', 'an append left while a snapshot is pending');
    if (count > 0) this.flowPaused = true;
  }

  /** True when telling it `commit` may move its commit index further than what was sent before. */
  canBumpCommit(commit: Index): boolean {
    return commit > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** It holds everything up to `index`, durably. False when that is not news. */
  update(index: Index): boolean {
    if (index <= this.match) return false;
    this.match = index;
    if (this.next <= index) this.next = index + 1;
    this.flowPaused = false;
    return true;
  }

  /** It refused an append after `rejected`, and may agree at `hint`. False when that is stale. */
  decrease(rejected: Index, hint: Index): boolean {
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
      this.sentCommit = Math.min(this.sentCommit, this.next - 1);
      return true;
    }
    // Probes go one at a time: an answer to any other one is old.
    if (this.next - 1 !== rejected) return false;
    // It refuses what it once held: it has lost its log. Asking again at once would go on for ever.
    if (rejected > 0 && rejected <= this.match) return false;
    this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    this.flowPaused = false;
    return true;
  }

  #enter(state: ProgressStateName): void {
    this.state = state;
    this.flowPaused = false;
    this.pendingSnapshot = 0;
    this.snapshotTicks = 0;
    this.inflights.reset();
  }
}
