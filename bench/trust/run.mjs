// npm run bench:trust: what the proof costs, in Node and in Chromium (process time of Node, wall time of both), and its round trips.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from '@playwright/test';
import { build } from 'vite';
import { findBrowser, launchArguments } from '../../scripts/browser.mjs';

const RUNS = 500;
const root = join(fileURLToPath(import.meta.url), '..', '..', '..');
const outDir = join(root, 'build', 'trust-cost');
await build({
  root,
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  build: { outDir, lib: { entry: 'bench/trust/cost.ts', formats: ['es'], fileName: () => 'cost.mjs' } },
});
const file = join(outDir, 'cost.mjs');
const { measure, measureTrips } = await import(pathToFileURL(file).href);
console.log('one way 100 ms', await measureTrips(100));
const before = process.cpuUsage();
const inNode = await measure(RUNS);
const { user, system } = process.cpuUsage(before);
console.log('node    ', inNode, `process time ${Math.round((user + system) / 1000)} ms`);

const executablePath = findBrowser();
if (executablePath) {
  const server = createServer((request, response) => {
    const isScript = request.url === '/cost.mjs';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? readFileSync(file) : '<!doctype html>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({ executablePath, args: launchArguments });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const inPage = await page.evaluate(async (runs) => (await import('/cost.mjs')).measure(runs), RUNS);
  console.log('chromium', inPage, browser.version());
  await browser.close();
  server.close();
}
