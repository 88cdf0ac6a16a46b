/**
 * `npm run bench:tabs [-- short] [-- profile | stalls | sends] [-- opfs]`: three real tabs of one Chromium with a profile on disk, strict durability.
 * tabraft, a bare replicated log over the same kind of links and storage, and yjs, side by side in the same tabs; medians of
 * several rounds in turn. `profile` runs tabraft alone under load and says where the leader's tab spends its time.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from '@playwright/test';
import { build } from 'vite';
import { ensureBrowser, launchArguments } from '../../scripts/browser.mjs';
import { leanSimplePeer } from '../../scripts/lean-simple-peer.mjs';
import { production } from '../../scripts/production.mjs';
import { hottest } from './profile.mjs';
import { relay } from './relay.mjs';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const asked = process.argv.slice(2);
const short = asked.includes('short');
const profiling = asked.includes('profile');
/** Where tabraft keeps its nodes; the probe stays in IndexedDB. */
const storage = asked.includes('opfs') ? 'opfs' : 'indexeddb';
const names = asked.includes('sends')
  ? ['tabraft', 'probe']
  : profiling && !asked.includes('stalls')
    ? ['tabraft']
    : ['tabraft', 'probe', 'yjs'];
const levels = [1, 16, 256, 2048];
const TABS = 3;
const rounds = short ? 1 : 3;
const LOAD_MS = 1_200;
const VISIBLE_MS = 800;
/** Something hangs: give up, ms. */
const FORM_MS = 30_000;
const WHOLE_MS = 170_000;

async function bundle(entry, more) {
  const options = { target: 'es2022', minify: false, ...more(here(entry)) };
  const plugins = [production, leanSimplePeer];
  const built = await build({ configFile: false, logLevel: 'error', plugins, build: options, worker: { format: 'es' } });
  return [built].flat()[0].output;
}

async function serve() {
  const chunks = await bundle('./page.ts', (input) => ({
    write: false,
    rollupOptions: { input, output: { entryFileNames: 'page.js', chunkFileNames: '[name].js' } },
  }));
  // Workers are assets, which have a source.
  const files = new Map(chunks.map(({ fileName, code, source }) => [`/${fileName}`, code ?? source]));
  const outDir = here('../../build/bench/');
  await bundle('../../signaling/server.ts', (ssr) => ({
    ssr,
    outDir,
    emptyOutDir: false,
    rollupOptions: { output: { entryFileNames: 'signaling.mjs' } },
  }));
  const { attachSignaling } = await import(pathToFileURL(join(outDir, 'signaling.mjs')).href);
  const server = createServer((request, response) => {
    const script = files.get(new URL(request.url, 'http://localhost').pathname);
    // Cross-origin isolation gives a clock of 5 microseconds instead of 100.
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-embedder-policy', 'require-corp');
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    response.end(script ?? '<!doctype html><script type="module" src="/page.js"></script>');
  });
  const endRelay = relay(server, '/yjs');
  const signaling = await attachSignaling(server, {});
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    endRelay();
    await signaling.close();
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, close };
}

async function form(context, url) {
  const room = `bench-${Math.random().toString(36).slice(2, 8)}`;
  const pages = [];
  for (let place = 0; place < TABS; place++) {
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error(`  tab ${place}: ${error.stack ?? error}`));
    await page.goto(`${url}?storage=${storage}${asked.includes('sends') ? '&sends' : ''}`);
    await page.waitForFunction(() => 'bench' in globalThis);
    pages.push(page);
  }
  for (const name of names) {
    const open = (page, place) =>
      page.evaluate(([what, where, at]) => globalThis.bench.open(what, where, at), [name, room, place]);
    // The probe's leader waits for the others; the first tab that enters a room founds and leads.
    const first = open(pages[0], 0);
    if (name !== 'probe') await first;
    await Promise.all([first, ...pages.slice(1).map((page, i) => open(page, i + 1))]);
    for (const page of pages)
      await page.waitForFunction((what) => globalThis.bench.formed(what), name, { timeout: FORM_MS, polling: 100 });
  }
  return pages;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function combine(all) {
  const of = (name) => median(all.map((one) => one[name]));
  return { perSecond: of('perSecond'), p50Ms: of('p50Ms'), p99Ms: of('p99Ms') };
}

async function measure(page) {
  const runs = new Map();
  const keep = (what, name, figures) => runs.set(`${what} ${name}`, [...(runs.get(`${what} ${name}`) ?? []), figures]);
  for (let round = 0; round < rounds; round++) {
    // Each time in another order, so that what drifts does not favour one.
    const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)];
    for (const name of order)
      keep('visible', name, await page.evaluate(([what, ms]) => globalThis.bench.visible(what, ms), [name, VISIBLE_MS]));
    for (const clients of levels)
      for (const name of order)
        keep(clients, name, await page.evaluate(([what, n, ms]) => globalThis.bench.load(what, n, ms), [name, clients, LOAD_MS]));
  }
  return (what, name) => combine(runs.get(`${what} ${name}`));
}

const ms = (value) => value.toFixed(2).padStart(9);
const rate = (value) => value.toFixed(0).padStart(9);

function print(result) {
  console.log(`\n${'three tabs, 100-byte commands'.padEnd(38)}${names.map((name) => name.padStart(9)).join('')}`);
  const line = (what, format, pick) => console.log(`${what.padEnd(38)}${names.map((name) => format(pick(name))).join('')}`);
  line('commit p50, 1 client, ms', ms, (name) => result(1, name).p50Ms);
  line('commit p99, 1 client, ms', ms, (name) => result(1, name).p99Ms);
  line('until visible in another tab, p50, ms', ms, (name) => result('visible', name).p50Ms);
  for (const clients of levels)
    line(`operations per second, ${clients} clients`, rate, (name) => result(clients, name).perSecond);
  for (const clients of levels.slice(1)) line(`commit p50, ${clients} clients, ms`, ms, (name) => result(clients, name).p50Ms);
  if (names.length === 1) return;
  const latency = result(1, 'tabraft').p50Ms / result(1, 'probe').p50Ms;
  const ours = result(256, 'tabraft').perSecond;
  const verdict = (what, value, met, aim) =>
    console.log(`${what.padEnd(52)}${value.toFixed(2).padStart(7)}  ${met ? 'met ' : 'MISSED'}  aim ${aim}`);
  console.log();
  verdict('commit p50 at 1 client, tabraft / probe', latency, latency <= 1.5, '<= 1.5');
  const share = ours / result(256, 'probe').perSecond;
  verdict('throughput at 256 clients, tabraft / probe', share, share >= 0.6, '>= 0.6');
  const times = ours / result(256, 'yjs').perSecond;
  verdict('throughput at 256 clients, tabraft / yjs', times, times >= 10, '>= 10');
}

/** Frames on data channels: each costs a tab far more than the bytes in it. */
async function sends(pages) {
  for (const clients of [1, 16, 256]) {
    for (const name of names) {
      for (const page of pages) await page.evaluate(() => globalThis.bench.sends());
      const { count, perSecond } = await pages[0].evaluate(
        ([what, n, ms]) => globalThis.bench.load(what, n, ms),
        [name, clients, 2_000],
      );
      console.log(`${name.padEnd(8)} ${String(clients).padStart(3)} clients, ${perSecond.toFixed(0)}/s; for each operation:`);
      for (const [place, page] of pages.entries()) {
        const { frames, bytes, ms } = await page.evaluate(() => globalThis.bench.sends());
        const each = [frames / count, bytes / count, (1000 * ms) / frames].map((value) => value.toFixed(value < 1 ? 3 : 1));
        console.log(`   ${place === 0 ? 'leader  ' : 'follower'} ${each[0]} frames, ${each[1]} bytes; ${each[2]} us a frame`);
      }
    }
  }
}

/** Long gaps between two answers, under a small and a middle load. */
async function stalls(page) {
  for (const clients of [1, 16, 64]) {
    const run = ([what, n, ms, gap]) => globalThis.bench.stalls(what, n, ms, gap);
    for (const name of names) {
      const { perSecond, p50Ms, p99Ms, maxMs, lostMs, gaps, events } = await page.evaluate(run, [
        name,
        clients,
        short ? 3_000 : 8_000,
        60,
      ]);
      const text = [p50Ms, p99Ms, maxMs].map((value) => value.toFixed(1)).join(' / ');
      const expected = (clients * 1000) / p50Ms;
      console.log(
        `${name.padEnd(8)} ${String(clients).padStart(3)} clients: ${perSecond.toFixed(0)}/s (${((100 * perSecond) / expected).toFixed(0)} % of what p50 says)  p50/p99/max ${text} ms  lost ${lostMs} ms`,
      );
      console.log(`   gaps: ${gaps.map(({ atMs, ms }) => `${ms}@${atMs}`).join(' ') || 'none'}`);
      if (events.length > 0) console.log(`   meanwhile: ${events.map(({ atMs, what }) => `${what}@${atMs}`).join(', ')}`);
    }
  }
}

async function main() {
  const deadline = setTimeout(() => {
    console.error(`bench:tabs took longer than ${WHOLE_MS / 1000} s`);
    process.exit(1);
  }, WHOLE_MS);
  const server = await serve();
  const profile = mkdtempSync(join(tmpdir(), 'tabraft-bench-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: ensureBrowser(),
    args: [...launchArguments],
  });
  try {
    const pages = await form(context, server.url);
    if (asked.includes('stalls')) await stalls(pages[0]);
    else if (asked.includes('sends')) await sends(pages);
    else if (profiling) await hottest(pages, 256, short ? 3_000 : 6_000);
    else print(await measure(pages[0]));
  } finally {
    clearTimeout(deadline);
    await context.close();
    await server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

await main();
