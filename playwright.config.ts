import { defineConfig } from '@playwright/test';

/**
 * The multi-tab tests: each starts a server of its own and a browser with a profile on disk (fixtures in test/e2e).
 * One worker: three tabs with their disks are load enough for two cores. No retries: a flake is a fault.
 */
const config: ReturnType<typeof defineConfig> = defineConfig({
  testDir: 'test',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results',
  fullyParallel: false,
  forbidOnly: process.env['CI'] !== undefined,
  workers: 1,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
});

export default config;
