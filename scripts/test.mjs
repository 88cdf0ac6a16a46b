/**
 * `npm test`: every stage, progress as it goes, a plain summary at the end. `npm test -- e2e` runs one stage (with
 * what it needs); more arguments after a `--` go to its runner: `npm test -- unit -- test/core`.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBrowser } from './browser.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const reports = join(root, 'build', 'reports');
/** A stage that hangs is killed and counted as failed: ms. */
const STAGE_TIMEOUT_MS = 14 * 60_000;

const bin = (pkg, file) => join(root, 'node_modules', pkg, file);
const node = (script, ...rest) => ({ command: process.execPath, parameters: [script, ...rest] });
const tsc = (...parameters) => node(bin('typescript', 'bin/tsc'), ...parameters);
const vite = (mode) => node(bin('vite', 'bin/vite.js'), 'build', '--mode', mode, '--logLevel', 'warn');

const stages = {
  // The second is the stricter reading of what is published: every exported thing says its type.
  types: { steps: [tsc('--noEmit'), tsc('-p', 'tsconfig.build.json', '--emitDeclarationOnly', 'false', '--noEmit')] },
  lint: { steps: [node(bin('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings', '.')] },
  unit: {
    steps: [
      node(
        bin('vitest', 'vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${join(reports, 'unit.json')}`,
      ),
    ],
    count: countUnit,
  },
  // A thousand seeds that are this commit's own, and the corpus: fresh with every commit, and the same whoever runs it. Then a broken build, which the simulator must find.
  sim: {
    steps: [node(join(root, 'scripts', 'sim.mjs'), '--per-commit'), node(join(root, 'scripts', 'mutants.mjs'), '--canary')],
  },
  build: {
    steps: [
      ...['demo', 'server', 'library', 'library-development', 'library-workers'].map(vite),
      tsc('-p', 'tsconfig.build.json'),
    ],
  },
  // As strangers use it: the tarball under four bundlers, in a stock template, without optional packages; and its weight.
  package: {
    needs: ['build'],
    steps: [
      node(join(root, 'scripts', 'package-check.mjs')),
      node(join(root, 'scripts', 'create-check.mjs')),
      node(join(root, 'scripts', 'api', 'report.mjs'), '--check'),
    ],
  },
  // The documents: their code compiles against the package, their links lead somewhere.
  site: { needs: ['build'], steps: [node(join(root, 'scripts', 'docs', 'build.mjs'))] },
  e2e: {
    needs: ['build'],
    steps: [node(bin('@playwright/test', 'cli.js'), 'test', '--reporter=list,json')],
    environment: () => ({
      TABRAFT_BROWSER: ensureBrowser((line) => console.log(`  ${line}`)),
      PLAYWRIGHT_JSON_OUTPUT_NAME: join(reports, 'e2e.json'),
    }),
    count: countBrowser,
  },
};

async function main() {
  const split = process.argv.indexOf('--', 2);
  const asked = process.argv.slice(2, split < 0 ? undefined : split);
  const extra = split < 0 ? [] : process.argv.slice(split + 1);
  const unknown = asked.filter((name) => !Object.hasOwn(stages, name));
  if (unknown.length > 0) {
    console.error(`There is no stage ${unknown.join(', ')}. Stages: ${Object.keys(stages).join(', ')}.`);
    return 2;
  }
  if (extra.length > 0 && asked.length !== 1) {
    console.error('Arguments for a runner need exactly one stage before the --.');
    return 2;
  }
  const wanted = new Set(asked.length > 0 ? asked.flatMap((name) => [...(stages[name].needs ?? []), name]) : Object.keys(stages));
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  const results = [];
  for (const name of Object.keys(stages).filter((stage) => wanted.has(stage))) {
    const broken = (stages[name].needs ?? []).find((need) => results.some((r) => r.name === need && r.failed > 0));
    console.log(`\n== ${name}${broken ? `: not run, ${broken} failed` : ''}`);
    results.push(
      broken ? { name, passed: 0, failed: 1, skipped: 0, seconds: 0 } : await runStage(name, asked.includes(name) ? extra : []),
    );
  }
  return summarize(results);
}

async function runStage(name, extra) {
  const stage = stages[name];
  const started = Date.now();
  let ok = true;
  try {
    const environment = { ...process.env, ...(stage.environment?.() ?? {}) };
    for (const [i, { command, parameters }] of stage.steps.entries()) {
      const more = i === stage.steps.length - 1 ? extra : [];
      ok = (await run(command, [...parameters, ...more], environment)) && ok;
    }
  } catch (error) {
    console.error(`  ${error.message}`);
    ok = false;
  }
  const counted = count(stage, ok);
  // A runner that fails without a failed test (a file that does not load, a crash) is a failure all the same.
  if (!ok && counted.failed === 0) counted.failed = 1;
  return { name, ...counted, seconds: Math.round((Date.now() - started) / 1000) };
}

function count(stage, ok) {
  if (stage.count) return stage.count() ?? { passed: 0, failed: 1, skipped: 0 };
  return { passed: ok ? stage.steps.length : 0, failed: 0, skipped: 0 };
}

function run(command, parameters, environment) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, {
      cwd: root,
      env: environment,
      stdio: 'inherit',
      detached: process.platform !== 'win32',
    });
    const stop = () => kill(child);
    const timer = setTimeout(() => {
      console.error(`  stopped after ${STAGE_TIMEOUT_MS / 1000} s`);
      stop();
    }, STAGE_TIMEOUT_MS);
    const onSignal = () => {
      stop();
      process.exit(130);
    };
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
    const end = (ok) => {
      clearTimeout(timer);
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      resolve(ok);
    };
    child.on('error', () => end(false)).on('exit', (code) => end(code === 0));
  });
}

/** The whole group: a runner's browser and server go with it. */
function kill(child) {
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function countUnit() {
  const report = readReport('unit.json');
  if (!report) return undefined;
  return { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests + report.numTodoTests };
}

function countBrowser() {
  const stats = readReport('e2e.json')?.stats;
  if (!stats) return undefined;
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped };
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(join(reports, file), 'utf8'));
  } catch {
    return undefined;
  }
}

function summarize(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log('\n== summary');
  for (const { name, passed, failed, skipped, seconds } of results) {
    const left = skipped > 0 ? `, ${skipped} skipped` : '';
    console.log(
      `  ${name.padEnd(6)} ${failed > 0 ? 'FAILED' : 'ok    '} ${passed} passed, ${failed} failed${left} (${seconds} s)`,
    );
  }
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  return sum('failed') > 0 ? 1 : 0;
}

process.exitCode = await main();
