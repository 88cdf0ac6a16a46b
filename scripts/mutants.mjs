// npm run mutants: applies each fault of test/mutants/mutants.mjs to a copy of the tree, and asks the suites to find it.
//   npm run mutants                      the simulator, then the unit tests for those that it did not find
//   npm run mutants -- --only id,id      some of them
//   npm run mutants -- --seeds 150       seeds for each
//   npm run mutants -- --canary          one fault that must be found, as proof that the suite can fail
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MUTANTS } from '../test/mutants/mutants.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string', default: '150' },
    canary: { type: 'boolean', default: false },
    unit: { type: 'boolean', default: true },
    jobs: { type: 'string', default: '2' },
    out: { type: 'string', default: 'build/mutants/matrix.json' },
  },
  allowNegative: true,
});
const RUN_MS_MAX = 180_000;
const UNIT_MS_MAX = 240_000;
/** The unit tests that look at a part of the source. */
const UNIT_SUITES = { core: ['test/core'], runtime: ['test/runtime'], state: ['test/state', 'test/runtime'] };

function run(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (data) => {
      output = (output + data).slice(-20_000);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const timer = setTimeout(() => child.kill('SIGKILL'), options.limitMs);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output, late: code === null });
    });
  });
}

function treeOf(id) {
  const tree = join(root, 'build', 'mutants', 'trees', id);
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  for (const name of ['src', 'test', 'signaling', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    cpSync(join(root, name), join(tree, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  return tree;
}

/** Puts the fault in; the text to find must stand there exactly once, or the list is out of date. */
function mutate(tree, { file, find, replace }) {
  const path = join(tree, file);
  const text = readFileSync(path, 'utf8');
  const parts = text.split(find);
  if (parts.length !== 2) return `found ${parts.length - 1} times in ${file}: ${find}`;
  writeFileSync(path, parts.join(replace));
  return undefined;
}

async function simulate(tree) {
  const args = [
    join(root, 'scripts/sim.mjs'),
    '--source',
    tree,
    '--seeds',
    values.seeds,
    '--from',
    '1',
    '--max-failures',
    '1',
    '--quiet',
  ];
  const { code, output, late } = await run(process.execPath, args, { cwd: root, limitMs: RUN_MS_MAX });
  if (late) return 'time';
  if (code === 0) return undefined;
  const found = /FAILED seed (\S+): (\w+)/.exec(output);
  if (found === null) return /error|Error/.test(output) ? `broken: ${output.trim().split('\n')[0]}` : 'crash';
  return `${found[2]} (seed ${found[1]})`;
}

async function unit(tree, file) {
  const suites = UNIT_SUITES[file.split('/')[1]] ?? ['test'];
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', tree, '--bail', '1', ...suites];
  const { code, output, late } = await run(process.execPath, args, { cwd: tree, limitMs: UNIT_MS_MAX });
  if (late) return 'time';
  if (code === 0) return undefined;
  return /FAIL\s+(\S+)/.exec(output)?.[1] ?? 'failed';
}

async function judge(mutant) {
  const tree = treeOf(mutant.id);
  const stale = mutate(tree, mutant);
  if (stale !== undefined) {
    console.log(`STALE    ${mutant.id}: ${stale}`);
    return { id: mutant.id, file: mutant.file, breaks: mutant.breaks, sim: null, unit: null };
  }
  const started = Date.now();
  const sim = await simulate(tree);
  const units = values.unit && sim === undefined ? await unit(tree, mutant.file) : undefined;
  const verdict = sim ?? units;
  console.log(
    `${verdict === undefined ? 'SURVIVED' : 'killed  '} ${mutant.id.padEnd(30)} sim: ${sim ?? '-'}${units === undefined ? '' : `  unit: ${units}`}  ${((Date.now() - started) / 1000).toFixed(0)} s`,
  );
  rmSync(tree, { recursive: true, force: true });
  return { id: mutant.id, file: mutant.file, breaks: mutant.breaks, sim: sim ?? null, unit: units ?? null };
}

const only = values.canary ? ['send-before-durable'] : values.only?.split(',');
const chosen = only === undefined ? MUTANTS : MUTANTS.filter(({ id }) => only.includes(id));
for (const { id } of MUTANTS)
  if (MUTANTS.filter((other) => other.id === id).length > 1) throw new Error(`two mutants are named ${id}`);

const waiting = [...chosen];
const matrix = [];
async function worker() {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) matrix.push(await judge(mutant));
}
await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
matrix.sort((a, b) => chosen.findIndex(({ id }) => id === a.id) - chosen.findIndex(({ id }) => id === b.id));
const survivors = matrix.filter(({ sim, unit: units }) => sim === null && units === null);
mkdirSync(dirname(join(root, values.out)), { recursive: true });
writeFileSync(join(root, values.out), `${JSON.stringify(matrix, null, 2)}\n`);
console.log(
  `${matrix.length} faults, ${matrix.length - survivors.length} found, ${matrix.filter(({ sim }) => sim !== null).length} of them by the simulator`,
);
if (survivors.length > 0) console.log(`not found: ${survivors.map(({ id }) => id).join(', ')}`);
process.exitCode = survivors.length === 0 ? 0 : 1;
