// npm run mutants: applies each fault of test/mutants/mutants.mjs to a copy of the tree, and asks every suite to find it.
// Each suite stops at the first thing that it finds. What was judged is kept in build/mutants/matrix.json.
//   npm run mutants                      every fault, every suite
//   npm run mutants -- --resume          those that were not judged before
//   npm run mutants -- --suites sim,unit some suites: unit, sim, explore, crash
//   npm run mutants -- --first           each fault until one suite has found it
//   npm run mutants -- --table           what was judged, as a table
//   npm run mutants -- --only id,id      some of them
//   npm run mutants -- --seeds 150       seeds for each
//   npm run mutants -- --canary          one fault that must be found, as proof that the suite can fail
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MUTANTS } from '../test/mutants/mutants.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string', default: '400' },
    canary: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
    suites: { type: 'string', default: 'unit,sim,explore,crash' },
    jobs: { type: 'string', default: '2' },
    out: { type: 'string', default: 'build/mutants/matrix.json' },
  },
});
const RUN_MS_MAX = 180_000;
const UNIT_MS_MAX = 240_000;
/** The unit tests that look at a part of the source. */
const UNIT_SUITES = {
  core: ['test/core', 'test/runtime'],
  runtime: ['test/runtime'],
  state: ['test/state', 'test/runtime'],
  trust: ['test/trust', 'test/runtime'],
  storage: ['test/storage', 'test/runtime'],
  transport: ['test/transport'],
  signaling: ['test/signaling'],
  'front-door': ['test/front-door'],
};
/** Parts that the exploration of bare cores runs. */
const EXPLORED = 'core';
// Politely: whoever works at this machine comes first.
setPriority(10);

function run(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, env: { ...process.env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
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

const SUITES = {
  unit: (tree, file) => unit(tree, file),
  sim: (tree) => simulate(tree, ['--seeds', values.seeds, '--from', '1', '--jobs', '1', '--quiet']),
  explore: (tree, file) => (file.split('/')[1] === EXPLORED ? simulate(tree, ['--explore', '2', '--states', '6000']) : undefined),
  crash: (tree) => simulate(tree, ['--crash-points', '--every', '40']),
};

async function simulate(tree, options) {
  const args = [join(root, 'scripts/sim.mjs'), '--source', tree, '--max-failures', '1', ...options];
  const { code, output, late } = await run(process.execPath, args, { cwd: root, limitMs: RUN_MS_MAX });
  if (late) return 'time';
  if (code === 0) return undefined;
  const found = /FAILED seed (\S+): (\w+)/.exec(output);
  if (found !== null) return `${found[2]} (seed ${found[1]})`;
  return /FAILED (I\d+)/.exec(output)?.[1] ?? (/error|Error/.test(output) ? `broken: ${output.trim().split('\n')[0]}` : 'crash');
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
  const { id, file, breaks } = mutant;
  const stale = mutate(tree, mutant);
  if (stale !== undefined) {
    console.log(`STALE    ${id}: ${stale}`);
    return { id, file, breaks, stale, kills: {} };
  }
  const started = Date.now();
  const kills = {};
  for (const suite of values.suites.split(',')) {
    kills[suite] = (await SUITES[suite](tree, file)) ?? null;
    if (values.first && kills[suite] !== null) break;
  }
  rmSync(tree, { recursive: true, force: true });
  const by = Object.entries(kills)
    .filter(([, kill]) => kill !== null)
    .map(([suite, kill]) => `${suite}: ${kill}`)
    .join('  ');
  console.log(`${by === '' ? 'SURVIVED' : 'killed  '} ${id.padEnd(30)} ${by}  ${((Date.now() - started) / 1000).toFixed(0)} s`);
  return { id, file, breaks, kills };
}

const isJudged = (one, suites) => (values.first && isKilled(one)) || suites.every((suite) => suite in one.kills);
const isKilled = ({ kills }) => Object.values(kills).some((kill) => kill !== null);

function tableOf(matrix) {
  const mark = (kill) =>
    kill === null || kill === undefined
      ? ''
      : kill
          .replace(/ \(seed.*/, '')
          .replace(/^test\//, '')
          .replace(/\.test\.ts$/, '');
  const rows = matrix.map(
    ({ id, kills }) => `| \`${id}\` | ${['unit', 'sim', 'explore', 'crash'].map((suite) => mark(kills[suite])).join(' | ')} |`,
  );
  return ['| fault | unit | sim | explore | crash |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

for (const { id } of MUTANTS)
  if (MUTANTS.filter((other) => other.id === id).length > 1) throw new Error(`two mutants are named ${id}`);

const out = join(root, values.out);
const order = (a, b) => MUTANTS.findIndex(({ id }) => id === a.id) - MUTANTS.findIndex(({ id }) => id === b.id);
const known = existsSync(out) ? JSON.parse(readFileSync(out, 'utf8')) : [];
const matrix = values.resume || values.only !== undefined || values.table ? known : [];

async function judgeAll() {
  if (values.canary) values.suites = 'sim';
  const only = values.canary ? ['send-before-durable'] : values.only?.split(',');
  const suites = values.suites.split(',');
  const judged = new Set(values.resume ? known.filter((one) => isJudged(one, suites)).map(({ id }) => id) : []);
  const waiting = MUTANTS.filter(({ id }) => (only === undefined || only.includes(id)) && !judged.has(id));
  const count = waiting.length;
  const done = [];
  const worker = async () => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const verdict = await judge(mutant);
      done.push(verdict);
      if (values.canary) continue;
      const at = matrix.findIndex(({ id }) => id === verdict.id);
      const before = values.resume ? matrix[at]?.kills : undefined;
      matrix.splice(at < 0 ? matrix.length : at, at < 0 ? 0 : 1, { ...verdict, kills: { ...before, ...verdict.kills } });
      mkdirSync(dirname(out), { recursive: true });
      writeFileSync(out, `${JSON.stringify(matrix.toSorted(order), null, 2)}\n`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
  const survivors = done.filter((one) => !isKilled(one));
  console.log(`${count} faults, ${count - survivors.length} found`);
  if (survivors.length > 0) console.log(`not found: ${survivors.map(({ id }) => id).join(', ')}`);
  return survivors.length === 0 ? 0 : 1;
}

if (values.table) console.log(tableOf(matrix.toSorted(order)));
else process.exitCode = await judgeAll();
