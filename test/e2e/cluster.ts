/** Tabs of one browser profile on disk, and what the tests ask of them. State is read from `window.tabraft`, as a stranger would. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, test as base, chromium, expect, type Page } from '@playwright/test';
import type {} from '../../demo/open.ts';
import { ensureBrowser, launchArguments } from '../../scripts/browser.mjs';
import type { NodeStatus } from '../../src/index.ts';
import { Server } from './server.ts';

/** A formed cluster of a few tabs, on a busy machine: ms. */
export const FORMING_MS = 30_000;

export class Tab {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Undefined while the page has no node. */
  status(): Promise<NodeStatus | undefined> {
    return this.page.evaluate(() => window.tabraft?.node?.status);
  }

  /** Waits until the node has caught up with a leader once. */
  async ready(): Promise<this> {
    await this.page.waitForFunction(() => window.tabraft?.node !== undefined, undefined, { timeout: FORMING_MS });
    await this.page.evaluate(async () => {
      await window.tabraft?.node?.ready;
    });
    return this;
  }

  id(): Promise<string> {
    return this.page.evaluate(() => window.tabraft?.node?.id ?? '');
  }

  voters(): Promise<readonly string[]> {
    return this.page.evaluate(() => [...(window.tabraft?.node?.config.voters ?? [])].sort());
  }

  /** Adds an item to the list; resolves with its number when it is committed and applied. */
  add(text: string): Promise<number | undefined> {
    return this.page.evaluate((item) => window.tabraft?.node?.propose({ type: 'add', text: item, name: 'test' }), text);
  }

  book(seat: string): Promise<{ readonly ok: boolean } | undefined> {
    return this.page.evaluate((asked) => window.tabraft?.node?.propose({ type: 'book', seat: asked, name: 'test' }), seat);
  }

  /** What this tab has applied, without asking anybody. */
  items(): Promise<readonly string[]> {
    return this.page.evaluate(() => window.tabraft?.node?.peek((state) => state.items.map(({ text }) => text)) ?? []);
  }

  /** What a linearizable read gives. */
  readItems(): Promise<readonly string[]> {
    return this.page.evaluate(
      async () => (await window.tabraft?.node?.read((state) => state.items.map(({ text }) => text))) ?? [],
    );
  }

  shown(testId: string): ReturnType<Page['getByTestId']> {
    return this.page.getByTestId(testId);
  }

  seat(name: string): ReturnType<Page['locator']> {
    return this.page.locator(`[data-seat="${name}"]`);
  }

  /** The renderer dies at once: no pagehide, no goodbye. */
  async crash(): Promise<void> {
    const crashed = this.page.waitForEvent('crash');
    const session = await this.page.context().newCDPSession(this.page);
    void session.send('Page.crash').catch(() => undefined);
    await crashed;
  }
}

/** A browser with a profile on disk: only there IndexedDB is on disk too. */
export class Profile {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'tabraft-profile-'));
  #context: BrowserContext | undefined;
  /** Uncaught errors, unhandled rejections and policy violations of every page. There must be none. */
  readonly faults: string[] = [];
  readonly said: string[] = [];

  async context(): Promise<BrowserContext> {
    if (this.#context) return this.#context;
    const context = await chromium.launchPersistentContext(this.#folder, {
      executablePath: ensureBrowser(),
      args: [...launchArguments],
      viewport: { width: 1280, height: 900 },
    });
    context.on('page', (page) => this.#watch(page));
    for (const page of context.pages()) this.#watch(page);
    this.#context = context;
    return context;
  }

  async open(url: string): Promise<Tab> {
    const context = await this.context();
    const page = await context.newPage();
    await page.goto(url);
    return new Tab(page);
  }

  /** All at once: every page exists before the first one loads. */
  async openTogether(url: string, count: number): Promise<readonly Tab[]> {
    const context = await this.context();
    const pages = await Promise.all(Array.from({ length: count }, () => context.newPage()));
    await Promise.all(pages.map((page) => page.goto(url)));
    return pages.map((page) => new Tab(page));
  }

  async close(): Promise<void> {
    await this.#context?.close();
    this.#context = undefined;
  }

  async remove(): Promise<void> {
    await this.close();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  #watch(page: Page): void {
    page.on('pageerror', (error) => this.faults.push(String(error.stack ?? error)));
    page.on('console', (message) => {
      this.said.push(`${message.type()}: ${message.text()}`);
      if (message.text().includes('Content Security Policy')) this.faults.push(message.text());
    });
  }
}

interface Fixtures {
  readonly server: Server;
  readonly profile: Profile;
  readonly room: string;
  /** The demo in this test's room. */
  readonly url: string;
}

export const test: ReturnType<typeof base.extend<Fixtures>> = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see a pattern
  server: async ({}, use) => {
    const server = new Server();
    await server.start();
    await use(server);
    await server.stop();
  },
  // biome-ignore lint/correctness/noEmptyPattern: as above
  profile: async ({}, use, info) => {
    const profile = new Profile();
    await use(profile);
    if (info.status !== info.expectedStatus)
      await info.attach('console', { body: profile.said.join('\n'), contentType: 'text/plain' });
    await profile.remove();
    expect(profile.faults, 'uncaught errors, unhandled rejections, policy violations').toEqual([]);
  },
  // biome-ignore lint/correctness/noEmptyPattern: as above
  room: async ({}, use) => use(`test-${Math.random().toString(36).slice(2, 10)}`),
  url: async ({ server, room }, use) => use(`${server.url}?room=${room}`),
});

export { expect };

/** Opens tabs one after the other and waits until all of them vote and agree. */
export async function formed(profile: Profile, url: string, count: number): Promise<readonly Tab[]> {
  const tabs: Tab[] = [];
  for (let i = 0; i < count; i++) {
    const tab = await profile.open(url);
    tabs.push(await tab.ready());
  }
  await agreed(tabs, count);
  return tabs;
}

/** Waits until every tab sees the same so many voters and the same leader, whom it is linked to. */
export async function agreed(tabs: readonly Tab[], voters: number): Promise<void> {
  await expect
    .poll(
      async () => {
        const views = await Promise.all(tabs.map(async (tab) => ({ status: await tab.status(), voters: await tab.voters() })));
        const leaders = new Set(views.map(({ status }) => status?.leaderId ?? 'none'));
        const counts = new Set(views.map((view) => view.voters.length));
        return { leaders: leaders.has('none') ? 'some see none' : leaders.size, voters: [...counts] };
      },
      { timeout: FORMING_MS },
    )
    .toEqual({ leaders: 1, voters: [voters] });
}

/** The tab that leads, and the others. */
export async function byRole(
  tabs: readonly Tab[],
): Promise<{ readonly leader: Tab; readonly followers: readonly Tab[]; readonly term: number }> {
  const statuses = await Promise.all(tabs.map((tab) => tab.status()));
  const at = statuses.findIndex((status) => status?.role === 'leader');
  const leader = tabs[at];
  if (!leader) throw new Error(`No tab leads: ${statuses.map((status) => status?.role).join(', ')}`);
  return { leader, followers: tabs.filter((tab) => tab !== leader), term: statuses[at]?.term ?? 0 };
}

/** Waits until one of the tabs leads a later term and all of them follow it. */
export async function newLeader(tabs: readonly Tab[], afterTerm: number): Promise<void> {
  await expect
    .poll(
      async () => {
        const statuses = await Promise.all(tabs.map((tab) => tab.status()));
        const leaders = new Set(statuses.map((status) => status?.leaderId));
        const ids = statuses.map((status) => status?.id);
        const [leader] = leaders;
        return leaders.size === 1 && ids.includes(leader) && statuses.every((status) => (status?.term ?? 0) > afterTerm);
      },
      { timeout: FORMING_MS },
    )
    .toBe(true);
}
