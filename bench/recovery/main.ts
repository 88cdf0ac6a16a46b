/** `npm run bench:recovery`, once everything is built: medians of ten, as multiples of the longest election timeout. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Base, SCENES } from './scenes.ts';

const ELECTION_MS = 1_500;
const ROUNDS = 10;

interface Line {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly worst: number;
  readonly aim: number;
  readonly met: boolean;
  readonly figures: readonly number[];
}

function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return sorted.length % 2 === 1 ? low : (low + (sorted[middle] ?? Number.NaN)) / 2;
}

function show({ name, unit, median: middle, worst, aim, met, figures }: Line): string {
  const digits = unit === 'answers' ? 0 : 2;
  const shown = `${middle.toFixed(digits).padStart(6)}  worst ${worst.toFixed(digits).padStart(6)}  aim ${String(aim).padStart(4)}`;
  return `${name.padEnd(16)} ${shown} ${unit.padEnd(9)} ${met ? 'met   ' : 'MISSED'}  of ${figures.length}`;
}

/** Resolves with the exit code: misses are told, and are no failure. */
export async function main(argv: readonly string[], base: Base): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: { only: { type: 'string' }, rounds: { type: 'string' }, out: { type: 'string', default: 'build/recovery' } },
  });
  const names = values.only?.split(',') ?? Object.keys(SCENES);
  const wrong = names.find((name) => SCENES[name] === undefined);
  if (wrong !== undefined) throw new RangeError(`There is no scene ${wrong}. Scenes: ${Object.keys(SCENES).join(', ')}.`);
  const asked = values.rounds === undefined ? undefined : Number(values.rounds);
  if (asked !== undefined && !(Number.isInteger(asked) && asked >= 1 && asked <= 1_000))
    throw new RangeError(`--rounds is a whole number from 1 to 1000, got ${values.rounds}.`);
  const lines: Line[] = [];
  for (const name of names) {
    const one = SCENES[name];
    if (one === undefined) continue;
    const ms = await one.scene(base, asked ?? one.rounds ?? ROUNDS);
    const per = { timeouts: ELECTION_MS, seconds: 1_000, answers: 1 }[one.unit];
    const figures = ms.map((figure) => figure / per);
    const middle = median(figures);
    const line = {
      name,
      unit: one.unit,
      median: middle,
      worst: Math.max(...figures),
      aim: one.aim,
      met: middle <= one.aim,
      figures,
    };
    lines.push(line);
    console.log(show(line));
  }
  mkdirSync(values.out, { recursive: true });
  writeFileSync(`${values.out}/recovery.json`, `${JSON.stringify(lines, undefined, 2)}\n`);
  return 0;
}
