/** `npm run chaos`, once everything is built: flags, the run, the report, the exit code. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeHistory } from '../../src/testing/history/history.ts';
import { Arena } from './arena.ts';
import { type Bounds, type FaultReport, judge } from './judge.ts';
import { now } from './notes.ts';
import { FAULT_KINDS, type FaultKind, isFaultKind, planOf } from './plan.ts';
import { pageOf, pictureOf, type Report, summaryOf } from './report.ts';
import { formed, lastState, runFault, standing } from './run.ts';

export interface Settings {
  readonly seed: string;
  readonly count: number;
  /** No more faults are begun after so long: ms. */
  readonly lastMs: number;
  readonly kinds: readonly FaultKind[];
  readonly tabs: number;
  readonly edge: boolean;
  readonly built: string;
  readonly out: string;
  readonly executablePath: string;
  readonly args: readonly string[];
  readonly commit: string;
}

/** The longest election timeout of a node at its defaults: ms. */
const ELECTION_MS = 1_500;
const BOUNDS: Omit<Bounds, 'acknowledgedMin' | 'lastAskedMs'> = {
  writtenWithinMs: 10 * ELECTION_MS,
  healthyWithinMs: 30 * ELECTION_MS,
};
/** So few calls a second that a run shows nothing: per second. */
const CALLS_MIN = 3;
const FAULTS_UNBOUNDED = 100_000;
const TABS_RANGE = [3, 12] as const;

/** Two tabs of one device, the others on devices of their own. */
function devicesOf(tabs: number): readonly number[] {
  return [2, ...Array.from({ length: tabs - 2 }, () => 1)];
}

export async function run(settings: Settings): Promise<Report> {
  const { seed, count, kinds, executablePath, args, built, edge } = settings;
  const plan = planOf(seed, Math.min(count, FAULTS_UNBOUNDED), kinds);
  const arena = new Arena({ executablePath, args, built, edge, room: 'chaos', devices: devicesOf(settings.tabs) });
  const faults: FaultReport[] = [];
  const from = now();
  try {
    await arena.start();
    await formed(arena);
    const begun = now();
    for (const planned of plan) {
      if (now() - begun > settings.lastMs) break;
      const fault = await runFault(arena, planned);
      if (fault === undefined) continue;
      faults.push(fault);
      const { kind, places, to, from: at, healthy, written, pauseMs } = fault;
      const ms = (time: number | undefined): string => (time === undefined ? 'never' : `${time - to} ms`);
      console.log(
        `${((at - from) / 1000).toFixed(1).padStart(7)} s  ${kind.padEnd(14)} ${places.join(',').padEnd(6)} written after ${ms(written)}, well after ${ms(healthy)}, longest pause ${pauseMs} ms`,
      );
      if (healthy === undefined) {
        console.log(`          ${standing(arena)}`);
        break;
      }
    }
    const lastAskedMs = now();
    const last = await lastState(arena);
    const seconds = (now() - begun) / 1000;
    const findings = judge(arena.record, faults, last, {
      ...BOUNDS,
      acknowledgedMin: Math.floor(seconds * CALLS_MIN),
      lastAskedMs,
    });
    const places = [...arena.places.map(({ name }) => name), ...(edge ? ['edge'] : [])];
    return { seed, commit: settings.commit, from, to: now(), places, faults, findings, record: arena.record };
  } finally {
    await arena.close();
  }
}

function write(report: Report, out: string): void {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'report.html'), pageOf(report));
  writeFileSync(join(out, 'timeline.svg'), pictureOf(report));
  writeFileSync(join(out, 'report.json'), `${JSON.stringify(summaryOf(report), undefined, 2)}\n`);
  writeFileSync(join(out, 'history.ndjson'), encodeHistory(report.record.history()));
}

/** Resolves with the exit code. */
export async function main(
  argv: readonly string[],
  given: Pick<Settings, 'built' | 'executablePath' | 'args' | 'commit'>,
): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string' },
      faults: { type: 'string' },
      minutes: { type: 'string' },
      tabs: { type: 'string', default: '4' },
      kinds: { type: 'string' },
      'no-edge': { type: 'boolean', default: false },
      out: { type: 'string', default: 'build/chaos' },
    },
  });
  const number = (name: string, text: string, min: number, max: number): number => {
    const value = Number(text);
    if (!(value >= min && value <= max)) throw new RangeError(`--${name} is a number from ${min} to ${max}, got ${text}.`);
    return value;
  };
  const kinds = values.kinds?.split(',') ?? [...FAULT_KINDS];
  const wrong = kinds.find((kind) => !isFaultKind(kind));
  if (wrong !== undefined) throw new RangeError(`There is no fault ${wrong}. Faults: ${FAULT_KINDS.join(', ')}.`);
  const minutes = values.minutes === undefined ? undefined : number('minutes', values.minutes, 0.1, 24 * 60);
  const faults = number('faults', values.faults ?? (minutes === undefined ? '8' : String(FAULTS_UNBOUNDED)), 1, FAULTS_UNBOUNDED);
  const settings: Settings = {
    ...given,
    seed: values.seed ?? String(Math.floor(Math.random() * 1e9)),
    count: faults,
    lastMs: (minutes ?? 24 * 60) * 60_000,
    kinds: kinds.filter(isFaultKind),
    tabs: number('tabs', values.tabs, ...TABS_RANGE),
    edge: !values['no-edge'],
    out: resolve(values.out),
  };
  console.log(`chaos: seed ${settings.seed}, ${settings.tabs} tabs${settings.edge ? ' and an edge member' : ''}`);
  const report = await run(settings);
  write(report, settings.out);
  for (const { promise, text } of report.findings) console.log(`BROKEN ${promise}: ${text}`);
  const { calls } = summaryOf(report) as { readonly calls: { readonly ok: number } };
  console.log(
    `${calls.ok} calls acknowledged, ${report.faults.length} faults, ${report.findings.length} findings: ${join(settings.out, 'report.html')}`,
  );
  return report.findings.length === 0 ? 0 : 1;
}
