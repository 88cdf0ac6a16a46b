/** Tabs of one browser: they find each other without a server, and know in a moment when one of them is gone. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import type {} from '../../demo/open.ts';
import { ensureBrowser, launchArguments } from '../../scripts/browser.mjs';
import { site } from '../../scripts/site.mjs';
import { attachSignaling } from '../../signaling/server.ts';
import type { NodeStatus } from '../../src/index.ts';
import { test as base, expect, type Tab } from '../../src/testing/playwright/index.ts';

interface Site {
  readonly url: string;
  /** The pages stay, the signaling server is gone. */
  stopSignaling(): Promise<void>;
}

const test = base.extend<{ web: Site }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see a pattern
  web: async ({}, use) => {
    const http = createServer(site(resolve('build/demo')));
    const signaling = await attachSignaling(http);
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
    await use({
      url: `http://localhost:${(http.address() as AddressInfo).port}/?room=one-browser`,
      stopSignaling: () => signaling.close(),
    });
    await signaling.close();
    http.closeAllConnections();
    await new Promise((done) => http.close(done));
  },
});
test.use({ launchOptions: { executablePath: ensureBrowser(), args: [...launchArguments] } });

const status = (tab: Tab): Promise<NodeStatus | undefined> => tab.page.evaluate(() => window.tabraft?.node?.status);
const add = (tab: Tab, text: string): Promise<unknown> =>
  tab.page.evaluate((item) => window.tabraft?.node?.propose({ type: 'add', text: item, name: 'test' }), text);
const items = (tab: Tab): Promise<readonly string[] | undefined> =>
  tab.page.evaluate(() => window.tabraft?.node?.read((state) => state.items.map(({ text }) => text)));

async function ready(tab: Tab): Promise<void> {
  await tab.page.waitForFunction(() => window.tabraft?.node !== undefined);
  await tab.page.evaluate(() => window.tabraft?.node?.ready);
}

test('with the signaling server away another tab joins; when the leader’s tab is killed another leads, long before WebRTC would tell', async ({
  tabs,
  web,
}) => {
  const [first] = await tabs.open(1, web.url);
  if (first === undefined) throw new Error('no tab');
  await ready(first);
  await add(first, 'with a server');
  await web.stopSignaling();
  await expect.poll(async () => (await status(first))?.signaling).not.toBe('open');

  const others = [await first.device.open(web.url), await first.device.open(web.url)];
  await Promise.all(others.map(ready));
  for (const tab of others) {
    expect(await items(tab)).toEqual(['with a server']);
    await expect
      .poll(async () => (await status(tab))?.peers.map(({ link, linkKind }) => `${link} ${linkKind}`))
      .toEqual(['open broadcast', 'open broadcast']);
  }
  await expect
    .poll(() => Promise.all(others.map((tab) => tab.page.evaluate(() => window.tabraft?.node?.config.voters.length))), {
      timeout: 30_000,
    })
    .toEqual([3, 3]);
  await add(others[1] as Tab, 'without one');

  const gone = (await status(first))?.id;
  expect((await status(others[0] as Tab))?.leaderId).toBe(gone);
  await first.crash();
  for (const tab of others) {
    const seen = async (): Promise<unknown> => {
      const { peers, leaderId } = (await status(tab)) ?? {};
      return [peers?.find(({ id }) => id === gone)?.link, leaderId !== undefined && leaderId !== gone];
    };
    // A link over WebRTC would be seen to be broken after 15 s.
    await expect.poll(seen, { timeout: 10_000 }).toEqual(['closed', true]);
  }
  await add(others[0] as Tab, 'without the first');
  for (const tab of others) expect(await items(tab)).toEqual(['with a server', 'without one', 'without the first']);
});
