// npm run sim: the cluster in virtual time, over many seeds.
//   npm run sim                          1,000 fresh seeds and the corpus
//   npm run sim -- --seeds 200           so many fresh seeds; --from 1: numbered ones, the same everywhere
//   npm run sim -- --per-commit         seeds that are this commit's own: what npm test runs
//   npm run sim -- --jobs 1              on one core (default: all)
//   npm run sim -- --minutes 60          as many as fit (npm run sim:nightly)
//   npm run sim -- --seed 17 [--commit C]  one seed again: what it came to, and its last steps
//   npm run sim -- --plan FILE           a plan that was saved
//   npm run sim -- --crash-points        every write of every scenario, a crash at each; --pairs 500: two crashes each
//   npm run sim -- --explore 3 --states 50000   every order of events of so many cores, as far as so many states
//   npm run sim -- --tab-life 500        so many seeds of each of the lives that people give to tabs (I42); --from 1: where they begin
//   npm run sim -- --shrink 17           makes a failing seed small: a plan, its steps, a picture in build/sim/
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { production } from './production.mjs';
import { failureOf, runCampaign, savePlan } from './sim-campaign.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    plan: { type: 'string' },
    shrink: { type: 'string' },
    'crash-points': { type: 'boolean', default: false },
    every: { type: 'string', default: '1' },
    pairs: { type: 'string' },
    explore: { type: 'string' },
    'tab-life': { type: 'string' },
    states: { type: 'string', default: '20000' },
    commit: { type: 'string' },
    from: { type: 'string' },
    'per-commit': { type: 'boolean', default: false },
    jobs: { type: 'string' },
    source: { type: 'string', default: root },
    'max-failures': { type: 'string', default: '5' },
    quiet: { type: 'boolean', default: false },
  },
});
const out = join(root, 'build', 'sim');

/** Where the simulator is as one module, built from a source tree (this one, or a changed copy). */
async function bundleOf(source) {
  const outDir = resolve(source, 'build', 'sim-bundle');
  await build({
    configFile: false,
    root: resolve(source),
    logLevel: 'error',
    publicDir: false,
    plugins: [production],
    build: {
      ssr: resolve(source, 'src/testing/sim/index.ts'),
      outDir,
      emptyOutDir: true,
      target: 'node20',
      minify: false,
      rollupOptions: { output: { entryFileNames: 'sim.mjs' } },
    },
    ssr: { noExternal: true, external: ['vitest'] },
  });
  return pathToFileURL(join(outDir, 'sim.mjs')).href;
}

function campaign(sim, bundle) {
  return runCampaign(sim, bundle, {
    root,
    source: values.source,
    out,
    seeds: Number(values.seeds ?? 1000),
    minutes: Number(values.minutes ?? 0),
    from: values.from,
    perCommit: values['per-commit'],
    jobs: values.jobs === undefined ? undefined : Number(values.jobs),
    maxFailures: Number(values['max-failures']),
    quiet: values.quiet,
  });
}

async function again(sim, plan) {
  let notes = [];
  const unhandled = [];
  process.on('unhandledRejection', (error) => unhandled.push(error));
  const report = await sim.simulate(plan, {
    onCluster: (cluster) => {
      notes = sim.recordNotes(cluster);
    },
  });
  console.log(sim.describeNotes(notes, 60));
  console.log(`trace ${report.hash}, ${report.events} events, ${report.acknowledged} of ${report.operations} calls answered`);
  const failure =
    failureOf(report) ?? (unhandled.length > 0 ? `I38: unhandled rejection: ${String(unhandled[0]?.stack)}` : undefined);
  console.log(failure === undefined ? 'nothing found' : `FAILED ${failure}`);
  save(sim, plan, notes, report);
  return failure === undefined ? 0 : 1;
}

function save(sim, plan, notes, report) {
  const name = savePlan(out, plan);
  writeFileSync(`${name}.svg`, sim.timelineSvg(notes, report.violations, `seed ${plan.seed}`));
  console.log(`saved ${name}.json (the plan) and ${name}.svg (a picture)`);
}

async function shrink(sim, plan) {
  const small = await sim.shrink(plan);
  console.log(
    `${small.runs} runs: ${plan.strikes.length} faults became ${small.plan.strikes.length}, ${plan.voters} voters ${small.plan.voters}`,
  );
  for (const strike of small.plan.strikes) console.log(`  ${sim.describeStrike(strike)}`);
  return again(sim, { ...small.plan, seed: plan.seed });
}

async function crashPoints(sim) {
  let bad = 0;
  const options = values.pairs === undefined ? { every: Number(values.every) } : { pairs: Number(values.pairs) };
  for (const name of Object.keys(sim.crashScenarios())) {
    const { runs, failed } = await sim.searchCrashes(name, { ...options, failuresMax: Number(values['max-failures']) });
    console.log(`${name}: ${runs} runs, ${failed.length} failed`);
    for (const { points, report } of failed.slice(0, 3))
      console.log(`  FAILED ${failureOf(report)} at ${JSON.stringify(points)}`);
    bad += failed.length;
    if (bad >= Number(values['max-failures'])) break;
  }
  return bad === 0 ? 0 : 1;
}

/** What people do with tabs, and that a room lives through it. */
async function tabLives(sim) {
  const [count, first, most] = [Number(values['tab-life']), Number(values.from ?? 1), Number(values['max-failures'])];
  if (![count, first, most].every((number) => Number.isInteger(number) && number >= 1)) {
    console.error('--tab-life, --from and --max-failures are whole numbers from 1 on.');
    return 2;
  }
  let bad = 0;
  for (const life of sim.TAB_LIVES) {
    let tried = 0;
    for (; tried < count && bad < most; tried++) {
      const seed = String(first + tried);
      const report = await sim.simulate(sim.tabLifePlan(life, seed), { onCluster: sim.watchLiveness(life) });
      const failure = failureOf(report) ?? ((report.evaluated.get('I42') ?? 0) > 0 ? undefined : 'I42 was never looked at');
      if (failure === undefined) continue;
      bad++;
      console.log(`FAILED ${life} ${seed}: ${failure}`);
    }
    console.log(`${life}: ${tried} seeds, ${bad} failures so far`);
  }
  return bad === 0 ? 0 : 1;
}

function exploreAll(sim) {
  const options = { ...sim.EXPLORE_DEFAULTS, nodes: Number(values.explore), losses: 1, statesMax: Number(values.states) };
  const found = sim.explore(options);
  console.log(
    `${found.states} states, ${found.transitions} transitions, ${found.depth} deep, ${found.complete ? 'all of them' : 'up to the bound'}`,
  );
  if (found.violation === undefined) return 0;
  console.log(`FAILED ${found.violation.id}: ${found.violation.text}\n${JSON.stringify(found.path)}`);
  return 1;
}

const bundle = await bundleOf(values.source);
const sim = await import(bundle);
if (values['crash-points']) process.exitCode = await crashPoints(sim);
else if (values['tab-life'] !== undefined) process.exitCode = await tabLives(sim);
else if (values.explore !== undefined) process.exitCode = exploreAll(sim);
else if (values.shrink !== undefined) process.exitCode = await shrink(sim, sim.planOf(values.shrink));
else if (values.seed !== undefined) process.exitCode = await again(sim, sim.planOf(values.seed));
else if (values.plan !== undefined) process.exitCode = await again(sim, JSON.parse(readFileSync(values.plan, 'utf8')));
else process.exitCode = await campaign(sim, bundle);
