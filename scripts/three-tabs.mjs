/** Uses the application of a template as its first visitor does: three tabs, a seat, somebody who comes second, the leader's tab closed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect } from '@playwright/test';
import { ensureBrowser, launchArguments } from './browser.mjs';

/** A cluster that forms, on a busy machine: ms. */
const FORMING_MS = 60_000;

const leaders = async (pages) => {
  const said = await Promise.all(pages.map((page) => page.locator('body').textContent()));
  return pages.filter((_, i) => said[i].includes('this tab leads'));
};

/** Throws when something is not as the start page says, or when the console has a warning or an error. */
export async function useInThreeTabs(url) {
  const folder = mkdtempSync(join(tmpdir(), 'tabraft-three-tabs-'));
  const context = await chromium.launchPersistentContext(folder, { executablePath: ensureBrowser(), args: [...launchArguments] });
  const said = [];
  context.on('page', (page) => {
    page.on('pageerror', (error) => said.push(String(error)));
    page.on('console', (message) => ['warning', 'error'].includes(message.type()) && said.push(message.text()));
  });
  const slow = { timeout: FORMING_MS };
  try {
    const pages = [];
    for (let i = 0; i < 3; i++) {
      const page = await context.newPage();
      await page.goto(url);
      pages.push(page);
    }
    for (const page of pages) await expect(page.getByText('2 others are here')).toBeVisible(slow);
    await expect.poll(async () => (await leaders(pages)).length, slow).toBe(1);
    const [one, other] = pages;
    await one.getByRole('button', { name: 'A1' }).click();
    await expect(one.getByRole('button', { name: 'A1: yours' })).toBeVisible(slow);
    await expect(other.getByRole('button', { name: /A1: guest \w+/ })).toBeDisabled(slow);
    const [leader] = await leaders(pages);
    await leader.close();
    const left = pages.filter((page) => page !== leader);
    await expect.poll(async () => (await leaders(left)).length, slow).toBe(1);
    await left[0].getByRole('button', { name: 'B2' }).click();
    await expect(left[1].getByRole('button', { name: /B2: guest \w+/ })).toBeVisible(slow);
    if (said.length > 0) throw new Error(`the console says: ${said.join('\n')}`);
  } finally {
    await context.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
