/**
 * tabraft/testing/playwright: real tabs for tests of your own application, and everything that happens to tabs, one line each:
 * cut off, crashed, hidden, frozen, without network, wiped, killed with their browser. Needs `@playwright/test` and a Chromium.
 */
export { expect } from './library.ts';
export { nodeCuts, type PageCuts } from './page-cuts.ts';
export type { Tab, TabDevice } from './tab.ts';
export { type Cuttable, Tabs, type TabsOptions } from './tabs.ts';
export { type TabsFixtures, test } from './test.ts';
