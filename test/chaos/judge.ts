/** Whether a run kept its promises: nothing acknowledged is lost, one order, one leader per term, one cluster, back in time. */
import type { Operation } from '../../src/testing/history/history.ts';
import { checkLinearizable, describeVerdict } from '../../src/testing/history/linearizability.ts';
import type { Store } from './machine.ts';
import type { FaultKind } from './plan.ts';
import type { Record } from './record.ts';

/** What became of one fault. Times in ms since the epoch. */
export interface FaultReport {
  readonly kind: FaultKind;
  readonly places: readonly string[];
  readonly from: number;
  readonly to: number;
  /** The first write by anybody that began after it was over, and was acknowledged; undefined: none in time. */
  readonly written: number | undefined;
  /** From when on every place wrote, and one more voter might have failed; undefined: not in time. */
  readonly healthy: number | undefined;
  /** The longest time without an acknowledged write by anybody, from its beginning until it was healthy: ms. */
  readonly pauseMs: number;
}

export interface Finding {
  readonly promise: 'acknowledged-kept' | 'linearizable' | 'one-leader-per-term' | 'one-cluster' | 'recovery' | 'enough-happened';
  readonly text: string;
}

export interface Bounds {
  /** After a fault is over somebody writes within: ms. */
  readonly writtenWithinMs: number;
  /** And all is as before within: ms. */
  readonly healthyWithinMs: number;
  readonly acknowledgedMin: number;
  /** The last state was asked for then, in ms since 1970: what was acknowledged later need not be in it. */
  readonly lastAskedMs: number;
}

/** Clocks are read in whole milliseconds: a call may have begun so much earlier, and ended so much later, than was told. */
const CLOCK_MS = 1;

export function judge(
  record: Record,
  faults: readonly FaultReport[],
  last: Store | undefined,
  bounds: Bounds,
): readonly Finding[] {
  const history = record.history();
  return [
    ...(last === undefined ? [] : lostIn(history, last, bounds.lastAskedMs)),
    ...disorderIn(history),
    ...rivalsIn(record),
    ...(record.clusters.size > 1
      ? [
          {
            promise: 'one-cluster' as const,
            text: `${record.clusters.size} clusters in one room: ${[...record.clusters].join(', ')}`,
          },
        ]
      : []),
    ...faults.flatMap((fault) => slowIn(fault, bounds)),
    ...(last === undefined ? [{ promise: 'recovery' as const, text: 'At the end nobody could read the state.' }] : []),
    ...(record.acknowledged.length < bounds.acknowledgedMin
      ? [
          {
            promise: 'enough-happened' as const,
            text: `Only ${record.acknowledged.length} of at least ${bounds.acknowledgedMin} calls were acknowledged.`,
          },
        ]
      : []),
  ];
}

/** What was acknowledged and is not in the last state, or is there twice. */
function lostIn(history: readonly Operation[], last: Store, askedMs: number): readonly Finding[] {
  const found: Finding[] = [];
  const say = (text: string): void => void found.push({ promise: 'acknowledged-kept', text });
  const added = new Map<string, { sure: number; perhaps: number }>();
  for (const { key, kind, input, outcome, process, end } of history) {
    const isSure = outcome === 'ok' && end !== null && end + CLOCK_MS < askedMs;
    if (kind === 'append') {
      const times = (last.lists[key] ?? []).filter((value) => value === input).length;
      if (isSure && times === 0) say(`${process} appended ${String(input)} to ${key}, and it is gone`);
      if (outcome === 'no' && times > 0) say(`${process} was told that ${String(input)} is not in ${key}, and it is`);
      if (times > 1) say(`${String(input)} is in ${key} ${times} times`);
    } else if (kind === 'add') {
      const sum = added.get(key) ?? { sure: 0, perhaps: 0 };
      if (isSure) sum.sure += input as number;
      else if (outcome !== 'no') sum.perhaps += input as number;
      added.set(key, sum);
    }
  }
  for (const [key, { sure, perhaps }] of added) {
    const sum = last.counters[key] ?? 0;
    if (sum < sure || sum > sure + perhaps)
      say(`${key} is ${sum}: ${sure} were acknowledged, and up to ${perhaps} more may be in it`);
  }
  return found;
}

function disorderIn(history: readonly Operation[]): readonly Finding[] {
  const widened = history.map((one) => ({
    ...one,
    start: one.start - CLOCK_MS,
    end: one.end === null ? null : one.end + CLOCK_MS,
  }));
  const verdict = checkLinearizable(widened, { stepsMax: 20_000_000 });
  return verdict.ok ? [] : [{ promise: 'linearizable', text: describeVerdict(verdict) }];
}

function rivalsIn({ leads }: Record): readonly Finding[] {
  const byTerm = new Map<number, Set<string>>();
  for (const { term, node } of leads) byTerm.set(term, (byTerm.get(term) ?? new Set()).add(node));
  return [...byTerm]
    .filter(([, nodes]) => nodes.size > 1)
    .map(([term, nodes]) => ({ promise: 'one-leader-per-term', text: `${[...nodes].join(' and ')} led term ${term}` }));
}

function slowIn({ kind, places, to, written, healthy }: FaultReport, bounds: Bounds): readonly Finding[] {
  const what = `${kind} (${places.join(', ')})`;
  const late = (at: number | undefined, ms: number, text: string): readonly Finding[] =>
    at !== undefined && at - to <= ms ? [] : [{ promise: 'recovery', text: `After ${what} ${text} within ${ms} ms` }];
  return [
    ...late(written, bounds.writtenWithinMs, 'nobody wrote'),
    ...late(healthy, bounds.healthyWithinMs, 'not all were back'),
  ];
}

/** The longest time in which nobody had a write acknowledged: ms. */
export function longestPause(ends: readonly number[], from: number, to: number): number {
  const inside = ends.filter((end) => end > from && end < to).sort((a, b) => a - b);
  let last = from;
  let longest = 0;
  for (const end of [...inside, to]) {
    longest = Math.max(longest, end - last);
    last = end;
  }
  return longest;
}
