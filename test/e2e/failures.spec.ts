/** Tabs that go: closed, crashed, reloaded, all at once. What was acknowledged stays. */
import { agreed, byRole, expect, formed, newLeader, type Tab, test } from './cluster.ts';

/** Writes one item after the other until stopped; the numbers that were acknowledged. */
async function writing(tab: Tab): Promise<void> {
  await tab.page.evaluate(() => {
    const acknowledged: string[] = [];
    Object.assign(window, { acknowledged, writing: true });
    const next = async (i: number): Promise<void> => {
      const text = `item ${i}`;
      try {
        await window.tabraft?.node?.propose({ type: 'add', text, name: 'writer' });
        acknowledged.push(text);
      } catch {
        // Not acknowledged: it may be there or not.
      }
      // One per frame: the list is bounded, and the writing must outlast the leader.
      await new Promise(requestAnimationFrame);
      if ((window as unknown as { writing: boolean }).writing && i < 190) return next(i + 1);
    };
    void next(1);
  });
}

function acknowledged(tab: Tab): Promise<readonly string[]> {
  return tab.page.evaluate(() => [...(window as unknown as { acknowledged: readonly string[] }).acknowledged]);
}

async function stopWriting(tab: Tab): Promise<readonly string[]> {
  await tab.page.evaluate(() => Object.assign(window, { writing: false }));
  return acknowledged(tab);
}

for (const way of ['closed', 'crashed'] as const) {
  test(`the leader's tab is ${way}: another leads, nothing acknowledged is lost, the page says so`, async ({ profile, url }) => {
    const tabs = await formed(profile, url, 3);
    const { leader, followers, term } = await byRole(tabs);
    const [writer, other] = followers;
    if (!writer || !other) throw new Error('no followers');
    await writing(writer);
    await expect.poll(async () => (await acknowledged(writer)).length).toBeGreaterThan(3);
    if (way === 'closed') await leader.page.close();
    else await leader.crash();
    await newLeader(followers, term);
    const before = (await acknowledged(writer)).length;
    await expect.poll(async () => (await acknowledged(writer)).length).toBeGreaterThan(before + 3);
    const kept = await stopWriting(writer);
    const read = await other.readItems();
    expect(kept.filter((text) => !read.includes(text))).toEqual([]);
    expect(new Set(read).size, 'nothing twice').toBe(read.length);
    for (const tab of followers) {
      await expect(tab.shown('feed')).toContainText(/(?:left|fell silent|stepped down); .+ leads term \d+ after [\d.]+ m?s/);
    }
  });
}

test('no majority: writes end with a code, the page says so, and all goes on when the tabs are back', async ({
  profile,
  url,
}) => {
  const tabs = await formed(profile, url, 3);
  const [last, ...others] = tabs;
  if (!last) throw new Error('no tab');
  await last.add('with a majority');
  // Both at once, and busy until then: neither lets the last one count without the other.
  const busy = (): void => {
    for (const until = performance.now() + 2_000; performance.now() < until; );
  };
  for (const { page } of others) void page.evaluate(busy).catch(() => undefined);
  await Promise.all(others.map(({ page }) => page.close()));
  await expect(last.page.locator('.banner')).toContainText('No majority.');
  await expect(last.shown('forecast')).toContainText('writes wait');
  const outcome = await last.page.evaluate(async () => {
    try {
      await window.tabraft?.node?.propose({ type: 'add', text: 'without', name: 'test' }, { timeoutMs: 1_000 });
      return 'acknowledged';
    } catch (error) {
      return (error as { code?: string }).code;
    }
  });
  expect(['timeout', 'no-leader', 'outcome-unknown']).toContain(outcome);
  expect(await last.items()).toEqual(['with a majority']);
  const again = await profile.openTogether(url, 2);
  await Promise.all(again.map((tab) => tab.ready()));
  await agreed([last, ...again], 3);
  await expect(last.page.locator('.banner')).toHaveCount(0);
  expect(await again[0]?.add('with a majority again')).toBeGreaterThan(1);
  for (const tab of [last, ...again]) await expect.poll(() => tab.items()).toContain('with a majority again');
});

test('a reload keeps the identity and the log', async ({ profile, url }) => {
  const tabs = await formed(profile, url, 3);
  const { followers } = await byRole(tabs);
  const [tab] = followers;
  if (!tab) throw new Error('no follower');
  await tab.add('before the reload');
  const id = await tab.id();
  await tab.page.reload();
  await tab.ready();
  expect(await tab.id()).toBe(id);
  await expect.poll(() => tab.items()).toEqual(['before the reload']);
  await agreed(tabs, 3);
  expect(await tab.add('after it')).toBe(2);
  for (const each of tabs) await expect.poll(() => each.items()).toEqual(['before the reload', 'after it']);
});

test("the leader's tab reloads: the cluster goes on and it comes back as itself", async ({ profile, url }) => {
  const tabs = await formed(profile, url, 3);
  const { leader, followers } = await byRole(tabs);
  const id = await leader.id();
  await leader.add('kept');
  await leader.page.reload();
  await leader.ready();
  expect(await leader.id()).toBe(id);
  await agreed(tabs, 3);
  expect(await followers[0]?.add('and on')).toBe(2);
  for (const tab of tabs) await expect.poll(() => tab.items()).toEqual(['kept', 'and on']);
});

test('every tab and the browser closed, opened again: the same members, the same state', async ({ profile, url }) => {
  const tabs = await formed(profile, url, 3);
  for (const text of ['one', 'two', 'three']) await tabs[1]?.add(text);
  const ids = (await Promise.all(tabs.map((tab) => tab.id()))).sort();
  const cluster = await tabs[0]?.page.evaluate(() => window.tabraft?.node?.clusterId);
  await profile.close();
  const again = await profile.openTogether(url, 3);
  await Promise.all(again.map((tab) => tab.ready()));
  expect((await Promise.all(again.map((tab) => tab.id()))).sort()).toEqual(ids);
  await agreed(again, 3);
  expect(await again[0]?.page.evaluate(() => window.tabraft?.node?.clusterId)).toBe(cluster);
  for (const tab of again) expect(await tab.readItems()).toEqual(['one', 'two', 'three']);
  expect(await again[2]?.add('four')).toBe(4);
});
