/** The inspector in a real page, on a real cluster: what it draws is what the node says, and it costs nothing out of sight. */
import type { Page } from '@playwright/test';
import type {} from '../../src/inspector/index.ts';
import { byRole, expect, formed, test } from './cluster.ts';

const inside = (page: Page, selector: string): ReturnType<Page['locator']> => page.locator(`tabraft-inspector ${selector}`);

test('the picture, the table and the log tell the same story, and change with it', async ({ profile, url }) => {
  const tabs = await formed(profile, url, 3);
  const { leader, followers } = await byRole(tabs);
  const [watcher] = followers;
  if (watcher === undefined) throw new Error('no follower');
  const { page } = watcher;
  await page.bringToFront();
  await watcher.add('seen in the log');
  await expect(inside(page, '.node')).toHaveCount(3);
  await expect(inside(page, '.node[data-role="leader"]')).toHaveCount(1);
  await expect(inside(page, '.link[data-state="linked"]')).toHaveCount(2);
  await expect(inside(page, '.link[data-state="others"]')).toHaveCount(1);
  await expect(inside(page, 'svg.picture')).toHaveAttribute('aria-label', /^3 members, 3 vote; .+ leads term \d+\.$/);
  await page.getByText('The same as a table').click();
  await expect(inside(page, '.table:not(.autopilot) tbody tr')).toHaveCount(3);
  await expect(inside(page, '.table:not(.autopilot) tbody')).toContainText('leader');
  await page.getByText('Who votes, and why').click();
  // On a busy machine leadership may have come to this tab meanwhile.
  await expect(inside(page, '.autopilot .hint')).toContainText(/leads and decides|3 shall vote/);
  // Out of sight it draws nothing, and the log is further down.
  await watcher.shown('log').scrollIntoViewIfNeeded();
  await expect(inside(page, '.strips li')).toHaveCount(3);
  const row = watcher.shown('log').locator('li').filter({ hasText: 'seen in the log' });
  await expect(row).toHaveAttribute('data-state', 'applied');
  await row.getByRole('button').click();
  await expect(inside(page, '.entry')).toContainText('"text": "seen in the log"');
  await page.getByText('Time travel').click();
  await page.getByRole('button', { name: "This node's recording" }).click();
  await expect(inside(page, '.travel')).toContainText(/This node: [\d,]+ calls, each as it was\./);
  await page.getByLabel('Jump to').selectOption('members');
  await page.getByRole('button', { name: 'Previous of these' }).click();
  await expect(inside(page, '.call')).toContainText('applyConfChange');
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save it' }).click();
  await page.getByLabel('Open a recording').setInputFiles(await (await saved).path());
  await expect(inside(page, '.travel')).toContainText(/[\d,]+ calls, each as it was\./);
  await page.getByLabel('Open a recording').setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: Buffer.from('none') });
  await expect(inside(page, '.travel')).toContainText('x.png cannot be played: These bytes are not a trace.');
  await inside(page, 'svg.picture').scrollIntoViewIfNeeded();
  await leader.page.close();
  await expect(inside(page, 'svg.picture')).toHaveAttribute(
    'aria-label',
    /(?:2 members, 2|3 members, [23]) vote; .+ leads term \d+/,
  );
  await expect(inside(page, '.node[data-reach="linked"], .node[data-reach="self"]')).toHaveCount(2);
});

test('messages travel where motion is wanted; nothing is followed while the page is hidden or the inspector is gone', async ({
  profile,
  url,
}) => {
  const [tab, other] = await formed(profile, url, 2);
  if (tab === undefined || other === undefined) throw new Error('no tabs');
  const { page } = tab;
  await page.bringToFront();
  await page.waitForFunction(() => {
    const root = document.querySelector('tabraft-inspector')?.shadowRoot;
    return (root?.querySelectorAll('.marks circle').length ?? 0) > 0;
  });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await expect(inside(page, '.marks circle')).toHaveCount(0);
  // A second one, of a node that counts who listens to its messages: they are put together only while somebody does.
  const tracing = (): Promise<number> => page.evaluate(() => (window as unknown as { tracing: number }).tracing);
  await page.evaluate(() => {
    const node = window.tabraft?.node;
    if (node === undefined) throw new Error('no node');
    const counted = window as unknown as { tracing: number };
    counted.tracing = 0;
    const inspector = document.createElement('tabraft-inspector');
    inspector.setAttribute('panels', 'cluster charts');
    inspector.node = {
      id: node.id,
      room: node.room,
      admin: node.admin,
      get status() {
        return node.status;
      },
      get config() {
        return node.config;
      },
      on: (...given) => node.on(...given),
      record: () => node.record(),
      forecast: () => node.forecast(),
      trace: (listener, options) => {
        counted.tracing += 1;
        options?.signal?.addEventListener('abort', () => {
          counted.tracing -= 1;
        });
        return node.trace(listener, options);
      },
    };
    document.body.prepend(inspector);
  });
  await expect.poll(tracing).toBe(1);
  await expect(page.locator('tabraft-inspector').first().locator('section')).toHaveCount(2);
  for (const change of ['hide', 'show', 'remove'] as const) {
    await page.evaluate((what) => {
      const inspector = document.querySelector('tabraft-inspector');
      if (what === 'remove') inspector?.remove();
      else inspector?.toggleAttribute('hidden', what === 'hide');
    }, change);
    await expect.poll(tracing).toBe(change === 'show' ? 1 : 0);
  }
});
