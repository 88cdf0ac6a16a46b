/**
 * `npm run screenshots`: the demo in each of its states, at four sizes, light and dark, into build/screenshots. With `-- readme` also the
 * pictures of the README: docs/demo.png, docs/demo-phone.png and the short recording docs/demo.webp.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { ensureBrowser, launchArguments } from './browser.mjs';
import { animate } from './webp.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'build', 'screenshots');
/** `-- --only=three,forty`: these states alone. */
const only = process.argv
  .find((argument) => argument.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',');
const SIZES = [360, 768, 1280, 1920];
const HEIGHT = 900;
/** What comes into sight is drawn after at most so long: ms. */
const DRAWN_MS = 600;
/** What is waited for and does not come: ms. */
const PATIENCE_MS = 60_000;
/** Of the recording: its size, the time between two pictures, and how much it may weigh. */
const CLIP = { width: 1000, height: 700 };
const FRAME_MS = 250;
const CLIP_BYTES_MAX = 3_000_000;

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function serve(state) {
  const port = await freePort();
  const environment = { ...process.env, PORT: String(port), TABRAFT_STATE: state };
  const child = spawn(process.execPath, [join(root, 'scripts', 'start.mjs')], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => String(data).includes('Stop with') && resolve());
    child.on('exit', () => reject(new Error('The demo did not start.')));
  });
  return { url: `http://localhost:${port}/`, stop: () => child.kill() };
}

async function open(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => globalThis.tabraft?.node !== undefined, undefined, { timeout: PATIENCE_MS });
  return page;
}

const voters = (page, count) =>
  page.waitForFunction((n) => globalThis.tabraft.node.config.voters.length === n && globalThis.tabraft.node.leaderId, count, {
    timeout: PATIENCE_MS,
  });

async function shoot(page, name) {
  if (only !== undefined && !only.includes(name)) return;
  await page.bringToFront();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const width of SIZES) {
      await page.setViewportSize({ width, height: HEIGHT });
      // As high as the page is: what is out of sight is not drawn anew, and a picture of it would be of earlier.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width, height: Math.max(HEIGHT, height) });
      await page.waitForTimeout(DRAWN_MS);
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
  await page.setViewportSize({ width: 1280, height: HEIGHT });
  console.log(`  ${name}`);
}

/** A room that has been lived in: seats, a list, a game, money. */
async function furnish(pages) {
  const [a, b, c] = pages;
  const propose = (page, command) => page.evaluate((given) => globalThis.tabraft.node.propose(given), command);
  const named = async (page, command) =>
    propose(page, { ...command, name: await page.evaluate(() => document.title.split(' · ')[0]) });
  for (const [page, seat] of [
    [a, 'A3'],
    [a, 'A4'],
    [b, 'B2'],
    [b, 'B3'],
    [c, 'C4'],
    [c, 'D1'],
  ])
    await named(page, { type: 'book', seat });
  for (const text of ['Bring the projector', 'Test the lights', 'Print the programme']) await named(b, { type: 'add', text });
  await propose(a, { type: 'check', id: 2, done: true });
  for (const [page, cell] of [
    [a, 4],
    [b, 0],
    [a, 2],
    [b, 6],
    [a, 3],
  ])
    await named(page, { type: 'move', cell });
  await propose(a, { type: 'bank.deposit', account: 'kitty', amount: 40 });
}

async function states(context, url) {
  const room = `${url}?room=screens-${Math.random().toString(36).slice(2, 8)}`;
  const bad = await context.newPage();
  await bad.goto(`${url}?room=not%20a%20room`);
  await bad.waitForSelector('.banner');
  await shoot(bad, 'refused');
  await bad.close();
  const first = await open(context, room);
  await voters(first, 1);
  await shoot(first, 'alone');
  const others = [await open(context, room), await open(context, room)];
  const pages = [first, ...others];
  for (const page of pages) await voters(page, 3);
  await furnish(pages);
  await first.bringToFront();
  await first.waitForTimeout(1_500);
  await shoot(first, 'three');
  for (const summary of await first.locator('tabraft-inspector summary').all()) await summary.click();
  await first.getByRole('button', { name: "This node's recording" }).click();
  await first.locator('tabraft-inspector .walk').waitFor();
  await first.getByRole('button', { name: 'Check now' }).click();
  await shoot(first, 'opened');
  for (const summary of await first.locator('tabraft-inspector summary').all()) await summary.click();
  for (const page of others) await page.close();
  await first
    .locator('.banner')
    .waitFor({ timeout: PATIENCE_MS })
    .catch(() => console.log('  (the last tab goes on alone)'));
  await shoot(first, 'left-alone');
  await first.close();
}

/** Forty members cannot be had in one small browser: the picture is shown forty by hand. */
async function forty(context, url) {
  const page = await open(context, `${url}?room=forty-${Math.random().toString(36).slice(2, 8)}`);
  await voters(page, 1);
  await page.evaluate(() => {
    const { node } = globalThis.tabraft;
    const shown = document.querySelector('tabraft-inspector');
    const Inspector = shown.constructor;
    const { status, config } = node;
    const peers = Array.from({ length: 39 }, (_, i) => ({
      id: `member-${i}`,
      name: `Member ${i}`,
      suffrage: i < 4 ? 'voter' : 'learner',
      role: i < 4 ? 'follower' : 'learner',
      term: status.term,
      commitIndex: status.commitIndex,
      appliedIndex: status.appliedIndex,
      lastIndex: status.lastIndex,
      leaderId: status.id,
      matchIndex: status.lastIndex,
      link: 'open',
      linkKind: 'simple-peer',
      lastContactMs: (i * 37) % 400,
      rttMs: 2,
      slowedBy: [],
      sentBytes: 0,
      receivedBytes: 0,
    }));
    const crowd = { id: node.id, room: node.room, status: { ...status, peers }, config, admin: node.admin };
    Object.assign(crowd, { on: () => undefined, trace: () => undefined, record: () => node.record() });
    const inspector = new Inspector();
    inspector.node = crowd;
    document.body.replaceChildren(inspector);
  });
  await shoot(page, 'forty');
  await page.close();
}

async function toWebp(page, png) {
  const url = await page.evaluate(
    async ([data, { width, height }]) => {
      const picture = new Image();
      picture.src = `data:image/png;base64,${data}`;
      await picture.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width, height });
      canvas.getContext('2d').drawImage(picture, 0, 0, width, height);
      return canvas.toDataURL('image/webp', 0.6);
    },
    [png.toString('base64'), CLIP],
  );
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}

/** Seats, a race, the leader crashes, another leads. */
async function record(context, url) {
  const room = `${url}?room=front-row-${Math.random().toString(36).slice(2, 5)}`;
  const pages = [];
  for (let i = 0; i < 3; i++) pages.push(await open(context, room));
  for (const page of pages) await voters(page, 3);
  await furnish(pages);
  // The camera is a tab that does not lead: it stays when the leader crashes.
  const roles = await Promise.all(pages.map((page) => page.evaluate(() => globalThis.tabraft.node.role)));
  const camera = pages[roles.findIndex((role) => role !== 'leader')];
  await camera.setViewportSize({ width: 1280, height: 896 });
  await camera.bringToFront();
  await camera.waitForTimeout(1_000);
  await camera.screenshot({ path: join(root, 'docs', 'demo.png') });
  const shots = [];
  const film = async (count) => {
    for (let i = 0; i < count; i++) {
      shots.push(await camera.screenshot());
      await camera.waitForTimeout(FRAME_MS / 2);
    }
  };
  await film(6);
  for (const seat of ['B5', 'C2']) {
    await camera.locator(`[data-seat="${seat}"]`).click();
    await film(4);
  }
  await camera.getByRole('button', { name: 'Kill the leader' }).click();
  await film(24);
  await camera.setViewportSize({ width: 390, height: 844 });
  await camera.evaluate(() => scrollTo(0, 0));
  await camera.waitForTimeout(500);
  await camera.screenshot({ path: join(root, 'docs', 'demo-phone.png') });
  const studio = await context.newPage();
  const frames = [];
  for (const png of shots) frames.push({ still: await toWebp(studio, png), ms: FRAME_MS });
  const clip = animate(frames, CLIP);
  if (clip.length > CLIP_BYTES_MAX)
    throw new Error(`The recording has ${clip.length} bytes, at most ${CLIP_BYTES_MAX} are wanted.`);
  writeFileSync(join(root, 'docs', 'demo.webp'), clip);
  console.log(`  docs/demo.webp: ${frames.length} pictures, ${clip.length} bytes`);
}

async function main() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), 'tabraft-screens-'));
  const server = await serve(join(scratch, 'state'));
  const context = await chromium.launchPersistentContext(join(scratch, 'profile'), {
    executablePath: ensureBrowser(),
    args: [...launchArguments],
    viewport: { width: 1280, height: HEIGHT },
  });
  try {
    const readme = process.argv.includes('readme');
    if (!process.argv.includes('only-readme')) {
      await states(context, server.url);
      await forty(context, server.url);
    }
    if (readme || process.argv.includes('only-readme')) await record(context, server.url);
  } finally {
    await context.close();
    server.stop();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
  console.log(`screenshots are in ${folder}`);
}

await main();
