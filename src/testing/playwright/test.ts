/** The fixture: `test` as Playwright's, with `tabs`. */
import { base, chromium } from './library.ts';
import { Tabs } from './tabs.ts';

export interface TabsFixtures {
  /** Tabs of real browsers that this test starts; they are gone when it ends. */
  readonly tabs: Tabs;
}

/**
 * Playwright's `test` with `tabs` besides. Of its configuration it heeds `baseURL`, `headless`, and of `launchOptions` the
 * `executablePath` (default: Playwright's Chromium) and `args`.
 */
export const test: ReturnType<typeof base.extend<TabsFixtures>> = base.extend<TabsFixtures>({
  tabs: async ({ baseURL, headless, launchOptions }, use) => {
    const { executablePath = chromium.executablePath(), args = [] } = launchOptions;
    const tabs = new Tabs({ executablePath, args, headless, baseURL });
    try {
      await use(tabs);
    } finally {
      await tabs.close();
    }
  },
});
