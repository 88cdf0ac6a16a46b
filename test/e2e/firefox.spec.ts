/** Firefox joins a cluster of Chromium tabs: links between the two engines, IndexedDB strict, one log. */
import { agreed, expect, formed, test } from './cluster.ts';
import { FirefoxPage, firefoxPath } from './firefox.ts';

test('Firefox joins Chromium tabs, writes, reads what they wrote, and goes on alone when they have gone', async ({
  profile,
  url,
}) => {
  test.skip(firefoxPath === undefined, 'firefox-esr is not installed (apt-get install firefox-esr)');
  test.setTimeout(120_000);
  const tabs = await formed(profile, url, 1);
  const firefox = new FirefoxPage();
  try {
    await firefox.open(url);
    const node = 'globalThis.tabraft?.node';
    await expect.poll(() => firefox.evaluate<boolean>(`${node} !== undefined`), { timeout: 30_000 }).toBe(true);
    await firefox.evaluate(`${node}.ready`);
    const [tab] = tabs;
    if (tab === undefined) throw new Error('no tab');
    await agreed(tabs, 2);
    const items = `${node}.read((state) => state.items.map(({ text }) => text))`;
    await tab.add('from Chromium');
    expect(await firefox.evaluate(items)).toEqual(['from Chromium']);
    await firefox.evaluate(`${node}.propose({ type: 'add', text: 'from Firefox', name: 'test' })`);
    expect(await tab.readItems()).toEqual(['from Chromium', 'from Firefox']);
    await tab.page.close();
    await expect.poll(() => firefox.evaluate(`${node}.status.role`), { timeout: 30_000 }).toBe('leader');
    await firefox.evaluate(`${node}.propose({ type: 'add', text: 'alone', name: 'test' })`);
    expect(await firefox.evaluate(items)).toEqual(['from Chromium', 'from Firefox', 'alone']);
  } finally {
    await firefox.close();
  }
});
