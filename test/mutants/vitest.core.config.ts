/** The core's own suite alone: what Stryker runs for every mutant (docs/MUTANTS.md). */
import type { ViteUserConfig } from 'vitest/config';
import whole from '../../vitest.config.ts';

const config: ViteUserConfig = { ...whole, test: { ...whole.test, include: ['test/core/**/*.test.ts'] } };

export default config;
