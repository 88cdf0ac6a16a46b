/** Kills in the middle of load: every acknowledged entry is found, whole and in order; and strict really syncs. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { newProfile, openPage, type Profile, type Site, serve } from './harness.ts';
import type { Harness } from './page.ts';

declare const harness: Harness;

const BYTES = 700;
let site: Site;
let profile: Profile;

test.beforeAll(async () => {
  site = await serve('./page.ts');
});
test.afterAll(async () => {
  await site.close();
});
test.beforeEach(() => {
  profile = newProfile();
});
test.afterEach(() => {
  profile.kill();
  profile.remove();
});

/** Starts appending without end; resolves when `until` entries are acknowledged. What is acknowledged later counts too. */
async function load(page: Page, acknowledged: Set<number>, until: number, inFlight: number): Promise<void> {
  let enough = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    enough = resolve;
  });
  await page.exposeFunction('acknowledged', (index: number) => {
    acknowledged.add(index);
    if (acknowledged.size >= until) enough();
  });
  await page.evaluate(() => harness.acquire({ room: 'crash' }));
  page
    .evaluate((options) => harness.append(options), { count: 1_000_000, inFlight, bytes: BYTES })
    // It ends with the page.
    .catch(() => undefined);
  await reached;
}

type Kind = 'idb' | 'opfs';

async function survivors(context: BrowserContext, kind: Kind): Promise<{ last: number; wrong: string; bootCount: number }> {
  const page = await openPage(context, site, kind);
  // The dead tab's lock goes a moment after it.
  await expect.poll(() => page.evaluate(async () => (await navigator.locks.query()).held?.length)).toBe(0);
  const acquired = await page.evaluate(() => harness.acquire({ room: 'crash' }));
  if (!('ok' in acquired)) throw new Error(`${acquired.code}: ${acquired.message}`);
  const verified = await page.evaluate((bytes) => harness.verify(bytes), BYTES);
  await page.close();
  return { ...verified, bootCount: acquired.ok.bootCount };
}

const LOADS: readonly (readonly [kind: Kind, until: number, inFlight: number])[] = [
  ['idb', 20, 1],
  ['idb', 300, 16],
  ['idb', 2_000, 64],
  ['opfs', 20, 1],
  ['opfs', 2_000, 64],
];
for (const [kind, until, inFlight] of LOADS) {
  test(`${kind}: renderer killed after ${until} acknowledged entries, ${inFlight} in flight`, async () => {
    const context = await profile.launch();
    const page = await openPage(context, site, kind);
    const acknowledged = new Set<number>();
    await load(page, acknowledged, until, inFlight);
    const crashed = page.waitForEvent('crash');
    const devtools = await context.newCDPSession(page);
    devtools.send('Page.crash').catch(() => undefined);
    await crashed;
    const found = await survivors(context, kind);
    expect(found).toMatchObject({ wrong: '', bootCount: 1 });
    expect(found.last).toBeGreaterThanOrEqual(Math.max(...acknowledged));
    await context.close();
  });

  test(`${kind}: whole browser killed after ${until} acknowledged entries, ${inFlight} in flight`, async () => {
    const context = await profile.launch();
    const acknowledged = new Set<number>();
    await load(await openPage(context, site, kind), acknowledged, until, inFlight);
    const gone = new Promise((resolve) => context.once('close', resolve));
    profile.kill();
    await gone;
    const next = await profile.launch();
    const found = await survivors(next, kind);
    expect(found).toMatchObject({ wrong: '', bootCount: 1 });
    expect(found.last).toBeGreaterThanOrEqual(Math.max(...acknowledged));
    await next.close();
  });
}

const strace = spawnSync('strace', ['-V']).status === 0;

test('strict syncs before each write resolves; relaxed does not', async () => {
  test.skip(!strace, 'strace is not installed: synced writes cannot be counted here');
  const context = await profile.launch();
  const page = await openPage(context, site);
  const counted: Record<string, number> = {};
  for (const durability of ['strict', 'relaxed'] as const) {
    await page.evaluate((mode) => harness.acquire({ room: mode }, { durability: mode }), durability);
    await page.evaluate(() => harness.append({ count: 5, inFlight: 1, bytes: 100 }));
    counted[durability] = await syncsDuring([profile.browserPid()], () =>
      page.evaluate(() => harness.append({ count: 40, inFlight: 1, bytes: 100 })),
    );
    await page.evaluate(() => harness.close());
  }
  expect(counted['strict']).toBeGreaterThanOrEqual(40);
  expect(counted['relaxed']).toBeLessThan(10);
  await context.close();
});

test('files: one sync for each write that resolves, none that is relaxed', async () => {
  test.skip(!strace, 'strace is not installed: synced writes cannot be counted here');
  const context = await profile.launch();
  const page = await openPage(context, site, 'opfs');
  const counted: Record<string, number> = {};
  for (const durability of ['strict', 'relaxed'] as const) {
    await page.evaluate((mode) => harness.acquire({ room: mode }, { durability: mode, persist: false }), durability);
    await page.evaluate(() => harness.append({ count: 5, inFlight: 1, bytes: 100 }));
    counted[durability] = await syncsDuring(profile.rendererPids(), () =>
      page.evaluate(() => harness.append({ count: 40, inFlight: 1, bytes: 100 })),
    );
    await page.evaluate(() => harness.close());
  }
  expect(counted).toEqual({ strict: 40, relaxed: 0 });
  await context.close();
});

/** fsync and fdatasync calls of processes and their threads that ended while the work was done. */
async function syncsDuring(pids: readonly number[], work: () => Promise<void>): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'tabraft-strace-'));
  const file = join(directory, 'calls');
  const tracer: ChildProcess = spawn('strace', [
    '-f',
    '-e',
    'trace=fsync,fdatasync',
    '-o',
    file,
    ...pids.flatMap((pid) => ['-p', `${pid}`]),
  ]);
  try {
    await new Promise<void>((resolve, reject) => {
      tracer.stderr?.on('data', (text: Buffer) => text.includes('attached') && resolve());
      tracer.once('exit', () => reject(new Error('strace could not attach')));
    });
    await work();
    tracer.removeAllListeners('exit');
    const ended = new Promise((resolve) => tracer.once('exit', resolve));
    tracer.kill('SIGINT');
    await ended;
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => /f(?:data)?sync.*= 0/.test(line)).length;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
