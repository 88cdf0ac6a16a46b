/**
 * `npm run bench:link [-- short]`: what a link costs beside a bare data channel, both ends in one page of a real Chromium: the round
 * trip of 100 bytes, bulk, and a ping beside it. Ratios are what counts: absolute figures are this machine's.
 */
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { build } from 'vite';
import { ensureBrowser, launchArguments } from '../../scripts/browser.mjs';
import { production } from '../../scripts/production.mjs';

const short = process.argv.includes('short');
const [turns, trips, megabytes] = short ? [1, 200, 20] : [3, 500, 100];

const built = await build({
  configFile: false,
  logLevel: 'error',
  plugins: [production],
  build: {
    write: false,
    target: 'es2022',
    lib: { entry: fileURLToPath(new URL('./page.ts', import.meta.url)), formats: ['es'], fileName: 'page' },
  },
});
const files = new Map([built].flat()[0].output.map((one) => [`/${one.fileName}`, one.code]));
const server = createServer((request, response) => {
  const code = files.get(request.url);
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('cross-origin-embedder-policy', 'require-corp');
  response.setHeader('content-type', code === undefined ? 'text/html' : 'text/javascript');
  response.end(code ?? '<!doctype html><script type="module" src="/page.js"></script>');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({ executablePath: ensureBrowser(), args: [...launchArguments] });
try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(String(error)));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => 'measure' in globalThis);
  const figures = await page.evaluate(([t, n, bytes]) => globalThis.measure(t, n, bytes), [turns, trips, megabytes * 1_048_576]);
  const { bare } = figures;
  console.log(`${megabytes} MiB of bulk, medians of ${turns}; in brackets the ratio to the bare channel`);
  for (const [kind, { roundTripMs, bulkMibPerSecond, besideBulkP95Ms }] of Object.entries(figures)) {
    const trip = `${roundTripMs.toFixed(2)} ms (${(roundTripMs / bare.roundTripMs).toFixed(2)})`;
    const speed = `${bulkMibPerSecond.toFixed(1)} MiB/s (${(bulkMibPerSecond / bare.bulkMibPerSecond).toFixed(2)})`;
    console.log(`  ${kind.padEnd(12)} round trip ${trip}, bulk ${speed}, ping p95 beside it ${besideBulkP95Ms.toFixed(0)} ms`);
  }
} finally {
  await browser.close();
  server.close();
}
