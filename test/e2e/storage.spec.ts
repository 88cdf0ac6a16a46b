/** A node in files, from the package as it is built and bundled into a page, under a policy that knows no `blob:`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { build } from 'vite';
import { site } from '../../scripts/site.mjs';
import { expect, FORMING_MS, test } from './cluster.ts';
import type { Lab, Opened } from './storage-page/page.ts';

declare const lab: Lab;

let folder: string;
let server: Server;
let signaling: { close(): Promise<void> };
let url: string;

test.beforeAll(async () => {
  mkdirSync('build', { recursive: true });
  folder = mkdtempSync(resolve('build', 'storage-page-'));
  writeFileSync(
    join(folder, 'index.html'),
    `<!doctype html><title>storage</title><script type="module" src="${resolve('test/e2e/storage-page/page.ts')}"></script>`,
  );
  await build({
    configFile: false,
    root: folder,
    logLevel: 'error',
    // The package as it is published, in the place of its sources.
    resolve: { alias: [{ find: /^.*\/src\/index\.ts$/, replacement: resolve('dist/index.js') }] },
    build: { target: 'es2022' },
    worker: { format: 'es' },
  });
  const { attachSignaling } = (await import(resolve('build/server/signaling.mjs'))) as {
    attachSignaling(server: object): Promise<{ close(): Promise<void> }>;
  };
  // Its policy is the demo's: scripts and workers from files of the page's own origin, and no other.
  server = createServer(site(join(folder, 'dist')));
  signaling = await attachSignaling(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://localhost:${(server.address() as AddressInfo).port}/`;
});
test.afterAll(async () => {
  await signaling.close();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true, force: true });
});

type Kind = 'opfs' | 'indexeddb' | 'auto';
const enter = (page: Page, room: string, storage: Kind): Promise<Opened | string> =>
  page.evaluate(([where, kind]) => lab.enter(where, kind), [room, storage] as const);
async function entered(page: Page, room: string, storage: Kind): Promise<Opened> {
  const opened = await enter(page, room, storage);
  if (typeof opened === 'string') throw new Error(opened);
  await page.evaluate(() => lab.ready());
  return opened;
}
async function reloaded(page: Page): Promise<void> {
  await page.reload();
  await page.waitForFunction(() => 'lab' in globalThis);
}
const add = (page: Page, by: number): Promise<number> => page.evaluate((amount) => lab.add(amount), by);

test('tabs in files and in IndexedDB are one cluster; each moves to the other kind over a reload, and back, and loses nothing', async ({
  profile,
  room,
}) => {
  const first = (await profile.open(url)).page;
  const mine = await entered(first, room, 'opfs');
  expect(mine).toMatchObject({ kind: 'opfs', fallback: '' });
  expect(await add(first, 1)).toBe(1);
  const second = (await profile.open(url)).page;
  const other = await entered(second, room, 'indexeddb');
  expect(other).toMatchObject({ kind: 'indexeddb', fallback: '' });
  expect(await add(second, 10)).toBe(11);
  let sum = 11;
  for (const [here, there] of [
    ['indexeddb', 'opfs'],
    ['opfs', 'indexeddb'],
  ] as const) {
    await reloaded(first);
    expect(await entered(first, room, here)).toEqual({ id: mine.id, kind: here, fallback: '' });
    expect(await add(first, 100)).toBe(sum + 100);
    await reloaded(second);
    expect(await entered(second, room, there)).toEqual({ id: other.id, kind: there, fallback: '' });
    sum = await add(second, 1_000);
    expect(await first.evaluate(() => lab.sum())).toBe(sum);
  }
  expect(sum).toBe(2_211);
  // Each identity lies in one place.
  const places = await first.evaluate(async (where) => {
    const databases = (await indexedDB.databases()).map(({ name = '' }) => name);
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('tabraft');
    const files: string[] = [];
    for await (const name of (await root.getDirectoryHandle(`r-${where}`)).keys()) files.push(name);
    return { databases: databases.filter((name) => name.startsWith(`tabraft:${where}:`)), files };
  }, room);
  expect(places).toEqual({ databases: [`tabraft:${room}:${other.id}`], files: [mine.id] });
});

test('a worker whose script does not load: auto goes on in IndexedDB and says so, files alone are refused; both are mended by the script', async ({
  profile,
  room,
}) => {
  const { page } = await profile.open(url);
  await page.route('**/files-worker*', (route) => route.fulfill({ status: 404, body: '' }));
  expect(await enter(page, room, 'opfs')).toBe('storage-unavailable');
  const opened = await entered(page, room, 'auto');
  expect(opened.kind).toBe('indexeddb');
  expect(opened.fallback).toContain('There is no storage worker');
  expect(await add(page, 5)).toBe(5);
  await page.unroute('**/files-worker*');
  await reloaded(page);
  expect(await entered(page, room, 'auto')).toEqual({ id: opened.id, kind: 'opfs', fallback: '' });
  expect(await add(page, 1)).toBe(6);
  // And now that the node lies in files, it is not replaced by a new one when the script is missing again.
  await page.route('**/files-worker*', (route) => route.fulfill({ status: 404, body: '' }));
  await reloaded(page);
  expect(await enter(page, room, 'auto')).toBe('storage-unavailable');
  await page.unroute('**/files-worker*');
  expect(await entered(page, room, 'auto')).toMatchObject({ id: opened.id, kind: 'opfs' });
  expect(await page.evaluate(() => lab.sum())).toBe(6);
});

test('a node in files is exported, brought in as another, recovered, and goes on alone', async ({ profile, room }) => {
  const { page } = await profile.open(url);
  await entered(page, room, 'opfs');
  for (let i = 1; i <= 20; i += 1) await add(page, i);
  const copy = `${room}-copy`;
  const id = await page.evaluate((where) => lab.duplicate(where, 'opfs'), copy);
  expect(await entered(page, copy, 'auto')).toEqual({ id, kind: 'opfs', fallback: '' });
  expect(await page.evaluate(() => lab.sum())).toBe(210);
  await expect.poll(() => page.evaluate(() => lab.voters()), { timeout: FORMING_MS }).toBe(1);
});
