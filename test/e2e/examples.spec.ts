/** Each example, as its README says: built, served, and used in two tabs. */
import type { Page } from '@playwright/test';
import { buildExample, serveExample } from '../../scripts/example.mjs';
import { expect, FORMING_MS, type Profile, test } from './cluster.ts';

async function inTwoTabs(name: string, profile: Profile, use: (one: Page, other: Page) => Promise<void>): Promise<void> {
  const served = await serveExample(await buildExample(name));
  try {
    const one = await profile.open(served.url);
    const other = await profile.open(served.url);
    await use(one.page, other.page);
    // The development build has found nothing to say.
    expect(profile.said.filter((line) => line.includes('misuse'))).toEqual([]);
  } finally {
    await profile.close();
    await served.close();
  }
}

const SLOW = { timeout: FORMING_MS };

test('kv: what one tab puts, the other sees and deletes', async ({ profile }) => {
  await inTwoTabs('kv', profile, async (one, other) => {
    await one.getByLabel('key').fill('colour');
    await one.getByLabel('value').fill('green');
    await expect(async () => {
      await one.getByRole('button', { name: 'Put' }).click();
      await expect(one.getByRole('row')).toHaveText(/colour.*green.*version 1/, { timeout: 1_000 });
    }).toPass(SLOW);
    await expect(other.getByRole('row')).toHaveText(/colour.*green.*version 1/, SLOW);
    await other.getByRole('button', { name: 'Delete' }).click();
    await expect(one.getByRole('row')).toHaveCount(0);
    await expect(one.locator('pre')).toContainText('2: colour = gone');
  });
});

test('react-bookings: a seat is shown at once, belongs to one, and who looks at it is shown', async ({ profile }) => {
  await inTwoTabs('react-bookings', profile, async (one, other) => {
    await expect(one.getByText('1 others are here')).toBeVisible(SLOW);
    await one.getByRole('button', { name: 'A1' }).click();
    await expect(one.getByRole('button', { name: 'A1: yours' })).toBeVisible();
    await expect(other.getByRole('button', { name: /A1: guest/ })).toBeDisabled(SLOW);
    await other.getByRole('button', { name: 'B2' }).hover();
    await expect(one.getByText(/guest \w+ looks at it/)).toBeVisible();
  });
});

test('game: two play by turns, and the referee is the same for both', async ({ profile }) => {
  await inTwoTabs('game', profile, async (first, second) => {
    // Who sits down first plays X: either may.
    await expect(first.getByRole('status')).toContainText(/You are [XO]: /, SLOW);
    const isX = (await first.getByRole('status').textContent())?.includes('You are X') === true;
    const [one, other] = isX ? [first, second] : [second, first];
    await expect(one.getByRole('status')).toHaveText('You are X: your turn', SLOW);
    await expect(other.getByRole('status')).toHaveText('You are O: X is to move', SLOW);
    await other.getByLabel('cell 0').click();
    await expect(other.getByRole('status')).toHaveText('it is not your turn');
    for (const [page, cell] of [
      [one, 0],
      [other, 3],
      [one, 1],
      [other, 4],
      [one, 2],
    ] as const) {
      await expect(page.getByRole('status')).toContainText('your turn');
      await page.getByLabel(`cell ${cell}`).click();
    }
    for (const page of [one, other]) await expect(page.getByRole('status')).toContainText('X has won');
  });
});

test('lock: one holds it, the other is told, and one of them leads', async ({ profile }) => {
  await inTwoTabs('lock', profile, async (one, other) => {
    await expect(one.getByRole('listitem').filter({ hasText: 'leads and does the work' })).not.toHaveCount(0, SLOW);
    await expect(other.getByText('held by nobody')).toBeVisible(SLOW);
    await one.getByRole('button').click();
    await expect(one.getByText('held by you')).toBeVisible();
    await expect(other.getByText(/^held by \w{6}$/)).toBeVisible();
    await other.getByRole('button').click();
    await expect(other.getByText('somebody else has it')).toBeVisible();
    await one.getByRole('button', { name: 'Give it back' }).click();
    await expect(other.getByText('held by nobody')).toBeVisible();
  });
});

test('text: what is typed in one tab stands in the other', async ({ profile }) => {
  await inTwoTabs('text', profile, async (one, other) => {
    for (const page of [one, other]) await expect(page.getByLabel('text')).toBeEnabled(SLOW);
    await one.getByLabel('text').pressSequentially('hello');
    await expect(other.getByLabel('text')).toHaveValue('hello', SLOW);
    await other.getByLabel('text').press('Control+End');
    await other.getByLabel('text').pressSequentially(' there');
    await expect(one.getByLabel('text')).toHaveValue('hello there');
    await expect(one.getByRole('status')).toHaveText('Saved');
  });
});

test('bytes: both tabs count the same', async ({ profile }) => {
  await inTwoTabs('bytes', profile, async (one, other) => {
    for (const page of [one, other]) await expect(page.getByRole('button')).toBeEnabled(SLOW);
    await one.getByRole('button').click();
    await other.getByRole('button').click();
    for (const page of [one, other]) await expect(page.locator('output')).toHaveText('2');
  });
});
