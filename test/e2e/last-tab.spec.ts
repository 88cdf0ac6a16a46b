/** The last tab of a room: closed down one after another it goes on writing; when the leader of two crashes, the other waits, and says for whom. */
import type {} from '../../demo/open.ts';
import { ensureBrowser, launchArguments } from '../../scripts/browser.mjs';
import { test as base, expect, type Tab } from '../../src/testing/playwright/index.ts';
import { Server } from './server.ts';

const test = base.extend<{ url: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see a pattern
  url: async ({}, use) => {
    const server = new Server();
    await server.start();
    await use(`${server.url}?room=last-tab`);
    await server.stop();
  },
});
test.use({ launchOptions: { executablePath: ensureBrowser(), args: [...launchArguments] } });

/** Long enough for links, elections and changes of members on a busy machine: ms. */
const PATIENCE_MS = 30_000;

const status = (tab: Tab) => tab.page.evaluate(() => window.tabraft?.node?.status);
const forecast = (tab: Tab) => tab.page.evaluate(() => window.tabraft?.node?.forecast());
const items = (tab: Tab) => tab.page.evaluate(() => window.tabraft?.node?.read((state) => state.items.map(({ text }) => text)));
const voters = (tab: Tab) => tab.page.evaluate(() => window.tabraft?.node?.config.voters ?? []);
const add = (tab: Tab, text: string, timeoutMs: number) =>
  tab.page.evaluate(([item, ms]) => window.tabraft?.node?.propose({ type: 'add', text: item, name: 'test' }, { timeoutMs: ms }), [
    text,
    timeoutMs,
  ] as const);

async function ready(tab: Tab): Promise<void> {
  await tab.page.waitForFunction(() => window.tabraft?.node !== undefined, undefined, { timeout: PATIENCE_MS });
  await tab.page.evaluate(() => window.tabraft?.node?.ready);
}

async function leaderOf(tabs: readonly Tab[]): Promise<Tab> {
  const roles = await Promise.all(tabs.map(async (tab) => (await status(tab))?.role));
  const leader = tabs[roles.indexOf('leader')];
  if (leader === undefined) throw new Error(`Nobody leads: ${roles.join(', ')}`);
  return leader;
}

/** Waits until the tabs agree on a leader among them, and on so many voters, all of them among these tabs. */
async function settled(tabs: readonly Tab[], count: number): Promise<void> {
  const seen = async (): Promise<unknown> => {
    const all = await Promise.all(tabs.map(async (tab) => ({ stands: await status(tab), voting: await voters(tab) })));
    const ids = new Set(all.map(({ stands }) => stands?.id));
    const leaders = new Set(all.map(({ stands }) => stands?.leaderId));
    const voting = all.map(({ voting: some }) => [some.length, some.filter((id) => ids.has(id)).length]);
    return { leaders: [...leaders].map((id) => (ids.has(id) ? 'one of them' : 'none of them')), voting };
  };
  const wanted = { leaders: ['one of them'], voting: tabs.map(() => [count, count]) };
  await expect.poll(seen, { timeout: PATIENCE_MS }).toEqual(wanted);
}

test('tabs are closed one after another, the leader first: the last one has everything and goes on writing', async ({
  tabs,
  url,
}) => {
  let open = await tabs.open(4, url);
  await Promise.all(open.map(ready));
  const written: string[] = [];
  while (open.length > 0) {
    await settled(open, Math.min(open.length, 3));
    for (const tab of open) {
      const text = `item ${written.length}`;
      await add(tab, text, PATIENCE_MS);
      written.push(text);
    }
    for (const tab of open) expect(await items(tab)).toEqual(written);
    if (open.length === 1) break;
    const leader = await leaderOf(open);
    await leader.close();
    open = open.filter((tab) => tab !== leader);
  }
  const [last] = open;
  if (last === undefined) throw new Error('no tab is left');
  expect(await status(last)).toMatchObject({ role: 'leader', quorumAlive: true, copies: 1 });
  expect(written).toHaveLength(4 + 3 + 2 + 1);
});

test('of two tabs the leader crashes: the other waits, says for whom, and goes on when it is back', async ({ tabs, url }) => {
  const two = await tabs.openDevices(2, url);
  await Promise.all(two.map(ready));
  await settled(two, 2);
  const leader = await leaderOf(two);
  const [other] = two.filter((tab) => tab !== leader);
  if (other === undefined) throw new Error('no other tab');
  await add(other, 'by both', PATIENCE_MS);
  const gone = (await status(leader))?.id ?? '';
  await leader.crash();

  await expect.poll(async () => (await forecast(other))?.missing.map(({ id }) => id), { timeout: PATIENCE_MS }).toEqual([gone]);
  const said = await forecast(other);
  expect(said).toMatchObject({ quorumAlive: false, alive: 1, need: 2, failureTolerance: 0 });
  const outcome = await other.page.evaluate(() =>
    window.tabraft?.node?.propose({ type: 'add', text: 'alone', name: 'test' }, { timeoutMs: 1_500 }).then(
      () => 'acknowledged',
      (error: { readonly code?: string }) => error.code,
    ),
  );
  expect(['timeout', 'no-leader', 'outcome-unknown', 'no-quorum']).toContain(outcome);
  expect((await status(other))?.role).not.toBe('leader');
  // By its name, as people know it.
  const name = said?.missing[0]?.name ?? '';
  expect(name).not.toBe('');
  expect(said?.text).toContain(name);
  await expect(other.page.locator('.banner')).toContainText('No majority');

  const back = await leader.reopen();
  await ready(back);
  expect((await status(back))?.id).toBe(gone);
  await add(other, 'by both again', PATIENCE_MS);
  for (const tab of [back, other]) expect(await items(tab)).toEqual(expect.arrayContaining(['by both', 'by both again']));
});
