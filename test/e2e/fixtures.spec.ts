/**
 * The fixtures of tabraft/testing/playwright, used as an application's own tests use them. The application is the demo; its page gives
 * its node to tests as `window.tabraft.node`. docs/TESTING.md shows the lines between the marks, word for word.
 */
import type {} from '../../demo/open.ts';
import { ensureBrowser, launchArguments } from '../../scripts/browser.mjs';
import { test as base, expect, type Tab } from '../../src/testing/playwright/index.ts';
import { Server } from './server.ts';

const test = base.extend<{ url: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see a pattern
  url: async ({}, use) => {
    const server = new Server();
    await server.start();
    await use(`${server.url}?room=fixtures`);
    await server.stop();
  },
});
test.use({ launchOptions: { executablePath: ensureBrowser(), args: [...launchArguments] } });

// --- docs/TESTING.md begins
async function ready(tab: Tab): Promise<void> {
  await tab.page.waitForFunction(() => window.tabraft?.node !== undefined);
  await tab.page.evaluate(() => window.tabraft?.node?.ready);
}

const status = (tab: Tab) => tab.page.evaluate(() => window.tabraft?.node?.status);
const book = (tab: Tab, seat: string) =>
  tab.page.evaluate((asked) => window.tabraft?.node?.propose({ type: 'book', seat: asked, name: 'me' }), seat);
const seat = (tab: Tab, name: string) =>
  tab.page.evaluate((asked) => window.tabraft?.node?.read((state) => state.seats[asked]?.by), name);

test('a tab that is cut off books nothing; when it is back it sees who was first', async ({ tabs, url }) => {
  const all = await tabs.openDevices(3, url);
  for (const tab of all) await ready(tab);
  for (const tab of all) await expect.poll(async () => (await status(tab))?.failureTolerance).toBe(1);
  const roles = await Promise.all(all.map(async (tab) => (await status(tab))?.role));
  const [leader] = all.filter((_, i) => roles[i] === 'leader');
  const [one, other] = all.filter((tab) => tab !== leader);
  if (!leader || !one || !other) throw new Error('nobody leads');

  await tabs.partition([leader], [one, other]);
  const late = book(leader, 'A1');
  expect(await book(one, 'A1')).toMatchObject({ ok: true });
  expect((await status(one))?.leaderId).not.toBe((await status(leader))?.id);
  await tabs.heal();
  expect(await late).toMatchObject({ ok: false });
  expect(await seat(leader, 'A1')).toBe(await one.page.evaluate(() => window.tabraft?.node?.id));
});
// --- docs/TESTING.md ends

const visibility = (tab: Tab): Promise<string> => tab.page.evaluate(() => document.visibilityState);

/** How often a timer of 20 ms has come up, from when it is first asked. */
function ticks(tab: Tab): Promise<number> {
  return tab.page.evaluate(() => {
    const counting = globalThis as typeof globalThis & { ticks?: number };
    if (counting.ticks === undefined) setInterval(() => Object.assign(counting, { ticks: (counting.ticks ?? 0) + 1 }), 20);
    counting.ticks ??= 0;
    return counting.ticks;
  });
}

test('each thing that can happen to a tab does happen to it', async ({ tabs, url }) => {
  const a = await tabs.device().open(url);
  let b = await a.device.open(url);
  await Promise.all([ready(a), ready(b)]);
  const known: (string | undefined)[] = [];
  const idOf = async (tab: Tab): Promise<string | undefined> => (await status(tab))?.id;

  await test.step('hidden, while the other stays visible', async () => {
    await a.hide();
    expect(await Promise.all([a, b].map(visibility))).toEqual(['hidden', 'visible']);
    await a.show();
  });
  await test.step('frozen: timers stand still; thawed: they go on, and it is visible again', async () => {
    await ticks(a);
    await expect.poll(() => ticks(a)).toBeGreaterThan(5);
    await a.freeze();
    const before = { a: await ticks(a), b: await ticks(b) };
    await expect.poll(() => ticks(b)).toBeGreaterThan(before.b + 20);
    expect(await ticks(a)).toBe(before.a);
    await a.thaw();
    await expect.poll(() => ticks(a)).toBeGreaterThan(before.a);
    expect(await visibility(a)).toBe('visible');
  });
  await test.step('offline: requests fail, links carry nothing, the page is told; and back', async () => {
    const reached = (): Promise<boolean> =>
      a.page.evaluate(() =>
        fetch(`/?${Math.random()}`).then(
          () => true,
          () => false,
        ),
      );
    const id = await idOf(a);
    const silenceMs = async (): Promise<number> => (await status(b))?.peers.find((peer) => peer.id === id)?.lastContactMs ?? 0;
    await a.offline();
    expect(await a.page.evaluate(() => navigator.onLine)).toBe(false);
    expect(await reached()).toBe(false);
    await expect.poll(silenceMs, { timeout: 20_000 }).toBeGreaterThan(3_000);
    await a.online();
    expect(await reached()).toBe(true);
    await expect.poll(silenceMs, { timeout: 20_000 }).toBeLessThan(1_000);
  });
  await test.step('duplicated: the same address, another node', async () => {
    const copy = await a.duplicate();
    await ready(copy);
    known.push(await idOf(a), await idOf(b), await idOf(copy));
    expect(new Set(known).size).toBe(3);
    expect(copy.page.url()).toBe(a.page.url());
    await copy.close();
  });
  await test.step('crashed and opened again: a node that was here before', async () => {
    await b.crash();
    b = await b.reopen();
    await ready(b);
    expect(known).toContain(await idOf(b));
    expect(tabs.all).toEqual([a, b]);
  });
  await test.step('slowed down: the same takes longer', async () => {
    const workMs = (): Promise<number> =>
      b.page.evaluate(() => {
        const begun = performance.now();
        let sum = 0;
        for (let i = 0; i < 20_000_000; i++) sum += i;
        return sum > 0 ? performance.now() - begun : 0;
      });
    const usual = Math.min(await workMs(), await workMs());
    await b.throttle(20);
    expect(await workMs()).toBeGreaterThan(usual * 2);
    await b.throttle(1);
  });
  await test.step('no quota: a write to disk fails; quota: it does not', async () => {
    const stored = (): Promise<string> =>
      b.page.evaluate(async () => {
        try {
          const file = await (await navigator.storage.getDirectory()).getFileHandle('quota', { create: true });
          const stream = await file.createWritable();
          await stream.write(new Uint8Array(1_000_000));
          await stream.close();
          return 'stored';
        } catch (error) {
          return (error as DOMException).name;
        }
      });
    expect(await stored()).toBe('stored');
    await b.quota(1);
    expect(await stored()).toBe('QuotaExceededError');
    await b.quota(undefined);
    expect(await stored()).toBe('stored');
    await b.page.evaluate(() => localStorage.setItem('kept', 'until it is wiped'));
  });
  await test.step('its computer sleeps: nothing runs until it wakes', async () => {
    await ticks(b);
    a.device.sleep();
    const asked = ticks(b).then(() => 'answered');
    expect(await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 300, 'silent'))])).toBe('silent');
    a.device.wake();
    expect(await asked).toBe('answered');
  });
  const { device } = a;
  await test.step('its browser is killed and started again: what it kept is still there', async () => {
    await device.kill();
    const again = [await device.open(url), await device.open(url)];
    for (const tab of again) await tab.page.waitForFunction(() => window.tabraft?.node !== undefined);
    for (const tab of again) expect(known).toContain(await idOf(tab));
  });
  await test.step('wiped: the data is gone, and the node says that it cannot go on', async () => {
    const [tab] = tabs.all;
    if (!tab) throw new Error('no tab');
    await tab.wipe();
    const left = (): Promise<unknown> =>
      tab.page.evaluate(async () => {
        const names: string[] = [];
        for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name);
        return { files: names, stored: localStorage.length };
      });
    await expect.poll(left).toEqual({ files: [], stored: 0 });
    await expect.poll(async () => (await status(tab))?.role).toBe('stopped');
  });
});

test('what cannot be is refused with a code', async ({ tabs }) => {
  const one = tabs.device();
  const tab = await one.blank();
  await expect(tabs.open(0, 'http://localhost/')).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(tabs.open(1.5, 'http://localhost/')).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(tabs.open(1, '/relative')).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(tabs.partition([tab])).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(tabs.partition([tab], [tab])).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(tab.wipe()).rejects.toMatchObject({ code: 'invalid-argument' });
});
