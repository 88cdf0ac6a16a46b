/** What happens to a node's files in real tabs: reloads, second tabs, dead workers, cleared data, full disks, missing APIs. */
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { newProfile, openPage, type Profile, type Site, serve } from './harness.ts';
import type { Harness, Outcome } from './page.ts';

declare const harness: Harness;

let site: Site;
let profile: Profile;
let context: BrowserContext;

test.beforeAll(async () => {
  site = await serve('./page.ts');
  profile = newProfile();
  context = await profile.launch();
});
test.afterAll(async () => {
  await context.close();
  await site.close();
  profile.remove();
});

const open = (): Promise<Page> => openPage(context, site, 'opfs');
const acquire = (page: Page, room: string, preferred?: string): Promise<Outcome<{ nodeId: string; bootCount: number }>> =>
  page.evaluate(([where, wanted]) => harness.acquire({ room: where, preferred: wanted }), [room, preferred] as const);
async function acquired(page: Page, room: string, preferred?: string): Promise<string> {
  const result = await acquire(page, room, preferred);
  if (!('ok' in result)) throw new Error(`${result.code}: ${result.message}`);
  return result.ok.nodeId;
}
const write = (page: Page, from: number, to: number, bytes = 50): Promise<Outcome<void>> =>
  page.evaluate(([a, b, c]) => harness.write(a, b, c), [from, to, bytes] as const);
const lastIndex = async (page: Page): Promise<number> => {
  const loaded = await page.evaluate(() => harness.load());
  return 'ok' in loaded ? loaded.ok.lastIndex : -1;
};

test('a reload keeps the identity, a second tab takes another, a closed tab leaves its own to the next', async () => {
  const first = await open();
  const mine = await acquired(first, 'tabs');
  await write(first, 1, 3);
  const second = await open();
  expect(await acquired(second, 'tabs', mine)).not.toBe(mine);
  await first.reload();
  await first.waitForFunction(() => 'harness' in globalThis);
  expect(await acquire(first, 'tabs', mine)).toMatchObject({ ok: { nodeId: mine, bootCount: 1 } });
  expect(await lastIndex(first)).toBe(3);
  await first.close();
  const third = await open();
  const held = (): Promise<string> =>
    third.evaluate(async () => (await navigator.locks.query()).held?.map(({ name }) => name).join() ?? '');
  await expect.poll(held).not.toContain(mine);
  expect(await acquired(third, 'tabs')).toBe(mine);
  expect(await lastIndex(third)).toBe(3);
  await second.close();
  await third.close();
});

test('the worker that holds the files dies: the owner is told, every call settles, another tab may have the identity', async () => {
  const page = await open();
  const mine = await acquired(page, 'worker');
  await write(page, 1, 2);
  const pending = page.evaluate(async () => {
    const written = harness.write(3, 3, 50);
    harness.killWorkers();
    return written;
  });
  expect(await pending).toMatchObject({ code: 'storage-closed' });
  await expect.poll(() => page.evaluate(() => harness.faults)).toEqual(['storage-closed']);
  expect(await write(page, 3, 3)).toMatchObject({ code: 'storage-closed' });
  await page.evaluate(() => harness.close());
  expect(await acquire(page, 'worker', mine)).toMatchObject({ ok: { nodeId: mine, bootCount: 1 } });
  expect(await lastIndex(page)).toBeGreaterThanOrEqual(2);
  await page.close();
});

test('a store moves from IndexedDB to files and back: id, log and key pair go along; not while it is open', async () => {
  const room = 'moving';
  const page = await openPage(context, site, 'idb');
  const mine = await acquired(page, room);
  await page.evaluate(() => harness.keepKey());
  await write(page, 1, 300, 300);
  const move = (from: Page, to: 'idb' | 'opfs'): Promise<Outcome<boolean>> =>
    from.evaluate(([where, id, kind]) => harness.move(where, id, kind), [room, mine, to] as const);
  expect(await move(page, 'opfs')).toMatchObject({ code: 'identity-in-use' });
  await page.evaluate(() => harness.close());
  expect(await move(page, 'opfs')).toEqual({ ok: true });
  expect(await move(page, 'opfs')).toEqual({ ok: false });
  const files = await open();
  expect(await acquire(files, room, mine)).toMatchObject({ ok: { nodeId: mine, bootCount: 1 } });
  expect(await files.evaluate(() => harness.verify(300))).toEqual({ last: 300, wrong: '' });
  expect(await files.evaluate(() => harness.keySigns())).toBe(true);
  await write(files, 301, 310, 300);
  await files.evaluate(() => harness.close());
  expect(await move(files, 'idb')).toEqual({ ok: true });
  expect(await acquire(page, room, mine)).toMatchObject({ ok: { nodeId: mine, bootCount: 2 } });
  expect(await page.evaluate(() => harness.verify(300))).toEqual({ last: 310, wrong: '' });
  expect(await page.evaluate(() => harness.keySigns())).toBe(true);
  await page.close();
  await files.close();
});

test('a worker whose script is missing: storage-unavailable, not a hang', async () => {
  const page = await context.newPage();
  await page.route('**/worker.js', (route) => route.fulfill({ status: 404, body: '' }));
  await page.goto(`${site.url}?opfs`);
  await page.waitForFunction(() => 'harness' in globalThis);
  expect(await acquire(page, 'missing')).toMatchObject({ code: 'storage-unavailable' });
  expect(await page.evaluate(async () => (await navigator.locks.query()).held?.length)).toBe(0);
  await page.close();
});

test('site data cleared while open: writes are refused once it is noticed, within about a second of writing', async () => {
  const other = await serve('./page.ts');
  const page = await openPage(context, other, 'opfs');
  await acquired(page, 'cleared');
  await write(page, 1, 1);
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.clearDataForOrigin', { origin: new URL(other.url).origin, storageTypes: 'file_systems' });
  await expect.poll(() => write(page, 2, 2)).toMatchObject({ code: 'storage-closed' });
  await page.close();
  await other.close();
});

test('a full disk: no acknowledgement for what was not saved, and writing goes on when there is room', async () => {
  // An origin of its own: Chromium remembers for a while how much room an origin had.
  const small = await serve('./page.ts');
  const { origin } = new URL(small.url);
  const page = await openPage(context, small, 'opfs');
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 5_000_000 });
  await acquired(page, 'full');
  let acknowledged = 0;
  let failed: Outcome<void> = { ok: undefined };
  for (let i = 1; i <= 200 && 'ok' in failed; i += 1) {
    failed = await write(page, i, i, 100_000);
    if ('ok' in failed) acknowledged = i;
  }
  expect(failed).toMatchObject({ code: 'quota' });
  expect(acknowledged).toBeGreaterThan(5);
  expect(await page.evaluate(() => harness.faults)).toEqual(['quota']);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin });
  expect(await lastIndex(page)).toBe(acknowledged);
  expect(await write(page, acknowledged + 1, acknowledged + 5, 100_000)).toEqual({ ok: undefined });
  expect(await page.evaluate(() => harness.verify(100_000))).toEqual({ last: acknowledged + 5, wrong: '' });
  await page.close();
  await small.close();
});
