// Many seeds over all cores: the parent hands out nothing but a shared counter, each worker takes the next seed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Every so many seeds is run twice, and must come to the same trace. */
const REPEAT_EVERY = 100;
/** How often the progress is told, in ms. */
const TELL_MS = 5_000;

export function failureOf(report) {
  const [violation] = report.violations;
  if (violation !== undefined) return `${violation.id} at ${violation.timeMs.toFixed(1)} ms: ${violation.text}`;
  return report.void === undefined ? undefined : `I40: void: ${report.void}`;
}

export function savePlan(out, plan) {
  mkdirSync(out, { recursive: true });
  const name = join(out, plan.seed.replaceAll(/[^\w-]/g, '_'));
  writeFileSync(`${name}.json`, `${JSON.stringify(plan, null, 2)}\n`);
  return name;
}

function corpusOf(source) {
  const folder = join(source, 'test', 'sim', 'corpus');
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  } catch {
    return [];
  }
}

function commitOf(root) {
  return spawnSync('git', ['-C', root, 'rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' }).stdout?.trim() ?? '';
}

/**
 * Runs the corpus and fresh seeds; resolves to the exit code. `from` numbers the seeds, so that they are the same
 * on every machine; without it they are fresh, and their base is printed: the moment, or
 * with `perCommit` the commit, so that a commit that passed once passes again.
 */
export async function runCampaign(sim, bundle, { root, source, out, seeds, minutes, from, perCommit, jobs, maxFailures, quiet }) {
  const base = from ?? `${(perCommit && commitOf(root)) || Date.now().toString(36)}-`;
  const corpus = corpusOf(source);
  const untilMs = minutes > 0 ? Date.now() + minutes * 60_000 : Number.POSITIVE_INFINITY;
  const end = corpus.length + (minutes > 0 ? 2 ** 31 : seeds);
  const counter = new SharedArrayBuffer(4);
  const numbered = from !== undefined;
  const count = Math.max(1, Math.min(jobs ?? availableParallelism(), end));
  console.log(
    `${corpus.length} seeds of the corpus, then ${minutes > 0 ? `fresh ones for ${minutes} minutes` : seeds} from ${numbered ? from : `${base}0`} on, ${count} at a time`,
  );
  const cpu = process.cpuUsage();
  const startedMs = Date.now();
  const summary = sim.emptySummary();
  let failures = 0;
  let toldMs = startedMs;
  const take = ({ part, failed }) => {
    sim.mergeSummary(summary, part);
    for (const { plan, failure } of failed) {
      failures += 1;
      savePlan(out, plan);
      console.log(`\nFAILED seed ${plan.seed}: ${failure}\n  npm run sim -- --seed ${plan.seed} --commit ${commitOf(root)}`);
    }
    if (failures >= maxFailures) Atomics.store(new Int32Array(counter), 0, 2 ** 31 - 2 ** 20);
    if (!quiet && Date.now() - toldMs > TELL_MS) {
      toldMs = Date.now();
      console.log(`${summary.seeds} seeds, ${summary.ticks} ticks, ${failures} failures`);
    }
  };
  const data = { bundle, counter, corpus, base, numbered, end, untilMs };
  await Promise.all(Array.from({ length: count }, () => runWorker(data, take)));
  const { user, system } = process.cpuUsage(cpu);
  console.log(`\n${sim.describeSummary(summary, (user + system) / 1000)}`);
  const hours = (Date.now() - startedMs) / 3_600_000;
  console.log(`${Math.round(summary.seeds / hours)} seeds an hour on ${count} of ${availableParallelism()} cores`);
  const missing = sim.missingEvidence(summary);
  if (missing.length > 0) console.log(`FAILED I40: over all these seeds there was never: ${missing.join(', ')}`);
  return failures === 0 && missing.length === 0 ? 0 : 1;
}

function runWorker(data, take) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: data });
    worker.on('message', take);
    worker.on('error', reject);
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
  });
}

/** Of every ten seeds one has the proof under every link: the name says so, and the others stay what they were. */
function seedAt(at, base, numbered) {
  const seed = numbered ? String(Number(base) + at) : `${base}${at}`;
  return at % 10 === 9 ? `trust-${seed}` : seed;
}

async function work({ bundle, counter, corpus, base, numbered, end, untilMs }) {
  // Where an error came from is for the run that looks at it again.
  Error.stackTraceLimit = 0;
  const unhandled = [];
  process.on('unhandledRejection', (error) => unhandled.push(error));
  const sim = await import(bundle);
  const next = new Int32Array(counter);
  for (let at = Atomics.add(next, 0, 1); at < end && Date.now() < untilMs; at = Atomics.add(next, 0, 1)) {
    const plan = corpus[at] ?? sim.planOf(seedAt(at - corpus.length, base, numbered));
    const failed = [];
    const onReport = (report) => {
      const failure =
        failureOf(report) ?? (unhandled.length > 0 ? `I38: unhandled rejection: ${String(unhandled[0])}` : undefined);
      unhandled.length = 0;
      if (failure !== undefined) failed.push({ plan: report.plan, failure });
      return true;
    };
    const part = await sim.runCampaign([plan], { repeatEvery: at % REPEAT_EVERY === 0 ? 1 : 0, onReport });
    parentPort.postMessage({ part, failed });
  }
}

if (!isMainThread && workerData?.bundle !== undefined) await work(workerData);
