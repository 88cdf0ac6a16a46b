/** Runs in each of the three tabs; bench/tabs/run.mjs says when. */

import { type Contestant, MARK, VALUE_BYTES } from './contestant.ts';
import { probe } from './probe.ts';
import { channel } from './quiet-channels.ts';
import { tabraft } from './tabraft.ts';

const WARM_MS = 200;
/** A mark not seen by then counts as this long. */
const LATE_MS = 3_000;
const PAYLOAD = 'x'.repeat(VALUE_BYTES);

export interface Figures {
  /** Operations done, also those that are not timed. */
  readonly count: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

// Later than quiet-channels.ts, whose channels it shall find.
const { yjs } = await import('./yjs.ts');

const contestants: Readonly<Record<string, Contestant>> = {
  tabraft: tabraft(),
  probe: probe(),
  yjs: yjs(`${location.origin.replace('http', 'ws')}/yjs`),
};

export interface Sends {
  readonly frames: number;
  readonly bytes: number;
  readonly ms: number;
}

export interface Stalls extends Figures {
  readonly maxMs: number;
  /** In gaps, altogether. */
  readonly lostMs: number;
  readonly gaps: readonly { readonly atMs: number; readonly ms: number }[];
  readonly events: readonly { readonly atMs: number; readonly what: string }[];
}

function named(name: string): Contestant {
  const contestant = contestants[name];
  if (contestant === undefined) throw new Error(`there is no ${name}`);
  return contestant;
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function figures(times: number[], elapsedMs: number, count: number = times.length): Figures {
  times.sort((a, b) => a - b);
  return {
    count,
    perSecond: (times.length * 1000) / elapsedMs,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
  };
}

let number = 0;
const sent: { -readonly [K in keyof Sends]: Sends[K] } = { frames: 0, bytes: 0, ms: 0 };

/** Asked for by the page's address: looking at the clock twice for each frame is not free either. */
function countSends(): void {
  const real = RTCDataChannel.prototype.send as (data: ArrayBufferView) => void;
  const counted = function (this: RTCDataChannel, data: ArrayBufferView): void {
    const start = performance.now();
    real.call(this, data);
    sent.ms += performance.now() - start;
    sent.frames += 1;
    sent.bytes += data.byteLength;
  };
  Object.assign(RTCDataChannel.prototype, { send: counted });
}
if (new URLSearchParams(location.search).has('sends')) countSends();

const bench = {
  async open(name: string, room: string, place: number): Promise<void> {
    const contestant = named(name);
    await contestant.open(room, place);
    if (place === 0) return;
    const marks = channel(`mark-${name}`);
    contestant.onMark((value) => marks.postMessage(value));
  },
  formed: (name: string): boolean => named(name).formed(),

  /** So many clients, each with one write under way; what ends in the first moments is not counted. */
  async load(name: string, clients: number, ms: number): Promise<Figures> {
    const contestant = named(name);
    const times: number[] = [];
    const begin = performance.now() + WARM_MS;
    const end = begin + ms;
    let over = end;
    let count = 0;
    const client = async (): Promise<void> => {
      for (let start = performance.now(); start < end; start = performance.now()) {
        await contestant.write(`k${number++ % 1000}`, PAYLOAD);
        const now = performance.now();
        count += 1;
        if (now < begin) continue;
        times.push(now - start);
        over = now;
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    return figures(times, Math.max(end, over) - begin, count);
  },

  /** Frames that this tab has put on data channels since the last call, and what they cost it. */
  sends(): Sends {
    const { frames, bytes, ms } = sent;
    Object.assign(sent, { frames: 0, bytes: 0, ms: 0 });
    return { frames, bytes, ms };
  },

  /** Where time goes by and nothing is done: gaps between two answers that are longer than `gapMs`, with when they began. */
  async stalls(name: string, clients: number, ms: number, gapMs: number): Promise<Stalls> {
    const contestant = named(name);
    const times: number[] = [];
    const gaps: { atMs: number; ms: number }[] = [];
    const begin = performance.now();
    let last = begin;
    const client = async (): Promise<void> => {
      for (let start = begin; start - begin < ms; ) {
        await contestant.write(`k${number++ % 1000}`, PAYLOAD);
        const now = performance.now();
        times.push(now - start);
        if (now - last > gapMs) gaps.push({ atMs: Math.round(last - begin), ms: Math.round(now - last) });
        last = now;
        start = now;
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    const lostMs = gaps.reduce((sum, gap) => sum + gap.ms, 0);
    const events = (contestant.events ?? [])
      .filter(({ atMs }) => atMs >= begin)
      .map(({ atMs, what }) => ({ atMs: Math.round(atMs - begin), what }));
    return { ...figures(times, last - begin), maxMs: times.at(-1) ?? 0, lostMs, gaps, events };
  },

  /** From the write here until another tab says, over a BroadcastChannel (0.15 ms), that it shows it. */
  async visible(name: string, ms: number): Promise<Figures> {
    const marks = channel(`mark-${name}`);
    const times: number[] = [];
    const begin = performance.now();
    while (performance.now() - begin < ms) {
      const value = `m${number++}`;
      const seen = new Promise<void>((resolve) => {
        marks.onmessage = ({ data }) => {
          if (data === value) resolve();
        };
      });
      const start = performance.now();
      void named(name).write(MARK, value);
      const late = new Promise<void>((resolve) => setTimeout(resolve, LATE_MS));
      await Promise.race([seen, late]);
      times.push(performance.now() - start);
    }
    marks.close();
    return figures(times, performance.now() - begin);
  },
};

export type Bench = typeof bench;
Object.assign(globalThis, { bench });
