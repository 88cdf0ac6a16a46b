/** Playwright, which whoever writes tests for tabs has installed: the one file that knows its name. */
export { type BrowserContext, type CDPSession, chromium, expect, type Page, test as base } from '@playwright/test';
