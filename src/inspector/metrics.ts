/** What happened in each of the last seconds: writes and how long they took, messages, bytes, elections. */
import type { WriteEvent } from '../index.ts';

/** Seconds shown. */
export const SECONDS = 60;
/** Latencies kept of one second: enough for its 99th percentile. */
const LATENCIES_MAX = 512;

interface Second {
  readonly at: number;
  writes: number;
  failed: number;
  readonly latencies: number[];
  elections: number;
  messages: number;
  bytes: number;
}

export interface Series {
  readonly writes: readonly number[];
  readonly failed: readonly number[];
  /** ms; undefined where nothing was written. */
  readonly p50: readonly (number | undefined)[];
  readonly p99: readonly (number | undefined)[];
  readonly messages: readonly number[];
  readonly bytes: readonly number[];
  readonly elections: readonly number[];
  /** Since the inspector was opened. */
  readonly totals: { readonly writes: number; readonly failed: number; readonly elections: number };
}

export class Metrics {
  readonly #now: () => number;
  #seconds: Second[] = [];
  #totals = { writes: 0, failed: 0, elections: 0 };
  #lastMessages: number | undefined;
  #lastBytes: number | undefined;
  /** Nothing of it changes before the second is over: sorting a minute's latencies for every picture would cost more than the picture. */
  #drawn: { readonly second: number; readonly series: Series } | undefined;

  /** `now` in ms, never going back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  onWrite({ ms, code }: Pick<WriteEvent, 'ms' | 'code'>): void {
    const second = this.#second();
    if (code !== undefined) {
      second.failed += 1;
      this.#totals.failed += 1;
      return;
    }
    this.#totals.writes += 1;
    // Beyond the bound each replaces one at random, so that the sample stays fair.
    if (second.latencies.length < LATENCIES_MAX) second.latencies.push(ms);
    else {
      const place = Math.floor(Math.random() * (second.writes + 1));
      if (place < LATENCIES_MAX) second.latencies[place] = ms;
    }
    second.writes += 1;
  }

  onElection(): void {
    this.#second().elections += 1;
    this.#totals.elections += 1;
  }

  /** Given the counts so far, which only grow; a link that closed takes its count with it. */
  onCounts(messages: number, bytes: number): void {
    const second = this.#second();
    if (this.#lastMessages !== undefined) second.messages += Math.max(0, messages - this.#lastMessages);
    if (this.#lastBytes !== undefined) second.bytes += Math.max(0, bytes - this.#lastBytes);
    this.#lastMessages = messages;
    this.#lastBytes = bytes;
  }

  /** Oldest first; always SECONDS long. The second that is under way is left out. */
  series(): Series {
    const current = Math.floor(this.#now() / 1_000);
    if (this.#drawn?.second === current) return { ...this.#drawn.series, totals: { ...this.#totals } };
    const byTime = new Map(this.#seconds.map((second) => [second.at, second]));
    const rows = Array.from({ length: SECONDS }, (_, i) => byTime.get(current - SECONDS + i));
    const sorted = rows.map((row) => row?.latencies.toSorted((a, b) => a - b) ?? []);
    const series: Series = {
      writes: rows.map((row) => row?.writes ?? 0),
      failed: rows.map((row) => row?.failed ?? 0),
      p50: sorted.map((values) => quantile(values, 0.5)),
      p99: sorted.map((values) => quantile(values, 0.99)),
      messages: rows.map((row) => row?.messages ?? 0),
      bytes: rows.map((row) => row?.bytes ?? 0),
      elections: rows.map((row) => row?.elections ?? 0),
      totals: { ...this.#totals },
    };
    this.#drawn = { second: current, series };
    return series;
  }

  #second(): Second {
    const at = Math.floor(this.#now() / 1_000);
    const last = this.#seconds.at(-1);
    if (last?.at === at) return last;
    const made: Second = { at, writes: 0, failed: 0, latencies: [], elections: 0, messages: 0, bytes: 0 };
    this.#seconds = [...this.#seconds.slice(-SECONDS), made];
    return made;
  }
}

export function quantile(sorted: readonly number[], part: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}
