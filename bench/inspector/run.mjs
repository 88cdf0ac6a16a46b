/**
 * `npm run bench:inspector [-- short] [-- cost]`: what an open inspector costs the tab that leads under load (in pairs, so that what drifts does not
 * count), and what a frame costs while 40 members are shown and a log of 100,000 entries is scrolled through (a trace of Chromium).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from '@playwright/test';
import { build } from 'vite';
import { ensureBrowser, launchArguments } from '../../scripts/browser.mjs';
import { production } from '../../scripts/production.mjs';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const short = process.argv.includes('short');
/** `-- panels=log`: an inspector with these parts only. */
const panels = process.argv.find((argument) => argument.startsWith('panels='))?.slice('panels='.length) ?? '';
const TABS = 3;
const CLIENTS = 64;
const PAIRS = short ? 4 : 16;
/** Opening an inspector is not what is measured: it has found out by then that the node is busy. */
const WARM_MS = 1_200;
const LOAD_MS = 2_000;
const FORM_MS = 60_000;
const FRAMES = 600;
const PIXELS = 900;

async function bundle(more) {
  const options = { target: 'es2022', minify: false, ...more };
  const plugins = [production];
  const built = await build({ configFile: false, logLevel: 'error', plugins, build: options, worker: { format: 'es' } });
  return [built].flat()[0].output;
}

async function serve() {
  const input = here('./page.ts');
  const rollupOptions = { input, output: { entryFileNames: 'page.js', chunkFileNames: '[name].js' } };
  const chunks = await bundle({ write: false, rollupOptions });
  const files = new Map(chunks.map(({ fileName, code, source }) => [`/${fileName}`, code ?? source]));
  const outDir = here('../../build/bench/');
  const ssr = here('../../signaling/server.ts');
  await bundle({ ssr, outDir, emptyOutDir: false, rollupOptions: { output: { entryFileNames: 'signaling.mjs' } } });
  const { attachSignaling } = await import(pathToFileURL(join(outDir, 'signaling.mjs')).href);
  const server = createServer((request, response) => {
    const script = files.get(new URL(request.url, 'http://localhost').pathname);
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    response.end(script ?? '<!doctype html><meta charset="utf-8"><script type="module" src="/page.js"></script>');
  });
  const signaling = await attachSignaling(server, {});
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    await signaling.close();
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, close };
}

async function open(context, url, room) {
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(error.stack ?? String(error)));
  await page.goto(url);
  await page.waitForFunction(() => 'inspectorBench' in globalThis);
  await page.evaluate((name) => globalThis.inspectorBench.open(name), room);
  return page;
}

const sorted = (values) => [...values].sort((a, b) => a - b);
const quantile = (values, part) => sorted(values)[Math.min(values.length - 1, Math.floor(values.length * part))];

async function cost(context, url) {
  const room = `cost-${Math.random().toString(36).slice(2, 8)}`;
  const pages = [];
  for (let i = 0; i < TABS; i++) pages.push(await open(context, url, room));
  for (const page of pages)
    await page.waitForFunction((count) => globalThis.inspectorBench.voters() === count, TABS, { timeout: FORM_MS, polling: 100 });
  const [leader] = pages;
  await leader.bringToFront();
  const cdp = await context.newCDPSession(leader);
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  const cpuMs = async () => {
    const { metrics } = await cdp.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration').value * 1_000;
  };
  const load = ([clients, ms]) => globalThis.inspectorBench.load(clients, ms);
  const run = async (shown) => {
    await leader.evaluate(
      ([show, what]) => (show ? globalThis.inspectorBench.show(what) : globalThis.inspectorBench.hide()),
      [shown, panels],
    );
    await leader.evaluate(load, [CLIENTS, WARM_MS]);
    const before = await cpuMs();
    const { count, perSecond } = await leader.evaluate(load, [CLIENTS, LOAD_MS]);
    return { perSecond, cpu: ((await cpuMs()) - before) / count };
  };
  await run(false);
  const pairs = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    // Each time in the other order.
    const first = await run(pair % 2 === 1);
    const second = await run(pair % 2 === 0);
    pairs.push(pair % 2 === 0 ? { plain: first, watched: second } : { plain: second, watched: first });
  }
  if (!(await leader.evaluate(() => globalThis.inspectorBench.leads()))) console.log('(the measured tab does not lead any more)');
  const told = (what, values) => {
    const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => `${(quantile(values, part) * 100).toFixed(1)} %`);
    console.log(`  ${what}: ${middle} (median of ${PAIRS} pairs, quartiles ${low} and ${high})`);
  };
  const perSecond = quantile(
    pairs.map(({ plain }) => plain.perSecond),
    0.5,
  );
  console.log(
    `an open inspector, on the tab that leads, under ${CLIENTS} clients (${perSecond.toFixed(0)} writes per second without it):`,
  );
  told(
    'throughput lost',
    pairs.map(({ plain, watched }) => 1 - watched.perSecond / plain.perSecond),
  );
  told(
    'CPU of the page for a write, more',
    pairs.map(({ plain, watched }) => watched.cpu / plain.cpu - 1),
  );
  for (const page of pages) await page.close();
}

/** CPU time of the page's main thread in the trace, in ms, by task. */
function mainThread(trace) {
  const { traceEvents } = JSON.parse(trace.toString());
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const byThread = new Map();
  for (const { name, pid, tid, tdur } of traceEvents) {
    const key = `${pid} ${tid}`;
    if (!mains.has(key) || tdur === undefined || !/RunTask$/.test(name)) continue;
    byThread.set(key, [...(byThread.get(key) ?? []), tdur / 1_000]);
  }
  const sums = [...byThread.values()].map((tasks) => ({ tasks, sum: tasks.reduce((total, one) => total + one, 0) }));
  return sums.sort((a, b) => b.sum - a.sum)[0] ?? { tasks: [], sum: Number.NaN };
}

async function scrolling(url) {
  const browser = await chromium.launch({ executablePath: ensureBrowser(), args: [...launchArguments] });
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const page = await open(context, url, `scroll-${Math.random().toString(36).slice(2, 8)}`);
    await page.evaluate(() => globalThis.inspectorBench.showCrowd());
    await page.waitForFunction(
      () => globalThis.document.querySelector('tabraft-inspector').shadowRoot.querySelector('.rows li') !== null,
    );
    const scroll = ([frames, pixels]) => globalThis.inspectorBench.scroll(frames, pixels);
    await page.evaluate(scroll, [60, PIXELS]);
    await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline'] });
    const gaps = await page.evaluate(scroll, [FRAMES, PIXELS]);
    const { tasks, sum } = mainThread(await browser.stopTracing());
    const busy = sum / FRAMES;
    console.log(`40 members, a log of 100,000 entries, ${PIXELS} px a frame:`);
    console.log(`  frames: p50 ${quantile(gaps, 0.5).toFixed(1)} ms, p99 ${quantile(gaps, 0.99).toFixed(1)} ms apart`);
    console.log(`  ${((gaps.filter((gap) => gap < 25).length * 100) / FRAMES).toFixed(1)} % of ${FRAMES} came in time (16.7 ms)`);
    console.log(`  main thread: ${busy.toFixed(2)} ms of CPU a frame, longest task ${Math.max(...tasks).toFixed(1)} ms`);
  } finally {
    await browser.close();
  }
}

async function main() {
  const server = await serve();
  const profile = mkdtempSync(join(tmpdir(), 'tabraft-bench-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: ensureBrowser(),
    args: [...launchArguments],
    viewport: { width: 1280, height: 900 },
  });
  try {
    await cost(context, server.url);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
  if (!process.argv.includes('cost')) await scrolling(server.url);
  await server.close();
}

await main();
