/** The acceptance suite in a real Chromium whose IndexedDB is on disk. */
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { newProfile, openPage, type Profile, type Site, serve } from './harness.ts';
import type { Harness } from './page.ts';

declare const harness: Harness;

let site: Site;
let profile: Profile;
let context: BrowserContext;

test.beforeAll(async () => {
  site = await serve('./page.ts');
  profile = newProfile();
  context = await profile.launch();
});
test.afterAll(async () => {
  await context.close();
  await site.close();
  profile.remove();
});

for (const kind of ['idb', 'opfs'] as const) {
  test(`${kind} passes the acceptance suite of storage`, async () => {
    test.setTimeout(180_000);
    const page = await openPage(context, site, kind);
    const failed = await failures(page);
    expect(failed).toEqual([]);
    await page.close();
  });
}

test('files held in this very worker pass the acceptance suite of storage', async () => {
  test.setTimeout(180_000);
  const page = await openPage(context, site, 'opfs');
  const { cases, failed } = await page.evaluate(
    () =>
      new Promise<{ cases: number; failed: string[] }>((resolve, reject) => {
        const worker = new Worker('/suite-worker.js', { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      }),
  );
  expect(failed).toEqual([]);
  expect(cases).toBeGreaterThan(30);
  await page.close();
});

async function failures(page: Page): Promise<string[]> {
  const names = await page.evaluate(() => harness.suiteNames);
  expect(names.length).toBeGreaterThan(30);
  const failed: string[] = [];
  for (const [place, name] of names.entries()) {
    const wrong = await page.evaluate((at) => harness.runCase(at), place);
    if (wrong !== '') failed.push(`${name}: ${wrong}`);
  }
  return failed;
}
