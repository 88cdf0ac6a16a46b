/** A real cluster of tabs: founding, joining, writing. */
import { agreed, expect, FORMING_MS, formed, Profile, test } from './cluster.ts';

test('five tabs at once found one cluster', async ({ profile, url }) => {
  const tabs = await profile.openTogether(url, 5);
  await Promise.all(tabs.map((tab) => tab.ready()));
  const clusters = await Promise.all(tabs.map((tab) => tab.page.evaluate(() => window.tabraft?.node?.clusterId ?? '')));
  expect(new Set(clusters).size).toBe(1);
  expect(clusters[0]).not.toBe('');
  const ids = await Promise.all(tabs.map((tab) => tab.id()));
  expect(new Set(ids).size).toBe(5);
  for (const tab of tabs) {
    const members = (): Promise<readonly string[]> =>
      tab.page.evaluate(() => (window.tabraft?.node?.config.members ?? []).map(({ id }) => id).sort());
    await expect.poll(members, { timeout: FORMING_MS }).toEqual([...ids].sort());
  }
  // One founder: one tab alone was the first configuration, and every log begins with it.
  const first = await Promise.all(
    tabs.map((tab) =>
      tab.page.evaluate(async () => (await window.tabraft?.node?.admin.describeLog({ last: 1_000 }))?.[0]?.text ?? ''),
    ),
  );
  expect(new Set(first).size).toBe(1);
});

test('a room given by its name is open, and the page says so', async ({ profile, url, room }) => {
  const tab = await (await profile.open(url)).ready();
  await expect(tab.shown('open-room')).toBeVisible();
  expect(await tab.page.evaluate(() => [window.tabraft?.node?.roomLink, typeof window.tabraft?.recoverNode])).toEqual([
    `#room=${room}&open=1`,
    'function',
  ]);
});

test('three tabs become three voters that may lose one', async ({ profile, url }) => {
  const tabs = await formed(profile, url, 3);
  const ids = (await Promise.all(tabs.map((tab) => tab.id()))).sort();
  for (const tab of tabs) {
    expect(await tab.voters()).toEqual(ids);
    await expect.poll(async () => (await tab.status())?.quorumAlive).toBe(true);
    await expect.poll(async () => (await tab.status())?.failureTolerance).toBe(1);
    await expect(tab.shown('voters')).toContainText('3 voters');
    await expect(tab.shown('members').locator('li')).toHaveCount(3);
    await expect(tab.shown('members').locator('[data-role="leader"]')).toHaveCount(1);
    await expect(tab.shown('forecast')).toContainText('2 of 3 voters go on');
    await expect(tab.page.locator('.banner')).toHaveCount(0);
  }
});

test('a follower proposes; every tab shows it', async ({ profile, url }) => {
  const tabs = await formed(profile, url, 3);
  const follower = await Promise.all(tabs.map(async (tab) => ((await tab.status())?.role === 'follower' ? tab : undefined)));
  const writer = follower.find((tab) => tab !== undefined);
  expect(await writer?.add('from a follower')).toBe(1);
  for (const tab of tabs) {
    await expect(tab.shown('items').locator('.text')).toHaveText(['from a follower']);
    expect(await tab.readItems()).toEqual(['from a follower']);
    // Out of sight the inspector draws nothing.
    await tab.shown('log').scrollIntoViewIfNeeded();
    await expect(tab.shown('log').locator('li').filter({ hasText: 'from a follower' })).toHaveAttribute('data-state', 'applied');
  }
});

test('two tabs book the same seat: exactly one has it, and both know who', async ({ profile, url }) => {
  const tabs = await formed(profile, url, 3);
  const [a, b] = tabs;
  if (!a || !b) throw new Error('no tabs');
  for (const seat of ['A1', 'B2', 'C3', 'D4']) {
    const results = await Promise.all([a.book(seat), b.book(seat)]);
    expect(results.filter((result) => result?.ok).length, seat).toBe(1);
    const [winner, loser] = results[0]?.ok ? [a, b] : [b, a];
    await expect(winner.seat(seat)).toHaveAttribute('data-state', 'mine');
    await expect(loser.seat(seat)).toHaveAttribute('data-state', 'taken');
  }
});

test('the page itself: book, lose the race, free, list', async ({ profile, url }) => {
  const [a, b] = await formed(profile, url, 2);
  if (!a || !b) throw new Error('no tabs');
  await a.seat('B3').click();
  await expect(a.shown('seat-outcome')).toContainText('Seat B3 is yours.');
  await b.seat('B3').click();
  await expect(b.shown('seat-outcome')).toContainText('was first: seat B3 is taken.');
  await a.seat('B3').click();
  await expect(a.shown('seat-outcome')).toContainText('Seat B3 is free again.');
  await expect(b.seat('B3')).toHaveAttribute('data-state', 'free');
  await b.page.getByLabel('New item').fill('<b>not markup</b>');
  await b.page.getByRole('button', { name: 'Add' }).click();
  await expect(a.shown('items').locator('.text')).toHaveText(['<b>not markup</b>']);
  await a.page.getByRole('checkbox').click();
  await expect(b.page.getByRole('checkbox')).toBeChecked();
  await b.page.getByRole('button', { name: 'Remove' }).click();
  await expect(a.shown('items').locator('li')).toHaveCount(0);
});

test('a link opens a tab of its own, in the same room, as another member', async ({ profile, url }) => {
  const [first] = await formed(profile, url, 1);
  if (!first) throw new Error('no tab');
  const opened = first.page.context().waitForEvent('page');
  await first.page.getByRole('link', { name: 'Open another tab' }).click();
  const page = await opened;
  await page.waitForFunction(() => window.tabraft?.node !== undefined);
  expect(await page.evaluate(() => window.opener)).toBeNull();
  expect(await page.evaluate(() => window.tabraft?.node?.id)).not.toBe(await first.id());
  await expect.poll(() => first.voters(), { timeout: FORMING_MS }).toHaveLength(2);
});

test('without a room in the URL: a fresh one, and the same one next time', async ({ profile, server }) => {
  const first = await (await profile.open(server.url)).ready();
  await expect(first.page).toHaveURL(/\?room=room-[a-z0-9]{8}$/);
  const room = new URL(first.page.url()).searchParams.get('room');
  const second = await (await profile.open(server.url)).ready();
  expect(new URL(second.page.url()).searchParams.get('room')).toBe(room);
  await agreed([first, second], 2);
});

test('another browser joins: its tabs are members like any other', async ({ profile, url }) => {
  const here = await formed(profile, url, 2);
  const other = new Profile();
  try {
    const there = await (await other.open(url)).ready();
    const tabs = [...here, there];
    await agreed(tabs, 3);
    expect(await there.add('from the other browser')).toBe(1);
    for (const tab of tabs) await expect(tab.shown('items').locator('.text')).toHaveText(['from the other browser']);
  } finally {
    await other.remove();
  }
  expect(other.faults).toEqual([]);
});
