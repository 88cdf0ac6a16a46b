/** A trace as something to walk through: every call into the core, where something happened, and the core before and after. */
import { describeReady } from '../../core/describe.ts';
import type { Status } from '../../core/status.ts';
import { type PlayedStep, type ReplayReport, TracePlayer } from '../../runtime/record/replay.ts';

/** Calls of one trace that are looked at: more than a bar can tell apart, and the memory of their times. */
export const STEPS_MAX = 1_000_000;
/** What took longer from the leader's log to its commit is worth a look, in ms. */
export const SLOW_COMMIT_MS = 250;
/** Moments kept of one kind. */
const MOMENTS_MAX = 2_000;
/** Calls played between two breaths of the page. */
const BREATH = 4_000;

export const MOMENT_KINDS = [
  'election',
  'leader',
  'rejection',
  'slow commit',
  'replaced entries',
  'snapshot',
  'members',
] as const;
export type MomentKind = (typeof MOMENT_KINDS)[number];

export interface Moment {
  readonly step: number;
  readonly kind: MomentKind;
  readonly text: string;
}

/** One call, with the core as it was before and after. */
export interface Look {
  readonly step: number;
  readonly atMs: number;
  readonly call: string;
  readonly before: Status | undefined;
  readonly after: Status | undefined;
  /** What the core handed out, line by line; '' for a call that hands out nothing. */
  readonly ready: string;
}

export class Timeline {
  readonly length: number;
  readonly moments: readonly Moment[];
  readonly report: ReplayReport;
  readonly #trace: Uint8Array;
  #player: TracePlayer;
  #at = 0;

  private constructor(trace: Uint8Array, length: number, moments: readonly Moment[], report: ReplayReport) {
    this.#trace = trace;
    this.#player = new TracePlayer(trace);
    this.length = length;
    this.moments = moments;
    this.report = report;
  }

  /** Plays it through once, a part at a time. Errors: corrupt, version-mismatch, aborted as the signal says. */
  static async of(trace: Uint8Array, signal?: AbortSignal): Promise<Timeline> {
    const player = new TracePlayer(trace);
    const finder = new MomentFinder();
    let length = 0;
    for (let step = player.next(); step !== undefined && length < STEPS_MAX; step = player.next()) {
      length += 1;
      finder.note(step);
      if (length % BREATH === 0) await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
    }
    return new Timeline(trace, length, finder.moments, player.report());
  }

  /** From 1 to `length`. Backwards means to play it again from the beginning: a core cannot be wound back. */
  look(step: number): Look {
    const wanted = Math.min(this.length, Math.max(1, step));
    if (this.#at >= wanted) {
      this.#player = new TracePlayer(this.#trace);
      this.#at = 0;
    }
    while (this.#at < wanted - 1) this.#next();
    const before = this.#player.status();
    const played = this.#next();
    const after = this.#player.status();
    return {
      step: this.#at,
      atMs: played?.atMs ?? 0,
      call: played?.call ?? '',
      before,
      after,
      ready: played?.ready === undefined ? '' : describeReady(played.ready),
    };
  }

  #next(): PlayedStep | undefined {
    this.#at += 1;
    return this.#player.next();
  }
}

const REFUSED = /\b(append|vote|pre-vote|transfer) refused\b/;

/** Finds what is worth jumping to, from what the core was told and what it handed out. */
export class MomentFinder {
  readonly moments: Moment[] = [];
  readonly #counts = new Map<MomentKind, number>();
  /** When this leader's entries that are not committed came into its log. */
  readonly #appendedMs = new Map<number, number>();
  #last = 0;
  #leads = false;

  note({ input, name, call, atMs, ready }: PlayedStep): void {
    const refused = name === 'step' ? REFUSED.exec(call) : null;
    if (refused !== null) this.#add(input, 'rejection', call.replace(/^step /, ''));
    if (name === 'applyConfChange') this.#add(input, 'members', call.replace(/^applyConfChange /, ''));
    if (ready === undefined) return;
    const { softState, entries, snapshot, commitIndex } = ready;
    if (softState !== undefined) {
      this.#leads = softState.role === 'leader';
      if (softState.role === 'leader') this.#add(input, 'leader', 'this node leads');
      else if (softState.role !== 'follower') this.#add(input, 'election', `this node is a ${softState.role}`);
      if (!this.#leads) this.#appendedMs.clear();
    }
    const [first] = entries;
    if (first !== undefined && first.index <= this.#last)
      this.#add(input, 'replaced entries', `from ${first.index}, by entries of term ${first.term}`);
    for (const { index } of entries) {
      if (this.#leads) this.#appendedMs.set(index, atMs);
      this.#last = index;
    }
    if (snapshot !== undefined) this.#add(input, 'snapshot', `up to entry ${snapshot.index}`);
    this.#committed(input, commitIndex, atMs);
  }

  #committed(input: number, commitIndex: number, atMs: number): void {
    for (const [index, since] of this.#appendedMs) {
      if (index > commitIndex) break;
      this.#appendedMs.delete(index);
      if (atMs - since > SLOW_COMMIT_MS) this.#add(input, 'slow commit', `entry ${index} after ${atMs - since} ms`);
    }
  }

  #add(step: number, kind: MomentKind, text: string): void {
    const count = this.#counts.get(kind) ?? 0;
    if (count >= MOMENTS_MAX) return;
    this.#counts.set(kind, count + 1);
    this.moments.push({ step, kind, text });
  }
}

/** The nearest moment of a kind after (or before) a step; undefined when there is none. */
export function momentFrom(moments: readonly Moment[], kind: MomentKind, step: number, forward: boolean): Moment | undefined {
  const fits = (moment: Moment): boolean => moment.kind === kind && (forward ? moment.step > step : moment.step < step);
  return forward ? moments.find(fits) : moments.findLast(fits);
}
