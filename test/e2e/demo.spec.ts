/** The demo's own buttons, on real tabs: two long walks through it, because every cluster of tabs costs seconds to form. */
import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { agreed, expect, FORMING_MS, formed, Tab, test } from './cluster.ts';

const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();

/** Not on by itself in axe: what is pressed with a thumb is large enough, or stands apart. */
const AXE = { rules: { 'target-size': { enabled: true } } };

/** The card of one member, on the page of another. */
async function cardOf(watcher: Tab, member: Tab): Promise<Locator> {
  return watcher.page.locator(`[data-member="${await member.id()}"]`);
}

test('the small apps: a turn, a name, an account and a lock are decided by one order; axe finds nothing on any of it', async ({
  profile,
  url,
}) => {
  const [a, b] = await formed(profile, url, 2);
  if (a === undefined || b === undefined) throw new Error('no tabs');
  const cell = (tab: Tab, at: number): Locator => tab.page.locator(`[data-cell="${at}"]`);
  await cell(a, 4).click();
  await expect(a.shown('game-outcome')).toContainText('You played X.');
  await cell(a, 0).click();
  await expect(a.shown('game-outcome')).toContainText('not your turn');
  await cell(b, 4).click();
  await expect(b.shown('game-outcome')).toContainText('Somebody was there first.');
  await cell(b, 0).click();
  await expect(cell(a, 0)).toHaveText('O');
  await press(b.page, 'New game');
  await expect(cell(a, 4)).toHaveText('');

  for (const tab of [a, b]) await tab.page.getByRole('tab', { name: 'Account' }).click();
  await press(a.page, 'Pay 10 in');
  await expect(b.shown('balance')).toHaveText('10');
  await press(b.page, 'Take 30 out');
  await expect(b.shown('account-outcome')).toContainText('not enough');
  await press(b.page, 'Ask for the balance');
  await expect(b.shown('account-outcome')).toContainText('told 10');
  await b.page.getByRole('heading', { name: 'One order?' }).click();
  await press(b.page, 'Check now');
  await expect(b.page.locator('tabraft-inspector .answer')).toContainText(/0 violations in [23] operations/);

  for (const tab of [a, b]) {
    await tab.page.getByRole('tab', { name: 'Name' }).click();
    await tab.page.getByLabel('A name', { exact: true }).fill('ada');
    await press(tab.page, 'Claim');
  }
  await expect(b.shown('name-outcome')).toContainText('The name ada belongs to');
  await press(a.page, 'Give mine up');
  await expect(b.shown('names-taken')).toHaveText('No name is taken.');

  for (const tab of [a, b]) {
    await tab.page.getByRole('tab', { name: 'Lock' }).click();
    await press(tab.page, 'Ask for the lock');
  }
  await expect(b.shown('lock-outcome')).toContainText('The lock is held.');
  await press(a.page, 'Print with my token');
  await expect(a.shown('lock-outcome')).toContainText('Printed: page 1.');
  await press(a.page, 'Give it back');
  await press(b.page, 'Ask for the lock');
  await press(b.page, 'Print with my token');
  await expect(b.shown('lock-outcome')).toContainText('Printed: page 2.');
  await press(a.page, 'Print with my token');
  await expect(a.shown('lock-outcome')).toContainText('Refused: the printer has seen token');
  await test.step('axe, with everything open', () => axe(b.page));
});

test('the tour drives the real cluster; one member is broken from another tab; a storm; and one order explains it all', async ({
  profile,
  url,
}) => {
  test.setTimeout(180_000);
  const [first] = await formed(profile, url, 1);
  if (first === undefined) throw new Error('no tab');
  const { page } = first;
  const opened: Tab[] = [];
  page.context().on('page', (other) => opened.push(new Tab(other)));

  await test.step('the tour: found, elect, replicate, lose the leader, split, heal', () => tour(first));
  const others = await Promise.all(opened.map((tab) => tab.ready()));
  await agreed([first, ...others], 3);
  const { leaderId } = (await first.status()) ?? {};
  const ids = await Promise.all(others.map((tab) => tab.id()));
  const victim = others[ids.findIndex((id) => id !== leaderId)];
  const last = others.find((tab) => tab !== victim);
  if (victim === undefined || last === undefined) throw new Error('the tour opened no tabs');
  await test.step('slowed, cut off, healed, frozen, wiped', () => breakOne(first, victim));
  await agreed([first, ...others], 3);

  await test.step('a storm of faults, and one order explains what was seen all the same', async () => {
    await press(page, 'Storm');
    await expect(first.shown('break-outcome')).toContainText(/\d+ strikes/, { timeout: 60_000 });
    await page.getByRole('heading', { name: 'One order?' }).click();
    await press(page, 'Check now');
    await expect(page.locator('tabraft-inspector .answer')).toContainText(/0 violations in [\d,]{2,} operations/);
  });
  await test.step('measured, and closed', async () => {
    await page.getByRole('button', { name: 'Measure' }).click();
    await expect(first.shown('break-outcome')).toContainText(/64 at a time: [\d,]+ writes per second/, { timeout: FORMING_MS });
    const other = await cardOf(first, last);
    await other.getByRole('button', { name: 'Close', exact: true }).click();
    // A tab that no script may close says so instead.
    const said = (): Promise<boolean> =>
      last.page
        .locator('.banner')
        .count()
        .then(Boolean, () => last.page.isClosed());
    await expect.poll(said).toBe(true);
    await expect(other.locator('[data-role="unreachable"]')).toHaveCount(1);
  });
});

test('a secret room: its link as a picture, a guest who looks on and is put out, and a new secret that the others follow', async ({
  profile,
  url,
}) => {
  const host = await profile.open(url);
  await host.ready();
  await expect(host.shown('open-room')).toBeVisible();
  await host.page.getByText('Who may come in').click();
  await press(host.page, 'Open a secret room');
  await host.page.waitForURL(/#room=room-\w+&secret=/);
  await host.ready();
  await expect(host.shown('open-room')).toBeHidden();
  await host.page.getByText('Who may come in').click();
  const link = host.shown('door-link');
  const drawn = (): Promise<string | null> => host.shown('qr').locator('path').getAttribute('d');
  await expect(link).toHaveText(/^http.*#room=.*&secret=.*&at=/);
  const said = async (): Promise<string> => (await link.textContent()) ?? '';
  const [first, picture] = [await said(), await drawn()];
  expect(picture?.length).toBeGreaterThan(1_000);
  expect(new URL(first).search).toBe('');

  const member = await profile.open(first);
  await member.ready();
  await agreed([host, member], 2);
  await host.page.getByLabel('Role of the invited').selectOption('reader');
  await press(host.page, 'Invite');
  await expect(host.shown('door-outcome')).toContainText('Invited as reader');
  await expect(link).toHaveText(/&invite=/);
  expect(await drawn()).not.toBe(picture);
  const guest = await profile.open(await said());
  await guest.ready();
  await guest.seat('A1').click();
  await expect(guest.page.locator('[data-code="not-authorized"]').first()).toBeVisible();
  await expect(guest.page.getByRole('link', { name: 'Open another tab' })).toBeHidden();

  await (await cardOf(host, guest)).getByRole('button', { name: 'Put out' }).click();
  await expect(host.shown('members-outcome')).toContainText('It was put out');
  await expect(guest.page.locator('.banner[data-code="member-revoked"]')).toBeVisible();
  await press(host.page, 'New secret');
  await expect(host.shown('door-outcome')).toContainText('the old link lets nobody in');
  await expect(link).not.toHaveText(first);
  await expect(link).toHaveText(/&secret=/);
  const second = await said();
  await expect.poll(() => member.page.url()).toBe(second);
  // The browser takes up the identity that is free, and that was put out: no secret lets it in.
  const late = await profile.open(second);
  await expect(late.page.locator('.banner[data-code="member-revoked"]')).toBeVisible();
});

async function tour(first: Tab): Promise<void> {
  const { page } = first;
  const at = (title: string): Promise<void> =>
    expect(page.locator('.steps [data-state="now"]')).toHaveText(title, { timeout: FORMING_MS });
  const go = (): Promise<void> => first.shown('tour-button').click({ timeout: FORMING_MS });
  await go();
  await at('Elect');
  for (let i = 0; i < 2; i++) {
    await page.bringToFront();
    await page.locator('.tour a').click();
  }
  await page.bringToFront();
  await at('Replicate');
  await go();
  await at('Lose the leader');
  const { term = 0 } = (await first.status()) ?? {};
  await go();
  await at('Split');
  await expect.poll(async () => (await first.status())?.term).toBeGreaterThan(term);
  await go();
  await at('Heal');
  const cutOff = page.locator('.faults-words').filter({ hasText: 'cut off from 2' });
  await expect(cutOff).toHaveCount(1);
  await go();
  await expect(first.shown('tour-text')).toContainText('That was all.', { timeout: FORMING_MS });
  await expect(cutOff).toHaveCount(0);
  await expect(first.shown('tour-button')).toHaveText('Begin anew');
}

async function breakOne(watcher: Tab, victim: Tab): Promise<void> {
  const card = await cardOf(watcher, victim);
  const break_ = (name: string): Promise<void> => card.getByRole('button', { name, exact: true }).click();
  await card.getByText('More', { exact: true }).click();
  await break_('Slow link');
  await break_('Slow disk');
  await break_('Wrong clock');
  await break_('Rogue');
  await expect(card.locator('.faults-words')).toHaveText(
    'a rogue, 200 ms late, slow to write, by 150 ms, 60 seconds ahead of time',
  );
  // However it disturbs: the others go on, and when it is healed it has what they have.
  await expect.poll(() => victim.status().then((status) => status?.quorumAlive)).toBe(false);
  expect(await watcher.book('A1')).toEqual({ ok: true });
  await break_('Heal');
  await expect(card.locator('.faults-words')).toHaveText('');
  await expect(victim.seat('A1')).toHaveAttribute('data-state', 'taken', { timeout: FORMING_MS });
  await cutAcross(watcher, victim);
  await break_('Cut off');
  await expect(victim.page.locator('.banner[data-level="info"]')).toContainText('On purpose. This tab is cut off');
  await expect.poll(async () => (await victim.status())?.quorumAlive).toBe(false);
  expect(await watcher.add('without it')).toBe(1);
  expect(await victim.items()).toEqual([]);
  await break_('Heal');
  await expect.poll(() => victim.items(), { timeout: FORMING_MS }).toEqual(['without it']);
  await break_('Freeze');
  expect(await watcher.add('while it is frozen')).toBe(2);
  await expect.poll(() => victim.items(), { timeout: FORMING_MS }).toEqual(['without it', 'while it is frozen']);

  const id = await victim.id();
  const reloaded = victim.page.waitForEvent('load');
  await break_('Wipe');
  await reloaded;
  await victim.ready();
  expect(await victim.id()).not.toBe(id);
  await expect.poll(() => victim.items(), { timeout: FORMING_MS }).toEqual(['without it', 'while it is frozen']);
}

/** A stroke across the link cuts it, on both ends' pages; the keyboard mends it. */
async function cutAcross(watcher: Tab, victim: Tab): Promise<void> {
  const { page } = watcher;
  const nameOf = async (tab: Tab): Promise<string> => (await tab.page.title()).split(' · ')[0] ?? '';
  const [own, other] = [await nameOf(watcher), await nameOf(victim)];
  const link = page.getByRole('button', { name: new RegExp(`^Cut the link between (?=.*${own})(?=.*${other})`) });
  await link.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await link.locator('line').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const [dx, dy] = width > height ? [0, 30] : [30, 0];
  const [midX, midY] = [x + width / 2, y + height / 2];
  await page.mouse.move(midX - dx, midY - dy);
  await page.mouse.down();
  await page.mouse.move(midX + dx, midY + dy, { steps: 3 });
  await page.mouse.up();
  await expect(link).toHaveAttribute('aria-pressed', 'true');
  await expect(victim.page.locator('tabraft-inspector .link[data-cut]')).toHaveCount(1);
  await link.press('Enter');
  await expect(link).toHaveAttribute('aria-pressed', 'false');
  await expect(victim.page.locator('tabraft-inspector .link[data-cut]')).toHaveCount(0);
}

async function axe(page: Page): Promise<void> {
  await page.bringToFront();
  const closed = page.locator('tabraft-inspector details:not([open]) > summary');
  while ((await closed.count()) > 0) await closed.first().click();
  await press(page, "This node's recording");
  await expect(page.locator('tabraft-inspector .walk')).toBeVisible();
  for (const [colorScheme, width] of [
    ['light', 360],
    ['dark', 1280],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 900 });
    // In the dark only colours are other than in the light.
    const rules = new AxeBuilder({ page }).setLegacyMode(true).options(AXE);
    const { violations } = await (colorScheme === 'dark' ? rules.withRules('color-contrast') : rules).analyze();
    const told = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, any }) => `${id} ${target.join(' ')} ${any[0]?.message ?? ''}`),
    );
    expect(told, `${colorScheme}, ${width} px`).toEqual([]);
  }
  for (const width of [360, 768]) {
    await page.setViewportSize({ width, height: 900 });
    // Nothing sticks out of the page, however narrow.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
}
