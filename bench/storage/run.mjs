/**
 * `npm run bench:storage [-- idb | opfs | opfs-worker | lmdb] [-- short]`: storage in a real Chromium with a profile on disk
 * (IndexedDB; files from the page; files in the worker that writes), and LMDB in Node; each
 * figure beside a bare probe of the same disk in the same run.
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
const asked = process.argv.slice(2);
const short = asked.includes('short');
const KINDS = ['idb', 'opfs', 'opfs-worker', 'lmdb'];
const kinds = KINDS.filter((kind) => asked.includes(kind) || !asked.some((word) => KINDS.includes(word)));
const lengths = short ? [10_000] : [10_000, 100_000, 1_000_000];
const snapshotBytes = (short ? 10 : 100) * 1_048_576;
const say = (line) => console.log(`  ${line}`);

async function bundle(entry, more) {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [production],
    build: { target: 'es2022', minify: false, ...more(here(entry)) },
  });
  return [built].flat()[0].output[0].code;
}

const TITLES = {
  idb: 'IndexedDB, real Chromium, profile on disk, strict',
  opfs: 'Files (OPFS) asked from the page, the same Chromium, beside bare IndexedDB transactions, strict',
  'opfs-worker': 'Files (OPFS) in the worker that writes, beside bare writes and flushes of a file, strict',
  lmdb: 'LMDB, Node, strict',
};

async function inChromium(kind) {
  const script = (entry) => bundle(entry, (input) => ({ write: false, rollupOptions: { input } }));
  const scripts = new Map([
    ['/page.js', await script('./page.ts')],
    ['/worker.js', await script('./worker.ts')],
    ['/files.js', await script('../../src/storage/opfs/files-worker.ts')],
  ]);
  const server = createServer((request, response) => {
    const code = scripts.get(request.url);
    // Cross-origin isolation gives a clock of 5 microseconds instead of 100.
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-embedder-policy', 'require-corp');
    response.setHeader('content-type', code === undefined ? 'text/html' : 'text/javascript');
    response.end(code ?? '<!doctype html><script type="module" src="/page.js"></script>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const profile = mkdtempSync(join(tmpdir(), 'tabraft-bench-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: ensureBrowser(),
    args: [...launchArguments],
  });
  try {
    const page = await context.newPage();
    await page.exposeFunction('say', say);
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.waitForFunction(() => 'bench' in globalThis);
    return await page.evaluate(
      ([where, sizes, bytes]) =>
        where === 'opfs-worker' ? globalThis.benchInWorker(sizes, bytes) : globalThis.bench(where, sizes, bytes),
      [kind, lengths, snapshotBytes],
    );
  } finally {
    await context.close();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function inNode() {
  const outDir = fileURLToPath(new URL('../../build/bench/', import.meta.url));
  await bundle('./node.ts', (ssr) => ({
    ssr,
    outDir,
    emptyOutDir: false,
    rollupOptions: { output: { entryFileNames: 'storage.mjs' } },
  }));
  const { bench } = await import(pathToFileURL(join(outDir, 'storage.mjs')).href);
  return bench(lengths, snapshotBytes, say);
}

const digits = (value) => (value >= 1000 ? Math.round(value).toString() : value.toFixed(value >= 100 ? 0 : 2));

function print(rows) {
  console.log(
    `\n  ${'what'.padEnd(48)}${'ours'.padStart(12)}${'probe'.padStart(12)}  ${'unit'.padEnd(10)}${'ratio'.padStart(7)}  aim`,
  );
  for (const { what, ours, probe, unit, aim } of rows) {
    // A ratio above 1 is always the worse.
    const ratio = unit === 'ms' ? ours / probe : probe / ours;
    console.log(
      `  ${what.padEnd(48)}${digits(ours).padStart(12)}${digits(probe).padStart(12)}  ${unit.padEnd(10)}${ratio.toFixed(2).padStart(7)}  ${aim}`,
    );
  }
}

for (const kind of kinds) {
  console.log(`\n== ${TITLES[kind]}`);
  print(kind === 'lmdb' ? await inNode() : await inChromium(kind));
}
