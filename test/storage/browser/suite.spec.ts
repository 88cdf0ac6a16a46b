/** The acceptance suite in a real Chromium whose IndexedDB is on disk. */
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { newProfile, openPage, type Profile, type Site, serve } from './harness.ts';
import type { Harness } from './page.ts';

declare const harness: Harness;

let site: Site;
let profile: Profile;
let context: BrowserContext;
let page: Page;

test.beforeAll(async () => {
  site = await serve('./page.ts');
  profile = newProfile();
  context = await profile.launch();
  page = await openPage(context, site);
});
test.afterAll(async () => {
  await context.close();
  await site.close();
  profile.remove();
});

test('IndexedDB passes the acceptance suite of storage', async () => {
  const names = await page.evaluate(() => harness.suiteNames);
  expect(names.length).toBeGreaterThan(30);
  const failed: string[] = [];
  for (const [place, name] of names.entries()) {
    const wrong = await page.evaluate((at) => harness.runCase(at), place);
    if (wrong !== '') failed.push(`${name}: ${wrong}`);
  }
  expect(failed).toEqual([]);
});
