/** I39 over engines: a seed comes to the same trace in Chromium as in Node, message by message. */
import { expect, test } from '@playwright/test';
import { planOf, simulate } from '../../../src/testing/sim/index.ts';
import { newProfile, openPage, type Profile, type Site, serve } from '../../storage/browser/harness.ts';
import type { Simulated } from './page.ts';

declare const harness: { run(seed: string): Promise<Simulated> };

/** Values and bytes, one node and five, hostile networks and calm ones. */
const SEEDS = ['1', '2', '3', '4', '5', '6', '7', '8'];

let site: Site;
let profile: Profile;

test.beforeAll(async () => {
  site = await serve('../../sim/browser/page.ts');
  profile = newProfile();
});
test.afterAll(async () => {
  profile.kill();
  profile.remove();
  await site.close();
});

test('the same seed comes to the same trace in Node and in Chromium', async () => {
  const context = await profile.launch();
  const page = await openPage(context, site);
  for (const seed of SEEDS) {
    const here = await simulate(planOf(seed));
    const there = await page.evaluate((one) => harness.run(one), seed);
    expect(there, `seed ${seed}`).toEqual({ hash: here.hash, events: here.events, violations: 0 });
  }
  expect(new Set(SEEDS.map((seed) => planOf(seed).packed)).size).toBe(2);
  await context.close();
});
