/** What happens to databases in real tabs: reloads, second tabs, deletions, newer builds, full disks, missing APIs. */
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

interface Wanted {
  readonly room: string;
  readonly preferred?: string;
  readonly fresh?: boolean;
}
const acquire = (page: Page, wanted: Wanted): Promise<Outcome<{ nodeId: string; bootCount: number }>> =>
  page.evaluate((request) => harness.acquire(request), wanted);

async function acquired(page: Page, wanted: Wanted): Promise<string> {
  const result = await acquire(page, wanted);
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
  const room = 'tabs';
  const first = await openPage(context, site);
  const mine = await acquired(first, { room });
  await write(first, 1, 3);
  const second = await openPage(context, site);
  const other = await acquired(second, { room, preferred: mine });
  expect(other).not.toBe(mine);
  await first.reload();
  await first.waitForFunction(() => 'harness' in globalThis);
  const again = await acquire(first, { room, preferred: mine });
  expect(again).toMatchObject({ ok: { nodeId: mine, bootCount: 1 } });
  expect(await lastIndex(first)).toBe(3);
  await first.close();
  const third = await openPage(context, site);
  await expect.poll(() => heldNames(third)).not.toContain(mine);
  expect(await acquired(third, { room })).toBe(mine);
  expect(await lastIndex(third)).toBe(3);
  await second.close();
  await third.close();
});

async function heldNames(page: Page): Promise<string> {
  return page.evaluate(async () => (await navigator.locks.query()).held?.map(({ name }) => name).join() ?? '');
}

test('five tabs at once take five identities, and take the same five again', async () => {
  const room = 'five';
  const pages = await Promise.all(Array.from({ length: 5 }, () => openPage(context, site)));
  const ids = await Promise.all(pages.map((page) => acquired(page, { room })));
  expect(new Set(ids).size).toBe(5);
  await Promise.all(pages.map((page) => page.evaluate(() => harness.close())));
  const again = await Promise.all(pages.map((page) => acquired(page, { room })));
  expect([...again].sort()).toEqual([...ids].sort());
  await Promise.all(pages.map((page) => page.close()));
});

test('a database deleted while open: the owner is told, nothing more is acknowledged, the identity is gone', async () => {
  const room = 'deleted';
  const page = await openPage(context, site);
  const mine = await acquired(page, { room });
  await write(page, 1, 1);
  const other = await openPage(context, site);
  await other.evaluate(
    (name) =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.deleteDatabase(name);
        request.onsuccess = () => resolve();
        request.onerror = () => reject(request.error);
      }),
    `tabraft:${room}:${mine}`,
  );
  expect(await page.evaluate(() => harness.faults)).toEqual(['storage-closed']);
  expect(await write(page, 2, 2)).toMatchObject({ code: 'storage-closed' });
  await page.evaluate(() => harness.close());
  expect(await acquired(page, { room, preferred: mine })).not.toBe(mine);
  await page.close();
  await other.close();
});

test('site data cleared while open: the owner is told, nothing more is acknowledged', async () => {
  const page = await openPage(context, site);
  await acquired(page, { room: 'cleared' });
  await write(page, 1, 1);
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.clearDataForOrigin', { origin: new URL(site.url).origin, storageTypes: 'indexeddb' });
  await expect.poll(() => page.evaluate(() => harness.faults)).toEqual(['storage-closed']);
  expect(await write(page, 2, 2)).toMatchObject({ code: 'storage-closed' });
  await page.close();
});

test('a newer build in another tab takes over; an older one is told to reload', async () => {
  const room = 'newer';
  const page = await openPage(context, site);
  const mine = await acquired(page, { room });
  const name = `tabraft:${room}:${mine}`;
  const newer = await openPage(context, site);
  await newer.evaluate(
    (database) =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open(database, 99);
        request.onsuccess = () => {
          request.result.close();
          resolve();
        };
        request.onerror = () => reject(request.error);
      }),
    name,
  );
  expect(await page.evaluate(() => harness.faults)).toEqual(['storage-newer']);
  expect(await write(page, 1, 1)).toMatchObject({ code: 'storage-newer' });
  await page.evaluate(() => harness.close());
  expect(await acquire(page, { room, preferred: mine })).toMatchObject({ code: 'storage-newer' });
  expect(await acquire(page, { room, fresh: true })).toHaveProperty('ok');
  await page.close();
  await newer.close();
});

test('a database that another tab will not let go of: storage-blocked, not a hang', async () => {
  const room = 'blocked';
  const page = await openPage(context, site);
  const mine = await acquired(page, { room });
  await page.evaluate(() => harness.close());
  const holder = await openPage(context, site);
  await holder.evaluate(
    (name) =>
      new Promise<void>((resolve) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => {
          // Kept open, deaf to versionchange; and a deletion waits for it.
          Object.assign(globalThis, { kept: request.result });
          indexedDB.deleteDatabase(name).onblocked = () => resolve();
        };
      }),
    `tabraft:${room}:${mine}`,
  );
  expect(await acquire(page, { room, preferred: mine })).toMatchObject({ code: 'storage-blocked' });
  await holder.close();
  await page.close();
});

test('a full disk: no acknowledgement for what was not saved, and writing goes on when there is room', async () => {
  // An origin of its own: Chromium remembers for a while how much room an origin had.
  const small = await serve('./page.ts');
  const { origin } = new URL(small.url);
  const page = await openPage(context, small);
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 3_000_000 });
  await acquired(page, { room: 'full' });
  let acknowledged = 0;
  let failed: Outcome<void> = { ok: undefined };
  for (let i = 1; i <= 100 && 'ok' in failed; i += 1) {
    failed = await write(page, i, i, 100_000);
    if ('ok' in failed) acknowledged = i;
  }
  expect(failed).toMatchObject({ code: 'quota' });
  expect(acknowledged).toBeGreaterThan(5);
  expect(await write(page, acknowledged + 1, acknowledged + 1)).toMatchObject({ code: 'quota' });
  expect(await page.evaluate(() => harness.faults)).toEqual(['quota']);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin });
  expect(await lastIndex(page)).toBe(acknowledged);
  expect(await write(page, acknowledged + 1, acknowledged + 5, 100_000)).toEqual({ ok: undefined });
  expect(await page.evaluate(() => harness.verify(100_000))).toEqual({ last: acknowledged + 5, wrong: '' });
  await page.close();
  await small.close();
});

test('without IndexedDB, or without Web Locks, there is a coded error', async () => {
  for (const [missing, what] of [
    ['indexedDB', 'IndexedDB'],
    ['locks', 'Web Locks'],
  ] as const) {
    const page = await context.newPage();
    await page.addInitScript((name) => {
      Object.defineProperty(name === 'locks' ? Navigator.prototype : globalThis, name, { value: undefined, configurable: true });
    }, missing);
    await page.goto(site.url);
    await page.waitForFunction(() => 'harness' in globalThis);
    expect(await acquire(page, { room: 'none' })).toMatchObject({
      code: 'storage-unavailable',
      message: expect.stringContaining(what),
    });
    await page.close();
  }
});

test('the browser is asked to keep the data', async () => {
  const page = await context.newPage();
  await page.addInitScript(() => {
    const asked = { times: 0 };
    Object.assign(globalThis, { asked });
    navigator.storage.persist = async () => {
      asked.times += 1;
      return true;
    };
  });
  await page.goto(site.url);
  await page.waitForFunction(() => 'harness' in globalThis);
  const times = (): Promise<number> => page.evaluate(() => (globalThis as unknown as { asked: { times: number } }).asked.times);
  await page.evaluate(() => harness.acquire({ room: 'persist' }, { persist: false }));
  expect(await times()).toBe(0);
  await page.evaluate(() => harness.close());
  await page.evaluate(() => harness.acquire({ room: 'persist' }));
  expect(await times()).toBe(1);
  await page.close();
});
